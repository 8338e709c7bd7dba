/** Queries, filters and the time of a search, as one query of Elasticsearch. */
import { at, isObject, object, string, type Json, type JsonObject } from '../json.mts';
import { kqlToQuery, parseKql } from './kql.mts';
import type { Span } from './time.mts';

/** `{query, language}` as saved objects have it: KQL, or the query language of Lucene. */
export function queryOf(saved: Json | undefined): JsonObject | undefined {
  const query = at(saved, 'query');
  if (isObject(query)) return query;
  const text = string(query)?.trim() ?? '';
  if (text === '') return undefined;
  if (at(saved, 'language') === 'lucene') return { query_string: { query: text, analyze_wildcard: true, time_zone: 'UTC' } };
  return kqlToQuery(parseKql(text));
}

/** What a filter asks, without what Kibana notes about it. */
function filterQuery(filter: JsonObject): JsonObject | undefined {
  const { meta: _meta, $state: _state, query, ...rest } = filter;
  return isObject(query) ? query : Object.keys(rest).length > 0 ? rest : undefined;
}

export interface Wanted {
  readonly queries: readonly (Json | undefined)[];
  readonly filters: readonly JsonObject[];
  readonly time: { readonly field: string | undefined; readonly span: Span };
}

export function searchQuery({ queries, filters, time }: Wanted): JsonObject {
  const active = filters.filter((filter) => at(filter, 'meta', 'disabled') !== true);
  const those = (negated: boolean): readonly JsonObject[] =>
    active
      .filter((filter) => (at(filter, 'meta', 'negate') === true) === negated)
      .map(filterQuery)
      .filter(isObject);
  const range =
    time.field === undefined
      ? []
      : [
          {
            range: {
              [time.field]: { gte: new Date(time.span.from).toISOString(), lte: new Date(time.span.to).toISOString(), format: 'strict_date_optional_time' },
            },
          },
        ];
  return {
    bool: { must: [], filter: [...queries.map(queryOf).filter(isObject), ...those(false), ...range], should: [], must_not: those(true) },
  };
}

/** The filters and the query of a saved object's searchSourceJSON. */
export const filtersOf = (searchSource: Json | undefined): readonly JsonObject[] => {
  const filters = object(searchSource)['filter'];
  return Array.isArray(filters) ? (filters as readonly Json[]).filter(isObject) : [];
};
