import { addressOf, type Answer, type Host, type HostName, type Inventory } from '../../lib/index.mts';
import type { Candidate } from './bootstrap.mts';
import { elasticsearch, masters, members, nodeName } from './contract.mts';
import type { NodeState } from './node.mts';

const ofCluster = (inventory: Inventory, host: Host): readonly Host[] => {
  const cluster = new Set(members(inventory, host).map(({ name }) => name));
  return masters(inventory).filter(({ name }) => cluster.has(name));
};

/** The master candidates of the cluster that a host belongs to. */
export const candidates = (inventory: Inventory, host: Host): readonly Candidate[] =>
  ofCluster(inventory, host).map((each) => ({ name: nodeName(each), address: addressOf(each), transportPort: each.vars(elasticsearch).transport_port }));

/** What those candidates said; one that was not asked at all is unavailable. */
export const sameCluster = (inventory: Inventory, host: Host, peers: ReadonlyMap<HostName, Answer<NodeState>>): ReadonlyMap<HostName, Answer<NodeState>> =>
  new Map(ofCluster(inventory, host).map(({ name }) => [name, peers.get(name) ?? { kind: 'unavailable', reason: 'not asked' }]));
