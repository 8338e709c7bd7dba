/** What the host of a managed node looks like. */
import {
  archive,
  change,
  chooseArchive,
  command,
  daemon,
  directory,
  file,
  JNDI_LOOKUP,
  packages,
  recordedService,
  stat,
  strippedJars,
  systemUser,
  unitFile,
  unitInput,
  type Change,
  type Context,
  type Input,
  type Resource,
  type ResourceId,
  type Syntax,
} from '../../lib/index.mts';
import { java, javaHome } from '../java/contract.mts';
import { proxyOf, reachable } from '../sources/contract.mts';
import { bootstrap } from './bootstrap.mts';
import { candidates, sameCluster } from './candidates.mts';
import { elasticsearchYml, heapOptions, jvmOptions, log4j2Properties, unicastHosts, YML_IGNORED } from './config.mts';
import type { ElasticsearchVars } from './contract.mts';
import { heapOf, SMALLEST } from './heap.mts';
import { enforcesChecks, serviceLimits } from './limits.mts';
import type { NodeState } from './node.mts';
import { CONFIG, CURRENT, DATA, HOME, LOGS, PID_FILE, RUN, START_LOG, UNIT, USER } from './paths.mts';
import { lateFounder } from './late-founder.mts';
import { allocation, hasMaster, runningPeer } from './rollout.mts';
import { daemonArgv, unit, type UnitOptions } from './unit.mts';

type Here = Context<ElasticsearchVars, NodeState>;

const KEYSTORE = `${CONFIG}/elasticsearch.keystore`;

export function node(here: Here): readonly Resource[] {
  const { host, vars, facts, inventory } = here;
  const chosen = chooseArchive('elasticsearch', vars.version, vars);
  const options: UnitOptions = { ...serviceLimits(host, facts), javaHome: javaFor(here, chosen.kind) };
  const founders = initialMasters(here);
  const ours = { owner: 'root', group: USER };
  const read = configuration(here, founders);
  const inputs = [...read.map(({ because: _, ...input }): Input => input), { link: CURRENT, target: vars.version }, { jars: CURRENT, without: JNDI_LOOKUP }];
  const programs = archive({
    name: 'elasticsearch',
    version: vars.version,
    source: reachable(host, chosen.source),
    into: HOME,
    owner: 'root',
    stripTop: true,
    because: ['elasticsearch_version'],
  });

  const start = facts.init === 'systemd' ? asService(options, inputs) : asDaemon(options, inputs);
  const running = start.at(-1);
  return [
    systemUser(USER, { home: HOME }),
    packages(['zip'], proxyOf(host)),
    programs,
    strippedJars('log4shell', { under: CURRENT, entry: JNDI_LOOKUP, after: [programs] }),
    directory(CONFIG, { mode: 0o750, ...ours }),
    directory(`${CONFIG}/jvm.options.d`, { mode: 0o750, ...ours, exclusive: ['heap.options'] }),
    directory(DATA, { mode: 0o750, owner: USER, group: USER }),
    directory(LOGS, { mode: 0o750, owner: USER, group: USER }),
    ...read.map(({ path, content, syntax, because }) => file(path, { content, syntax, mode: 0o640, ...ours, because })),
    file(`${CONFIG}/unicast_hosts.txt`, { content: unicastHosts(host, inventory), syntax: 'settings', mode: 0o640, ...ours }),
    keystore(options.javaHome),
    ...start,
    ...(founders === undefined ? [] : [lateFounder(here, founders)]),
    ...afterwards(here, running === undefined ? [] : [running.id]),
  ];
}

interface Read {
  readonly path: string;
  readonly content: string;
  readonly syntax: Syntax;
  readonly ignore?: string;
  readonly because: readonly string[];
}

/** The files a node reads once, when it starts. */
function configuration({ host, vars, facts, inventory }: Here, founders: readonly string[] | undefined): readonly Read[] {
  return [
    {
      path: `${CONFIG}/elasticsearch.yml`,
      content: elasticsearchYml(host, inventory, founders),
      syntax: 'settings',
      ignore: YML_IGNORED,
      because: ['elasticsearch_cluster_name'],
    },
    { path: `${CONFIG}/jvm.options`, content: jvmOptions(enforcesChecks(host, facts)), syntax: 'lines', because: ['elasticsearch_enforce_bootstrap_checks'] },
    {
      path: `${CONFIG}/jvm.options.d/heap.options`,
      content: heapOptions(heapOf(vars.heap, facts.memoryBytes, host) ?? SMALLEST),
      syntax: 'lines',
      because: ['elasticsearch_heap'],
    },
    { path: `${CONFIG}/log4j2.properties`, content: log4j2Properties(), syntax: 'settings', because: [] },
  ];
}

/** Only while a cluster is being founded; gone as soon as one exists. */
function initialMasters({ host, vars, inventory, peers }: Here): readonly string[] | undefined {
  if (bootstrap(host.name, sameCluster(inventory, host, peers)).kind !== 'found') return undefined;
  return vars.initial_master_nodes ?? candidates(inventory, host).map(({ name }) => name);
}

function javaFor({ host, vars, facts }: Here, kind: 'official' | 'assembled'): string | undefined {
  const wish = vars.java === 'auto' ? (kind === 'official' ? 'bundled' : javaHome(host.vars(java), facts)) : vars.java;
  return wish === 'bundled' ? undefined : wish;
}

type Inputs = readonly Input[];

const asService = (options: UnitOptions, inputs: Inputs): readonly Resource[] => {
  const content = unit(options);
  return [unitFile(UNIT, content), ...recordedService(UNIT, { inputs: [...inputs, unitInput(UNIT, content)] })];
};

const asDaemon = (options: UnitOptions, inputs: Inputs): readonly Resource[] => [
  directory(RUN, { mode: 0o755, owner: USER, group: USER }),
  daemon('elasticsearch', { user: USER, start: daemonArgv(options), pidFile: PID_FILE, inputs, logFile: START_LOG, stopSeconds: 120 }),
];

/** Made beforehand, since Elasticsearch would make it in a folder that it may not write to. */
function keystore(home: string | undefined): Resource {
  const differs = stat(KEYSTORE).map((found): readonly Change[] => {
    if (found.kind === 'absent') return [change('keystore', { kind: 'absent' }, 'an empty keystore')];
    const have = `${found.owner}:${found.group} ${found.mode.toString(8)}`;
    const want = `root:${USER} 660`;
    return have === want ? [] : [change('owner and mode', have, want)];
  });
  return command('elasticsearch keystore', {
    differs,
    run: (steps) => {
      steps.sh`[ -e ${KEYSTORE} ] || JAVA_HOME=${home ?? ''} ES_PATH_CONF=${CONFIG} ${CURRENT}/bin/elasticsearch-keystore create
chown ${`root:${USER}`} ${KEYSTORE}
chmod 660 ${KEYSTORE}`;
    },
  });
}

/** What only means something while the node runs. */
function afterwards(here: Here, needs: readonly ResourceId[]): readonly Resource[] {
  const { host, inventory, peers } = here;
  const through = hasMaster(peers.get(host.name)) ? host : runningPeer(host, inventory, peers);
  // Without a master nobody can say or change a setting; the check after the run asks for it then.
  return through === undefined ? [] : [allocation(through, null, needs)];
}
