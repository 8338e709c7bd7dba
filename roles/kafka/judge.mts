/** Judgements about a running Kafka: pure, so that each is tested without one. */
import { listening, pass, takes, wrong, type Judgement, type Listener, type ListeningSocket, type UnitState } from '../../lib/index.mts';
import { isCurrent, type Cluster } from './cluster.mts';
import { partitionName, some, underReplicated } from './contract.mts';
import type { NodeState } from './node.mts';

type Unit = Pick<UnitState, 'activeState' | 'subState' | 'result' | 'execMainStatus' | 'mainPid'>;

/** A unit that failed, or that systemd starts again and again, says so at once. */
export function running(unit: Unit, name: string): Judgement {
  const service = name.replace(/\.service$/, '');
  if (unit.activeState === 'failed' || unit.subState.startsWith('auto-restart')) {
    const found = `${name} ended: ${unit.result}, exit status ${String(unit.execMainStatus)}`;
    return { kind: 'fail', expected: `${name} runs`, found, hint: `journalctl -u ${service} shows its last words`, final: true };
  }
  if (unit.activeState === 'active') return pass(`pid ${String(unit.mainPid)}`);
  return wrong(`${name} runs`, unit.activeState, `start it: --role kafka does, or systemctl start ${service} on the host`);
}

/** A broker opens the port of its clients as its last step, when the controller has let it in. */
export function serving(unit: Unit, name: string, sockets: readonly ListeningSocket[], declared: readonly Listener[], node: NodeState | undefined): Judgement {
  const runs = running(unit, name);
  if (runs.kind === 'fail') return runs;
  const closed = declared.filter((want) => !sockets.some((socket) => takes(socket, want) && (socket.pid === undefined || socket.pid === unit.mainPid)));
  const expected = `${name} serves ${declared.map(({ name: port }) => port).join(', ')}`;
  const hint = 'a broker waits for the controllers, and for its records to be read: look at /var/log/kafka/server.log';
  if (closed.length > 0) return wrong(expected, `not yet: ${closed.map(({ name: port, port: at }) => `${port} (${String(at)})`).join(', ')}`, hint);
  if (node !== undefined && node.leader === undefined) return wrong('an active controller', 'none yet', 'more than half of the controllers must be running');
  return pass(expected);
}

export function quorum(node: NodeState, nameOf: (id: number) => string): Judgement {
  if (node.leader !== undefined) return pass(`active controller ${nameOf(node.leader)}, of ${node.voters.map(nameOf).join(', ')}`);
  return wrong('an active controller', 'none', 'more than half of the controllers must be running and reach each other on kafka_controller_port');
}

/** A host that others run is looked at from outside its processes. */
export function observed(sockets: readonly ListeningSocket[], declared: readonly Listener[]): Judgement {
  const judged = listening(sockets, declared, undefined, { hint: 'others run this Kafka: ask them, or correct its address and ports in the inventory' });
  return judged.kind === 'pass' ? judged : { ...judged, found: sockets.length === 0 ? 'nothing listens' : judged.found };
}

/** After a batch: no partition is behind that was not before, and every controller that had everything has it again. */
export function gate(now: Cluster, before: Cluster): Judgement {
  if (before.kind === 'silent') return pass(`the cluster did not answer before either (${before.why})`);
  const expected = 'every partition has the copies in sync that it had, and the controllers have a leader';
  const hint = 'the other members are left alone; look at the node that was restarted last, then run again';
  if (now.kind === 'silent') return wrong(expected, now.why, hint);
  const old = new Set(underReplicated(before.topics).map(partitionName));
  const behind = underReplicated(now.topics)
    .map(partitionName)
    .filter((name) => !old.has(name));
  if (behind.length > 0) return wrong(expected, `${String(behind.length)} more under-replicated: ${some(behind)}`, hint);
  if (before.voters.length > 0 && !now.voters.some(({ isLeader }) => isLeader)) return wrong(expected, 'no active controller', hint);
  const late = before.voters.filter((voter) => isCurrent(voter) && !now.voters.some((other) => other.id === voter.id && isCurrent(other)));
  if (late.length > 0) return wrong(expected, `controller ${late.map(({ id }) => String(id)).join(', ')} has not caught up`, hint);
  return pass(old.size === 0 ? 'all copies in sync' : `${String(old.size)} under-replicated, as before`);
}
