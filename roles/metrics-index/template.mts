/** The template of the indices of metrics: types are said before the first document, or Elasticsearch guesses them from it. */
import { subset, type Difference, type Json } from '../../lib/index.mts';
import { templatePatterns, type MetricsIndexVars } from './contract.mts';

const keyword = { type: 'keyword', ignore_above: 1024 } as const;
/** Dashboards that were published for indices without a template name the field with `.keyword` after it. */
const alsoAsKeyword = { ...keyword, fields: { keyword } } as const;

/**
 * Numbers are double whatever came first: a field that began with the integer 0 would cut 0.93 to 0. What nobody foresaw is kept and found:
 * texts as keywords, numbers as double again.
 */
export const MAPPINGS = {
  dynamic: 'true',
  dynamic_templates: [
    { texts: { match_mapping_type: 'string', mapping: keyword } },
    { integers: { match_mapping_type: 'long', mapping: { type: 'double' } } },
    { numbers: { match_mapping_type: 'double', mapping: { type: 'double' } } },
  ],
  properties: {
    '@timestamp': { type: 'date' },
    '@version': keyword,
    host: alsoAsKeyword,
    path: keyword,
    type: keyword,
    cluster: keyword,
    broker: keyword,
    metric: keyword,
    kind: keyword,
    metric_path: alsoAsKeyword,
    metric_value_number: { type: 'double' },
    metric_value_string: keyword,
  },
} as const satisfies Json;

/** Types that verification asks for. */
export const FIELD_TYPES: ReadonlyMap<string, string> = new Map(Object.entries(MAPPINGS.properties).map(([field, { type }]) => [field, type]));

/** Above the templates that others write without a thought about priorities. */
const PRIORITY = 500;

/** Exactly the indices of metrics: `kafka_mon` and what follows it after a dash, never `kafka_monitoring`. */
export const isOurs = ({ name }: Pick<MetricsIndexVars, 'name'>, index: string): boolean => index === name || index.startsWith(`${name}-`);

export const template = (vars: MetricsIndexVars, replicas: number) =>
  ({
    index_patterns: templatePatterns(vars),
    priority: PRIORITY,
    template: {
      settings: {
        index: { number_of_shards: vars.shards, number_of_replicas: replicas, refresh_interval: `${String(vars.refresh_seconds)}s` },
      },
      mappings: MAPPINGS,
    },
  }) as const satisfies Json;

/** Also what was added by hand differs: it would be in every new index. */
export function compareTemplate(have: unknown, want: Json): readonly Difference[] {
  const missing = subset(have, want);
  const seen = new Set(missing.map(({ path }) => path));
  const added = subset(part(want), part(have), 'template').filter(({ path }) => !seen.has(path));
  return [...missing, ...added.map(({ path, have: wanted, want: found }): Difference => ({ path, have: found, want: wanted ?? null }))];
}

const part = (template: unknown): unknown => (typeof template === 'object' && template !== null && 'template' in template ? template.template : undefined);
