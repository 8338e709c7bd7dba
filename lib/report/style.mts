/** Lines as data: pieces of text with a style. `paint` is the writing edge, where text is made safe and colour is added. */
import { redact } from '../secret.mts';
import { oneLine } from './sanitize.mts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Span = string | readonly [Style, string];
export type Line = readonly Span[];

/** What the receiver can show; without a width lines are as long as they are. */
export interface Look {
  readonly colour: boolean;
  readonly unicode: boolean;
  readonly width?: number;
}

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

const textOf = (span: Span): string => (typeof span === 'string' ? span : span[1]);

export function paint(line: Line, look: Look): string {
  const painted = line.map((span) => {
    const text = oneLine(textOf(span));
    if (typeof span === 'string' || !look.colour || text === '') return text;
    const [on, off] = CODES[span[0]];
    return `\x1b[${String(on)}m${text}\x1b[${String(off)}m`;
  });
  return redact(painted.join('').trimEnd());
}

export const paintAll = (lines: readonly Line[], look: Look): string => lines.map((line) => `${paint(line, look)}\n`).join('');

/** Symbols carry the meaning that colour repeats; each has an ASCII twin. */
const SYMBOLS = {
  ok: ['✓', 'ok', 'green'],
  changed: ['~', '~', 'yellow'],
  pending: ['~', '~', 'yellow'],
  created: ['+', '+', 'yellow'],
  removed: ['-', '-', 'yellow'],
  failed: ['✗', 'x', 'red'],
  unknown: ['?', '?', 'cyan'],
  running: ['▸', '>', 'cyan'],
  waiting: ['·', '.', 'dim'],
} as const satisfies Record<string, readonly [string, string, Style]>;
export type Symbol = keyof typeof SYMBOLS;

/** The symbol, two columns wide where only ASCII can be shown. */
export function symbol(name: Symbol, look: Look): Span {
  const [fine, ascii, style] = SYMBOLS[name];
  return [style, look.unicode ? fine : ascii.padEnd(2)];
}

export const ellipsis = (look: Look): string => (look.unicode ? '…' : '...');

const ZERO_WIDTH = /^\p{M}$/u;
const WIDE = /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]$/u;

const charWidth = (char: string): number => (char <= '\u02ff' ? 1 : ZERO_WIDTH.test(char) ? 0 : WIDE.test(char) ? 2 : 1);

/** Columns a text takes in a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += charWidth(char);
  return columns;
}

export const pad = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - columnsOf(text)));

/** The widest of the texts, at most `most` columns. */
export const widest = (texts: Iterable<string>, most = 40): number => Math.min(most, Math.max(0, ...[...texts].map(columnsOf)));

/** The line made safe and cut to `columns`, ending in an ellipsis when something is missing. */
export function fit(line: Line, columns: number, look: Look): Line {
  const safe = line.map((span): Span => (typeof span === 'string' ? oneLine(span) : [span[0], oneLine(span[1])]));
  if (columnsOf(safe.map(textOf).join('')) <= columns) return safe;
  const mark = ellipsis(look);
  let left = Math.max(0, columns - columnsOf(mark));
  const kept: Span[] = [];
  for (const span of safe) {
    let text = '';
    for (const char of textOf(span)) {
      const wide = charWidth(char);
      if (wide > left) return [...kept, typeof span === 'string' ? text : [span[0], text], mark];
      left -= wide;
      text += char;
    }
    kept.push(typeof span === 'string' ? text : [span[0], text]);
  }
  return kept;
}

/** Sentences broken at spaces to the look's width; every line starts with `indent`, continued ones with as many spaces. */
export function prose(indent: string, text: string, look: Look, style?: Style): readonly Line[] {
  const room = Math.max(20, (look.width ?? Infinity) - columnsOf(indent));
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((part, index) => [index === 0 ? indent : ' '.repeat(columnsOf(indent)), style === undefined ? part : [style, part]]);
}
