import { all, constant, type Check, type Context, type Host, type Judgement, type Question } from '../../lib/index.mts';
import { answering, clusterFor, dataNodeCount, nodeUrl, startFirst } from '../elasticsearch/contract.mts';
import * as cluster from './cluster.mts';
import type { MetricsIndexVars } from './contract.mts';
import * as judge from './judge.mts';
import { isBounded, lastRun, units } from './retention.mts';

type Here = Context<MetricsIndexVars, Host | undefined>;

const SECONDS = 1000;
const ES = 'elasticsearch';
const check = <T,>(id: string, needs: readonly string[], ask: Question<T>, judgement: (now: T) => Judgement, deadline = 10): Check<T> => ({
  id,
  needs,
  ask,
  judge: judgement,
  retry: { everyMs: 2 * SECONDS, deadlineMs: deadline * SECONDS },
});

/** `through`: the node that is asked. */
export function checks(here: Here, through: Host): readonly Check[] {
  const { host, vars, facts, inventory } = here;
  const nodes = clusterFor(inventory, host);
  return [
    check(
      ES,
      [],
      answering(nodes),
      (node) => judge.answers(node === undefined ? undefined : nodeUrl(node), nodes.map(nodeUrl), startFirst(inventory, nodes)),
      30,
    ),
    check('template', [ES], cluster.askSimulation(through, vars), (found) => judge.template(found, vars.name)),
    check('types', [ES], cluster.askTypes(through, vars), judge.types),
    check('names', [ES], cluster.askNames(through, vars), (found) => judge.names(found, vars)),
    check('health', [ES], cluster.askHealth(through, vars), (found) => judge.health(found, dataNodeCount(inventory, host)), 30),
    check('disk', [ES], all({ disks: cluster.askDisks(through), thresholds: cluster.askThresholds(through) }), ({ disks, thresholds }) =>
      judge.disk(disks, thresholds),
    ),
    check('write-block', [ES], cluster.askBlocks(through), judge.blocks),
    ...(isBounded(vars) ? [check('retention', [], all({ last: lastRun, units: units(facts) }), ({ last, units: found }) => judge.retention(last, found))] : []),
    ...(vars.rotation === 'none' ? [check('retention', [], constant(asked(here)), judge.unbounded)] : []),
  ];
}

/** Limits that the inventory asks for in words. */
function asked({ host, vars, inventory }: Here): readonly string[] {
  const limits = [
    ['metrics_index_retention_days', vars.retention_days, 'forever'],
    ['metrics_index_retention_size', vars.retention_size, 'unlimited'],
  ] as const;
  return limits.flatMap(([variable, value, none]) => {
    const level = inventory.explain(host.name, variable)?.level;
    return value === none || level === undefined || level === 'role default' ? [] : [`${variable}: ${String(value)}`];
  });
}
