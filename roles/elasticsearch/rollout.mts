import type { Answer, Context, Host, HostName, Refusal, Resource, ResourceId, Rollout } from '../../lib/index.mts';
import { httpObject } from '../../lib/index.mts';
import { candidates } from './candidates.mts';
import { SETTINGS, settingsSchema } from './cluster.mts';
import { nodeUrl, type ElasticsearchVars } from './contract.mts';
import { ALLOCATION } from './judge.mts';
import type { NodeState } from './node.mts';
import { gate } from './verify.mts';

type Peers = ReadonlyMap<HostName, Answer<NodeState>>;
type Here = Context<ElasticsearchVars, NodeState>;

/** Whether shards may move. Normally there is no such setting; while a member restarts, only primaries may. */
export const allocation = (through: Host, value: 'primaries' | null, needs: readonly ResourceId[] = []): Resource =>
  httpObject('cluster allocation', {
    url: nodeUrl(through) + SETTINGS,
    want: { persistent: { [ALLOCATION]: value } },
    compare: (have) => {
      const now = settingsSchema.safeParse(have).data?.persistent[ALLOCATION];
      return (now ?? null) === value ? [] : [{ path: ALLOCATION, have: now, want: value }];
    },
    needs,
  });

export const rollout: Rollout<ElasticsearchVars, NodeState> = {
  serial: 1,
  order: (hosts, peers) => masterLast(hosts, peers),
  refuses: ({ host, inventory, peers }, batch) =>
    withoutQuorum(
      candidates(inventory, host).map(({ name }) => name),
      batch.map(({ name }) => name),
      peers,
    ),
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

/** A member through which settings can be changed while this host is away; alone in its cluster, it has nobody to move shards to. */
export function runningPeer(host: Host, inventory: Here['inventory'], peers: Peers): Host | undefined {
  const up = [...peers].find(([name, answer]) => name !== host.name && hasMaster(answer));
  return up === undefined ? undefined : inventory.hosts.get(up[0]);
}

export const hasMaster = (answer: Answer<NodeState> | undefined): boolean => answer?.kind === 'known' && answer.value.master !== undefined;

/**
 * A cluster that has a master keeps it: enough candidates for an election must stay up. With one or two candidates that is never possible, and
 * where there is no master nothing is lost by a restart.
 */
export function withoutQuorum(masters: readonly string[], batch: readonly string[], peers: Peers): readonly Refusal[] {
  const needed = Math.floor(masters.length / 2) + 1;
  const leaving = batch.filter((name) => masters.includes(name));
  const views = [...peers].flatMap(([name, answer]) =>
    answer.kind === 'known' && answer.value.master !== undefined ? [{ name, nodes: answer.value.nodes }] : [],
  );
  const view = views.find(({ name }) => !batch.includes(name)) ?? views[0];
  if (leaving.length === 0 || masters.length - 1 < needed || view === undefined) return [];
  const staying = masters.filter((name) => view.nodes.includes(name) && !batch.includes(name));
  if (staying.length >= needed) return [];
  const missing = masters.filter((name) => !view.nodes.includes(name));
  return [
    {
      kind: 'refused',
      reason: `restarting ${leaving.join(', ')} would leave ${String(staying.length)} of ${String(masters.length)} masters, and ${String(needed)} elect one: the cluster would stop`,
      hint: missing.length === 0 ? 'lower --serial' : `bring ${missing.join(', ')} up first, or take it out of es_masters if it is gone for good`,
    },
  ];
}
