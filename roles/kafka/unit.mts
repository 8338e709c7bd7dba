import { addressOf, type Host } from '../../lib/index.mts';
import { isController, kafka } from './contract.mts';
import {
  CURRENT,
  JMX_ACCESS,
  JMX_PASSWORD,
  LOG4J,
  LOGS,
  SERVER_PROPERTIES,
  USER,
  ZOOKEEPER_LOG4J,
  ZOOKEEPER_LOGS,
  ZOOKEEPER_PROPERTIES,
  ZOOKEEPER_UNIT,
} from './paths.mts';

export interface UnitOptions {
  readonly javaHome: string;
  readonly nofile: number;
}

/** One port for the registry and its objects, on one address, so that one hole in a firewall is enough and nothing else is opened. */
export function jmxOptions(host: Host): string {
  const vars = host.vars(kafka);
  const login = vars.jmx_authentication
    ? { authenticate: true, 'password.file': JMX_PASSWORD, 'access.file': JMX_ACCESS, 'password.toHashes': false }
    : { authenticate: false };
  const options = { port: vars.jmx_port, 'rmi.port': vars.jmx_port, host: addressOf(host), ssl: false, ...login };
  return [
    '-Dcom.sun.management.jmxremote',
    ...Object.entries(options).map(([key, value]) => `-Dcom.sun.management.jmxremote.${key}=${String(value)}`),
    `-Djava.rmi.server.hostname=${vars.jmx_hostname ?? addressOf(host)}`,
  ].join(' ');
}

/** One line of a unit: quoted, and a percent sign is none of systemd's. */
const environment = (name: string, value: string): string => `Environment="${name}=${value.replaceAll(/[\\"]/g, (c) => `\\${c}`).replaceAll('%', '%%')}"`;

/** Dumps and gc logs beside the other logs, bounded: Java writes no second dump over the first. */
const javaOptions = (logs: string): string =>
  `-XX:+ExitOnOutOfMemoryError -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=${logs}/heap.hprof -XX:ErrorFile=${logs}/hs_err_pid%p.log`;
const gcLog = (logs: string): string => `-Xlog:gc*:file=${logs}/gc.log:utctime,tags:filecount=8,filesize=32m`;

interface Service {
  readonly description: string;
  readonly after: string;
  readonly start: string;
  readonly environment: readonly (readonly [name: string, value: string])[];
  readonly nofile: number;
  readonly stopSeconds: number;
}

/** 143 is a Java that was asked to end. /tmp is the unit's own: libraries that Kafka unpacks there end with it. */
const service = ({ description, after, start, environment: variables, nofile, stopSeconds }: Service): string => `[Unit]
Description=${description}
Wants=network-online.target
After=${after}
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=simple
User=${USER}
Group=${USER}
WorkingDirectory=${CURRENT}
PrivateTmp=true
NoNewPrivileges=true
UnsetEnvironment=JMX_PORT EXTRA_ARGS CLASSPATH
${variables.map(([name, value]) => environment(name, value)).join('\n')}
ExecStart=${start}
LimitNOFILE=${String(nofile)}
Restart=on-failure
RestartSec=5
SuccessExitStatus=143
TimeoutStopSec=${String(stopSeconds)}

[Install]
WantedBy=multi-user.target
`;

const heap = (size: string): string => `-Xms${size} -Xmx${size}`;

/** A broker hands over what it leads before it ends, which takes as long as that takes. */
export function unit(host: Host, { javaHome, nofile }: UnitOptions): string {
  const vars = host.vars(kafka);
  return service({
    description: isController(host) ? 'Apache Kafka (KRaft)' : 'Apache Kafka',
    after: vars.mode === 'zookeeper' ? `network-online.target ${ZOOKEEPER_UNIT}` : 'network-online.target',
    start: `${CURRENT}/bin/kafka-server-start.sh ${SERVER_PROPERTIES}`,
    environment: [
      ['JAVA_HOME', javaHome],
      ['LOG_DIR', LOGS],
      ['KAFKA_HEAP_OPTS', heap(vars.heap)],
      ['KAFKA_LOG4J_OPTS', `-Dlog4j.configuration=file:${LOG4J}`],
      ['KAFKA_GC_LOG_OPTS', gcLog(LOGS)],
      ['KAFKA_OPTS', javaOptions(LOGS)],
      ['KAFKA_JMX_OPTS', jmxOptions(host)],
    ],
    nofile,
    stopSeconds: 180,
  });
}

/** Without JMX: a blank is enough to keep the launcher from its default. */
export const zookeeperUnit = (host: Host, { javaHome, nofile }: UnitOptions): string =>
  service({
    description: 'Apache ZooKeeper',
    after: 'network-online.target',
    start: `${CURRENT}/bin/zookeeper-server-start.sh ${ZOOKEEPER_PROPERTIES}`,
    environment: [
      ['JAVA_HOME', javaHome],
      ['LOG_DIR', ZOOKEEPER_LOGS],
      ['KAFKA_HEAP_OPTS', heap(host.vars(kafka).zookeeper_heap)],
      ['KAFKA_LOG4J_OPTS', `-Dlog4j.configuration=file:${ZOOKEEPER_LOG4J}`],
      ['KAFKA_GC_LOG_OPTS', gcLog(ZOOKEEPER_LOGS)],
      ['KAFKA_OPTS', javaOptions(ZOOKEEPER_LOGS)],
      ['KAFKA_JMX_OPTS', ' '],
    ],
    nofile,
    stopSeconds: 60,
  });
