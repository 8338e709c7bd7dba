import type { Answer, Context, Host, HostName, Resource, Rollout } from '../../lib/index.mts';
import { httpObject } from '../../lib/index.mts';
import { SETTINGS } from './cluster.mts';
import { nodeUrl, type ElasticsearchVars } from './contract.mts';
import { ALLOCATION } from './judge.mts';
import type { NodeState } from './node.mts';
import { gate } from './verify.mts';

type Peers = ReadonlyMap<HostName, Answer<NodeState>>;
type Here = Context<ElasticsearchVars, NodeState>;

/** Whether shards may move. Normally there is no such setting; while a member restarts, only primaries may. */
export const allocation = (through: Host, value: 'primaries' | null, needs: Resource['needs'] = []): Resource =>
  httpObject('cluster allocation', { url: nodeUrl(through) + SETTINGS, want: { persistent: { [ALLOCATION]: value } }, needs });

export const rollout: Rollout<ElasticsearchVars, NodeState> = {
  serial: 1,
  order: (hosts, peers) => masterLast(hosts, peers),
  during: ({ host, inventory, peers }) => {
    const other = runningPeer(host, inventory, peers);
    return other === undefined ? [] : [allocation(other, 'primaries')];
  },
  gate,
};

/** Restarting the elected master costs an election, so it is done once. */
export function masterLast(hosts: readonly Host[], peers: Peers): readonly Host[] {
  const elected = new Set([...peers.values()].flatMap((answer) => (answer.kind === 'known' && answer.value.master !== undefined ? [answer.value.master] : [])));
  return [...hosts.filter(({ name }) => !elected.has(name)), ...hosts.filter(({ name }) => elected.has(name))];
}

/** Through whom settings are changed while this host is away; alone in its cluster, it has nobody to move shards to. */
export function runningPeer(host: Host, inventory: Here['inventory'], peers: Peers): Host | undefined {
  const up = [...peers].find(([name, answer]) => name !== host.name && answer.kind === 'known' && answer.value.clusterUuid !== undefined);
  return up === undefined ? undefined : inventory.hosts.get(up[0]);
}
