import { migrated, ourId, type Reference, type SavedObject } from './saved-object.mts';

export const INDEX_PATTERN = ourId('metrics');
export const TIME_FIELD = '@timestamp';

/** Without `fields`: Kibana asks Elasticsearch for them when it is first used, and keeps what it found. */
export const indexPatternObject = (title: string): SavedObject<'index-pattern'> => ({
  type: 'index-pattern',
  id: INDEX_PATTERN,
  attributes: { title, timeFieldName: TIME_FIELD },
  references: [],
  ...migrated('index-pattern'),
});

export const toIndexPattern = (name: string): Reference => ({ name, type: 'index-pattern', id: INDEX_PATTERN });
