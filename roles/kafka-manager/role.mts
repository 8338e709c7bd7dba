import {
  addressOf,
  change,
  command,
  defineRole,
  directory,
  file,
  packages,
  recordedService,
  service,
  stat,
  systemUser,
  unitFile,
  unitInput,
  uploadedFile,
  type Change,
  type Context,
  type Host,
  type Resource,
} from '../../lib/index.mts';
import { java, javaHome } from '../java/contract.mts';
import { proxyOf } from '../sources/contract.mts';
import { config, configPath, unit } from './config.mts';
import { kafkaManager, listeners, productOf, type KafkaManagerVars } from './contract.mts';
import { akhqJar, cmakHome, cmakZip, CONFIG, DATA, HOME, UNIT, USER } from './paths.mts';
import { refusals } from './refusals.mts';
import { checks } from './verify.mts';

type Here = Context<KafkaManagerVars>;
interface Given {
  readonly path: string;
  readonly sha256: string;
}

function resources(here: Here): readonly Resource[] {
  const { vars } = here;
  if (!vars.enabled) return [service(UNIT, { running: false, enabled: false, because: ['kafka_manager_enabled'] })];
  // Refused before it comes to this.
  if (vars.archive === undefined || vars.sha256 === undefined) return [];
  return enabled(here, { path: vars.archive, sha256: vars.sha256 });
}

function enabled({ host, vars, facts, inventory }: Here, from: Given): readonly Resource[] {
  const product = productOf(host, inventory);
  const settings = { path: configPath(product), content: config(product, host, inventory) };
  const home = javaHome(host.vars(java), facts);
  const text = unit({ product, sha256: from.sha256, address: addressOf(host), port: vars.port, heap: vars.heap, javaHome: home });
  const inputs = [settings, unitInput(UNIT, text)];
  return [
    systemUser(USER, { home: DATA }),
    directory(HOME),
    directory(CONFIG, { mode: 0o750, owner: 'root', group: USER }),
    directory(DATA, { mode: 0o750, owner: USER, group: USER }),
    ...(product === 'akhq' ? [uploadedFile(akhqJar(from.sha256), { from, because: ['kafka_manager_archive'] })] : unzipped(host, from)),
    file(settings.path, { content: settings.content, syntax: 'lines', mode: 0o640, owner: 'root', group: USER, because: ['kafka_manager_port'] }),
    unitFile(UNIT, text, { because: ['kafka_manager_heap'] }),
    ...recordedService(UNIT, { inputs }),
  ];
}

/** CMAK comes as a zip archive with one folder in it. */
function unzipped(host: Host, from: Given): readonly Resource[] {
  const zip = cmakZip(from.sha256);
  const home = cmakHome(from.sha256);
  return [
    packages(['unzip'], proxyOf(host)),
    uploadedFile(zip, { from, because: ['kafka_manager_archive'] }),
    command('unpacked cmak', {
      because: ['kafka_manager_archive'],
      differs: stat(`${home}/bin/cmak`).map((now): readonly Change[] => (now.kind === 'there' ? [] : [change('unpacked', { kind: 'absent' }, home)])),
      run: (steps) => {
        steps.sh`home=${home} zip=${zip}
rm -rf -- "$home" "$home.new"
unzip -q "$zip" -d "$home.new"
set -- "$home.new"/*
[ $# -eq 1 ] && [ -f "$1/bin/cmak" ] || { rm -rf -- "$home.new"; say "$zip is no archive of CMAK: bin/cmak is not in its one folder"; exit 1; }
chmod -R u+rwX,a+rX,go-w,ug-s -- "$1"
chmod a+x -- "$1/bin/cmak"
mv -T -- "$1" "$home"
rmdir -- "$home.new"`;
      },
    }),
  ];
}

export default defineRole({
  contract: kafkaManager,
  summary: 'a web page for topics and consumer groups (CMAK or AKHQ); off unless asked for',
  runs: 'host',
  per: 'host',
  refuses: refusals,
  resources,
  listeners: ({ host }) => listeners(host),
  ready: checks,
  verify: checks,
});
