/** Whether metrics are numbers in Elasticsearch: an index made before its template has the type of its first document, and cuts off what follows the point. */
import type { Judgement, Question } from '../../lib/index.mts';
import { z } from 'zod';
import { indexPattern, templatePatterns, type MetricsIndexVars } from '../metrics-index/contract.mts';
import { ask, type Reply, type Told } from './elasticsearch.mts';

const WANTED: Readonly<Record<string, string>> = { metric_value_number: 'double', broker: 'keyword', cluster: 'keyword', metric: 'keyword' };

const schema = z.record(
  z.string(),
  z.object({ mappings: z.record(z.string(), z.object({ mapping: z.record(z.string(), z.object({ type: z.string().optional() })) })) }),
);
export type Mapping = z.output<typeof schema>;

export const askMapping = (urls: readonly string[], index: MetricsIndexVars): Question<Told<Mapping>> =>
  ask(urls, { path: `/${templatePatterns(index).join(',')}/_mapping/field/${Object.keys(WANTED).join(',')}?ignore_unavailable=true` }, schema);

export function judgeMapping(reply: Reply<Mapping>): Judgement {
  const expected = Object.entries(WANTED)
    .map(([field, type]) => `${field} ${type}`)
    .join(', ');
  const hint = 'the index was made before its template: run the role metrics-index, then delete the index or reindex it into a new one';
  if (reply.kind === 'silent') return { kind: 'fail', expected, found: `no answer of Elasticsearch: ${reply.why}`, hint: 'systemctl status elasticsearch' };
  const indices = Object.entries(reply.value);
  if (indices.length === 0) return { kind: 'fail', expected, found: 'no index yet', hint: 'the first document makes it: look at the pipeline' };
  const wrong = indices.flatMap(([index, { mappings }]) =>
    Object.entries(WANTED).flatMap(([field, type]) => {
      const found = mappings[field]?.mapping[field]?.type;
      return found === type ? [] : [`${index}: ${field} is ${found ?? 'not mapped'}`];
    }),
  );
  if (wrong.length === 0) return { kind: 'pass', found: `${expected} in ${String(indices.length)} ${indices.length === 1 ? 'index' : 'indices'}` };
  return { kind: 'fail', expected, found: wrong.slice(0, 4).join('; '), hint };
}

const templates = z.object({
  index_templates: z.array(z.object({ name: z.string(), index_template: z.object({ index_patterns: z.union([z.string(), z.array(z.string())]) }) })).optional(),
});

/** What keeps documents from being indexed as they should: no Elasticsearch, or no template. */
export const askMissing = (urls: readonly string[], index: MetricsIndexVars): Question<string | undefined> =>
  ask(urls, { path: '/_index_template?filter_path=index_templates.name,index_templates.index_template.index_patterns' }, templates).map(({ reply }) => {
    if (reply.kind === 'silent') return `Elasticsearch does not answer: ${reply.why}`;
    const patterns = (reply.value.index_templates ?? []).flatMap((each) => each.index_template.index_patterns);
    return templatePatterns(index).every((pattern) => patterns.includes(pattern)) ? undefined : `Elasticsearch has no template for ${indexPattern(index)} yet`;
  });
