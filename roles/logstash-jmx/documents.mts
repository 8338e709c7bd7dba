/** Whether metrics of every JVM arrive: one search for all of them. */
import type { Judgement, Question } from '../../lib/index.mts';
import { z } from 'zod';
import { templatePatterns, type MetricsIndexVars } from '../metrics-index/contract.mts';
import { ask, type Told } from './elasticsearch.mts';

/** How far back is looked, so that what has ended lately is told from what never came. */
export const WINDOW_MINUTES = 10;
const MOST_METRICS = 500;

const bucket = { key: z.string(), doc_count: z.int() };
const schema = z.object({
  aggregations: z
    .object({
      broker: z.object({
        buckets: z.array(
          z.object({ ...bucket, metric: z.object({ buckets: z.array(z.object({ ...bucket, newest: z.object({ value: z.number().nullable() }) })) }) }),
        ),
      }),
    })
    .optional(),
});

export interface Arrived {
  readonly documents: number;
  /** Newest document of each metric, in milliseconds of the collector's clock. */
  readonly newest: ReadonlyMap<string, number>;
}
export type Documents = Told<ReadonlyMap<string, Arrived>>;

export function askDocuments(urls: readonly string[], index: MetricsIndexVars, aliases: number): Question<Documents> {
  const metric = { terms: { field: 'metric', size: MOST_METRICS }, aggs: { newest: { max: { field: '@timestamp' } } } };
  const body = {
    size: 0,
    track_total_hits: false,
    query: { range: { '@timestamp': { gte: `now-${String(WINDOW_MINUTES)}m` } } },
    aggs: { broker: { terms: { field: 'broker', size: aliases + 100 }, aggs: { metric } } },
  };
  const path = `/${templatePatterns(index).join(',')}/_search?ignore_unavailable=true&filter_path=aggregations,error,status`;
  return ask(urls, { path, body }, schema).map(({ now, reply }) => ({
    now,
    reply: reply.kind === 'silent' ? reply : { kind: 'said', value: arrived(reply.value) },
  }));
}

function arrived({ aggregations }: z.output<typeof schema>): ReadonlyMap<string, Arrived> {
  return new Map(
    (aggregations?.broker.buckets ?? []).map((broker): [string, Arrived] => [
      broker.key,
      { documents: broker.doc_count, newest: new Map(broker.metric.buckets.map(({ key, newest }) => [key, newest.value ?? 0])) },
    ]),
  );
}

export interface Expectation {
  readonly alias: string;
  readonly metrics: readonly string[];
  /** A document is fresh that is no older than this, in seconds. */
  readonly within: number;
  /** What to do, when it is not so. */
  readonly hint: string;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Names of metrics that have no fresh document. */
export function stale(documents: Documents, { alias, metrics, within }: Pick<Expectation, 'alias' | 'metrics' | 'within'>): readonly string[] {
  if (documents.reply.kind === 'silent') return [];
  const newest = documents.reply.value.get(alias)?.newest;
  return metrics.filter((metric) => documents.now - (newest?.get(metric) ?? 0) > within * 1000);
}

export const judgeAnswer = ({ reply }: Documents, first: string): Judgement =>
  reply.kind === 'said'
    ? { kind: 'pass', found: `documents of ${String(reply.value.size)} JVMs in the last ${String(WINDOW_MINUTES)} minutes` }
    : { kind: 'fail', expected: 'an answer of Elasticsearch', found: reply.why, hint: `nothing can be said of documents before: ${first}` };

/** Names that are in documents and no longer in the inventory: their documents stay as long as their indices do. */
export function judgeRemains({ reply }: Documents, aliases: readonly string[]): Judgement {
  if (reply.kind === 'silent') return { kind: 'fail', expected: 'an answer of Elasticsearch', found: reply.why, hint: 'bring Elasticsearch up first' };
  const others = [...reply.value.keys()].filter((alias) => !aliases.includes(alias)).sort();
  return { kind: 'pass', found: others.length === 0 ? 'none' : `${others.join(', ')}: not asked any more, what was collected goes with its indices` };
}

/** Its age is also how long a value is on its way: asked by the collector, indexed, and found by a search. */
export function judgeDocuments(documents: Documents, expectation: Expectation): Judgement {
  const { alias, metrics, within, hint } = expectation;
  const expected = `${String(metrics.length)} metrics of ${alias}, none older than ${String(within)} s`;
  const wrong = (found: string): Judgement => ({ kind: 'fail', expected, found, hint });
  const { reply, now } = documents;
  if (reply.kind === 'silent') return wrong(`no answer of Elasticsearch: ${reply.why}`);
  const of = reply.value.get(alias);
  if (of === undefined) return wrong(`no document of ${alias} in the last ${String(WINDOW_MINUTES)} minutes`);
  const newest = now - Math.max(...of.newest.values());
  const missing = stale(documents, expectation);
  if (missing.length === metrics.length) return wrong(`the newest document of ${alias} is ${seconds(newest)} old`);
  if (missing.length > 0)
    return wrong(`nothing fresh of ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${String(missing.length - 3)} more` : ''}`);
  return {
    kind: 'pass',
    found: `${String(of.newest.size)} metrics, newest ${seconds(newest)} old, ${String(of.documents)} documents in ${String(WINDOW_MINUTES)} minutes`,
  };
}
