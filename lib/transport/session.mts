import type { RunError } from '../errors.mts';
import type { Host } from '../inventory/model.mts';
import type { ResourceId } from '../names.mts';
import type { Ask, CompiledStep, Facts, Raw } from '../plan/model.mts';
import type { LockHolder } from '../shell/bootstrap.mts';
import type { StepEnding } from '../shell/frame-reader.mts';

export type { LockHolder } from '../shell/bootstrap.mts';

/** Bytes in both directions to one command on a host; ssh and local differ only here. */
export interface Channel {
  write(bytes: Uint8Array | string): void;
  /** Resolves when the peer has room again. */
  drained(): Promise<void>;
  end(): void;
  destroy(): void;
  onOutput(listener: (bytes: Uint8Array) => void): void;
  onErrorOutput(listener: (bytes: Uint8Array) => void): void;
  /** Called once. `undefined` code and signal mean the link went away: the outcome of the command is unknown. */
  onClose(listener: (end: { readonly code: number | undefined; readonly signal: string | undefined }) => void): void;
}

/** An authenticated way to start commands on one host. */
export interface Connection extends AsyncDisposable {
  start(command: string): Promise<Channel>;
}

export interface Progress {
  readonly id: ResourceId;
  /** Bytes, unless the step says otherwise. */
  readonly done: number;
  readonly total?: number;
}

export interface Limits {
  readonly deadlineMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  onProgress?(progress: Progress): void;
  /** A step begins, or ends with `ok`. */
  onStep?(step: { readonly id: ResourceId; readonly ok?: boolean; readonly interruptible?: boolean }): void;
}

export interface StepEnd {
  readonly id: ResourceId;
  readonly end: StepEnding;
  /** The last lines of what it printed, unescaped: hostile text. */
  readonly tail: string;
}

/** What one frame brought back. Only `complete` says anything about the host's state. */
export type Frame =
  | { readonly kind: 'complete'; readonly steps: readonly StepEnd[]; readonly answers: ReadonlyMap<Ask, Raw> }
  | { readonly kind: 'lost' | 'timeout' | 'aborted'; readonly error: RunError; readonly steps: readonly StepEnd[] };

/** A session that can only read: what check and drift are given. */
export interface Reader extends AsyncDisposable {
  readonly facts: Facts;
  /** Answers of the asks that rode along when the session was opened. */
  readonly first: ReadonlyMap<Ask, Raw>;
  readonly counters: Counters;
  ask(asks: readonly Ask[], limits: Limits): Promise<Frame>;
}

/** A session that may write; it holds the host's lock until it is disposed of. */
export interface Session extends Reader {
  /** Runs the steps in order up to the first that fails, then asks `reask` in the same frame. */
  apply(steps: readonly CompiledStep[], reask: readonly Ask[], limits: Limits): Promise<Frame>;
}

export interface Counters {
  /** Milliseconds from the first packet to the usable session. */
  readonly connectMs: number;
  /** Exec plus frames; the connection itself is counted apart. */
  readonly roundTrips: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface OpenOptions {
  readonly signal: AbortSignal;
  /** Ride in the first command, with the facts. */
  readonly asks: readonly Ask[];
  /** How long connecting, logging in and becoming may take together, beside what a new host takes to settle. */
  readonly deadlineMs: number;
  /** A host that is new does not let anybody in yet: asked before every further attempt whether to make it. */
  readonly onWaiting?: (attempt: number, last: RunError) => boolean;
  /** A session of this run was lost: how long what ran in it, and must not be cut off, may go on and keep the lock. */
  readonly lastingMs?: number;
}

/** Opens sessions. All methods reject with `RunFailure` only. */
export interface Transport extends AsyncDisposable {
  read(host: Host, options: OpenOptions): Promise<Reader>;
  /** Takes the host's lock; a held lock rejects with kind `locked`, naming the holder. */
  write(host: Host, options: OpenOptions & { readonly holder: LockHolder }): Promise<Session>;
}
