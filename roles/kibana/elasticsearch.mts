/** What Elasticsearch says to the host of Kibana. */
import { allOf, http, type Host, type HttpAnswer, type Inventory, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import { clusterFor, nodeUrl } from '../elasticsearch/contract.mts';
import type { NodeView } from './diagnose.mts';

/** More would say the same. */
const MOST_NODES = 5;
const asked = (inventory: Inventory, host: Host): readonly Host[] => clusterFor(inventory, host).slice(0, MOST_NODES);

export const askNodes = (inventory: Inventory, host: Host): Question<readonly NodeView[]> => allOf(asked(inventory, host).map(view));

/** Indices of Kibana that nothing may be written to. */
export const askBlocked = (inventory: Inventory, host: Host): Question<readonly string[]> =>
  allOf(
    asked(inventory, host).map((node) =>
      http({ url: `${nodeUrl(node)}/.kibana*/_settings/index.blocks.*?flat_settings=true`, timeoutMs: 4000 }).map(readBlocked),
    ),
  ).map((said) => [...new Set(said.flat())]);

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
