/** What a producer and a consumer share: whom they talk to, and what has to be there first. */
import {
  playing,
  privateOnly,
  quote,
  requirement,
  shellOutput,
  type Context,
  type Host,
  type Inventory,
  type Refusal,
  type Resource,
} from '../../lib/index.mts';
import { brokerAddress, brokersWith, jmxTarget, kafka } from '../kafka/contract.mts';
import type { JmxServer } from '../logstash/contract.mts';

const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });

/** At the end of the file Logstash's pipe input waits ten seconds before it begins again. */
export const CLIENT_SILENCE = 11;

export function clientRefusals(host: Host, inventory: Inventory, topics: readonly string[]): readonly Refusal[] {
  return [
    ...privateOnly(host, 'the JMX of a Kafka client'),
    ...withoutLogin(host),
    ...withoutBrokers(host, inventory),
    ...withoutTopic(host, inventory, topics),
  ];
}

function withoutLogin(host: Host): readonly Refusal[] {
  const vars = host.vars(kafka);
  if (!vars.jmx_authentication || vars.jmx_password !== undefined) return [];
  return [
    usage(`kafka_jmx_authentication is on, but ${host.name} has no kafka_jmx_password`, "set kafka_jmx_password: {secret: 'generate:kafka-jmx'} for all hosts"),
  ];
}

function withoutBrokers(host: Host, inventory: Inventory): readonly Refusal[] {
  if (brokersWith(inventory, host).length > 0) return [];
  const cluster = host.vars(kafka).cluster_name;
  return [
    usage(
      `no broker is in the Kafka cluster ${cluster} of ${host.name}`,
      'put brokers into the group brokers, and give clients the kafka_cluster_name of theirs',
    ),
  ];
}

/** Topics are not made by sending to them. What others made is theirs to know. */
function withoutTopic(host: Host, inventory: Inventory, topics: readonly string[]): readonly Refusal[] {
  const brokers = brokersWith(inventory, host);
  if (brokers.some((broker) => !broker.vars(kafka).managed)) return [];
  const made = new Set(brokers.flatMap((broker) => broker.vars(kafka).topics.map(({ name }) => name)));
  return topics
    .filter((topic) => !made.has(topic))
    .map((topic) => usage(`nobody makes the topic ${topic}: topics are not made by using them`, `add it to kafka_topics: - { name: ${topic}, partitions: 2 }`));
}

export const clientJmx = (host: Host, port: number): JmxServer => ({ ...jmxTarget(host), port });

/** One broker is enough: it names the others. */
export function kafkaAnswers(here: Pick<Context<unknown>, 'host' | 'inventory'>): Resource {
  const brokers = brokersWith(here.inventory, here.host);
  const lines = brokers.map((broker) => {
    const [address, port] = splitPort(brokerAddress(broker));
    return `timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' ${quote(address)} ${port} 2>/dev/null && exit 0`;
  });
  return requirement('kafka answers', {
    missing: shellOutput(`command -v bash >/dev/null 2>&1 || exit 0\n${lines.join('\n')}\nexit 1`).map(({ code }) =>
      code === 0 ? undefined : `no broker answers ${here.host.name}: ${brokers.map(brokerAddress).join(', ')}`,
    ),
    hint: `run this first: ${playing(here, 'java,kafka,kafka-topics')}`,
  });
}

const splitPort = (where: string): readonly [string, string] => {
  const colon = where.lastIndexOf(':');
  return [where.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), where.slice(colon + 1)];
};
