/** Restarts one after the other, as long as the cluster can do without the one that is next. */
import type { Answer, Host, HostName, Question, Refusal, Rollout } from '../../lib/index.mts';
import { clusterState, isCurrent, type Cluster, type View, type Voter } from './cluster.mts';
import {
  allPartitions,
  brokersWith,
  controllersWith,
  isBroker,
  isController,
  nodeId,
  partitionName,
  some,
  zookeepersWith,
  type KafkaVars,
} from './contract.mts';
import type { Here } from './host.mts';
import type { NodeState } from './node.mts';
import { gate } from './verify.mts';

type Peers = ReadonlyMap<HostName, Answer<NodeState>>;
const refused = (reason: string, hint: string): Refusal => ({ kind: 'refused', reason, hint });

export const rollout: Rollout<KafkaVars, NodeState> = {
  serial: 1,
  order: activeControllerLast,
  refuses: ({ host, inventory, vars, peers }, batch) =>
    withoutQuorum(vars.mode === 'kraft' ? controllersWith(inventory, host) : zookeepersWith(inventory, host), batch, peers),
  objects,
  gate,
};

/** Its restart costs an election, so it is done once. */
export function activeControllerLast(hosts: readonly Host[], peers: Peers): readonly Host[] {
  const active = new Set([...peers.values()].flatMap((answer) => (answer.kind === 'known' && answer.value.running ? [answer.value.leader] : [])));
  const isActive = (host: Host): boolean => active.has(nodeId(host));
  return [...hosts.filter((host) => !isActive(host)), ...hosts.filter(isActive)];
}

/**
 * More than half of those who keep the metadata must stay; with one or two that is never possible, and a restart is an interruption anyway. Where
 * controllers have no leader nothing is lost by a restart.
 */
export function withoutQuorum(keepers: readonly Host[], batch: readonly Host[], peers: Peers): readonly Refusal[] {
  const hasLeader = [...peers.values()].some((answer) => answer.kind === 'known' && answer.value.running && answer.value.leader !== undefined);
  if (!hasLeader && keepers.some(isController)) return [];
  const needed = Math.floor(keepers.length / 2) + 1;
  const isOut = (host: Host): boolean => batch.some(({ name }) => name === host.name);
  const isUp = ({ name }: Host): boolean => {
    const answer = peers.get(name);
    return answer?.kind === 'known' && answer.value.running;
  };
  const staying = keepers.filter((host) => !isOut(host) && isUp(host));
  if (!keepers.some(isOut) || keepers.length - 1 < needed || staying.length >= needed) return [];
  const down = keepers.filter((host) => !isUp(host)).map(({ name }) => name);
  return [
    refused(
      `restarting ${batch.map(({ name }) => name).join(', ')} would leave ${String(staying.length)} of ${String(keepers.length)} that keep the metadata, and ${String(needed)} must run: the cluster would stop`,
      down.length === 0 ? 'lower --serial' : `bring ${down.join(', ')} up first`,
    ),
  ];
}

function objects({ peers, ...here }: Here, batch: readonly Host[]): Question<readonly Refusal[]> {
  const others = brokersWith(here.inventory, here.host).filter(({ name }) => !batch.some((out) => out.name === name));
  const isAlone = !others.some(({ name }) => {
    const answer = peers.get(name);
    return answer?.kind === 'known' && answer.value.running;
  });
  return clusterState(here).map((cluster) => cannotSpare(cluster, batch, isAlone));
}

/** What would be lost with the batch that is not lost already; `isAlone`: no other broker runs that could be asked, or keep anything going. */
export function cannotSpare(cluster: Cluster, batch: readonly Host[], isAlone: boolean): readonly Refusal[] {
  const names = batch.map(({ name }) => name).join(', ');
  if (cluster.kind === 'silent') {
    if (isAlone) return [];
    return [refused(`the cluster does not say whether it can spare ${names}: ${cluster.why}`, 'bring its brokers and controllers in order first')];
  }
  const out = new Set(batch.filter(isBroker).map(nodeId));
  return [...tooFewCopies(cluster, out, names), ...lateVoters(cluster.voters, new Set(batch.map(nodeId)), names)];
}

/** Partitions that could do without the batch if all their copies were in sync, and cannot now. */
function tooFewCopies({ topics }: View, out: ReadonlySet<number | undefined>, names: string): readonly Refusal[] {
  const inDanger = allPartitions(topics).filter(({ topic, replicas, inSync }) => {
    const least = Number(topics.get(topic)?.config.get('min.insync.replicas') ?? 1);
    const without = (ids: readonly number[]): number => ids.filter((id) => !out.has(id)).length;
    return without(inSync) < inSync.length && without(inSync) < least && without(replicas) >= least;
  });
  if (inDanger.length === 0) return [];
  const missing = [...new Set(inDanger.flatMap(({ replicas, inSync }) => replicas.filter((id) => !inSync.includes(id))))].sort((a, b) => a - b);
  return [
    refused(
      `restarting ${names} would leave ${String(inDanger.length)} partitions with fewer copies in sync than min.insync.replicas: ${some(inDanger.map(partitionName))}`,
      `the copies on node ${missing.join(', ')} are not in sync: bring it up, or wait until it has caught up`,
    ),
  ];
}

function lateVoters(voters: readonly Voter[], out: ReadonlySet<number | undefined>, names: string): readonly Refusal[] {
  const needed = Math.floor(voters.length / 2) + 1;
  const staying = voters.filter((voter) => !out.has(voter.id) && isCurrent(voter));
  if (!voters.some(({ id }) => out.has(id)) || voters.length - 1 < needed || staying.length >= needed) return [];
  const late = voters.filter((voter) => !isCurrent(voter)).map(({ id }) => String(id));
  return [
    refused(
      `restarting ${names} would leave ${String(staying.length)} controllers that have all metadata, and ${String(needed)} are needed`,
      `wait for the controllers ${late.join(', ')}; kafka-metadata-quorum.sh describe --replication shows how far they are`,
    ),
  ];
}
