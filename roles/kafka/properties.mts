/** Java's properties files, one setting a line, in the order given. */
export type Property = string | number | boolean;

/** What java.util.Properties would read as something else than itself. It reads Latin-1, so everything beyond ASCII is written as an escape. */
const escaped = (text: string, special: RegExp): string =>
  text.replace(special, (c) => `\\${c}`).replace(/[^\u0020-\u007e]/g, (unit) => NAMED[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\f': '\\f' };

export function properties(settings: Readonly<Record<string, Property | undefined>>): string {
  return Object.entries(settings)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${escaped(key, /[\\ :=#!]/g)}=${escaped(String(value), /\\|^ /g)}\n`]))
    .join('');
}
