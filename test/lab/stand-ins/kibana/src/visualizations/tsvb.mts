/** The visual builder (TSVB): each series is a search of its own; what is computed from other metrics is computed here. */
import { asText, at, number, object, objects, string, type Json, type JsonObject } from '../json.mts';
import { queryOf, searchQuery } from '../query/search-source.mts';
import { fixed, intervalOf } from '../query/time.mts';
import { seriesFormat, type Format } from './format.mts';
import { compile } from './math.mts';
import { combined, topValues } from './metrics.mts';
import type { Context, Plan, Reading, Result, Search, Series } from './result.mts';

/** About that many columns when the width is automatic. */
const COLUMNS = 100;

export function planTsvb(visState: Json | undefined, defaultIndex: string, context: Context): Plan {
  const params = object(at(visState, 'params'));
  const type = string(params['type']) ?? 'timeseries';
  if (type === 'markdown') return { searches: [], read: () => ({ kind: 'text', text: string(params['markdown']) ?? '' }) };
  const pivot = type === 'table' ? string(params['pivot_id']) : undefined;
  const given = objects(params['series']).filter((series) => series['hidden'] !== true);
  const series =
    pivot === undefined ? given : given.map((one) => ({ ...one, split_mode: 'terms', terms_field: pivot, terms_size: params['pivot_rows'] ?? 10 }));
  const interval = (one: JsonObject): number =>
    intervalOf((one['override_index_pattern'] === 1 ? string(one['series_interval']) : string(params['interval'])) ?? '', context.span, COLUMNS);
  return {
    searches: series.map((one) => search(one, params, defaultIndex, interval(one), context)),
    read: (answers) =>
      shaped(
        type,
        params,
        series,
        series.map((one, i) => linesOf(one, answers[i] ?? {}, interval(one), dropsLast(one, params))),
      ),
  };
}

/** The last column is seldom complete, and left out unless the visualization says otherwise. */
const dropsLast = (series: JsonObject, params: JsonObject): boolean =>
  (series['override_index_pattern'] === 1 ? series['series_drop_last_bucket'] : params['drop_last_bucket']) !== 0;

function search(series: JsonObject, params: JsonObject, defaultIndex: string, interval: number, { span, queries, filters }: Context): Search {
  const own = series['override_index_pattern'] === 1;
  const index = (own ? string(series['series_index_pattern']) : undefined) || string(params['index_pattern']) || defaultIndex;
  const field = (own ? string(series['series_time_field']) : undefined) || string(params['time_field']) || '@timestamp';
  const dashboard = params['ignore_global_filter'] === 1 || series['ignore_global_filter'] === 1 ? { queries: [], filters: [] } : { queries, filters };
  const query = searchQuery({
    queries: [...dashboard.queries, params['filter'], series['filter']],
    filters: dashboard.filters,
    time: { field, span },
  });
  const timeseries = {
    date_histogram: { field, fixed_interval: fixed(interval), min_doc_count: 0, time_zone: 'UTC', extended_bounds: { min: span.from, max: span.to } },
    aggs: Object.assign({}, ...objects(series['metrics']).map(request)) as JsonObject,
  };
  return { index, body: { size: 0, track_total_hits: true, query, aggs: split(series, { timeseries }) } };
}

function split(series: JsonObject, within: JsonObject): JsonObject {
  switch (series['split_mode']) {
    case 'terms': {
      const by = string(series['terms_order_by']) ?? '_count';
      const direction = string(series['terms_direction']) ?? 'desc';
      const metric = objects(series['metrics']).find(({ id }) => id === by);
      const sorting = metric === undefined ? undefined : object(request(metric)[by]);
      const patterns = {
        ...(string(series['terms_include']) ? { include: series['terms_include'] } : {}),
        ...(string(series['terms_exclude']) ? { exclude: series['terms_exclude'] } : {}),
      };
      return {
        split: {
          terms: {
            field: series['terms_field'],
            size: Number(series['terms_size'] ?? 10),
            order: { [sorting !== undefined ? 'sort' : by.startsWith('_') ? by : '_count']: direction },
            ...patterns,
          },
          aggs: { ...within, ...(sorting === undefined ? {} : { sort: sorting }) },
        },
      };
    }
    case 'filters':
      return {
        split: {
          filters: {
            filters: Object.fromEntries(objects(series['split_filters']).map((one, i) => [filterLabel(one, i), queryOf(one['filter']) ?? { match_all: {} }])),
          },
          aggs: within,
        },
      };
    default:
      return within;
  }
}

const filterLabel = (filter: JsonObject, i: number): string => string(filter['label']) || string(at(filter, 'filter', 'query')) || `filter ${String(i + 1)}`;

const BASIC: readonly string[] = ['avg', 'sum', 'min', 'max', 'cardinality', 'value_count'];

function request(metric: JsonObject): JsonObject {
  const id = string(metric['id']) ?? '';
  const field = string(metric['field']) ?? '';
  switch (metric['type']) {
    case 'percentile':
      return { [id]: { percentiles: { field, percents: objects(metric['percentiles']).map(({ value }) => Number(value)), keyed: false } } };
    case 'std_deviation':
      return { [id]: { extended_stats: { field } } };
    case 'positive_rate':
      return { [id]: { max: { field } } };
    case 'top_hit': {
      const sort = [{ [string(metric['order_by']) ?? '@timestamp']: { order: string(metric['order']) ?? 'desc', unmapped_type: 'date' } }];
      return { [id]: { top_hits: { docvalue_fields: [{ field }], _source: false, size: Number(metric['size'] ?? 1), sort } } };
    }
    default:
      return BASIC.includes(asText(metric['type'])) ? { [id]: { [asText(metric['type'])]: { field } } } : {};
  }
}

interface Line {
  readonly label: string;
  readonly points: Series['points'];
}

function linesOf(series: JsonObject, answer: JsonObject, interval: number, dropLast: boolean): readonly Line[] {
  const found = at(answer, 'aggregations');
  const metrics = objects(series['metrics']);
  const own = string(series['label']) || describe(metrics);
  const line = (label: string, holder: Json | undefined): Line => {
    const buckets = objects(at(holder, 'timeseries', 'buckets')).slice(0, dropLast ? -1 : undefined);
    const values = computed(
      metrics.filter(({ type }) => type !== 'series_agg'),
      buckets,
      interval,
    );
    return { label, points: buckets.map((bucket, i) => [number(bucket['key']) ?? 0, values[i] ?? null]) };
  };
  const splits = at(found, 'split', 'buckets');
  if (splits === undefined) return found === undefined ? [] : [line(own, found)];
  const lines = Array.isArray(splits)
    ? objects(splits).map((one) => line(asText(one['key_as_string'] ?? one['key']), one))
    : Object.entries(object(splits)).map(([label, one]) => line(label, one));
  const together = metrics.find(({ type }) => type === 'series_agg');
  return together === undefined || lines.length === 0 ? lines : [merged(own, lines, string(together['function']) ?? 'sum')];
}

function merged(label: string, lines: readonly Line[], how: string): Line {
  const columns = new Map<number, number[]>();
  for (const { points } of lines) for (const [time, value] of points) columns.set(time, [...(columns.get(time) ?? []), ...(value === null ? [] : [value])]);
  const one = { mean: 'avg', overall_avg: 'avg' }[how] ?? how;
  return { label, points: [...columns].sort(([a], [b]) => a - b).map(([time, values]) => [time, combined(values, one)] as const) };
}

type Values = readonly (number | null)[];

/** The values of the last metric; each may be computed from those before it. */
export function computed(metrics: readonly JsonObject[], buckets: readonly JsonObject[], interval: number): Values {
  const known = new Map<string, Values>();
  let last: Values = [];
  for (const metric of metrics) {
    last = valuesOf(metric, buckets, known, interval);
    known.set(string(metric['id']) ?? '', last);
  }
  return last;
}

function valuesOf(metric: JsonObject, buckets: readonly JsonObject[], known: ReadonlyMap<string, Values>, interval: number): Values {
  const id = string(metric['id']) ?? '';
  const type = asText(metric['type']);
  const source = known.get(string(metric['field']) ?? '') ?? [];
  switch (type) {
    case 'count':
      return buckets.map((bucket) => number(bucket['doc_count']) ?? null);
    case 'percentile':
      return buckets.map((bucket) => number(at(bucket, id, 'values', 0, 'value')) ?? null);
    case 'std_deviation':
      return buckets.map((bucket) => number(at(bucket, id, 'std_deviation')) ?? null);
    case 'top_hit':
      return buckets.map((bucket) => combined(topValues(at(bucket, id), string(metric['field']) ?? ''), string(metric['agg_with']) ?? 'concat'));
    case 'positive_rate':
      return positive(
        derivative(
          buckets.map((bucket) => number(at(bucket, id, 'value')) ?? null),
          interval,
          string(metric['unit']) || '1s',
        ),
      );
    case 'derivative':
      return derivative(source, interval, string(metric['unit']) ?? '');
    case 'positive_only':
      return positive(source);
    case 'cumulative_sum': {
      let sum = 0;
      return source.map((value) => (sum += value ?? 0));
    }
    case 'moving_average': {
      const window = Number(metric['window'] ?? 5);
      return source.map((_, i) =>
        combined(
          source.slice(Math.max(0, i - window + 1), i + 1).filter((value) => value !== null),
          'avg',
        ),
      );
    }
    case 'math': {
      const compute = compile(string(metric['script']) ?? '');
      const variables = objects(metric['variables']).map(({ name, field }) => [string(name) ?? '', known.get(string(field) ?? '') ?? []] as const);
      return buckets.map((_, i) => compute(new Map(variables.map(([name, values]) => [name, values[i] ?? null]))));
    }
    default:
      if (BASIC.includes(type)) return buckets.map((bucket) => number(at(bucket, id, 'value')) ?? null);
      throw new Error(`the stand-in does not know the metric "${type}"`);
  }
}

/** Columns without a value are passed over; with a unit it is the change in that time, else from column to column. */
function derivative(values: Values, interval: number, unit: string): Values {
  const time = unit === '' ? undefined : intervalOf(unit, { from: 0, to: 0 }, 1);
  let before: { readonly value: number; readonly column: number } | undefined;
  return values.map((value, column) => {
    if (value === null) return null;
    const change = before === undefined ? null : (value - before.value) * (time === undefined ? 1 : time / ((column - before.column) * interval));
    before = { value, column };
    return change;
  });
}

const positive = (values: Values): Values => values.map((value) => (value !== null && value < 0 ? 0 : value));

function describe(metrics: readonly JsonObject[]): string {
  const last = metrics.at(-1) ?? {};
  const names: Readonly<Record<string, string>> = {
    count: 'Count',
    avg: 'Average of',
    sum: 'Sum of',
    min: 'Min of',
    max: 'Max of',
    cardinality: 'Cardinality of',
    math: 'Math',
  };
  const name = names[asText(last['type'])] ?? asText(last['type']);
  return [name, ...(string(last['field']) === undefined || name === 'Math' ? [] : [asText(last['field'])])].join(' ');
}

function shaped(type: string, params: JsonObject, series: readonly JsonObject[], lines: readonly (readonly Line[])[]): Result {
  const formats = series.map((one): Format => seriesFormat(string(one['formatter']) ?? '', string(one['value_template']) ?? ''));
  const colour = (one: JsonObject, many: boolean): string | undefined => (many ? undefined : string(one['color']));
  if (type === 'timeseries') {
    const [first = {}] = series;
    return {
      kind: 'chart',
      look: first['chart_type'] === 'bar' ? 'bars' : Number(first['fill'] ?? 0) > 0 ? 'area' : 'line',
      stacked: string(first['stacked']) !== undefined && first['stacked'] !== 'none',
      title: '',
      threshold: undefined,
      legend: params['show_legend'] !== 0,
      series: series.flatMap((one, i) => (lines[i] ?? []).map(({ label, points }, _, all) => ({ label, points, colour: colour(one, all.length > 1) }))),
      format: formats[0] ?? String,
    };
  }
  if (type === 'table') return table(params, series, lines, formats);
  const rules = objects(params['background_color_rules'] ?? params['gauge_color_rules'] ?? params['bar_color_rules']);
  const readings = series.flatMap((one, i) =>
    (lines[i] ?? []).map(({ label, points }, _, all): Reading => {
      const value = lastOf(points);
      return { label, value, text: value === null ? '-' : (formats[i] ?? String)(value), colour: ruled(rules, value) ?? colour(one, all.length > 1) };
    }),
  );
  if (type === 'top_n') return { kind: 'readings', look: 'bars', readings: [...readings].sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity)) };
  return { kind: 'readings', look: type === 'gauge' ? 'gauge' : 'metric', readings };
}

const lastOf = (points: Series['points']): number | null => points.findLast(([, value]) => value !== null)?.[1] ?? null;

function table(params: JsonObject, series: readonly JsonObject[], lines: readonly (readonly Line[])[], formats: readonly Format[]): Result {
  const names = [...new Set(lines.flatMap((one) => one.map(({ label }) => label)))];
  return {
    kind: 'table',
    columns: [
      string(params['pivot_label']) || string(params['pivot_id']) || '',
      ...series.map((one) => string(one['label']) || describe(objects(one['metrics']))),
    ],
    rows: names.map((name) => [
      name,
      ...lines.map((one, i) => {
        const value = lastOf(one.find(({ label }) => label === name)?.points ?? []);
        return value === null ? '-' : (formats[i] ?? String)(value);
      }),
    ]),
  };
}

/** The last rule that holds. */
function ruled(rules: readonly JsonObject[], value: number | null): string | undefined {
  if (value === null) return undefined;
  const holds: Readonly<Record<string, (limit: number) => boolean>> = {
    gt: (n) => value > n,
    gte: (n) => value >= n,
    lt: (n) => value < n,
    lte: (n) => value <= n,
  };
  const rule = rules.findLast((one) => holds[string(one['operator']) ?? '']?.(Number(one['value'])) === true);
  const key = Object.keys(rule ?? {}).find((name) => /^(background_color|gauge|bar_color)$/.test(name));
  return key === undefined ? undefined : string(rule?.[key]);
}
