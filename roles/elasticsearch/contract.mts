import { z } from 'zod';
import {
  addressOf,
  allOf,
  archiveVariables,
  bracketed,
  contract,
  http,
  parseJson,
  playing,
  variables,
  type Host,
  type HttpAnswer,
  type Inventory,
  type Listener,
  type Question,
} from '../../lib/index.mts';
import { DATA, UNIT } from './paths.mts';

export const elasticsearch = contract(
  'elasticsearch',
  z.strictObject({
    version: variables.version.default('7.10.2').describe('Version, in quotes.'),
    cluster_name: z
      .string()
      .regex(/^[\w.-]{1,63}$/, 'letters, digits, ".", "_" and "-", at most 63')
      .default('kafka-monitoring')
      .describe('Name of the cluster; nodes of one name form one cluster.'),
    heap: z
      .union([z.literal('auto'), variables.size])
      .default('auto')
      .describe("Smallest and largest heap, such as 4g. auto: at most half of what the host's other roles leave, at most 31 GB."),
    http_port: variables.port.default(9200).describe('Port of the HTTP API.'),
    transport_port: variables.port.default(9300).describe('Port between the nodes.'),
    java: z
      .union([z.enum(['auto', 'bundled']), variables.absolutePath])
      .default('auto')
      .describe('bundled with the official archive, or the path of a Java home. auto: bundled where there is one, else that of the role java.'),
    ...archiveVariables,
    managed: z.boolean().default(true).describe('false: observed only. No file, unit or restart.'),
    enforce_bootstrap_checks: z
      .union([z.boolean(), z.literal('auto')])
      .default(false)
      .describe('Elasticsearch bound to a loopback address only warns; this makes it refuse as elsewhere. auto: where enough open files can be had.'),
    nofile: z.int().min(1024).describe('Open files of the service; those of os-limits unless given.').exactOptional(),
    nproc: z.int().min(4096).default(4096).describe('Processes and threads of the service.'),
    memory_lock: z.boolean().default(false).describe('Lock the heap into memory.'),
    initial_master_nodes: z
      .array(z.string().min(1))
      .min(1)
      .describe('Replaces the names of the group es_masters for the very first start: node names or publish addresses.')
      .exactOptional(),
  }),
);

export type ElasticsearchVars = NonNullable<(typeof elasticsearch)['typeOfVariables']>;

/** The candidates for the elected master, in inventory order. */
export const masters = (inventory: Inventory): readonly Host[] => inventory.group('es_masters');

/** Hosts that hold data: the group es_data, or every master where nobody is in that group. */
export function dataNodes(inventory: Inventory): readonly Host[] {
  const named = inventory.group('es_data');
  return named.length > 0 ? named : masters(inventory);
}

/** Every member of the cluster that `host` belongs to, in inventory order. */
export function members(inventory: Inventory, host: Host): readonly Host[] {
  const cluster = host.vars(elasticsearch).cluster_name;
  const all = new Set([...masters(inventory), ...dataNodes(inventory)].map(({ name }) => name));
  return [...inventory.hosts.values()].filter((other) => all.has(other.name) && other.vars(elasticsearch).cluster_name === cluster);
}

/** The cluster that a host uses, its own node first: the one that the host's variables name, else the first of the inventory. */
export function clusterFor(inventory: Inventory, host: Host): readonly Host[] {
  const named = members(inventory, host);
  const [first] = [...masters(inventory), ...dataNodes(inventory)];
  const cluster = named.length > 0 || first === undefined ? named : members(inventory, first);
  return [...cluster.filter(({ name }) => name === host.name), ...cluster.filter(({ name }) => name !== host.name)];
}

/** How many hosts of that cluster hold data: a copy of a shard needs a second one. */
export function dataNodeCount(inventory: Inventory, host: Host): number {
  const data = new Set(dataNodes(inventory).map(({ name }) => name));
  return clusterFor(inventory, host).filter(({ name }) => data.has(name)).length;
}

/** `local=true`: a node answers at once from what it knows, also without a master. */
const MASTER = '/_cluster/state/master_node?local=true';

/** The first of these nodes that answers and sees an elected master; asked from wherever the question is asked. */
export const answering = (nodes: readonly Host[]): Question<Host | undefined> =>
  allOf(nodes.map((node) => http({ url: nodeUrl(node) + MASTER, timeoutMs: 3000 }))).map((answers) => nodes.find((_, index) => seesMaster(answers[index])));

const master = z.object({ master_node: z.string() });
function seesMaster(answer: HttpAnswer | undefined): boolean {
  if (answer?.kind !== 'answered' || answer.status !== 200) return false;
  const body = parseJson(answer.body);
  return body.kind === 'known' && master.safeParse(body.value).success;
}

/** What to do first where none of them answers. */
export const startFirst = (inventory: Inventory, nodes: readonly Host[]): string =>
  nodes.some((node) => node.vars(elasticsearch).managed)
    ? `bring it up first: ${playing({ inventory }, 'os-limits,java,elasticsearch')}`
    : 'elasticsearch_managed is false: start it where it runs';

/** Where a node keeps its data, and the service that writes there; nothing on a host that others run, or that is no node. */
export const dataPlaces = (inventory: Inventory, host: Host): readonly { readonly unit: string; readonly path: string }[] =>
  host.vars(elasticsearch).managed && members(inventory, host).some(({ name }) => name === host.name) ? [{ unit: UNIT, path: DATA }] : [];

export const nodeName = (host: Host): string => host.name;

/** What other roles and the operator's curl use: the node's own address. */
export const nodeUrl = (host: Host): string => `http://${bracketed(addressOf(host))}:${String(host.vars(elasticsearch).http_port)}`;
export const transportAddress = (host: Host): string => `${bracketed(addressOf(host))}:${String(host.vars(elasticsearch).transport_port)}`;

export function listeners(host: Host): readonly Listener[] {
  const vars = host.vars(elasticsearch);
  const one = (name: string, at: number, from: readonly string[]): Listener => ({ name, port: at, address: addressOf(host), from, process: 'elasticsearch' });
  return [
    one('elasticsearch-http', vars.http_port, ['es_masters', 'es_data', 'monitoring', 'operators']),
    one('elasticsearch-transport', vars.transport_port, ['es_masters', 'es_data']),
  ];
}
