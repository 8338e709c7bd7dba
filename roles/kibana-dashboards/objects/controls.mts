/** Lists to choose from, which filter the whole dashboard. */
import { toIndexPattern } from './index-pattern.mts';
import { visualization, type SavedObject } from './saved-object.mts';
import { MOST } from './series.mts';
import type { KeywordField } from './where.mts';

export interface Control {
  readonly field: KeywordField;
  readonly label: string;
  /** Offers only what goes with the choice made there. */
  readonly parent?: KeywordField;
}

export function controls(id: string, title: string, lists: readonly Control[]): SavedObject<'visualization'> {
  const reference = (at: number): string => `control_${String(at)}_index_pattern`;
  const controlId = (field: KeywordField): string => `${id}-${field}`;
  return visualization({
    id,
    title,
    type: 'input_control_vis',
    params: {
      controls: lists.map(({ field, label, parent }, at) => ({
        id: controlId(field),
        fieldName: field,
        parent: parent === undefined ? '' : controlId(parent),
        label,
        type: 'list',
        options: { type: 'terms', multiselect: true, dynamicOptions: parent === undefined, size: MOST, order: 'desc' },
        indexPatternRefName: reference(at),
      })),
      updateFiltersOnChange: true,
      // Only what reported in the time shown.
      useTimeFilter: true,
      pinFilters: false,
    },
    references: lists.map((_, at) => toIndexPattern(reference(at))),
  });
}
