/** The files of /etc/elasticsearch, each as a function of what it says. */
import { addressOf, NO_LOOKUPS, type Host, type Inventory } from '../../lib/index.mts';
import { dataNodes, elasticsearch, masters, members, nodeName, transportAddress } from './contract.mts';
import { showSize } from './heap.mts';
import { DATA, LOGS } from './paths.mts';
import { flatYaml } from './yaml.mts';

/** Lines of elasticsearch.yml that a running node has no use for: changing them is no reason to restart it. */
export const YML_IGNORED = '^cluster\\.initial_master_nodes:';

export function elasticsearchYml(host: Host, inventory: Inventory, initialMasters: readonly string[] | undefined): string {
  const vars = host.vars(elasticsearch);
  return flatYaml({
    'cluster.name': vars.cluster_name,
    'node.name': nodeName(host),
    'node.roles': nodeRoles(host, inventory),
    'path.data': DATA,
    'path.logs': LOGS,
    'network.host': addressOf(host),
    'http.port': vars.http_port,
    'transport.port': vars.transport_port,
    // Empty, or the default of 127.0.0.1 and [::1] is asked as well as the file.
    'discovery.seed_hosts': [],
    'discovery.seed_providers': 'file',
    'cluster.initial_master_nodes': initialMasters,
    'bootstrap.memory_lock': vars.memory_lock,
    'action.destructive_requires_name': true,
  });
}

function nodeRoles(host: Host, inventory: Inventory): readonly string[] {
  const isIn = (hosts: readonly Host[]): boolean => hosts.some(({ name }) => name === host.name);
  return [...(isIn(masters(inventory)) ? ['master'] : []), ...(isIn(dataNodes(inventory)) ? ['data'] : []), 'ingest'];
}

/** Read again while the node runs, so a new master restarts nobody. */
export const unicastHosts = (host: Host, inventory: Inventory): string =>
  members(inventory, host)
    .filter((member) => masters(inventory).some(({ name }) => name === member.name))
    .map((member) => `${transportAddress(member)}\n`)
    .join('');

export const heapOptions = (bytes: number): string => `-Xms${showSize(bytes)}\n-Xmx${showSize(bytes)}\n`;

/** For Java 11 to 17: the collector Elasticsearch was tested with on each, logs and dumps in the log folder and bounded. */
export function jvmOptions(enforceBootstrapChecks: boolean): string {
  return `11-13:-XX:+UseConcMarkSweepGC
11-13:-XX:CMSInitiatingOccupancyFraction=75
11-13:-XX:+UseCMSInitiatingOccupancyOnly
14-:-XX:+UseG1GC
14-:-XX:G1ReservePercent=25
14-:-XX:InitiatingHeapOccupancyPercent=30
-Djava.io.tmpdir=\${ES_TMPDIR}
# Log4j looks nothing up in what it logs (CVE-2021-44228).
${NO_LOOKUPS}
# One dump at most: Java never writes over an existing one.
-XX:+HeapDumpOnOutOfMemoryError
-XX:HeapDumpPath=${LOGS}/heap.hprof
-XX:ErrorFile=${LOGS}/hs_err_pid%p.log
-Xlog:gc*,gc+age=trace,safepoint:file=${LOGS}/gc.log:utctime,pid,tags:filecount=8,filesize=32m
${enforceBootstrapChecks ? '-Des.enforce.bootstrap.checks=true\n' : ''}`;
}

/** Elasticsearch's own log and its deprecation log, both rotated by size and bounded; the console goes to the journal. */
export const log4j2Properties = (): string => `status = error

appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = ${PATTERN}
${rolling('rolling', '')}
${rolling('deprecation', '_deprecation')}
appender.header_warning.type = HeaderWarningAppender
appender.header_warning.name = header_warning

rootLogger.level = info
rootLogger.appenderRef.console.ref = console
rootLogger.appenderRef.rolling.ref = rolling

logger.deprecation.name = org.elasticsearch.deprecation
logger.deprecation.level = deprecation
logger.deprecation.appenderRef.deprecation.ref = deprecation
logger.deprecation.appenderRef.header_warning.ref = header_warning
logger.deprecation.additivity = false
`;

const PATTERN = '[%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n';
const rolling = (name: string, suffix: string): string => {
  const base = `\${sys:es.logs.base_path}\${sys:file.separator}\${sys:es.logs.cluster_name}${suffix}`;
  return `
appender.${name}.type = RollingFile
appender.${name}.name = ${name}
appender.${name}.fileName = ${base}.log
appender.${name}.filePattern = ${base}-%i.log.gz
appender.${name}.layout.type = PatternLayout
appender.${name}.layout.pattern = ${PATTERN}
appender.${name}.policies.type = Policies
appender.${name}.policies.size.type = SizeBasedTriggeringPolicy
appender.${name}.policies.size.size = 64MB
appender.${name}.strategy.type = DefaultRolloverStrategy
appender.${name}.strategy.max = 8`;
};
