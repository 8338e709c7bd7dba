/**
 * Which cluster a node belongs to. An id made twice is two clusters, and data formatted anew is data lost: so an id is made only when every
 * controller was asked and nobody has data, and everybody else takes the id that the others report.
 */
import { createHash } from 'node:crypto';
import type { Answer, Context, Host, HostName } from '../../lib/index.mts';
import { brokersWith, controllersWith, kafka, nodeId, type KafkaVars } from './contract.mts';
import type { NodeState } from './node.mts';

export type Membership =
  /** Nobody has ever been in a cluster: this is its id. */
  | { readonly kind: 'found'; readonly clusterId: string }
  | { readonly kind: 'join'; readonly clusterId: string }
  /** Nobody who was asked is in a cluster, and some controllers could not be asked. */
  | { readonly kind: 'blocked'; readonly unasked: readonly HostName[] }
  /** Data of several clusters under one name. */
  | { readonly kind: 'several'; readonly ids: readonly { readonly host: HostName; readonly clusterId: string }[] }
  /** Brokers have data of a cluster whose controllers are all blank: nobody knows its topics any more. */
  | { readonly kind: 'lost'; readonly clusterId: string; readonly holders: readonly HostName[] };

type Peers = ReadonlyMap<HostName, Answer<NodeState>>;

export function membership({ host, inventory, vars, peers }: Pick<Context<KafkaVars, NodeState>, 'host' | 'inventory' | 'vars' | 'peers'>): Membership {
  const controllers = controllersWith(inventory, host);
  return decide({
    wanted: vars.cluster_id,
    controllers: controllers.map(({ name }) => name),
    peers: ofCluster([...controllers, ...brokersWith(inventory, host)], peers),
    name: [vars.cluster_name, ...controllers.map((each) => `${each.name}=${String(nodeId(each))}`)].join(' '),
    observed: controllers.some((each) => !each.vars(kafka).managed),
  });
}

export interface Situation {
  readonly wanted: string | undefined;
  readonly controllers: readonly HostName[];
  readonly peers: Peers;
  /** What a new id is made from beside the first controller's seed. */
  readonly name: string;
  /** Others run the controllers: no cluster is founded here. */
  readonly observed: boolean;
}

export function decide({ wanted, controllers, peers, name, observed }: Situation): Membership {
  const asked = [...peers].flatMap(([host, answer]) => (answer.kind === 'known' ? [{ host, ...answer.value }] : []));
  const holders = asked.flatMap(({ host, storage }) => (storage.kind === 'node' ? [{ host, clusterId: storage.clusterId }] : []));
  const ids = new Set([...holders.map(({ clusterId }) => clusterId), ...(wanted === undefined ? [] : [wanted])]);
  const [clusterId] = ids;
  const unasked = controllers.filter((host) => peers.get(host)?.kind !== 'known');
  if (ids.size > 1) return { kind: 'several', ids: holders };
  if (clusterId !== undefined) {
    const isBlank = !observed && unasked.length === 0 && !holders.some(({ host }) => controllers.includes(host));
    return isBlank && holders.length > 0 ? { kind: 'lost', clusterId, holders: holders.map(({ host }) => host) } : { kind: 'join', clusterId };
  }
  const first = asked.find(({ host }) => host === controllers[0]);
  if (unasked.length > 0 || first === undefined || observed) return { kind: 'blocked', unasked: observed ? controllers : unasked };
  return { kind: 'found', clusterId: newId(`${first.seed} ${name}`) };
}

/** 16 bytes as Kafka writes them. Its tools would take a leading hyphen for an option. */
function newId(seed: string): string {
  const id = createHash('sha256').update(seed).digest().subarray(0, 16).toString('base64url');
  return id.startsWith('-') ? newId(`${seed} `) : id;
}

/** What the members of a cluster said; one that was not asked at all is unavailable. */
const ofCluster = (hosts: readonly Host[], peers: Peers): Peers =>
  new Map(hosts.map(({ name }) => [name, peers.get(name) ?? { kind: 'unavailable', reason: 'not asked' }]));
