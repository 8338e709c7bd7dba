/** The JVMs that are asked: every Kafka process of the inventory, whoever runs it, and the clients of this program. */
import { addressOf, type Host, type Inventory } from '../../lib/index.mts';
import { jmxTarget, kafka, kafkaHosts, processKind, type JmxTarget } from '../kafka/contract.mts';
import { tracksConsumer } from '../tracks-consumer/contract.mts';
import { tracksProducer } from '../tracks-producer/contract.mts';
import { aliasOf } from './contract.mts';
import type { TargetKind } from './queries.mts';

export interface Target {
  /** What documents call it: the part of metric_path before the first dot. */
  readonly alias: string;
  readonly host: Host;
  readonly kind: TargetKind;
  readonly cluster: string;
  readonly jmx: JmxTarget;
  /** A port that is open while the process runs, whatever its JMX does. */
  readonly alive: number;
  /** The role that sets it up; `undefined` where others do. */
  readonly role: string | undefined;
}

export const targets = (inventory: Inventory): readonly Target[] => [
  ...kafkaHosts(inventory).map(kafkaProcess),
  ...inventory.group('clients').flatMap((host) => [producer(host), consumer(host)]),
];

function kafkaProcess(host: Host): Target {
  const vars = host.vars(kafka);
  const kind = processKind(host);
  return {
    alias: aliasOf(host),
    host,
    kind,
    cluster: vars.cluster_name,
    jmx: jmxTarget(host),
    alive: kind === 'controller' ? vars.controller_port : vars.port,
    role: vars.managed ? 'kafka' : undefined,
  };
}

/** Clients have the login of the Kafka they belong to. */
const client = (host: Host, kind: 'producer' | 'consumer', port: number, alive: number): Target => ({
  alias: `${aliasOf(host)}-${kind}`,
  host,
  kind,
  cluster: host.vars(kafka).cluster_name,
  jmx: { ...jmxTarget(host), port },
  alive,
  role: `tracks-${kind}`,
});

function producer(host: Host): Target {
  const vars = host.vars(tracksProducer);
  return client(host, 'producer', vars.jmx_port, vars.api_port);
}

function consumer(host: Host): Target {
  const vars = host.vars(tracksConsumer);
  return client(host, 'consumer', vars.jmx_port, vars.api_port);
}

export const whereOf = ({ host, jmx }: Target): string => `${addressOf(host)}:${String(jmx.port)}`;
