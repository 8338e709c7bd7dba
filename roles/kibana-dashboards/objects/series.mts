import type { KeywordField, Where } from './where.mts';

/** One thing that a panel shows, and what Elasticsearch is asked for it. */
export interface Series {
  readonly label: string;
  readonly where: Where;
  /** Of the values of an interval: the mean of rates and times, the largest of states. `brokers` counts who reports at all. */
  readonly value: 'avg' | 'max' | 'brokers';
  /** One line, bar or row each. */
  readonly by?: KeywordField;
  /** The lines of `by` put together into one. */
  readonly total?: 'sum' | 'max';
  /** No value while nothing happens. */
  readonly sparse?: true;
}

/** More than anybody has brokers here; a limit that cuts is an error of the check, never silent. */
export const MOST = 100;
