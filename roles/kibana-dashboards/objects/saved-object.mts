/** Saved objects as Kibana 7.10 keeps them: attributes, some of which are JSON in a string, and references to other objects. */

export type ObjectType = 'index-pattern' | 'visualization' | 'dashboard';

export interface Reference {
  readonly name: string;
  readonly type: string;
  readonly id: string;
}

export interface SavedObject<T extends string = string> {
  readonly type: T;
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly Reference[];
  /** Missing where the type was never migrated. */
  readonly migrationVersion?: Readonly<Record<string, string>>;
}

/** What Kibana 7.10.2 migrates each type to: an object with less would be migrated, one with more is refused. */
export const LATEST: Readonly<Record<string, string>> = {
  'index-pattern': '7.6.0',
  visualization: '7.10.0',
  dashboard: '7.9.3',
  search: '7.9.3',
};

export const migrated = (type: ObjectType): { readonly migrationVersion: Readonly<Record<string, string>> } => ({
  migrationVersion: { [type]: LATEST[type] ?? '' },
});

/** All that is ours begins with this. */
const PREFIX = 'kafka-monitoring-';
export const ourId = (name: string): string => `${PREFIX}${name}`;

/** Tells people who open one of ours that it is not theirs. */
export const OURS = 'Kept by kafka-elastic-monitoring: its next run undoes changes made here. Save a copy to change it.';

/** The name under which a search source refers to its index pattern. */
export const INDEX_REFERENCE = 'kibanaSavedObjectMeta.searchSourceJSON.index';

export interface Visualization {
  readonly id: string;
  readonly title: string;
  /** `type` of the visualization, such as `metrics` or `line`. */
  readonly type: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly aggs?: readonly object[];
  readonly searchSource?: object;
  readonly references?: readonly Reference[];
}

export const visualization = ({ id, title, type, params, aggs = [], searchSource = {}, references = [] }: Visualization): SavedObject<'visualization'> => ({
  type: 'visualization',
  id: ourId(id),
  attributes: {
    title,
    visState: JSON.stringify({ title, type, aggs, params }),
    uiStateJSON: '{}',
    description: OURS,
    version: 1,
    kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(searchSource) },
  },
  references,
  ...migrated('visualization'),
});
