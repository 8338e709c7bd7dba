import type { Source } from './inventory/model.mts';

/** The public exit codes (design: highest in `PRECEDENCE` order wins). */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 70 | 130 | 143;

const PRECEDENCE: readonly ExitCode[] = [130, 143, 70, 4, 5, 6, 3, 1, 2, 0];

/** The exit code of a run in which all of `codes` apply; 0 when none does. */
export function highestExit(codes: Iterable<ExitCode>): ExitCode {
  const present = new Set(codes);
  return PRECEDENCE.find((code) => present.has(code)) ?? 0;
}

export type ErrorKind =
  | 'usage' // command line, inventory, configuration: nothing was contacted
  | 'unreachable' // no usable session: network, login or become
  | 'auth'
  | 'become'
  | 'refused' // a safety rule said no: host key, checksum, quorum, exposure
  | 'locked' // another run holds the host or the inventory
  | 'unreadable' // a host would not say how things are: never taken for absent
  | 'lost' // the link went away under a running frame: the outcome is unknown
  | 'timeout'
  | 'step-failed'
  | 'not-converged' // applied, asked again, still different
  | 'check-failed'
  | 'interrupted'
  | 'bug';

/** What goes wrong, as data: `short` fits a table cell, `message` may have several lines, `hint` says what to do. */
export interface RunError {
  readonly kind: ErrorKind;
  readonly short: string;
  readonly message: string;
  readonly hint?: string;
  readonly source?: Source;
}

export const exitCodeOf: Readonly<Record<ErrorKind, ExitCode>> = {
  usage: 4,
  unreachable: 3,
  auth: 3,
  become: 3,
  refused: 5,
  locked: 6,
  unreadable: 3,
  lost: 3,
  timeout: 1,
  'step-failed': 1,
  'not-converged': 1,
  'check-failed': 1,
  interrupted: 130,
  bug: 70,
};

/** Carries a `RunError` through code that throws; everything else that is thrown is a bug. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
  readonly error: RunError;
  constructor(error: RunError, options?: ErrorOptions) {
    super(error.message, options);
    this.error = error;
  }
}

export function fail(kind: ErrorKind, short: string, more: { message?: string; hint?: string; source?: Source; cause?: unknown } = {}): never {
  throw new RunFailure(
    {
      kind,
      short,
      message: more.message ?? short,
      ...(more.hint === undefined ? {} : { hint: more.hint }),
      ...(more.source === undefined ? {} : { source: more.source }),
    },
    more.cause === undefined ? {} : { cause: more.cause },
  );
}

/** The `RunError` in anything that was thrown; what is no `RunFailure` is a bug of this program. */
export function toRunError(thrown: unknown): RunError {
  if (thrown instanceof RunFailure) return thrown.error;
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return {
    kind: 'bug',
    short: text.split('\n', 1)[0] ?? 'unknown',
    message: text,
    hint: 'this is a bug in this program: please report it with the message above',
  };
}

export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
