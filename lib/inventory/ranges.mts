/** Host ranges as Ansible writes them: `es-[01:03]`, `[a:c]`, `[1:9:2]`, several in one name. */
export type Expanded = { readonly names: readonly string[] } | { readonly error: string; readonly hint: string };

interface Range {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly show: (value: number) => string;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** All names of a pattern, or why it is none; counted before anything is made, so `[1:999999999]` costs nothing. */
export function expandRange(pattern: string, most: number): Expanded {
  const parts = pattern.split(/\[([^\][]*)\]/);
  const ranges: Range[] = [];
  for (let index = 1; index < parts.length; index += 2) {
    const range = parseRange(parts[index] ?? '');
    if (typeof range === 'string') return { error: range, hint: 'write [01:03], [a:c] or [1:9:2]' };
    ranges.push(range);
  }
  const count = ranges.reduce((product, range) => product * (Math.floor((range.last - range.first) / range.step) + 1), 1);
  if (count > most) return { error: `the range gives ${String(count)} hosts, more than the ${String(most)} that are accepted`, hint: 'check its bounds' };
  let names = [parts[0] ?? ''];
  ranges.forEach((range, index) => {
    const tail = parts[index * 2 + 2] ?? '';
    names = names.flatMap((head) => valuesOf(range).map((value) => head + value + tail));
  });
  return { names };
}

function valuesOf(range: Range): readonly string[] {
  const values: string[] = [];
  for (let value = range.first; value <= range.last; value += range.step) values.push(range.show(value));
  return values;
}

function parseRange(text: string): Range | string {
  const bounds = text.split(':');
  const [begin = '', end = '', by = '1'] = bounds;
  if (bounds.length < 2 || bounds.length > 3) return 'a host range is [begin:end] or [begin:end:step]';
  if (!/^\d{1,9}$/.test(by) || Number(by) < 1) return 'the step of a host range is a number from 1';
  const step = Number(by);
  if (/^[a-zA-Z]$/.test(begin) && /^[a-zA-Z]$/.test(end)) {
    const first = LETTERS.indexOf(begin);
    const last = LETTERS.indexOf(end);
    if (first > last) return 'a host range goes upwards';
    return { first, last, step, show: (value) => LETTERS[value] ?? '' };
  }
  if (!/^\d{0,9}$/.test(begin) || !/^\d{1,9}$/.test(end)) return 'a host range needs two numbers or two letters';
  const padded = begin.length > 1 && begin.startsWith('0');
  if (padded && begin.length !== end.length) return 'a host range with leading zeros needs an end of the same length';
  if (Number(begin) > Number(end)) return 'a host range goes upwards';
  return { first: Number(begin), last: Number(end), step, show: (value) => (padded ? String(value).padStart(begin.length, '0') : String(value)) };
}
