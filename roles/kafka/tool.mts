/** Kafka's own tools: each is a JVM, so it is kept small and quick. */
import { quote } from '../../lib/index.mts';
import { CURRENT } from './paths.mts';

/**
 * Without a JMX port of its own, which would be the broker's: a blank is enough to keep the launcher from its default. What the tool gets to wait
 * for a cluster that does not answer is bounded twice, since each of its requests waits a minute otherwise.
 */
export function tool(javaHome: string, name: string, args: readonly string[]): string {
  const environment = [
    `JAVA_HOME=${javaHome}`,
    'JMX_PORT=',
    'KAFKA_JMX_OPTS= ',
    'KAFKA_OPTS=',
    'KAFKA_HEAP_OPTS=-Xmx128m',
    'KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true',
  ];
  return ['timeout', '30', 'env', ...environment, `${CURRENT}/bin/${name}.sh`, ...args].map(quote).join(' ');
}

/** A question to the cluster through its brokers, or through its controllers. */
export function clusterTool(
  javaHome: string,
  name: string,
  through: { readonly brokers: string } | { readonly controllers: string },
  args: readonly string[],
): string {
  const at = 'brokers' in through ? ['--bootstrap-server', through.brokers] : ['--bootstrap-controller', through.controllers];
  return `printf 'default.api.timeout.ms=12000\\nrequest.timeout.ms=5000\\n' | ${tool(javaHome, name, [...at, '--command-config', '/dev/stdin', ...args])}`;
}

/** Ends at once where nobody listens: a tool would try again and again before it says so. curl's 7 is a connection that was refused. */
export const ifAnyListens = (servers: string): string => `open=
for at in ${servers.split(',').map(quote).join(' ')}; do
  code=0
  curl -q --silent --noproxy '*' --max-time 0.2 "telnet://$at" </dev/null >/dev/null 2>&1 || code=$?
  [ "$code" -eq 7 ] || { open=$at; break; }
done
[ -n "$open" ] || { echo ${quote(`no broker listens on ${servers}`)}; exit 1; }
`;
