/** Text of a host is hostile: nothing of it may drive a terminal, forge a line of a report or carry a secret out. */
import { redact } from '../secret.mts';

/** Control, format (bidi, zero width, tags), lone surrogates, private use, line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return NAMED[char] ?? (code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`);
}

/** At most `max` characters, never half of a surrogate pair; says how many there were. */
export function clipped(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}… (clipped: ${String(max)} of ${String(text.length)} characters)`;
}

// Redacted before and after: escaping or clipping would otherwise hide a known secret from the last pass.
const cleaned = (text: string, max: number, escape: (text: string) => string): string => redact(escape(clipped(redact(text), max)));

/** One line, safe to print: everything that is no visible character is escaped. */
export const oneLine = (text: string, max = 2_000): string => cleaned(text, max, (raw) => raw.replace(UNSAFE, visible));

/** Safe text that keeps its line feeds and tabs, for values of JSON documents. */
export const safeText = (text: string, max = 65_536): string =>
  cleaned(text, max, (raw) => raw.replace(UNSAFE, (char) => (char === '\n' || char === '\t' ? char : visible(char))));

/** The lines of a remote output, each safe to print; redacted before they are split, since a secret may have several lines. */
export function linesOf(text: string): readonly string[] {
  const lines = redact(text).replaceAll('\t', '    ').split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop();
  return lines.map((line) => oneLine(line));
}

/**
 * A copy of plain data whose strings are safe; values under `exempt` keys are ours (enums, validated names) and stay, since a secret
 * that happens to be a word like `changed` must not break a document's shape.
 */
export function safeData(value: unknown, max: number, exempt: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return safeText(value, max);
  if (Array.isArray(value)) return value.map((item) => safeData(item, max, exempt));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exempt.has(key) ? item : safeData(item, max, exempt)]));
}
