/** What a saved object on a dashboard asks, by its type. */
import { asText, at, list, number, object, objects, parsed, string, type JsonObject } from '../json.mts';
import { filtersOf, searchQuery } from '../query/search-source.mts';
import type { SavedObject } from '../saved-objects/store.mts';
import { AGGREGATION_BASED, planAggs } from './aggs.mts';
import { instantText } from '../page/clock.mts';
import type { Context, Plan } from './result.mts';
import { planTsvb } from './tsvb.mts';

/** How many documents of a saved search, and how many values of a control, are shown. */
const DOCUMENTS = 50;
const OPTIONS = 100;

export const typeShown = (saved: SavedObject): string =>
  saved.type === 'visualization' ? (string(at(parsed(saved.attributes['visState']), 'type')) ?? 'visualization') : saved.type;

export async function planOf(saved: SavedObject, context: Context, defaultIndexPattern: string | undefined): Promise<Plan> {
  if (saved.type === 'search') return planSearch(saved, context);
  const visState = parsed(saved.attributes['visState']);
  const type = typeShown(saved);
  if (type === 'markdown') return { searches: [], read: () => ({ kind: 'text', text: string(at(visState, 'params', 'markdown')) ?? '' }) };
  if (type === 'input_control_vis') return planControls(saved, visState, context);
  if (type === 'metrics') {
    const fallback = defaultIndexPattern === undefined ? '*' : (await context.pattern(defaultIndexPattern)).title;
    return planTsvb(visState, fallback, context);
  }
  if (!AGGREGATION_BASED.includes(type)) throw new Error(`the stand-in does not draw visualizations of type "${type}"`);
  const searchSource = parsed(at(saved.attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
  const linked = string(saved.attributes['savedSearchRefName']);
  if (linked !== undefined) {
    const { patternId, searchSource: searched } = await linkedSearch(saved, linked, context);
    const merged = { ...object(searchSource), filter: [...filtersOf(searched), ...filtersOf(searchSource)] };
    return planAggs({ visState, searchSource: merged }, await context.pattern(patternId), { ...context, queries: [...context.queries, at(searched, 'query')] });
  }
  return planAggs({ visState, searchSource }, await context.pattern(patternIdOf(saved, searchSource)), context);
}

function patternIdOf(saved: SavedObject, searchSource: unknown): string {
  const name = at(searchSource, 'indexRefName');
  const id = string(saved.references.find((one) => one['name'] === name)?.['id']) ?? string(at(searchSource, 'index'));
  if (id === undefined) throw new Error('Could not locate that index-pattern: none is referred to');
  return id;
}

async function linkedSearch(saved: SavedObject, name: string, context: Context) {
  const id = string(saved.references.find((one) => one['name'] === name)?.['id']) ?? '';
  const search = await context.search(id);
  const searchSource = parsed(at(search.attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
  return { patternId: patternIdOf(search, searchSource), searchSource };
}

async function planSearch(saved: SavedObject, { span, queries, filters, pattern }: Context): Promise<Plan> {
  const searchSource = parsed(at(saved.attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
  const { title, timeField } = await pattern(patternIdOf(saved, searchSource));
  const columns = list(saved.attributes['columns']).map(String);
  const query = searchQuery({
    queries: [...queries, at(searchSource, 'query')],
    filters: [...filters, ...filtersOf(searchSource)],
    time: { field: timeField, span },
  });
  const sort = timeField === undefined ? [] : [{ [timeField]: { order: 'desc', unmapped_type: 'date' } }];
  return {
    searches: [{ index: title, body: { size: DOCUMENTS, track_total_hits: true, query, sort } }],
    read: ([answer = {}]) => ({
      kind: 'table',
      columns: [...(timeField === undefined ? [] : ['Time']), ...columns],
      rows: objects(at(answer, 'hits', 'hits')).map((hit) => [
        ...(timeField === undefined ? [] : [instantText(number(at(hit, 'sort', 0)) ?? 0)]),
        ...columns.map((column) => (column === '_source' ? JSON.stringify(hit['_source']) : shownValue(hit, column))),
      ]),
    }),
  };
}

function shownValue(hit: JsonObject, column: string): string {
  const value = at(hit, '_source', column) ?? at(hit, '_source', ...column.split('.'));
  return value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}

/** The values that a person can choose from, of lists; a slider is told by its field alone. */
async function planControls(saved: SavedObject, visState: unknown, { span, filters, queries, pattern }: Context): Promise<Plan> {
  const controls = objects(at(visState, 'params', 'controls'));
  const useTime = at(visState, 'params', 'useTimeFilter') === true;
  const all = await Promise.all(
    controls.map(async (control) => {
      const name = string(control['indexPatternRefName']);
      const id = string(saved.references.find((one) => one['name'] === name)?.['id']) ?? string(control['indexPattern']) ?? '';
      return { control, id, pattern: await pattern(id) };
    }),
  );
  return {
    searches: all.map(({ control, pattern: { title, timeField } }) => {
      const size = control['type'] === 'list' ? (number(at(control, 'options', 'size')) ?? 5) : 1;
      const dynamic = at(control, 'options', 'dynamicOptions') !== false;
      const query = searchQuery({ queries, filters, time: { field: useTime ? timeField : undefined, span } });
      return {
        index: title,
        body: {
          size: 0,
          track_total_hits: true,
          query,
          aggs: { options: { terms: { field: control['fieldName'], size: dynamic ? OPTIONS : size, order: { _count: 'desc' } } } },
        },
      };
    }),
    read: (answers) => ({
      kind: 'controls',
      controls: all.map(({ control, id }, i) => ({
        label: string(control['label']) || string(control['fieldName']) || '',
        field: string(control['fieldName']) ?? '',
        indexPatternId: id,
        options: objects(at(answers[i], 'aggregations', 'options', 'buckets'))
          .map((one) => ({ value: asText(one['key']), count: number(one['doc_count']) ?? 0 }))
          .sort((a, b) => (a.value < b.value ? -1 : 1)),
      })),
    }),
  };
}
