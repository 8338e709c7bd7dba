/** What each panel asks Elasticsearch, asked without Kibana: the proof that there is something to see. */
import { excerpt, http, type HttpAnswer, type Judgement, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import type { Shown } from './dashboards.mts';
import { TIME_FIELD } from './objects/index-pattern.mts';
import { MOST, type Series } from './objects/series.mts';
import { filters, kql, VALUE_FIELD } from './objects/where.mts';

/** One search for each series, as `_msearch` takes them: a line of header and a line of body. */
export function searches(panels: readonly Shown[], minutes: number): string {
  return panels
    .flatMap(({ series }) => series)
    .map((series) => `{}\n${JSON.stringify(search(series, minutes))}\n`)
    .join('');
}

function search({ where, value, by }: Series, minutes: number): object {
  const measured = value === 'brokers' ? { value: { cardinality: { field: 'broker' } } } : { value: { [value]: { field: VALUE_FIELD } } };
  return {
    size: 0,
    query: { bool: { filter: [{ range: { [TIME_FIELD]: { gte: `now-${String(minutes)}m` } } }, ...filters(where)] } },
    aggs: by === undefined ? measured : { by: { terms: { field: by, size: MOST, order: { _key: 'asc' } }, aggs: measured } },
  };
}

/** What is empty or null is left out of an answer of which only parts are asked. */
const number = z.object({ value: z.number().nullable().default(null) });
const response = z.union([
  z.object({ error: z.object({ reason: z.string().default('an error without a reason'), root_cause: z.array(z.object({ reason: z.string() })).default([]) }) }),
  z.object({
    aggregations: z
      .object({
        value: number.exactOptional(),
        by: z
          .object({ sum_other_doc_count: z.int(), buckets: z.array(z.object({ key: z.string(), value: number.default({ value: null }) })).default([]) })
          .exactOptional(),
      })
      .default({}),
  }),
]);
const responses = z.object({ responses: z.array(response) });
type Response = z.output<typeof response>;

export type Said = { readonly kind: 'said'; readonly responses: readonly Response[] } | { readonly kind: 'silent'; readonly why: string };

/** The parts of the answer that are looked at. */
const PARTS = [
  'error.reason',
  'error.root_cause.reason',
  'aggregations.value.value',
  'aggregations.by.sum_other_doc_count',
  'aggregations.by.buckets.key',
  'aggregations.by.buckets.value.value',
];

export const askPanels = (node: string, index: string, panels: readonly Shown[], minutes: number): Question<Said> =>
  http({
    url: `${node}/${index}/_msearch?filter_path=${['error', ...PARTS.map((part) => `responses.${part}`), 'responses.status'].join(',')}`,
    method: 'POST',
    body: searches(panels, minutes),
    headers: { 'content-type': 'application/x-ndjson' },
    timeoutMs: 15_000,
  }).map(readSaid);

export function readSaid(answer: HttpAnswer): Said {
  if (answer.kind === 'refused') return { kind: 'silent', why: answer.reason };
  try {
    const read = responses.safeParse(JSON.parse(answer.body));
    if (answer.status === 200 && read.success) return { kind: 'said', responses: read.data.responses };
  } catch {
    // Told below.
  }
  return { kind: 'silent', why: `${String(answer.status)} ${excerpt(answer.body, 200)}` };
}

/** Where everything is silent, a few names say it as well. */
const MOST_NAMED = 5;

/** Every series of every panel has a value, of every process that it shows; only what is silent by nature may be silent. */
export function judgePanels(said: Said, panels: readonly Shown[], minutes: number, where: string): Judgement {
  const expected = `values of the last ${String(minutes)} minutes in all ${String(panels.length)} panels`;
  const wrong = (found: string, hint: string): Judgement => ({ kind: 'fail', expected, found, hint });
  if (said.kind === 'silent') return wrong(`Elasticsearch said ${said.why}`, '--role elasticsearch --verify-only says more');
  const asked = panels.flatMap(({ title, series }) => series.map((each) => ({ title, series: each })));
  const judged = asked.map(({ title, series }, at) => ({ title, series, ...judgeOne(said.responses[at], series) }));
  const errors = judged.filter(({ problem }) => problem !== undefined);
  if (errors.length > 0)
    return wrong(
      errors.map(({ title, problem }) => `"${title}": ${problem ?? ''}`).join('; '),
      'is the mapping of the index right? --role metrics-index --verify-only says more',
    );
  const empty = judged.filter(({ series, names }) => names.length === 0 && series.sparse !== true);
  if (empty.length > 0) {
    const shown = empty.slice(0, MOST_NAMED).map(({ title, series }) => `"${title}" (${kql(series.where) || 'any document'})`);
    const more = empty.length > MOST_NAMED ? ` and ${String(empty.length - MOST_NAMED)} more` : '';
    return wrong(`nothing in ${shown.join(', ')}${more}`, '--role logstash-jmx --verify-only says which process is silent, and why');
  }
  const processes = new Set(judged.flatMap(({ names }) => names).filter((name) => name !== ''));
  return { kind: 'pass', found: `${String(panels.length)} panels show ${String(processes.size)} processes: ${where}` };
}

interface Judged {
  /** Processes with a value; one without a name where they are not told apart. */
  readonly names: readonly string[];
  readonly problem: string | undefined;
}

function judgeOne(answer: Response | undefined, { by, value }: Series): Judged {
  if (answer === undefined) return { names: [], problem: 'Elasticsearch gave no answer' };
  if ('error' in answer) return { names: [], problem: answer.error.root_cause[0]?.reason ?? answer.error.reason };
  const { value: single, by: groups } = answer.aggregations;
  if (by === undefined) {
    const found = single?.value ?? null;
    return { names: found === null || (value === 'brokers' && found === 0) ? [] : [''], problem: undefined };
  }
  const left = groups?.sum_other_doc_count ?? 0;
  return {
    names: (groups?.buckets ?? []).flatMap((bucket) => (bucket.value.value === null ? [] : [bucket.key])),
    problem: left > 0 ? `more than ${String(MOST)} values of ${by}: the rest is not shown` : undefined,
  };
}
