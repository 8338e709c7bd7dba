/** Charts over time as SVG, drawn here: the same data give the same picture. */
import type { Span } from '../query/time.mts';
import type { Result, Series } from '../visualizations/result.mts';
import { instantText, tickText } from './clock.mts';
import { html, type Html } from './html.mts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

type Chart = Extract<Result, { kind: 'chart' }>;

const PALETTE = ['#54B399', '#6092C0', '#D36086', '#9170B8', '#CA8EAE', '#D6BF57', '#B9A888', '#DA8B45', '#AA6556', '#E7664C'];

/** After the palette, hues as far from one another as can be. */
export const colourAt = (i: number): string => PALETTE[i] ?? `hsl(${String(Math.round((i * 137.508) % 360))} 55% 50%)`;

const MARGIN = { left: 62, right: 12, top: 8, bottom: 22 };

export function chartSvg(chart: Chart, span: Span, { width, height }: Size): Html {
  const drawn = chart.stacked
    ? stacked(chart.series)
    : chart.series.map((series) => ({ series, points: series.points.map(([time, value]) => [time, value, 0] as const) }));
  const values = drawn.flatMap(({ points }) => points.flatMap(([, value]) => value ?? []));
  const { ticks, low, high } = scale([...values, ...(chart.threshold === undefined ? [] : [chart.threshold])]);
  const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
  // The first column may begin before the span does.
  const x = (time: number): number => round(MARGIN.left + (Math.max(0, time - span.from) / Math.max(1, span.to - span.from)) * (right - MARGIN.left));
  const y = (value: number): number => round(bottom - ((value - low) / (high - low)) * (bottom - MARGIN.top));
  const column = columnWidth(chart.series, span, right - MARGIN.left);
  return html`<svg viewBox="0 0 ${width} ${height}" role="img">
    ${ticks.map((tick) => html`<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}" /><text class="tick" x="${MARGIN.left - 6}" y="${y(tick) + 4}" text-anchor="end">${chart.format(tick)}</text>`)}
    ${timeTicks(span, Math.max(2, Math.floor((right - MARGIN.left) / 110))).map(({ time, width: step }) => html`<text class="tick" x="${x(time)}" y="${height - 6}" text-anchor="middle">${tickText(time, step)}</text>`)}
    ${drawn.map(({ series, points }, i) => shape(chart, series, points, i, chart.series.length, { x, y, column, base: y(Math.max(low, 0)) }))}
    ${chart.threshold === undefined ? undefined : html`<line class="threshold" x1="${MARGIN.left}" x2="${right}" y1="${y(chart.threshold)}" y2="${y(chart.threshold)}" />`}
    <line class="axis" x1="${MARGIN.left}" x2="${right}" y1="${bottom}" y2="${bottom}" />
  </svg>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

type Point = readonly [time: number, value: number | null, base: number];
interface Axes {
  readonly x: (time: number) => number;
  readonly y: (value: number) => number;
  readonly column: number;
  readonly base: number;
}

function shape(chart: Chart, series: Series, points: readonly Point[], i: number, count: number, { x, y, column, base }: Axes): Html {
  const colour = series.colour ?? colourAt(i);
  const known = points.flatMap(([time, value, from]) => (value === null ? [] : [[time, value, from] as const]));
  const title = ([time, value]: readonly [number, number, number]): Html => html`<title>${series.label}: ${chart.format(value)} (${instantText(time)})</title>`;
  if (chart.look === 'bars') {
    const width = Math.max(1, chart.stacked ? column - 1 : column / count - 1);
    return html`${known.map((point) => {
      const [time, value, from] = point;
      const [top, foot] = [Math.min(y(value), y(from)), Math.max(y(value), y(from))];
      return html`<rect
        x="${round(x(time) + (chart.stacked ? 0 : (i * column) / count))}"
        y="${top}"
        width="${round(width)}"
        height="${round(Math.max(0.5, foot - top))}"
        fill="${colour}"
        >${title(point)}</rect
      >`;
    })}`;
  }
  const line = known.map(([time, value], k) => `${k === 0 ? 'M' : 'L'}${String(x(time))},${String(y(value))}`).join('');
  const back = [...known].reverse().map(([time, , from]) => `L${String(x(time))},${String(chart.stacked ? y(from) : base)}`);
  return html`${chart.look === 'area' && known.length > 0 ? html`<path d="${line}${back.join('')}Z" fill="${colour}" fill-opacity="0.3" />` : undefined}<path
      class="line"
      d="${line}"
      stroke="${colour}"
    />${known.map((point) => html`<circle cx="${x(point[0])}" cy="${y(point[1])}" r="2" fill="${colour}">${title(point)}</circle>`)}`;
}

/** Each on top of those before it. */
function stacked(all: readonly Series[]): readonly { readonly series: Series; readonly points: readonly Point[] }[] {
  const tops = new Map<number, number>();
  return all.map((series) => ({
    series,
    points: series.points.map(([time, value]): Point => {
      const base = tops.get(time) ?? 0;
      if (value === null) return [time, null, base];
      tops.set(time, base + value);
      return [time, base + value, base];
    }),
  }));
}

/** Round marks that hold all values, with zero among them. */
export function scale(values: readonly number[]): { readonly ticks: readonly number[]; readonly low: number; readonly high: number } {
  const [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [0, 0]);
  const rough = (most - least || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const [low, high] = [Math.floor(least / step) * step, Math.max(Math.ceil(most / step), 1) * step];
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => Number((low + i * step).toPrecision(12)));
  return { ticks, low, high };
}

const STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000].map(
  (seconds) => seconds * 1000,
);

function timeTicks({ from, to }: Span, most: number): readonly { readonly time: number; readonly width: number }[] {
  const width = STEPS.find((step) => (to - from) / step <= most) ?? to - from;
  const first = Math.ceil(from / width) * width;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / width) + 1) }, (_, i) => ({ time: first + i * width, width }));
}

function columnWidth(all: readonly Series[], { from, to }: Span, width: number): number {
  const times = [...new Set(all.flatMap(({ points }) => points.map(([time]) => time)))].sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  const least = gaps.reduce((a, b) => Math.min(a, b), to - from);
  return Math.max(2, (least / Math.max(1, to - from)) * width);
}
