import type { Source } from './model.mts';

/** The text of one file (or of one `-e` argument) and the directory its relative paths are about. */
export class Document {
  /** As given on the command line or found beside the inventory: what messages show. */
  readonly file: string;
  readonly base: string;
  readonly text: string;
  readonly #starts: readonly number[];

  constructor(file: string, base: string, text: string) {
    this.file = file;
    this.base = base;
    this.text = text;
    this.#starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((end) => end.index + end[0].length)];
  }

  /** Line and column, both from 1, of an offset into the text. */
  source(offset: number): Source {
    const at = Math.min(Math.max(offset, 0), this.text.length);
    const line = this.#lineAt(at);
    return { file: this.file, line: line + 1, column: at - (this.#starts[line] ?? 0) + 1 };
  }

  /** A line without its end; lines count from 1. */
  line(number: number): string {
    return this.text.slice(this.#starts[number - 1] ?? this.text.length, this.#starts[number] ?? this.text.length).replace(/[\r\n]+$/, '');
  }

  offsetOf(line: number, column: number): number {
    return (this.#starts[line - 1] ?? 0) + column - 1;
  }

  #lineAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
