/** A template is for new indices: what exists already is told. */
import { change, command, sendJson, type Change, type Host, type Resource, type ResourceId } from '../../lib/index.mts';
import { nodeUrl } from '../elasticsearch/contract.mts';
import { askReplicas, type Replicas } from './cluster.mts';
import type { MetricsIndexVars } from './contract.mts';
import { isOurs } from './template.mts';

export const wrongReplicas = (found: Replicas, vars: Pick<MetricsIndexVars, 'name'>, wanted: number): readonly Change[] =>
  Object.entries(found)
    .filter(([index]) => isOurs(vars, index))
    .flatMap(([index, { settings }]) => {
      const automatic = settings['index.auto_expand_replicas'] ?? 'false';
      const have = automatic === 'false' ? settings['index.number_of_replicas'] : `as many as nodes allow (${automatic})`;
      return have === String(wanted) ? [] : [change(index, have, String(wanted))];
    });

/** Names in one request: its line may have 4 KiB. */
const TOGETHER = 40;

export function replicas(node: Host, vars: MetricsIndexVars, wanted: number, needs: readonly ResourceId[]): Resource {
  return command('metrics replicas', {
    needs,
    because: ['metrics_index_replicas'],
    differs: askReplicas(node, vars).map((found) => wrongReplicas(found, vars, wanted)),
    run: (steps, changes) => {
      const names = changes.map(({ field }) => field);
      for (let at = 0; at < names.length; at += TOGETHER) {
        const url = `${nodeUrl(node)}/${names.slice(at, at + TOGETHER).join(',')}/_settings?expand_wildcards=open,closed`;
        sendJson(steps, { method: 'PUT', url, body: { index: { number_of_replicas: wanted, auto_expand_replicas: false } } });
      }
    },
  });
}
