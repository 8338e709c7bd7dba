/** Points in time as people write them ("now-15m", "now/d", ISO 8601), and the width of the columns of a chart. */

export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

/** In milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, H: HOUR, d: DAY, w: 7 * DAY, M: 30 * DAY, y: 365 * DAY };

export function spanOf({ from, to }: TimeRange, now: number): Span {
  return { from: instant(from, now, false), to: instant(to, now, true) };
}

/** A rounded end is the last moment of its unit. */
export function instant(text: string, now: number, isEnd: boolean): number {
  const [, sums = ''] = /^now((?:[+-]\d+(?:ms|[smhHdwMy])|\/[smhHdwMy])*)$/.exec(text.trim()) ?? [];
  if (!text.trim().startsWith('now')) {
    const found = Date.parse(text);
    if (Number.isNaN(found)) throw new Error(`"${text}" is no point in time`);
    return found;
  }
  if (text.trim() !== `now${sums}`) throw new Error(`"${text}" is no point in time`);
  let found = now;
  for (const [, sign, count = '', unit = '', rounding] of sums.matchAll(/([+-])(\d+)(ms|[smhHdwMy])|\/([smhHdwMy])/g)) {
    if (rounding === undefined) found = moved(found, (sign === '-' ? -1 : 1) * Number(count), unit);
    else found = isEnd ? moved(floor(found, rounding), 1, rounding) - 1 : floor(found, rounding);
  }
  return found;
}

function moved(time: number, count: number, unit: string): number {
  const date = new Date(time);
  if (unit === 'M') date.setUTCMonth(date.getUTCMonth() + count);
  else if (unit === 'y') date.setUTCFullYear(date.getUTCFullYear() + count);
  else return time + count * (UNITS[unit] ?? 0);
  return date.getTime();
}

function floor(time: number, unit: string): number {
  const date = new Date(time);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (unit === 'y') return Date.UTC(year);
  if (unit === 'M') return Date.UTC(year, month);
  if (unit === 'w') return floor(time, 'd') - ((date.getUTCDay() + 6) % 7) * DAY;
  const width = UNITS[unit] ?? 1;
  return Math.floor(time / width) * width;
}

/** Up to the first, columns are as wide as the second. */
const NEAR: readonly (readonly [number, number])[] = [
  [500, 100],
  [5 * SECOND, SECOND],
  [7.5 * SECOND, 5 * SECOND],
  [15 * SECOND, 10 * SECOND],
  [45 * SECOND, 30 * SECOND],
  [3 * MINUTE, MINUTE],
  [9 * MINUTE, 5 * MINUTE],
  [20 * MINUTE, 10 * MINUTE],
  [45 * MINUTE, 30 * MINUTE],
  [2 * HOUR, HOUR],
  [6 * HOUR, 3 * HOUR],
  [DAY, 12 * HOUR],
  [7 * DAY, DAY],
  [28 * DAY, 7 * DAY],
  [365 * DAY, 30 * DAY],
];

/** About that many columns. */
export function nearInterval({ from, to }: Span, columns: number): number {
  const exact = Math.max(1, (to - from) / columns);
  return NEAR.find(([bound]) => exact < bound)?.[1] ?? 365 * DAY;
}

/** What a person chose for the width: a number and a unit, a name, "auto" or nothing; ">=10s" is auto but no narrower than that. */
export function intervalOf(chosen: string, span: Span, columns: number): number {
  const [, least, count, unit = ''] = /^(>=)?(\d+)?(ms|[smhdwMy])$/.exec(chosen) ?? [];
  const given = Number(count ?? 1) * (UNITS[unit] ?? 0);
  if (given > 0 && least === undefined) return given;
  return Math.max(given, nearInterval(span, columns));
}

export const fixed = (milliseconds: number): string => {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const width = UNITS[unit] ?? 1;
    if (milliseconds % width === 0) return `${String(milliseconds / width)}${unit}`;
  }
  return `${String(milliseconds)}ms`;
};
