import { RunFailure } from '../errors.mts';
import type { Document } from './document.mts';
import type { Source } from './model.mts';

/** One thing wrong with an inventory; line 0 means the file as a whole (it is missing, for example). */
export interface Problem extends Source {
  readonly message: string;
  /** What to write or do instead. */
  readonly hint?: string;
  /** The line it is on, clipped, and a caret below it. */
  readonly excerpt?: readonly [string, string];
}

/** All problems of an inventory as one `usage` failure; `problems` holds them as data, in order. */
export class InventoryFailure extends RunFailure {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const first = problems[0];
    const more = problems.length > 1 ? ` (and ${String(problems.length - 1)} more)` : '';
    super({
      kind: 'usage',
      short: first === undefined ? 'inventory is not valid' : `${place(first)}: ${first.message}${more}`,
      message: formatProblems(problems),
      ...(first === undefined || first.line === 0 ? {} : { source: { file: first.file, line: first.line, column: first.column } }),
    });
    this.problems = problems;
  }
}

const MOST_SHOWN = 50;
/** Nobody reads further; a hostile file could have a million. */
const MOST_KEPT = 1000;
const WIDTH = 120;

/** One place twice with one message is one problem: a wrong group variable concerns every host of the group. */
export class Problems {
  readonly #found = new Map<string, Problem>();

  at(document: Document, offset: number, message: string, hint?: string): void {
    if (this.#found.size >= MOST_KEPT) return;
    const source = document.source(offset);
    this.add({ ...source, message, ...(hint === undefined ? {} : { hint }), excerpt: excerptOf(document.line(source.line), source.column) });
  }

  /** As `at`, where a secret may stand at `offset`: the excerpt ends before it. */
  hiding(document: Document, offset: number, message: string, hint?: string): void {
    const source = document.source(offset);
    const line = `${document.line(source.line).slice(0, source.column - 1)}[hidden]`;
    this.add({ ...source, message, ...(hint === undefined ? {} : { hint }), excerpt: excerptOf(line, source.column) });
  }

  /** A problem of a file as a whole. */
  file(file: string, message: string, hint?: string): void {
    this.add({ file, line: 0, column: 0, message, ...(hint === undefined ? {} : { hint }) });
  }

  add(problem: Problem): void {
    const key = `${problem.file}:${String(problem.line)}:${String(problem.column)}:${problem.message}`;
    if (!this.#found.has(key)) this.#found.set(key, problem);
  }

  get any(): boolean {
    return this.#found.size > 0;
  }

  /** By file in the order of their names, then line, then column. */
  sorted(): readonly Problem[] {
    return [...this.#found.values()].sort((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1));
  }
}

export const place = (source: Source): string =>
  source.line === 0 ? printable(source.file) : `${printable(source.file)}:${String(source.line)}:${String(source.column)}`;

export function formatProblems(problems: readonly Problem[]): string {
  const shown = problems.slice(0, MOST_SHOWN).map(format);
  if (problems.length > MOST_SHOWN) shown.push(`… and ${String(problems.length - MOST_SHOWN)} more problems`);
  return shown.join('\n');
}

function format(problem: Problem): string {
  const hint = problem.hint === undefined ? '' : ` — ${problem.hint}`;
  const excerpt = (problem.excerpt ?? []).map((line) => `\n    ${line}`).join('');
  return `${place(problem)}  error  ${problem.message}${hint}${excerpt}`;
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of a file as a terminal may show it: no control characters, nothing that reverses direction. */
export const printable = (text: string): string => text.replace(CONTROL, (character) => (character === '\t' ? ' ' : '\ufffd'));

/** A short, quoted form of text that somebody else wrote. */
export function quoted(text: string, most = 60): string {
  const characters = Array.from(printable(text));
  return `"${characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : characters.join('')}"`;
}

/** What follows a key that sounds like a secret is hidden, unless it is a reference: an excerpt must not give away what a file should not hold. */
const SECRET_VALUE =
  /((?:pass|secret|token|credential|api_?key)\w*["']?\s*[:=]\s*)(?!\{?\s*["']?secret["']?\s*:)(?!["']?(?:env|file|generate|gcloud):)(?=\S).*$/i;

export const soundsSecret = (name: string): boolean => /pass|secret|token|credential|api_?key/i.test(name);

function excerptOf(line: string, column: number): readonly [string, string] {
  const hidden = printable(line.slice(0, 10_000)).replace(SECRET_VALUE, '$1[hidden]');
  const from = column - 1 > WIDTH - 20 ? column - 1 - 60 : 0;
  const head = from > 0 ? '…' : '';
  const tail = hidden.length > from + WIDTH ? '…' : '';
  const text = head + hidden.slice(from + head.length, from + WIDTH - tail.length) + tail;
  return [text, `${' '.repeat(Math.min(Math.max(column - 1 - from, 0), text.length))}^`];
}
