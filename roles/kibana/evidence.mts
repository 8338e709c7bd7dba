/** What is asked of a host whose Kibana did not come up, and from there of Elasticsearch. */
import { all, allOf, attempt, http, shellOutput, type Diagnosis, type Host, type HttpAnswer, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import { nodeUrl } from '../elasticsearch/contract.mts';
import { elasticsearchNodes, listeners } from './contract.mts';
import { diagnose, type NodeView } from './diagnose.mts';
import { UNIT } from './paths.mts';
import { foreignOwner } from './port.mts';
import type { Here } from './refusals.mts';

/** In a crash loop the present start may be a second old, so the end of the one before belongs to it. */
const JOURNAL = `journalctl -q --no-pager -o cat -n 400 -u ${UNIT} 2>/dev/null | tail -c 60000`;
/** More would say the same. */
const MOST_NODES = 5;

export function diagnosis({ host, vars, inventory }: Here): Question<readonly Diagnosis[]> {
  const [listener] = listeners(host);
  const nodes = elasticsearchNodes(inventory).slice(0, MOST_NODES);
  return all({
    journal: shellOutput(JOURNAL),
    owner: attempt(foreignOwner({ address: listener?.address ?? '127.0.0.1', port: vars.port })),
    nodes: allOf(nodes.map(view)),
    blocked: allOf(
      nodes.map((node) => http({ url: `${nodeUrl(node)}/.kibana*/_settings/index.blocks.*?flat_settings=true`, timeoutMs: 4000 }).map(readBlocked)),
    ),
  }).map((said) =>
    diagnose({
      journal: said.journal.output,
      owner: said.owner.kind === 'known' ? said.owner.value : undefined,
      nodes: said.nodes,
      blocked: [...new Set(said.blocked.flat())],
    }),
  );
}

const view = (node: Host): Question<NodeView> =>
  http({ url: `${nodeUrl(node)}/_cluster/health?master_timeout=2s&timeout=2s`, timeoutMs: 6000 }).map((answer) => readView(node.name, nodeUrl(node), answer));

const health = z.union([z.object({ status: z.enum(['green', 'yellow', 'red']) }), z.object({ error: z.object({ type: z.string() }) })]);

export function readView(name: string, url: string, answer: HttpAnswer): NodeView {
  if (answer.kind === 'refused') return { name, url, kind: 'silent', why: answer.reason };
  try {
    const said = health.parse(JSON.parse(answer.body));
    if (!('error' in said)) return { name, url, kind: 'master', status: said.status };
    return said.error.type === 'master_not_discovered_exception' ? { name, url, kind: 'no-master' } : { name, url, kind: 'silent', why: said.error.type };
  } catch {
    return { name, url, kind: 'silent', why: `answered ${String(answer.status)} without a word about its health` };
  }
}

const settings = z.record(z.string(), z.object({ settings: z.record(z.string(), z.unknown()) }));

/** Indices with the block that the flood stage sets; a silent node says nothing of them. */
export function readBlocked(answer: HttpAnswer): readonly string[] {
  if (answer.kind === 'refused' || answer.status !== 200) return [];
  try {
    return Object.entries(settings.parse(JSON.parse(answer.body))).flatMap(([index, { settings: now }]) =>
      now['index.blocks.read_only_allow_delete'] === 'true' ? [index] : [],
    );
  } catch {
    return [];
  }
}
