/** One Logstash service on a host that the role logstash has prepared: its own configuration, data, log, ports and unit. */
import {
  addressOf,
  chooseArchive,
  directory,
  file,
  JNDI_LOOKUP,
  playing,
  recordedService,
  requirement,
  stat,
  unitFile,
  unitInput,
  type Context,
  type Facts,
  type Host,
  type Input,
  type Resource,
  type ResourceId,
} from '../../lib/index.mts';
import { java, javaHome } from '../java/contract.mts';
import { jvmOptions, log4j2Properties, logstashYml, type Settings } from './config.mts';
import { jmxFileResources, jmxFiles, jmxOptions, type JmxServer } from './jmx.mts';
import { CURRENT, placesOf, USER } from './paths.mts';
import { pipelineFile } from './pipeline-file.mts';
import { unit } from './unit.mts';
import { logstash } from './variables.mts';

/** A client of Kafka learns of new brokers by itself: the list of those it asks first is no reason to restart it. */
const PIPELINE_IGNORED = '^[[:space:]]*bootstrap_servers =>';

export interface Instance {
  /** logstash-<name>.service, /etc/logstash-<name>, … */
  readonly name: string;
  readonly description: string;
  readonly heap: string;
  readonly apiPort: number;
  readonly pipeline: string;
  /** Further lines of logstash.yml. */
  readonly settings?: Settings;
  readonly jmx?: JmxServer;
  /** Further options of its Java. */
  readonly java?: readonly string[];
  /** Loggers that speak at every poll: to the log file only. */
  readonly chatty?: readonly string[];
  /** What it reads when it starts, beside its configuration. */
  readonly inputs?: readonly Input[];
  /** Inventory variables that decide the pipeline. */
  readonly because?: readonly string[];
}

export interface Around {
  /** Missing ones end the run before anything is changed. */
  readonly first?: readonly Resource[];
  /** What the pipeline names, and so its test: files, directories, plugins. */
  readonly before?: readonly Resource[];
  /** It is not started while these are still to come. */
  readonly needs?: readonly ResourceId[];
}

type Here = Pick<Context<unknown>, 'host' | 'facts' | 'inventory'>;

/** Of the archive that this host gets: `undefined` is the Java in it. */
export function javaFor(host: Host, facts: Facts): string | undefined {
  const vars = host.vars(logstash);
  const { kind } = chooseArchive('logstash', vars.version, vars);
  const wish = vars.java === 'auto' ? (kind === 'official' ? 'bundled' : javaHome(host.vars(java), facts)) : vars.java;
  return wish === 'bundled' ? undefined : wish;
}

export const installed = (here: Here): Resource =>
  requirement('logstash is installed', {
    missing: stat(`${CURRENT}/bin/logstash`).map(({ kind }) => (kind === 'absent' ? `Logstash is not installed on ${here.host.name}` : undefined)),
    hint: `run this first: ${playing(here, 'java,logstash')} --limit ${here.host.name}`,
  });

export function instance(here: Here, spec: Instance, { first = [], before = [], needs = [] }: Around = {}): readonly Resource[] {
  const { host, facts } = here;
  const places = placesOf(spec.name);
  const home = javaFor(host, facts);
  const read = [
    {
      path: `${places.config}/logstash.yml`,
      content: logstashYml(host.name, places, { address: addressOf(host), port: spec.apiPort }, spec.settings ?? {}),
      syntax: 'settings',
    },
    { path: `${places.config}/jvm.options`, content: jvmOptions(spec.heap, places.logs, spec.java), syntax: 'lines' },
    { path: `${places.config}/log4j2.properties`, content: log4j2Properties(spec.chatty), syntax: 'settings' },
  ] as const;
  const content = unit({
    description: spec.description,
    places,
    javaHome: home,
    javaOptions: spec.jmx === undefined ? [] : jmxOptions(spec.jmx, places.config),
  });
  const inputs: readonly Input[] = [
    ...read,
    { path: places.pipeline, content: spec.pipeline, ignore: PIPELINE_IGNORED },
    ...(spec.jmx === undefined ? [] : jmxFiles(spec.jmx, places.config)),
    unitInput(places.unit, content),
    { link: CURRENT, target: host.vars(logstash).version },
    { jars: CURRENT, without: JNDI_LOOKUP },
    ...(spec.inputs ?? []),
  ];
  return [
    installed(here),
    ...first,
    directory(places.config, { mode: 0o750, owner: 'root', group: USER }),
    directory(places.data, { mode: 0o750, owner: USER, group: USER }),
    directory(places.logs, { mode: 0o750, owner: USER, group: USER }),
    ...read.map(({ path, content, syntax }) => file(path, { content, syntax, mode: 0o640, owner: 'root', group: USER })),
    ...(spec.jmx === undefined ? [] : jmxFileResources(spec.jmx, places.config)),
    ...before,
    pipelineFile({ places, content: spec.pipeline, javaHome: home, ...(spec.because === undefined ? {} : { because: spec.because }) }),
    unitFile(places.unit, content),
    ...recordedService(places.unit, { inputs, ...(needs.length === 0 ? {} : { needs }) }),
  ];
}
