/** Address ranges as numbers, so that what overlaps what is arithmetic: IPv4 and IPv6, CIDR in, CIDR out. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** Addresses from `first` to `last`, both of them included. */
export interface Range {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

const BITS = { 4: 32, 6: 128 } as const;

function numberOf(address: string, family: 4 | 6): bigint {
  if (family === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const plain = address.replace(/:(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
    return `:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const words = (text: string | undefined): readonly string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const zeros = tail === undefined ? 0 : 8 - words(head).length - words(tail).length;
  return [...words(head), ...Array<string>(zeros).fill('0'), ...words(tail)].reduce((sum, word) => sum * 65536n + BigInt(`0x${word}`), 0n);
}

function addressText(value: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const words = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 65535n).toString(16));
  return new SocketAddress({ address: words.join(':'), family: 'ipv6' }).address;
}

/** A range in CIDR notation or one address; `undefined` for anything else. Bits beyond the prefix are ignored, as Google does. */
export function parseRange(text: string): Range | undefined {
  const [, address = '', length] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIPv4(address) ? 4 : isIPv6(address) ? 6 : undefined;
  if (family === undefined) return undefined;
  const bits = length === undefined ? BITS[family] : Number(length);
  if (bits > BITS[family]) return undefined;
  const size = 1n << BigInt(BITS[family] - bits);
  const first = (numberOf(address, family) / size) * size;
  return { family, first, last: first + size - 1n };
}

/** The same of text that is known to be one. */
export function range(text: string): Range {
  const parsed = parseRange(text);
  if (parsed === undefined) throw new TypeError(`${JSON.stringify(text)} is no address range`);
  return parsed;
}

export const ranges = (texts: readonly string[]): readonly Range[] => texts.map(range);

/** Length of the prefix; `undefined` where the range is not one of CIDR notation. */
export function prefixLength({ family, first, last }: Range): number | undefined {
  const size = last - first + 1n;
  const bits = size.toString(2).length - 1;
  return size === 1n << BigInt(bits) && first % size === 0n ? BITS[family] - bits : undefined;
}

/** `203.0.113.0/24`, or `FIRST-LAST` where CIDR cannot say it. */
export function rangeText(of: Range): string {
  const bits = prefixLength(of);
  return bits === undefined ? `${addressText(of.first, of.family)}-${addressText(of.last, of.family)}` : `${addressText(of.first, of.family)}/${String(bits)}`;
}

/** Its first and its last address. */
export const edges = ({ family, first, last }: Range): readonly string[] => [...new Set([first, last])].map((value) => addressText(value, family));

/** One spelling for one range; what cannot be read stays as it is. */
export function canonical(text: string): string {
  const parsed = parseRange(text);
  return parsed === undefined ? text : rangeText(parsed);
}

export const contains = (outer: Range, inner: Range): boolean => outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;

export const overlaps = (one: Range, other: Range): boolean => one.family === other.family && one.first <= other.last && other.first <= one.last;

/** What of `some` is in any of `others`. */
export const common = (some: readonly Range[], others: readonly Range[]): readonly Range[] =>
  some.flatMap((one) =>
    others
      .filter((other) => overlaps(one, other))
      .map(({ first, last }) => ({ family: one.family, first: first > one.first ? first : one.first, last: last < one.last ? last : one.last })),
  );

/** What of `some` is in none of `others`. */
export const without = (some: readonly Range[], others: readonly Range[]): readonly Range[] =>
  others.reduce<readonly Range[]>(
    (left, cut) =>
      left.flatMap((one) => {
        if (!overlaps(one, cut)) return [one];
        const before = one.first < cut.first ? [{ ...one, last: cut.first - 1n }] : [];
        const after = one.last > cut.last ? [{ ...one, first: cut.last + 1n }] : [];
        return [...before, ...after];
      }),
    some,
  );

/** Ranges that the internet does not carry: private, shared, link-local and loopback. */
export const PRIVATE = ranges([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
]);

export const EVERYWHERE = ranges(['0.0.0.0/0', '::/0']);
/** Every address that a stranger can have. */
export const INTERNET = without(EVERYWHERE, PRIVATE);

export const isPrivate = (of: Range): boolean => PRIVATE.some((each) => contains(each, of));
export const isPublic = (of: Range): boolean => !PRIVATE.some((each) => overlaps(each, of));
