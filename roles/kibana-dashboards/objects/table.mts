/** A data table: the latest value of each metric. */
import { TIME_FIELD, toIndexPattern } from './index-pattern.mts';
import { INDEX_REFERENCE, visualization, type SavedObject } from './saved-object.mts';
import { MOST } from './series.mts';
import { kuery, VALUE_FIELD, type KeywordField, type Where } from './where.mts';

export interface TableOptions {
  readonly id: string;
  readonly title: string;
  readonly where: Where;
  /** Columns before the value, outermost first. */
  readonly rows: readonly { readonly field: KeywordField; readonly label: string }[];
}

export const table = ({ id, title, where, rows }: TableOptions): SavedObject<'visualization'> =>
  visualization({
    id,
    title,
    type: 'table',
    aggs: [
      {
        id: '1',
        enabled: true,
        type: 'top_hits',
        params: { field: VALUE_FIELD, aggregate: 'concat', size: 1, sortField: TIME_FIELD, sortOrder: 'desc', customLabel: 'Latest value' },
        schema: 'metric',
      },
      ...rows.map(({ field, label }, at) => ({
        id: String(at + 2),
        enabled: true,
        type: 'terms',
        params: {
          field,
          orderBy: '_key',
          order: 'asc',
          size: MOST,
          otherBucket: false,
          otherBucketLabel: 'Other',
          missingBucket: false,
          missingBucketLabel: 'Missing',
          customLabel: label,
        },
        schema: 'bucket',
      })),
    ],
    params: {
      perPage: 20,
      showPartialRows: false,
      showMetricsAtAllLevels: false,
      sort: { columnIndex: null, direction: null },
      showTotal: false,
      totalFunc: 'sum',
      percentageCol: '',
    },
    searchSource: { query: kuery(where), filter: [], indexRefName: INDEX_REFERENCE },
    references: [toIndexPattern(INDEX_REFERENCE)],
  });
