/** A dashboard with the results of all of its panels. */
import { type Elasticsearch, ResponseError } from '../elasticsearch.mts';
import { HttpError } from '../http.mts';
import { at, number, object, objects, parsed, string, type Json, type JsonObject } from '../json.mts';
import { filtersOf } from '../query/search-source.mts';
import { spanOf, type Span, type TimeRange } from '../query/time.mts';
import { isFailed, type Key, type SavedObject, type Store } from '../saved-objects/store.mts';
import { planOf, typeShown } from '../visualizations/plan.mts';
import { isEmpty, type Context, type IndexPattern, type Result, type Search } from '../visualizations/result.mts';
import type { PageState } from './state.mts';

export interface Grid {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Panel {
  readonly id: string;
  readonly title: string;
  readonly type: string;
  readonly grid: Grid;
  readonly searches: readonly Search[];
  /** Documents that the searches found. */
  readonly hits: number;
  readonly result: Result | undefined;
  readonly error: string | undefined;
}

export interface Dashboard {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly time: TimeRange;
  readonly span: Span;
  readonly refresh: number | undefined;
  readonly showTitles: boolean;
  readonly filters: readonly JsonObject[];
  readonly query: Json | undefined;
  readonly panels: readonly Panel[];
}

export interface Sources {
  readonly store: Store;
  readonly elasticsearch: Elasticsearch;
}

export async function loadDashboard({ store, elasticsearch }: Sources, id: string, state: PageState, now: number): Promise<Dashboard> {
  const saved = await store.get({ type: 'dashboard', id });
  const { attributes } = saved;
  const searchSource = parsed(at(attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
  const options = object(parsed(attributes['optionsJSON']));
  const restored =
    attributes['timeRestore'] === true ? { from: string(attributes['timeFrom']) ?? 'now-15m', to: string(attributes['timeTo']) ?? 'now' } : undefined;
  const time = state.time ?? restored ?? { from: 'now-15m', to: 'now' };
  const span = spanIn(time, now);
  const filters = state.filters ?? filtersOf(searchSource);
  const query = state.query ?? at(searchSource, 'query');
  const context: Context = {
    span,
    queries: [query],
    filters: [...state.globalFilters, ...filters],
    pattern: patterns(store),
    search: (search) => store.get({ type: 'search', id: search }),
  };
  const refresh = at(attributes, 'refreshInterval', 'pause') === false ? number(at(attributes, 'refreshInterval', 'value')) : undefined;
  return {
    id,
    title: string(attributes['title']) ?? id,
    description: string(attributes['description']) ?? '',
    time,
    span,
    refresh: state.refresh ?? (refresh === 0 ? undefined : refresh),
    showTitles: options['hidePanelTitles'] !== true,
    filters,
    query,
    panels: await panelsOf(saved, store, elasticsearch, context),
  };
}

function spanIn(time: TimeRange, now: number): Span {
  try {
    return spanOf(time, now);
  } catch (error) {
    throw new HttpError(400, error instanceof Error ? error.message : String(error));
  }
}

/** Each is asked for once, whatever number of panels use it. */
function patterns(store: Store): Context['pattern'] {
  const asked = new Map<string, Promise<IndexPattern>>();
  const load = async (id: string): Promise<IndexPattern> => {
    const { attributes } = await store.get({ type: 'index-pattern', id }).catch((error: unknown) => {
      if (error instanceof HttpError && error.status === 404) throw new Error(`Could not locate that index-pattern (id: ${id})`);
      throw error;
    });
    return {
      id,
      title: string(attributes['title']) ?? '*',
      timeField: string(attributes['timeFieldName']),
      formats: object(parsed(attributes['fieldFormatMap'])),
    };
  };
  return (id) => {
    const found = asked.get(id) ?? load(id);
    asked.set(id, found);
    return found;
  };
}

async function panelsOf(dashboard: SavedObject, store: Store, elasticsearch: Elasticsearch, context: Context): Promise<readonly Panel[]> {
  const panels = objects(parsed(dashboard.attributes['panelsJSON']));
  const keys = panels.map((panel): Key => {
    const reference = dashboard.references.find((one) => one['name'] === panel['panelRefName']);
    return { type: string(reference?.['type']) ?? string(panel['type']) ?? '', id: string(reference?.['id']) ?? string(panel['id']) ?? '' };
  });
  const saved = await store.bulkGet(keys);
  const defaultPattern = string((await store.get({ type: 'config', id: '7.10.2' }).catch(() => undefined))?.attributes['defaultIndex']);
  return Promise.all(
    panels.map(async (panel, i): Promise<Panel> => {
      const found = saved[i];
      const grid = object(panel['gridData']);
      const place = { x: number(grid['x']) ?? 0, y: number(grid['y']) ?? 0, w: number(grid['w']) ?? 24, h: number(grid['h']) ?? 15 };
      const missing = found === undefined || isFailed(found);
      const title = string(panel['title']) ?? string(at(panel, 'embeddableConfig', 'title')) ?? (missing ? '' : string(found.attributes['title'])) ?? '';
      const about = { id: keys[i]?.id ?? '', title, type: missing ? (keys[i]?.type ?? '') : typeShown(found), grid: place };
      if (missing) return { ...about, searches: [], hits: 0, result: undefined, error: `Could not locate that ${about.type} (id: ${about.id})` };
      return { ...about, ...(await outcome(found, elasticsearch, context, defaultPattern)) };
    }),
  );
}

async function outcome(saved: SavedObject, elasticsearch: Elasticsearch, context: Context, defaultPattern: string | undefined) {
  let searches: readonly Search[] = [];
  try {
    const plan = await planOf(saved, context, defaultPattern);
    searches = plan.searches;
    const answers = await Promise.all(searches.map(({ index, body }) => search(elasticsearch, index, body)));
    const hits = answers.reduce((sum, answer) => sum + (number(at(answer, 'hits', 'total', 'value')) ?? 0), 0);
    return { searches, hits, result: plan.read(answers), error: undefined };
  } catch (error) {
    if (error instanceof ResponseError) {
      const cause = string(at(error.body, 'error', 'root_cause', 0, 'reason')) ?? error.reason;
      return { searches, hits: 0, result: undefined, error: `${error.message}: ${cause}` };
    }
    return { searches, hits: 0, result: undefined, error: error instanceof Error ? error.message : String(error) };
  }
}

async function search(elasticsearch: Elasticsearch, index: string, body: JsonObject): Promise<JsonObject> {
  const query = { ignore_unavailable: true, ignore_throttled: true };
  const answer = (await elasticsearch.request('POST', `/${encodeURIComponent(index)}/_search`, { body, query })).body;
  const failed = number(at(answer, '_shards', 'failed')) ?? 0;
  if (failed > 0) throw new Error(`${String(failed)} shards failed: ${string(at(answer, '_shards', 'failures', 0, 'reason', 'reason')) ?? ''}`);
  return answer;
}

/** For tests: each panel's searches and what they found. */
export const summary = ({ id, title, time, span, filters, panels }: Dashboard): JsonObject => ({
  id,
  title,
  time: { from: time.from, to: time.to },
  span: { from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString() },
  filters,
  panels: panels.map(({ id: panel, title: name, type, searches, hits, result, error }) => ({
    id: panel,
    title: name,
    type,
    searches: searches.map(({ index, body }) => ({ index, body })),
    hits,
    empty: result === undefined || isEmpty(result),
    ...(result === undefined ? {} : { result: resultSummary(result) }),
    ...(error === undefined ? {} : { error }),
  })),
});

function resultSummary(result: Result): JsonObject {
  switch (result.kind) {
    case 'chart':
      return {
        kind: 'chart',
        series: result.series.map(({ label, points }) => ({
          label,
          points: points.filter(([, value]) => value !== null).length,
          last: points.at(-1)?.[1] ?? null,
        })),
      };
    case 'readings':
      return { kind: 'readings', readings: result.readings.map(({ label, value, text }) => ({ label, value, text })) };
    case 'table':
      return { kind: 'table', columns: result.columns, rows: result.rows };
    case 'text':
      return { kind: 'text', text: result.text };
    case 'controls':
      return { kind: 'controls', controls: result.controls.map(({ label, field, options }) => ({ label, field, options: options.map(({ value }) => value) })) };
  }
}
