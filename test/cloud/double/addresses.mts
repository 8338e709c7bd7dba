/** IPv4 addresses and ranges as numbers. */
import { invalidField } from './errors.mts';

export interface Range {
  readonly first: number;
  readonly last: number;
}

/** The address as a number, or undefined for what is no dotted IPv4 address. */
export function address(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

/** The range, or the single address, or the API's error: neither of them, or bits set behind the mask. */
export function range(field: string, text: string): Range {
  const [base = '', length = '32', ...rest] = text.split('/');
  const first = address(base);
  if (first === undefined || rest.length > 0 || !/^\d{1,2}$/.test(length) || Number(length) > 32) {
    throw invalidField(field, text, 'Must be a valid CIDR address range.');
  }
  const size = 2 ** (32 - Number(length));
  if (first % size !== 0)
    throw invalidField(field, text, `Must be a CIDR address range with the host bits clear, such as ${dotted(first - (first % size))}/${length}.`);
  return { first, last: first + size - 1 };
}

export const contains = ({ first, last }: Range, value: number): boolean => first <= value && value <= last;
export const overlap = (one: Range, other: Range): boolean => one.first <= other.last && other.first <= one.last;
/** The network's own address, its gateway, the one before the last, and the last are Google's. */
export const usable = ({ first, last }: Range, value: number): boolean => value > first + 1 && value < last - 1;
