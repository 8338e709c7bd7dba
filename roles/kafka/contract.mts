import { z } from 'zod';
import {
  addressOf,
  archiveVariables,
  bracketed,
  contract,
  groupName,
  secretSchema,
  shellOutput,
  variables,
  type Facts,
  type Host,
  type Inventory,
  type Listener,
  type Question,
  type Secret,
} from '../../lib/index.mts';
import { java, javaHome } from '../java/contract.mts';
import { UNIT, ZOOKEEPER_DATA, ZOOKEEPER_UNIT } from './paths.mts';
import { clusterTool, ifAnyListens } from './tool.mts';
import { readTopics, type Topics } from './topics-state.mts';

const topic = z.strictObject({
  name: z.string().regex(/^(?!\.{1,2}$)[\w.-]{1,249}$/, 'letters, digits, ".", "_" and "-"'),
  partitions: z.int().min(1).max(10_000).default(1),
  /** `kafka_replication_factor` unless said. */
  replication_factor: z.int().min(1).exactOptional(),
  /** Settings of the topic, such as `retention.ms`. */
  config: z.record(z.string().regex(/^[a-z.]+$/), z.union([z.string(), z.number(), z.boolean()])).exactOptional(),
});

export const kafka = contract(
  'kafka',
  z.strictObject({
    managed: z.boolean().default(true).describe('false: observed only, for a Kafka that others run. No file, unit or restart; its metrics are collected.'),
    mode: z.enum(['kraft', 'zookeeper']).default('kraft').describe('Who keeps the metadata: the group controllers, or ZooKeeper on the group zookeepers.'),
    version: variables.version.default('3.9.1').describe('Version, in quotes.'),
    ...archiveVariables,
    cluster_name: z
      .string()
      .regex(/^[\w-]{1,63}$/, 'letters, digits, "_" and "-", at most 63')
      .default('kafka')
      .describe('Name of the Kafka cluster: the field cluster of its metrics. Brokers of one name form one cluster.'),
    node_id: z
      .int()
      .min(0)
      .max(2_147_483_647)
      .describe('Identity of the node, kept for ever. The number at the end of the name of the host unless given.')
      .exactOptional(),
    cluster_id: z
      .string()
      .regex(/^[\w-]{22}$/, 'the 22 characters that kafka-cluster.sh cluster-id prints')
      .describe('Id of a cluster whose controllers others run, for brokers that join it. Made when the cluster is founded unless given.')
      .exactOptional(),
    data_dirs: z
      .array(variables.ownDirectory)
      .min(1)
      .default(['/var/lib/kafka'])
      .describe('Where records are kept, one folder a disk; the first one also keeps the metadata.'),
    heap: variables.size.default('1g').describe('Smallest and largest heap; at least 256m, of which the log cleaner takes half.'),
    java: variables.absolutePath.describe('Home of the Java to run it with; that of the role java unless given.').exactOptional(),
    port: variables.port.default(9092).describe('Port of the clients.'),
    controller_port: variables.port.default(9093).describe('Port of the controllers.'),
    zookeeper_port: variables.port.default(2181).describe('Port of ZooKeeper, for kafka_mode: zookeeper.'),
    zookeeper_heap: variables.size.default('256m').describe('Smallest and largest heap of ZooKeeper.'),
    nofile: z.int().min(1024).describe('Open files of the service; those of os-limits unless given.').exactOptional(),
    replication_factor: z
      .int()
      .min(1)
      .default(1)
      .describe('Copies of each partition: of topics, consumer offsets and transactions. At most the number of brokers.'),
    min_insync_replicas: z
      .int()
      .min(1)
      .default(1)
      .describe('Copies that must have a record before acks=all confirms it; below the replication factor, or one broker down stops producers.'),
    topics: z
      .array(topic)
      .default([])
      .describe('Topics that are made: name, partitions, replication_factor, config. Others are left alone; nothing is ever deleted.'),
    settings: z
      .record(z.string().regex(/^[a-z][\w.]*$/), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .describe('Further lines of server.properties, such as log.retention.hours: 48.'),
    jmx_port: variables.port.default(9999).describe('Port of JMX, of its registry and of its objects.'),
    jmx_authentication: z.boolean().default(true).describe('JMX asks for a login. false: whoever reaches the port can run code as Kafka.'),
    jmx_user: z
      .string()
      .regex(/^[A-Za-z][\w.-]{0,31}$/)
      .default('monitor')
      .describe('Login of the collector; may read only.'),
    jmx_password: secretSchema.describe('Password of that login.').exactOptional(),
    jmx_hostname: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9.:-]*$/, 'a host name or an address')
      .describe('Where JMX sends its clients (java.rmi.server.hostname); the private address unless given.')
      .exactOptional(),
  }),
);

export type KafkaVars = NonNullable<(typeof kafka)['typeOfVariables']>;
export type Topic = z.output<typeof topic>;

const BROKERS = groupName('brokers');
const CONTROLLERS = groupName('controllers');
const ZOOKEEPERS = groupName('zookeepers');

export const brokers = (inventory: Inventory): readonly Host[] => inventory.group(BROKERS);
export const controllers = (inventory: Inventory): readonly Host[] => inventory.group(CONTROLLERS);
/** Brokers and controllers, in inventory order. */
export function kafkaHosts(inventory: Inventory): readonly Host[] {
  const names = new Set([...brokers(inventory), ...controllers(inventory)].map(({ name }) => name));
  return [...inventory.hosts.values()].filter(({ name }) => names.has(name));
}

export const zookeepers = (inventory: Inventory): readonly Host[] => inventory.group(ZOOKEEPERS);

const ofCluster = (hosts: readonly Host[], host: Host): readonly Host[] =>
  hosts.filter((other) => other.vars(kafka).cluster_name === host.vars(kafka).cluster_name);
/** Of the cluster that `host` belongs to. */
export const brokersWith = (inventory: Inventory, host: Host): readonly Host[] => ofCluster(brokers(inventory), host);
export const controllersWith = (inventory: Inventory, host: Host): readonly Host[] => ofCluster(controllers(inventory), host);
export const zookeepersWith = (inventory: Inventory, host: Host): readonly Host[] => ofCluster(zookeepers(inventory), host);

/** Whose id is `kafka_node_id`, or the number at the end of the host's name; `undefined` where there is neither. */
export function nodeId(host: Host): number | undefined {
  const digits = /(\d{1,9})$/.exec(host.name)?.[1];
  return host.vars(kafka).node_id ?? (digits === undefined ? undefined : Number(digits));
}

export const isBroker = (host: Host): boolean => host.groups.has(BROKERS);
export const isZookeeper = (host: Host): boolean => host.vars(kafka).mode === 'zookeeper' && host.groups.has(ZOOKEEPERS);
/** With ZooKeeper one of the brokers is the controller: there is no other process for it. */
export const isController = (host: Host): boolean => host.vars(kafka).mode === 'kraft' && host.groups.has(CONTROLLERS);

/** What the process of a host is. Controller beans do not exist on a node that is a broker only; with ZooKeeper every broker has them. */
export type ProcessKind = 'broker' | 'controller' | 'broker_controller';
export function processKind(host: Host): ProcessKind {
  if (!isBroker(host)) return 'controller';
  return isController(host) || host.vars(kafka).mode === 'zookeeper' ? 'broker_controller' : 'broker';
}

export const brokerAddress = (host: Host): string => `${bracketed(addressOf(host))}:${String(host.vars(kafka).port)}`;
/** `bootstrap.servers` of the cluster that `host` belongs to. */
export const bootstrapServers = (inventory: Inventory, host: Host): string => brokersWith(inventory, host).map(brokerAddress).join(',');

/** Where the collector connects, and as whom. */
export interface JmxTarget {
  readonly address: string;
  readonly port: number;
  readonly login?: { readonly user: string; readonly password: Secret };
}
export function jmxTarget(host: Host): JmxTarget {
  const { jmx_port: at, jmx_authentication: asks, jmx_user: user, jmx_password: password } = host.vars(kafka);
  return { address: addressOf(host), port: at, ...(asks && password !== undefined ? { login: { user, password } } : {}) };
}

export const zookeeperAddress = (host: Host): string => `${bracketed(addressOf(host))}:${String(host.vars(kafka).zookeeper_port)}`;

export function listeners(host: Host): readonly Listener[] {
  const vars = host.vars(kafka);
  const one = (name: string, at: number, from: readonly string[]): Listener => ({ name, port: at, address: addressOf(host), from, process: 'kafka' });
  return [
    ...(isBroker(host) ? [one('kafka', vars.port, ['brokers', 'controllers', 'clients', 'monitoring'])] : []),
    ...(isController(host) ? [one('kafka-controller', vars.controller_port, ['brokers', 'controllers'])] : []),
    ...(isBroker(host) || isController(host) ? [one('kafka-jmx', vars.jmx_port, ['monitoring'])] : []),
    ...(isZookeeper(host) ? [one('zookeeper', vars.zookeeper_port, ['brokers', 'zookeepers', 'monitoring'])] : []),
  ];
}

/** Where a host keeps records and metadata, and the services that write there; nothing on a host that others run. */
export function dataPlaces(host: Host): readonly { readonly unit: string; readonly path: string }[] {
  const { managed, data_dirs: directories } = host.vars(kafka);
  if (!managed) return [];
  return [
    ...(isBroker(host) || isController(host) ? directories.map((path) => ({ unit: UNIT, path })) : []),
    ...(isZookeeper(host) ? [{ unit: ZOOKEEPER_UNIT, path: ZOOKEEPER_DATA }] : []),
  ];
}

/** Home of the Java that Kafka and its tools run with. */
export const javaOf = (host: Host, facts: Pick<Facts, 'os' | 'arch'>): string => host.vars(kafka).java ?? javaHome(host.vars(java), facts);

/** All topics with their partitions, asked of the cluster through any broker, the host's own first. */
export function describeTopics(host: Host, inventory: Inventory, facts: Pick<Facts, 'os' | 'arch'>): Question<Topics> {
  const own = brokersWith(inventory, host).filter(({ name }) => name === host.name);
  const servers = [...own, ...brokersWith(inventory, host).filter(({ name }) => name !== host.name)].map(brokerAddress).join(',');
  return shellOutput(`${ifAnyListens(servers)}${clusterTool(javaOf(host, facts), 'kafka-topics', { brokers: servers }, ['--describe'])} 2>&1`).map(readTopics);
}

export { clusterTool, ifAnyListens, tool } from './tool.mts';
export * from './topics-state.mts';
