/** What a panel asks of Elasticsearch, and what it shows of the answers. */
import type { Json, JsonObject } from '../json.mts';
import type { Span } from '../query/time.mts';
import type { SavedObject } from '../saved-objects/store.mts';

export interface Series {
  readonly label: string;
  readonly colour?: string | undefined;
  readonly points: readonly (readonly [time: number, value: number | null])[];
}

export interface Reading {
  readonly label: string;
  readonly value: number | null;
  readonly text: string;
  readonly colour?: string | undefined;
}

export type Result =
  | {
      readonly kind: 'chart';
      readonly look: 'line' | 'area' | 'bars';
      readonly stacked: boolean;
      readonly title: string;
      readonly threshold: number | undefined;
      readonly legend: boolean;
      readonly series: readonly Series[];
      readonly format: (value: number) => string;
    }
  | { readonly kind: 'readings'; readonly look: 'metric' | 'gauge' | 'bars'; readonly readings: readonly Reading[] }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'controls'; readonly controls: readonly Control[] };

export interface Control {
  readonly label: string;
  readonly field: string;
  readonly indexPatternId: string;
  readonly options: readonly { readonly value: string; readonly count: number }[];
}

export interface Search {
  readonly index: string;
  readonly body: JsonObject;
}

export interface Plan {
  readonly searches: readonly Search[];
  readonly read: (answers: readonly JsonObject[]) => Result;
}

export interface IndexPattern {
  readonly id: string;
  readonly title: string;
  readonly timeField: string | undefined;
  /** How values of a field are written. */
  readonly formats: JsonObject;
}

export interface Context {
  readonly span: Span;
  /** Of the dashboard and the address of the page. */
  readonly queries: readonly (Json | undefined)[];
  readonly filters: readonly JsonObject[];
  readonly pattern: (id: string) => Promise<IndexPattern>;
  readonly search: (id: string) => Promise<SavedObject>;
}

/** That there is something to see. */
export function isEmpty(result: Result): boolean {
  switch (result.kind) {
    case 'chart':
      return !result.series.some(({ points }) => points.some(([, value]) => value !== null));
    case 'readings':
      return !result.readings.some(({ value }) => value !== null);
    case 'table':
      return result.rows.length === 0;
    case 'text':
      return false;
    case 'controls':
      return result.controls.every(({ options }) => options.length === 0);
  }
}
