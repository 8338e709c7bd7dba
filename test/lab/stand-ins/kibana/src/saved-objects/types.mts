/** The types of saved objects that the OSS edition of 7.10 has: Lens, Canvas and Maps are none of them. */
import type { JsonObject } from '../json.mts';

export interface SavedObjectType {
  /** The version of the newest change of its form; nothing where its form never changed. */
  readonly latest?: string;
  /** That people see it in the list of saved objects, and can export and import it. */
  readonly portable: boolean;
  readonly icon?: string;
  readonly mappings: JsonObject;
}

const text = { type: 'text' };
const keyword = { type: 'keyword' };
const integer = { type: 'integer' };
const boolean = { type: 'boolean' };
const unindexed = { type: 'keyword', index: false, doc_values: false };
const unindexedText = { type: 'text', index: false };
const searchSource = { properties: { searchSourceJSON: unindexedText } };

export const TYPES: Readonly<Record<string, SavedObjectType>> = {
  config: { latest: '7.9.0', portable: true, mappings: { dynamic: 'true', properties: { buildNum: keyword } } },
  dashboard: {
    latest: '7.9.3',
    portable: true,
    icon: 'dashboardApp',
    mappings: {
      properties: {
        description: text,
        hits: { type: 'integer', index: false, doc_values: false },
        kibanaSavedObjectMeta: searchSource,
        optionsJSON: unindexedText,
        panelsJSON: unindexedText,
        refreshInterval: {
          properties: {
            display: unindexed,
            pause: { type: 'boolean', doc_values: false, index: false },
            section: { ...unindexed, type: 'integer' },
            value: { ...unindexed, type: 'integer' },
          },
        },
        timeFrom: unindexed,
        timeRestore: { type: 'boolean', doc_values: false, index: false },
        timeTo: unindexed,
        title: text,
        version: integer,
      },
    },
  },
  'index-pattern': {
    latest: '7.6.0',
    portable: true,
    icon: 'indexPatternApp',
    mappings: { dynamic: 'false', properties: { title: text, type: keyword } },
  },
  query: {
    portable: true,
    icon: 'search',
    mappings: {
      properties: {
        title: text,
        description: text,
        query: { properties: { language: keyword, query: unindexed } },
        filters: { type: 'object', enabled: false },
        timefilter: { type: 'object', enabled: false },
      },
    },
  },
  search: {
    latest: '7.9.3',
    portable: true,
    icon: 'discoverApp',
    mappings: {
      properties: {
        columns: unindexed,
        description: text,
        grid: { type: 'object', enabled: false },
        hits: { type: 'integer', index: false, doc_values: false },
        kibanaSavedObjectMeta: searchSource,
        sort: unindexed,
        title: text,
        version: integer,
      },
    },
  },
  'timelion-sheet': {
    portable: true,
    icon: 'visTimelion',
    mappings: {
      properties: {
        description: text,
        hits: integer,
        kibanaSavedObjectMeta: searchSource,
        timelion_chart_height: integer,
        timelion_columns: integer,
        timelion_interval: keyword,
        timelion_other_interval: keyword,
        timelion_rows: integer,
        timelion_sheet: text,
        title: text,
        version: integer,
      },
    },
  },
  'ui-metric': { portable: false, mappings: { properties: { count: integer } } },
  telemetry: { portable: false, mappings: { dynamic: 'false', properties: { enabled: boolean, sendUsageFrom: keyword } } },
  url: {
    portable: true,
    icon: 'link',
    mappings: {
      properties: {
        accessCount: { type: 'long' },
        accessDate: { type: 'date' },
        createDate: { type: 'date' },
        url: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 2048 } } },
      },
    },
  },
  visualization: {
    latest: '7.10.0',
    portable: true,
    icon: 'visualizeApp',
    mappings: {
      properties: {
        description: text,
        kibanaSavedObjectMeta: searchSource,
        savedSearchRefName: unindexed,
        title: text,
        uiStateJSON: unindexedText,
        version: integer,
        visState: unindexedText,
      },
    },
  },
};

export const typeOf = (name: string): SavedObjectType | undefined => (Object.hasOwn(TYPES, name) ? TYPES[name] : undefined);
export const isPortable = (name: string): boolean => typeOf(name)?.portable === true;

/** The mapping of the index of saved objects. */
export const MAPPINGS: JsonObject = {
  dynamic: 'strict',
  properties: {
    migrationVersion: { dynamic: 'true', type: 'object' },
    type: keyword,
    namespace: keyword,
    namespaces: keyword,
    originId: keyword,
    updated_at: { type: 'date' },
    references: { type: 'nested', properties: { name: keyword, type: keyword, id: keyword } },
    ...Object.fromEntries(Object.entries(TYPES).map(([name, { mappings }]) => [name, mappings])),
  },
};
