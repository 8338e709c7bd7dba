/** What is asked of a host whose Kibana did not come up, and from there of Elasticsearch. */
import { all, attempt, shellOutput, type Diagnosis, type Question } from '../../lib/index.mts';
import { listeners } from './contract.mts';
import { diagnose } from './diagnose.mts';
import { askBlocked, askNodes } from './elasticsearch.mts';
import { UNIT } from './paths.mts';
import { foreignOwner } from './port.mts';
import type { Here } from './refusals.mts';

/** In a crash loop the present start may be a second old, so the end of the one before belongs to it. */
const JOURNAL = `journalctl -q --no-pager -o cat -n 400 -u ${UNIT} 2>/dev/null | tail -c 60000`;

export function diagnosis({ host, vars, inventory }: Here): Question<readonly Diagnosis[]> {
  const [listener] = listeners(host);
  return all({
    journal: shellOutput(JOURNAL),
    owner: attempt(foreignOwner({ address: listener?.address ?? '127.0.0.1', port: vars.port })),
    nodes: askNodes(inventory, host),
    blocked: askBlocked(inventory, host),
  }).map((said) =>
    diagnose({
      journal: said.journal.output,
      owner: said.owner.kind === 'known' ? said.owner.value : undefined,
      nodes: said.nodes,
      blocked: said.blocked,
    }),
  );
}
