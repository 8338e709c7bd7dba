/** The address of a page: which dashboard, and in `_g` and `_a` the time, the filters and the query that a person chose. */
import { at, isObject, list, object, string, type Json, type JsonObject } from '../json.mts';
import { parseRison, toRison } from '../query/rison.mts';
import type { TimeRange } from '../query/time.mts';

export interface PageState {
  readonly dashboard: string | undefined;
  readonly time: TimeRange | undefined;
  /** In milliseconds; nothing when paused. */
  readonly refresh: number | undefined;
  /** Pinned ones, which stay from dashboard to dashboard. */
  readonly globalFilters: readonly JsonObject[];
  /** Instead of those of the dashboard. */
  readonly filters: readonly JsonObject[] | undefined;
  readonly query: Json | undefined;
}

export const NOTHING: PageState = { dashboard: undefined, time: undefined, refresh: undefined, globalFilters: [], filters: undefined, query: undefined };

/** The part of the address from the number sign on. */
export function parseState(hash: string): PageState {
  const [path = '', search = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const dashboard = /^\/(?:view|dashboard)\/([^/]+)$/.exec(path)?.[1];
  return { ...stateOf(new URLSearchParams(search)), dashboard: dashboard === undefined ? undefined : decodeURIComponent(dashboard) };
}

export function stateOf(parameters: URLSearchParams): PageState {
  const [global, app] = [rison(parameters.get('_g')), rison(parameters.get('_a'))];
  const [from, to] = [parameters.get('from') ?? string(at(global, 'time', 'from')), parameters.get('to') ?? string(at(global, 'time', 'to'))];
  const { pause, value } = object(at(global, 'refreshInterval'));
  return {
    dashboard: undefined,
    time: from === undefined && to === undefined ? undefined : { from: from ?? 'now-15m', to: to ?? 'now' },
    refresh: pause === false && typeof value === 'number' && value >= 1000 ? value : undefined,
    globalFilters: list(at(global, 'filters')).filter(isObject),
    filters: at(app, 'filters') === undefined ? undefined : list(at(app, 'filters')).filter(isObject),
    query: at(app, 'query'),
  };
}

function rison(text: string | null): Json | undefined {
  if (text === null || text === '') return undefined;
  try {
    return parseRison(text);
  } catch {
    return undefined;
  }
}

export function addressOf({ dashboard, time, refresh, globalFilters, filters, query }: PageState): string {
  const global = {
    filters: globalFilters,
    ...(time === undefined ? {} : { time: { from: time.from, to: time.to } }),
    ...(refresh === undefined ? {} : { refreshInterval: { pause: false, value: refresh } }),
  };
  const app = { ...(filters === undefined ? {} : { filters }), ...(query === undefined ? {} : { query }) };
  return `#/view/${encodeURIComponent(dashboard ?? '')}?_g=${encodeURIComponent(toRison(global))}&_a=${encodeURIComponent(toRison(app))}`;
}
