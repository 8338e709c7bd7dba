/** Aggregation-based visualizations: the aggregations of a visState as one search, and its answer as rows. */
import { asText, at, isObject, number, object, objects, string, type Json, type JsonObject } from '../json.mts';
import { filtersOf, queryOf, searchQuery } from '../query/search-source.mts';
import { fixed, intervalOf, type Span } from '../query/time.mts';
import { fieldFormat, plain } from './format.mts';
import { isMetric, metricOf, type Agg, type Metric } from './metrics.mts';
import type { Context, IndexPattern, Plan, Reading, Result, Series } from './result.mts';

/** About that many columns in a chart of automatic width. */
const COLUMNS = 50;

export const AGGREGATION_BASED: readonly string[] = [
  'line',
  'area',
  'histogram',
  'horizontal_bar',
  'pie',
  'metric',
  'gauge',
  'goal',
  'table',
  'tagcloud',
  'heatmap',
];

export interface Saved {
  readonly visState: Json | undefined;
  readonly searchSource: Json | undefined;
}

export function planAggs({ visState, searchSource }: Saved, pattern: IndexPattern, { span, queries, filters }: Context): Plan {
  const all = aggsOf(visState);
  const buckets = all.filter((agg) => !isMetric(agg));
  const metrics = all.filter(({ schema }) => schema === 'metric').map((agg) => metricOf(agg, all, pattern.formats));
  const inner = Object.assign({}, ...metrics.map(({ request }) => request)) as JsonObject;
  const aggs = buckets.reduceRight<JsonObject>((within, agg) => ({ [agg.id]: bucketRequest(agg, within, inner, span) }), inner);
  const query = searchQuery({
    queries: [...queries, at(searchSource, 'query')],
    filters: [...filters, ...filtersOf(searchSource)],
    time: { field: pattern.timeField, span },
  });
  return {
    searches: [{ index: pattern.title, body: { size: 0, track_total_hits: true, query, aggs } }],
    read: ([answer = {}]) => shaped(visState, buckets, metrics, rowsOf(answer, buckets, metrics, pattern.formats)),
  };
}

export const aggsOf = (visState: Json | undefined): readonly Agg[] =>
  objects(at(visState, 'aggs'))
    .filter((agg) => agg['enabled'] !== false && at(agg, 'params', 'hidden') !== true)
    .map((agg) => ({ id: string(agg['id']) ?? '', type: string(agg['type']) ?? '', schema: string(agg['schema']) ?? 'metric', params: object(agg['params']) }));

function bucketRequest({ type, params }: Agg, within: JsonObject, metrics: JsonObject, span: Span): JsonObject {
  const aggs = Object.keys(within).length === 0 ? {} : { aggs: within };
  const field = string(params['field']) ?? '';
  switch (type) {
    case 'date_histogram':
      return {
        date_histogram: {
          field,
          ...intervalRequest(string(params['interval']) ?? 'auto', span),
          time_zone: 'UTC',
          min_doc_count: number(params['min_doc_count']) ?? 1,
        },
        ...aggs,
      };
    case 'terms': {
      const orderBy = string(params['orderBy']) ?? '_key';
      const ordering = metrics[orderBy];
      const own = orderBy === 'custom' ? object(params['orderAgg']) : undefined;
      const order = {
        [orderBy === 'custom' ? 'order' : ordering !== undefined || orderBy.startsWith('_') ? orderBy : '_count']: string(params['order']) ?? 'desc',
      };
      const missing = params['missingBucket'] === true ? { missing: '__missing__' } : {};
      return {
        terms: { field, size: number(params['size']) ?? 5, order, ...missing },
        aggs: {
          ...within,
          ...(isObject(ordering) ? { [orderBy]: ordering } : {}),
          ...(own === undefined ? {} : { order: { [string(own['type']) ?? 'max']: { field: at(own, 'params', 'field') } } }),
        },
      };
    }
    case 'histogram':
      return { histogram: { field, interval: number(params['interval']) ?? 1, min_doc_count: params['min_doc_count'] === true ? 0 : 1 }, ...aggs };
    case 'range':
      return { range: { field, ranges: objects(params['ranges']), keyed: false }, ...aggs };
    case 'filters':
      return {
        filters: { filters: Object.fromEntries(objects(params['filters']).map((one, i) => [filterLabel(one, i), queryOf(one['input']) ?? { match_all: {} }])) },
        ...aggs,
      };
    default:
      throw new Error(`the stand-in does not know the bucket "${type}"`);
  }
}

const filterLabel = (filter: JsonObject, i: number): string => string(filter['label']) || string(at(filter, 'input', 'query')) || `filter ${String(i + 1)}`;

const CALENDAR: readonly string[] = ['w', 'M', 'y'];
function intervalRequest(chosen: string, span: Span): JsonObject {
  const unit = /^1?([wMy])$/.exec(chosen)?.[1];
  return unit !== undefined && CALENDAR.includes(unit) ? { calendar_interval: `1${unit}` } : { fixed_interval: fixed(intervalOf(chosen, span, COLUMNS)) };
}

interface Row {
  /** One a bucket aggregation, in their order. */
  readonly keys: readonly { readonly label: string; readonly value: Json | undefined }[];
  readonly values: readonly (number | null)[];
}

function rowsOf(answer: JsonObject, buckets: readonly Agg[], metrics: readonly Metric[], formats: JsonObject): readonly Row[] {
  const columns = metrics.flatMap((metric) => metric.columns);
  const total = at(answer, 'hits', 'total', 'value');
  const walk = (bucket: JsonObject, level: number, keys: Row['keys']): readonly Row[] => {
    const agg = buckets[level];
    if (agg === undefined) return [{ keys, values: columns.map(({ read }) => read(bucket)) }];
    return bucketsIn(at(bucket, agg.id)).flatMap((one) => walk(one, level + 1, [...keys, { label: keyLabel(one, agg, formats), value: one['key'] }]));
  };
  if (buckets.length === 0 && total === 0) return [];
  return walk({ ...object(answer['aggregations']), doc_count: total }, 0, []);
}

function bucketsIn(aggregation: Json | undefined): readonly JsonObject[] {
  const buckets = at(aggregation, 'buckets');
  if (Array.isArray(buckets)) return objects(buckets);
  return Object.entries(object(buckets)).map(([key, bucket]) => ({ ...object(bucket), key }));
}

function keyLabel(bucket: JsonObject, { type, params }: Agg, formats: JsonObject): string {
  const { key } = bucket;
  if (key === '__missing__') return string(params['missingBucketLabel']) ?? 'Missing';
  if (type === 'date_histogram') return fieldFormat({ id: 'date' })(number(key) ?? 0);
  return typeof key === 'number' ? fieldFormat(formats[string(params['field']) ?? ''])(key) : asText(bucket['key_as_string'] ?? key);
}

function shaped(visState: Json | undefined, buckets: readonly Agg[], metrics: readonly Metric[], rows: readonly Row[]): Result {
  const type = string(at(visState, 'type')) ?? '';
  const params = object(at(visState, 'params'));
  const columns = metrics.flatMap((metric) => metric.columns);
  const time = buckets.findIndex((agg) => agg.schema === 'segment' && agg.type === 'date_histogram');
  if (['line', 'area', 'histogram', 'horizontal_bar'].includes(type) && time !== -1) {
    return {
      kind: 'chart',
      ...look(type, params),
      title: string(at(params, 'valueAxes', 0, 'title', 'text')) ?? columns.map(({ label }) => label).join(', '),
      threshold: at(params, 'thresholdLine', 'show') === true ? number(at(params, 'thresholdLine', 'value')) : undefined,
      legend: params['addLegend'] !== false,
      series: seriesOf(rows, time, columns),
      format: columns[0]?.format ?? plain,
    };
  }
  if (type === 'table') {
    const names = buckets.map(({ params: { customLabel, field } }) => (string(customLabel) || string(field)) ?? 'filters');
    return {
      kind: 'table',
      columns: [...names, ...columns.map(({ label }) => label)],
      rows: rows.map(({ keys, values }) => [
        ...keys.map(({ label }) => label),
        ...values.map((value, i) => (value === null ? '-' : (columns[i]?.format ?? plain)(value))),
      ]),
    };
  }
  return {
    kind: 'readings',
    look: type === 'metric' ? 'metric' : ['gauge', 'goal'].includes(type) ? 'gauge' : 'bars',
    readings: readingsOf(rows, columns, colourOf(params)),
  };
}

function look(type: string, params: JsonObject): { readonly look: 'line' | 'area' | 'bars'; readonly stacked: boolean } {
  const drawn = string(at(params, 'seriesParams', 0, 'type')) ?? type;
  const mode = string(at(params, 'seriesParams', 0, 'mode')) ?? (drawn === 'line' ? 'normal' : 'stacked');
  return { look: drawn === 'area' ? 'area' : drawn === 'line' ? 'line' : 'bars', stacked: mode === 'stacked' && drawn !== 'line' };
}

function seriesOf(rows: readonly Row[], time: number, columns: Metric['columns']): readonly Series[] {
  const found = new Map<string, [number, number | null][]>();
  for (const { keys, values } of rows) {
    const split = keys
      .filter((_, i) => i !== time)
      .map(({ label }) => label)
      .join(' - ');
    columns.forEach(({ label }, i) => {
      const name = split === '' ? label : columns.length > 1 ? `${split}: ${label}` : split;
      const points = found.get(name) ?? [];
      points.push([number(keys[time]?.value) ?? 0, values[i] ?? null]);
      found.set(name, points);
    });
  }
  return [...found].map(([label, points]) => ({ label, points: points.sort(([a], [b]) => a - b) }));
}

function readingsOf(rows: readonly Row[], columns: Metric['columns'], colour: (value: number) => string | undefined): readonly Reading[] {
  return rows.flatMap(({ keys, values }) =>
    columns.map(({ label, format }, i) => {
      const value = values[i] ?? null;
      const name = [...keys.map((key) => key.label), ...(keys.length === 0 || columns.length > 1 ? [label] : [])].join(' - ');
      return { label: name, value, text: value === null ? '-' : format(value), colour: value === null ? undefined : colour(value) };
    }),
  );
}

/** From the first of the ranges to the last. */
const SCALES: Readonly<Record<string, readonly string[]>> = {
  'Green to Red': ['#006837', '#86cb66', '#fdbf6f', '#f46d43', '#a50026'],
  Greens: ['#c7e9c0', '#41ab5d', '#00441b'],
  Reds: ['#fcbba1', '#ef3b2c', '#67000d'],
  Blues: ['#c6dbef', '#4292c6', '#08306b'],
};

function colourOf(params: JsonObject): (value: number) => string | undefined {
  const style = object(params['gauge'] ?? params['metric']);
  const isColoured = !['None', undefined].includes(string(style['gaugeColorMode'] ?? style['metricColorMode']));
  const ranges = objects(style['colorsRange']);
  const scale = SCALES[string(style['colorSchema']) ?? ''];
  if (!isColoured || scale === undefined || ranges.length < 2) return () => undefined;
  const colours = style['invertColors'] === true ? [...scale].reverse() : scale;
  return (value) => {
    const at = ranges.findIndex(({ from, to }) => value >= Number(from) && value < Number(to));
    const position = at === -1 ? ranges.length - 1 : at;
    return colours[Math.round((position / (ranges.length - 1)) * (colours.length - 1))];
  };
}
