/** What a host prints of a frame: how its steps ended, and what its questions were answered. */
import { constants } from 'node:os';
import { redact } from '../secret.mts';

/** How one step ended; `signalled` is the step's own shell, a command of it that was killed shows as an exit code above 128. */
export type StepEnding =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' };

export interface FramedStep {
  /** Place among the frame's steps. */
  readonly index: number;
  readonly end: StepEnding;
  readonly tail: string;
}

const TAIL_LINES = 20;
const TAIL_LINE_BYTES = 2000;
/** A line of a step that never ends is cut here; markers are far shorter. */
const LONGEST_STEP_LINE = 64 * 1024;
const LONGEST_MARKER = 300;
const NEWLINE = 10;

/** Takes a frame's output in pieces of any size; bytes before `BEGIN` with the right nonce are ignored (login scripts print). */
export class FrameReader {
  /** From here on the shell has parsed the frame, and a newline reaches the watchdog. */
  begun = false;
  /** What came between BEGIN and the first section: the facts, in the first command of a session. */
  readonly #head: Buffer[] = [];
  readonly steps: FramedStep[] = [];
  running: number | undefined;
  /** Set by the END line; `probe` is undefined when the probe did not run. */
  finished: { readonly probe: Buffer | undefined } | undefined;

  readonly #nonce: string;
  readonly #onProgress: ((step: number, done: number, total: number | undefined) => void) | undefined;
  readonly #onStep: ((step: number, ended: FramedStep | undefined) => void) | undefined;
  readonly #expected: number;
  /** The line that has not ended yet, in pieces: put together once, however long it grows. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #section: 'before' | 'head' | 'step' | 'between' | 'probe' = 'before';
  #tail: Buffer[] = [];
  #exit: number | undefined;
  readonly #probe: Buffer[] = [];

  /** `onStep` is called when a step begins, and again with its end. `expected` steps were sent: what a host says of others is no marker. */
  constructor(
    nonce: string,
    onProgress?: (step: number, done: number, total: number | undefined) => void,
    onStep?: (step: number, ended: FramedStep | undefined) => void,
    expected = Infinity,
  ) {
    this.#nonce = nonce;
    this.#expected = expected;
    this.#onProgress = onProgress;
    this.#onStep = onStep;
  }

  get head(): string {
    return Buffer.concat(this.#head).toString('utf8');
  }

  push(bytes: Uint8Array): void {
    const data = Buffer.from(bytes);
    let from = 0;
    for (let newline = data.indexOf(NEWLINE); newline >= 0 && this.finished === undefined; newline = data.indexOf(NEWLINE, from)) {
      const end = data.subarray(from, newline + 1);
      this.#line(Buffer.concat([...this.#rest, end]));
      this.#keep([]);
      from = newline + 1;
    }
    this.#rest.push(data.subarray(from));
    this.#restLength += data.length - from;
    if (this.#restLength > LONGEST_STEP_LINE && this.#section !== 'probe') this.#keep([redacted(Buffer.concat(this.#rest)).subarray(-TAIL_LINE_BYTES)]);
  }

  #keep(rest: Buffer[]): void {
    this.#rest = rest;
    this.#restLength = rest[0]?.length ?? 0;
  }

  /** `line` ends in a newline. */
  #line(line: Buffer): void {
    const words = line.length <= LONGEST_MARKER ? line.toString('latin1').trimEnd().split(' ') : [];
    if (words[1] === this.#nonce && this.#marker(words)) return;
    if (this.#section === 'head') this.#head.push(line);
    else if (this.#section === 'probe') this.#probe.push(line);
    else if (this.#section === 'step') {
      this.#tail.push(line.length <= TAIL_LINE_BYTES ? line : redacted(line).subarray(0, TAIL_LINE_BYTES));
      // The markers' own leading newlines must not push out what the step said.
      if (this.#tail.length > TAIL_LINES * 4) this.#tail.splice(0, TAIL_LINES * 2);
    }
  }

  #marker([word, , ...values]: readonly string[]): boolean {
    const number = Number(values[0]);
    if (this.#section === 'before') {
      if (word !== 'BEGIN') return false;
      this.begun = true;
      this.#section = 'head';
      return true;
    }
    switch (word) {
      case 'STEP':
        if (this.running !== undefined || number !== this.steps.length || number >= this.#expected) return false;
        this.#section = 'step';
        this.running = number;
        this.#tail = [];
        this.#exit = undefined;
        this.#onStep?.(number, undefined);
        return true;
      case 'PROGRESS':
        if (this.#tail.at(-1)?.length === 1) this.#tail.pop();
        if (this.running !== undefined && Number.isFinite(number))
          this.#onProgress?.(this.running, number, /^\d+$/.test(values[1] ?? '') ? Number(values[1]) : undefined);
        return true;
      case 'EXIT':
        this.#exit = number;
        return true;
      case 'DONE':
        if (number !== this.running) return false;
        this.#ended({ index: number, end: stepEnd(this.#exit, Number(values[1]), values[2]), tail: this.#tailText() });
        return true;
      case 'PROBE':
        this.#section = 'probe';
        return true;
      case 'END':
        // A count that is not ours means lines went missing: that is no end.
        if (number !== this.steps.length) return true;
        this.finished = { probe: this.#section === 'probe' ? withoutLastByte(this.#probe) : undefined };
        return true;
      default:
        return false;
    }
  }

  #ended(step: FramedStep): void {
    this.steps.push(step);
    this.running = undefined;
    this.#section = 'between';
    this.#onStep?.(step.index, step);
  }

  #tailText(): string {
    const text = Buffer.concat(this.#tail).toString('utf8').replace(/\n+$/, '');
    return text.split('\n').slice(-TAIL_LINES).join('\n');
  }
}

/** Before something is cut: half a secret would not be known for one. */
const redacted = (bytes: Buffer): Buffer => Buffer.from(redact(bytes.toString('utf8')), 'utf8');

/** Every marker is printed with a newline before it, which is not part of what the probe printed. */
function withoutLastByte(lines: readonly Buffer[]): Buffer {
  const all = Buffer.concat(lines);
  return all.subarray(0, Math.max(0, all.length - 1));
}

function stepEnd(exit: number | undefined, status: number, why: string | undefined): StepEnding {
  if (why === 'abort' || why === 'gone') return { kind: 'aborted' };
  if (why === 'timeout') return { kind: 'timeout' };
  if (exit === undefined && status > 128) return { kind: 'signalled', signal: signalName(status - 128) };
  return { kind: 'exited', code: exit ?? status };
}

const signalName = (number: number): string => Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
