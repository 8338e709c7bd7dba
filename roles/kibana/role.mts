import { archive, chooseArchive, defineRole, directory, file, recordedService, systemUser, unitFile, unitInput, type Resource } from '../../lib/index.mts';
import { reachable } from '../sources/contract.mts';
import { kibanaYml, unit } from './config.mts';
import { kibana, listeners, type KibanaVars } from './contract.mts';
import { diagnosis } from './evidence.mts';
import { CONFIG, CURRENT, DATA, HOME, UNIT, USER } from './paths.mts';
import { foreignOwner, takenOver } from './port.mts';
import { refusals, type Here, type Peer } from './refusals.mts';
import { checks, ready } from './verify.mts';

const chosen = (vars: KibanaVars): ReturnType<typeof chooseArchive> => chooseArchive('kibana', vars.version, vars);

function resources({ host, vars, inventory }: Here): readonly Resource[] {
  const config = { path: `${CONFIG}/kibana.yml`, content: kibanaYml(host, inventory), syntax: 'settings' } as const;
  const service = unit(vars.heap);
  const inputs = [config, unitInput(UNIT, service), { link: CURRENT, target: vars.version }];
  return [
    systemUser(USER, { home: HOME }),
    archive({ name: 'kibana', version: vars.version, source: reachable(host, chosen(vars).source), into: HOME, because: ['kibana_version'] }),
    directory(CONFIG, { mode: 0o750, owner: 'root', group: USER }),
    directory(DATA, { mode: 0o750, owner: USER, group: USER }),
    file(config.path, { content: config.content, syntax: config.syntax, mode: 0o640, owner: 'root', group: USER, because: ['kibana_port'] }),
    unitFile(UNIT, service, { because: ['kibana_heap'] }),
    ...(vars.take_over_port ? listeners(host).map(takenOver) : []),
    ...recordedService(UNIT, { inputs }),
  ];
}

export default defineRole<KibanaVars, Peer>({
  contract: kibana,
  summary: 'Kibana, connected to the Elasticsearch of the inventory',
  runs: 'host',
  per: 'host',
  // Who has the port is asked in the first frame, so that a stranger is named before anything is changed.
  peers: { group: 'monitoring', ask: (host) => foreignOwner({ address: host.privateAddress ?? '127.0.0.1', port: host.vars(kibana).port }) },
  refuses: refusals,
  resources,
  listeners: ({ host }) => listeners(host),
  standIns: ({ vars }) => {
    const what = chosen(vars).standIn;
    return what === undefined ? [] : [{ product: 'kibana', what }];
  },
  ready,
  verify: checks,
  diagnose: diagnosis,
});
