/** Visualizations of the time series builder (`metrics`), which is part of the OSS edition. */
import { TIME_FIELD } from './index-pattern.mts';
import { visualization, type SavedObject } from './saved-object.mts';
import { MOST, type Series } from './series.mts';
import { kuery, VALUE_FIELD } from './where.mts';

export type Unit = 'bytes' | 'bytes/s' | 'records/s' | 'ms' | 'percent' | 'count' | 'per second';

/** Kibana's formatter and what is written around the value. */
const FORMATS: Readonly<Record<Unit, readonly [formatter: string, template: string]>> = {
  bytes: ['bytes', '{{value}}'],
  'bytes/s': ['bytes', '{{value}}/s'],
  'records/s': ['0,0.[0]', '{{value}}/s'],
  ms: ['0,0.[00]', '{{value}} ms'],
  percent: ['percent', '{{value}}'],
  count: ['0,0', '{{value}}'],
  'per second': ['0,0.[00]', '{{value}}/s'],
};

/** A colour from where the value is as bad as `operator value`; later rules win. */
export interface Rule {
  readonly operator: 'gt' | 'gte' | 'lt' | 'lte';
  readonly value: number;
  readonly colour: string;
}
export const GREEN = '#209280';
export const AMBER = '#d6a100';
export const RED = '#cc5642';
const WHITE = '#ffffff';

export interface TsvbOptions {
  readonly id: string;
  readonly title: string;
  readonly kind: 'timeseries' | 'metric' | 'top_n';
  readonly series: readonly Series[];
  readonly unit: Unit;
  /** Title of the index pattern: this builder refers to it by name. */
  readonly index: string;
  /** Shortest interval in seconds: long enough for a value of every poll to be in it. */
  readonly interval: number;
  readonly rules?: readonly Rule[];
  /** Lines unless said; bars where most values are zero. */
  readonly chart?: 'line' | 'bar';
}

export function tsvb(options: TsvbOptions): SavedObject<'visualization'> {
  const { id, title, kind, index, interval } = options;
  return visualization({
    id,
    title,
    type: 'metrics',
    params: {
      id: `${id}-panel`,
      type: kind,
      series: options.series.map((series, at) => seriesOf(series, `${id}-${letter(at)}`, options)),
      time_field: TIME_FIELD,
      index_pattern: index,
      default_index_pattern: index,
      default_timefield: TIME_FIELD,
      interval: `>=${String(interval)}s`,
      // The interval that is not over yet has only some of the brokers.
      drop_last_bucket: 1,
      axis_position: 'left',
      axis_formatter: 'number',
      axis_scale: 'normal',
      axis_min: '0',
      axis_max: '',
      show_legend: 1,
      legend_position: 'bottom',
      show_grid: 1,
      tooltip_mode: 'show_all',
      // Filters of the dashboard, such as its controls, count here too.
      ignore_global_filter: 0,
      isModelInvalid: false,
      ...rulesOf(options),
    },
  });
}

const letter = (at: number): string => String.fromCharCode('a'.charCodeAt(0) + at);

function seriesOf(series: Series, id: string, { kind, unit, chart = 'line' }: TsvbOptions): object {
  const [formatter, template] = FORMATS[unit];
  const metric = `${id}-value`;
  const value = series.value === 'brokers' ? { id: metric, type: 'cardinality', field: 'broker' } : { id: metric, type: series.value, field: VALUE_FIELD };
  return {
    id,
    label: series.label,
    color: GREEN,
    split_mode: series.by === undefined ? 'everything' : 'terms',
    ...(series.by === undefined
      ? {}
      : { terms_field: series.by, terms_size: String(MOST), terms_order_by: '_key', terms_direction: 'asc', split_color_mode: 'rainbow' }),
    metrics: [value, ...(series.total === undefined ? [] : [{ id: `${id}-total`, type: 'series_agg', function: series.total }])],
    filter: kuery(series.where),
    formatter,
    value_template: template,
    separate_axis: 0,
    axis_position: 'left',
    chart_type: chart,
    line_width: 2,
    point_size: 1,
    fill: chart === 'bar' ? 0.6 : kind === 'timeseries' && series.by === undefined ? 0.2 : 0,
    stacked: 'none',
  };
}

function rulesOf({ id, kind, rules = [] }: TsvbOptions): object {
  const all = rules.map(({ operator, value, colour }, at) => ({ id: `${id}-rule-${letter(at)}`, operator, value, colour }));
  if (kind === 'metric') return { background_color_rules: all.map(({ colour, ...rule }) => ({ ...rule, background_color: colour, color: WHITE })) };
  return kind === 'top_n' ? { bar_color_rules: all.map(({ colour, ...rule }) => ({ ...rule, bar_color: colour })) } : {};
}
