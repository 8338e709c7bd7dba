/** The metrics of aggregation-based visualizations: what each asks of Elasticsearch, and its columns in the answer. */
import { asText, at, list, number, object, objects, string, type Json, type JsonObject } from '../json.mts';
import { fieldFormat, plain, type Format } from './format.mts';

export interface Agg {
  readonly id: string;
  readonly type: string;
  readonly schema: string;
  readonly params: JsonObject;
}

export interface Column {
  readonly label: string;
  readonly format: Format;
  readonly read: (bucket: JsonObject) => number | null;
}

export interface Metric {
  /** By the names of the aggregations within a bucket. */
  readonly request: JsonObject;
  readonly columns: readonly Column[];
}

export const isMetric = ({ schema }: Agg): boolean => ['metric', 'radius'].includes(schema);

const SINGLE: Readonly<Record<string, readonly [aggregation: string, label: (field: string) => string]>> = {
  avg: ['avg', (field) => `Average ${field}`],
  sum: ['sum', (field) => `Sum of ${field}`],
  min: ['min', (field) => `Min ${field}`],
  max: ['max', (field) => `Max ${field}`],
  cardinality: ['cardinality', (field) => `Unique count of ${field}`],
};

/** Those that are computed from the columns of a histogram. */
const PARENT: Readonly<Record<string, readonly [aggregation: string, label: string]>> = {
  derivative: ['derivative', 'Derivative'],
  cumulative_sum: ['cumulative_sum', 'Cumulative Sum'],
  moving_avg: ['moving_avg', 'Moving Avg'],
};

export function metricOf(agg: Agg, all: readonly Agg[], formats: JsonObject): Metric {
  const { id, type, params } = agg;
  const field = string(params['field']) ?? '';
  const format = fieldFormat(formats[field]);
  const named = (label: string): string => string(params['customLabel']) || label;
  const single = SINGLE[type];
  if (type === 'count') return { request: {}, columns: [{ label: named('Count'), format: plain, read: (bucket) => number(bucket['doc_count']) ?? null }] };
  if (single !== undefined) {
    const [aggregation, label] = single;
    const written = type === 'cardinality' ? plain : format;
    return {
      request: { [id]: { [aggregation]: { field } } },
      columns: [{ label: named(label(field)), format: written, read: (bucket) => number(at(bucket, id, 'value')) ?? null }],
    };
  }
  if (type === 'median' || type === 'percentiles') {
    const percents = type === 'median' ? [50] : list(params['percents']).map(Number);
    return {
      request: { [id]: { percentiles: { field, percents, keyed: false } } },
      columns: percents.map((percent) => ({
        label: type === 'median' ? named(`Median ${field}`) : `${ordinal(percent)} percentile of ${named(field)}`,
        format,
        read: (bucket) => number(objects(at(bucket, id, 'values')).find(({ key }) => key === percent)?.['value']) ?? null,
      })),
    };
  }
  if (type === 'top_hits') {
    const order = string(params['sortOrder']) ?? string(at(params, 'sortOrder', 'value')) ?? 'desc';
    const by = string(params['sortField']) ?? string(at(params, 'sortField', 'name')) ?? '@timestamp';
    const how = string(params['aggregate']) ?? string(at(params, 'aggregate', 'value')) ?? 'concat';
    return {
      request: {
        [id]: {
          top_hits: { docvalue_fields: [{ field }], _source: false, size: number(params['size']) ?? 1, sort: [{ [by]: { order, unmapped_type: 'date' } }] },
        },
      },
      columns: [{ label: named(`${order === 'desc' ? 'Last' : 'First'} ${field}`), format, read: (bucket) => combined(topValues(at(bucket, id), field), how) }],
    };
  }
  const parent = PARENT[type];
  if (parent === undefined) throw new Error(`the stand-in does not know the metric "${type}"`);
  const [aggregation, label] = parent;
  const source = sourceOf(agg, all, formats);
  return {
    request: { ...source.request, [id]: { [aggregation]: { buckets_path: source.path } } },
    columns: [{ label: named(`${label} of ${source.label}`), format: source.format, read: (bucket) => number(at(bucket, id, 'value')) ?? null }],
  };
}

function sourceOf({ id, params }: Agg, all: readonly Agg[], formats: JsonObject) {
  const referred = string(params['metricAgg']);
  const own = object(params['customMetric']);
  const source =
    all.find((one) => one.id === referred) ??
    (string(own['type']) === undefined ? undefined : { id: `${id}-metric`, type: asText(own['type']), schema: 'metric', params: object(own['params']) });
  if (source === undefined) throw new Error(`the metric ${id} refers to no metric`);
  const { request, columns } = metricOf(source, all, formats);
  return { request, path: source.type === 'count' ? '_count' : source.id, label: columns[0]?.label ?? '', format: columns[0]?.format ?? plain };
}

export function topValues(answer: Json | undefined, field: string): readonly number[] {
  return objects(at(answer, 'hits', 'hits')).flatMap((hit) => list(at(hit, 'fields', field)).flatMap((value) => number(value) ?? []));
}

/** How several values of the newest documents become one. */
export function combined(values: readonly number[], how: string): number | null {
  if (values.length === 0) return null;
  switch (how) {
    case 'average':
    case 'avg':
      return values.reduce((a, b) => a + b, 0) / values.length;
    case 'sum':
      return values.reduce((a, b) => a + b, 0);
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    default:
      return values[0] ?? null;
  }
}

const ordinal = (count: number): string => {
  const ending = count % 100 > 10 && count % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${String(count)}${ending}`;
};
