/** Judgements about a running cluster: pure, so that each is tested without one. */
import { pass, wrong, type Judgement, type UnitState } from '../../lib/index.mts';
import type { Health, Reply, Root, Settings } from './cluster.mts';
import type { NodeState } from './node.mts';

const said = <T,>(reply: Reply<T>, expected: string, judge: (value: T) => Judgement): Judgement =>
  reply.kind === 'said' ? judge(reply.value) : wrong(expected, reply.why, 'is the node running? systemctl status elasticsearch');

export const version = (reply: Reply<Root>, wanted: string): Judgement =>
  said(reply, `${wanted} oss`, (root) => {
    const found = `${root.version.number} ${root.version.build_flavor}`;
    return found === `${wanted} oss`
      ? pass(found)
      : wrong(`${wanted} oss`, found, 'another Elasticsearch answers on this address, or the node has not been restarted since its version was changed');
  });

export function formed(node: NodeState): Judgement {
  if (node.clusterUuid !== undefined && node.master !== undefined) return pass(`in cluster ${node.clusterUuid}, master ${node.master}`);
  const found = !node.running ? 'no answer yet' : node.clusterUuid === undefined ? 'waiting for a cluster' : `cluster ${node.clusterUuid} without a master`;
  return wrong(
    'the node answers and sees an elected master',
    found,
    'the diagnosis below reads the reason from its log; more than half of the masters must be running',
  );
}

/** A unit that failed, or that systemd starts again and again, says so at once. */
export function started(node: NodeState, unit: Pick<UnitState, 'activeState' | 'subState' | 'result' | 'execMainStatus'>): Judgement {
  if (unit.activeState !== 'failed' && unit.subState !== 'auto-restart') return formed(node);
  const found = `elasticsearch.service ended: ${unit.result}, exit status ${String(unit.execMainStatus)}`;
  return { kind: 'fail', expected: 'a running node', found, hint: 'journalctl -u elasticsearch shows its last words', final: true };
}

/** Where systemd is absent: the process of the pid file. */
export const alive = (node: NodeState, isAlive: boolean): Judgement =>
  isAlive
    ? formed(node)
    : {
        kind: 'fail',
        expected: 'a running node',
        found: 'the process ended',
        hint: 'the end of /var/log/elasticsearch/start.log shows its last words',
        final: true,
      };

export function nodes(node: NodeState, expected: readonly string[]): Judgement {
  const missing = expected.filter((name) => !node.nodes.includes(name));
  const strangers = node.nodes.filter((name) => !expected.includes(name));
  const found = [...node.nodes].sort().join(', ') || 'none';
  if (missing.length > 0)
    return wrong(expected.join(', '), found, `missing: ${missing.join(', ')}; look at the log of each, and at port 9300 between the hosts`);
  return pass(strangers.length === 0 ? found : `${found} (not in the inventory: ${strangers.join(', ')})`);
}

export const master = (node: NodeState): Judgement =>
  node.master === undefined ? wrong('an elected master', 'none', 'more than half of the masters must be running and reach each other') : pass(node.master);

/** Yellow is fine where it cannot be otherwise: an index that wants more copies than there are data nodes. */
export const health = (reply: Reply<Health>): Judgement =>
  said(reply, 'green', (now) => {
    if (now.status === 'green') return pass(`green, ${String(now.number_of_nodes)} nodes`);
    const open = Object.entries(now.indices).filter(([, index]) => index.status !== 'green');
    const greedy = open.filter(([, index]) => index.status === 'yellow' && index.number_of_replicas >= now.number_of_data_nodes);
    const names = (some: typeof open): string =>
      some
        .slice(0, 5)
        .map(([name]) => name)
        .join(', ') + (some.length > 5 ? ` and ${String(some.length - 5)} more` : '');
    if (now.status === 'yellow' && open.length > 0 && greedy.length === open.length) {
      return pass(
        `yellow: ${names(greedy)} want more replicas than ${String(now.number_of_data_nodes)} data node${now.number_of_data_nodes === 1 ? '' : 's'} can hold`,
      );
    }
    const hint = `${String(now.unassigned_shards)} shards unassigned, ${String(now.initializing_shards)} initializing; curl ADDRESS:9200/_cluster/allocation/explain says why`;
    return wrong('green', open.length === 0 ? now.status : `${now.status}: ${names(open)}`, hint);
  });

export const ALLOCATION = 'cluster.routing.allocation.enable';
const LEFT_OVER = /^cluster\.routing\.allocation\.(enable|exclude\..+)$/;

export const settings = (reply: Reply<Settings>): Judgement =>
  said(reply, 'no left-over allocation setting', ({ persistent, transient }) => {
    const left = Object.entries({ ...persistent, ...transient }).filter(
      ([key, value]) => LEFT_OVER.test(key) && value !== '' && !(key === ALLOCATION && value === 'all'),
    );
    if (left.length === 0) return pass('none');
    return wrong(
      'no left-over allocation setting',
      left.map(([key, value]) => `${key}: ${String(value)}`).join(', '),
      'a maintenance was not ended: set these keys to null with PUT _cluster/settings',
    );
  });

const RANK = { green: 0, yellow: 1, red: 2 } as const;

/** After a batch: as many nodes as before and no worse a status. What could not be said before holds nobody back. */
export function gate(now: Reply<Health>, before: Reply<Health>): Judgement {
  if (before.kind === 'silent') return pass(`the cluster did not answer before either (${before.why})`);
  const expected = `${String(before.value.number_of_nodes)} nodes and ${before.value.status}, as before`;
  return said(now, expected, ({ status, number_of_nodes: count, initializing_shards: busy, unassigned_shards: open }) => {
    const found = `${String(count)} nodes and ${status}`;
    if (count >= before.value.number_of_nodes && RANK[status] <= RANK[before.value.status]) return pass(found);
    return wrong(
      expected,
      `${found}, ${String(open)} shards unassigned, ${String(busy)} initializing`,
      'the other members are left alone; look at the node that was restarted last, then run again',
    );
  });
}
