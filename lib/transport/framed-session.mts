/** A session over any connection: one persistent shell that is given one frame at a time. */
import { RunFailure, type ErrorKind, type RunError } from '../errors.mts';
import type { ResourceId } from '../names.mts';
import type { Ask, CompiledStep, Facts, Raw } from '../plan/model.mts';
import { compileFrame, type HostStep } from '../shell/frame.mts';
import { FrameReader } from '../shell/frame-reader.mts';
import { ABORT, BEAT, BEAT_EVERY_MS, SILENCE_SECONDS, SILENCE_SIGNAL } from '../shell/lifeline.mts';
import { compileProbe } from '../shell/probe.mts';
import { answersOf, hostAsks, newNonce, type Entered, type Entering } from './entrance.mts';
import type { Connection, Counters, Frame, Limits, Session, StepEnd } from './session.mts';
import { upload, type UploadStep } from './upload.mts';
import type { ChannelEnd, Wire } from './wire.mts';

/** A step that is told to stop has 5 s before it is killed; then its end must have been reported. */
const ABORT_GRACE_MS = 8_000;
/** The word is repeated, since one that arrives in the moment in which a step ends is lost. */
const ABORT_REPEAT_MS = 1_000;
const CLOSE_GRACE_MS = 2_000;
/** Under questions a locked host hears no signs of life, and would take longer ones for silence. */
const UNHEARD_MS = (SILENCE_SECONDS - 5) * 1000;

export type SessionEntry = Pick<Entering, 'become' | 'shell' | 'hostName' | 'loginUser'>;

type Stopped = { readonly kind: 'lost' | 'timeout' | 'aborted'; readonly error: RunError };

export class FramedSession implements Session {
  readonly facts: Facts;
  first: ReadonlyMap<Ask, Raw>;
  readonly #connection: Connection;
  readonly #entry: SessionEntry;
  readonly #wire: Wire;
  readonly #connectMs: number;
  #roundTrips = 1;
  #uploaded = 0;
  #busy: Promise<unknown> = Promise.resolve();
  #running = false;
  #beats: NodeJS.Timeout | undefined;

  constructor(connection: Connection, entry: SessionEntry, entered: Entered, connectMs: number) {
    this.#connection = connection;
    this.#entry = entry;
    this.#wire = entered.wire;
    this.facts = entered.facts;
    this.first = entered.first ?? new Map<Ask, Raw>();
    this.#connectMs = connectMs;
  }

  get counters(): Counters {
    return {
      connectMs: this.#connectMs,
      roundTrips: this.#roundTrips,
      bytesSent: this.#wire.bytesSent + this.#uploaded,
      bytesReceived: this.#wire.bytesReceived,
    };
  }

  /** From now on the host hears regularly that this program is there, and may take silence for its end. */
  live(everyMs = BEAT_EVERY_MS): void {
    this.#beats = setInterval(() => {
      this.#wire.write(`${BEAT}\n`);
    }, everyMs).unref();
  }

  ask(asks: readonly Ask[], limits: Limits): Promise<Frame> {
    const deadlineMs = this.#beats === undefined ? limits.deadlineMs : Math.min(limits.deadlineMs, UNHEARD_MS);
    return this.#alone(() => this.#frame([], asks, { ...limits, deadlineMs }));
  }

  apply(steps: readonly CompiledStep[], reask: readonly Ask[], limits: Limits): Promise<Frame> {
    return this.#alone(() => this.#apply(steps, reask, limits));
  }

  /** Ends the shell, which frees the lock, and then the connection. One that only read and is idle holds nothing: its end is not waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beats);
    if (!this.#wire.hasEnded()) {
      this.#wire.finish();
      if (this.#beats !== undefined || this.#running) await Promise.race([this.#wire.closed, pause(this.#running ? ABORT_GRACE_MS : CLOSE_GRACE_MS)]);
      if (!this.#wire.hasEnded()) this.#wire.destroy();
    }
    await this.#connection[Symbol.asyncDispose]();
  }

  /** One outstanding frame: what is written while one runs would be taken for an abort. */
  #alone<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#busy.then(body);
    this.#busy = mine.catch(() => undefined);
    return mine;
  }

  /** Frames around the uploads, in the order of the steps; the questions come last, also when a step failed. */
  async #apply(steps: readonly CompiledStep[], reask: readonly Ask[], limits: Limits): Promise<Frame> {
    const ends: StepEnd[] = [];
    const segments = segmentsOf(steps);
    const last = segments.at(-1);
    for (const segment of segments) {
      if (segment.kind === 'frame') {
        const frame = await this.#frame(segment.steps, segment === last ? reask : [], limits);
        ends.push(...frame.steps);
        if (frame.kind !== 'complete' || segment === last) return { ...frame, steps: ends };
      } else {
        const stopped = await this.#upload(segment.step, limits, ends);
        if (stopped !== undefined) return { ...stopped, steps: ends };
      }
      if (ends.some(hasFailed)) break;
    }
    if (reask.length === 0) return { kind: 'complete', steps: ends, answers: new Map() };
    return { ...(await this.#frame([], reask, limits)), steps: ends };
  }

  async #upload(step: UploadStep, limits: Limits, ends: StepEnd[]): Promise<Stopped | undefined> {
    this.#roundTrips++;
    limits.onStep?.({ id: step.id });
    const done = await upload(this.#connection, this.#entry, step, limits.signal, (sent, total) => limits.onProgress?.({ id: step.id, done: sent, total }));
    this.#uploaded += done.bytesSent;
    limits.onStep?.({ id: step.id, ok: done.end.kind === 'exited' && done.end.code === 0 });
    if (done.end.kind === 'lost') return this.#stopped('lost', `the upload of ${step.localPath} was cut${done.tail === '' ? '' : `: ${done.tail}`}`);
    ends.push({ id: step.id, end: done.end, tail: done.tail });
    return done.end.kind === 'aborted' ? this.#stopped('aborted', 'the upload was aborted') : undefined;
  }

  async #frame(steps: readonly HostStep[], asks: readonly Ask[], limits: Limits): Promise<Frame> {
    const questions = hostAsks(asks);
    if (steps.length === 0 && questions.length === 0) return { kind: 'complete', steps: [], answers: new Map() };
    const nonce = newNonce();
    const text = compileFrame({ nonce, steps, probe: questions.length === 0 ? '' : compileProbe(questions, `${nonce}p`), shell: this.#entry.shell });
    const idOf = (index: number): ResourceId => (steps[index] ?? unknownStep(index)).id;
    const reader = new FrameReader(
      nonce,
      (step, done, total) => limits.onProgress?.({ id: idOf(step), done, ...(total === undefined ? {} : { total }) }),
      (step, ended) =>
        limits.onStep?.({ id: idOf(step), ...(ended === undefined ? { interruptible: steps[step]?.interruptible !== false } : { ok: !hasFailed(ended) }) }),
      steps.length,
    );
    const stopped = await this.#exchange(text, reader, steps, limits);
    // A shell that cannot even feed the step (no space for its input) says so itself.
    const ends = reader.steps.map(({ index, end, tail }): StepEnd => ({
      id: idOf(index),
      end,
      tail: tail === '' && end.kind === 'exited' && end.code !== 0 ? this.#wire.noise : tail,
    }));
    if (stopped !== undefined) return { ...stopped, steps: ends };
    return { kind: 'complete', steps: ends, answers: answersOf(reader, questions, nonce) };
  }

  /** Sends a frame and reads up to its END; undefined when it came and nothing stopped the frame before. */
  async #exchange(text: string, reader: FrameReader, steps: readonly HostStep[], limits: Limits): Promise<Stopped | undefined> {
    const { end: ended } = this.#wire;
    if (ended !== undefined) return this.#stopped('lost', `the session had ended before: ${endOf(ended)}`);
    if (limits.signal.aborted) return this.#stopped('aborted', 'it was not started');
    this.#roundTrips++;
    this.#wire.forgetNoise();
    this.#running = true;
    const cleanUp: (() => void)[] = [];
    try {
      return await new Promise<Stopped | undefined>((resolve) => {
        let received = 0;
        let done = false;
        let stopping: Stopped | undefined;
        let wantsAbort = false;
        const giveUp = (stopped: Stopped): void => {
          this.#wire.destroy();
          resolve(stopped);
        };
        const abort = (): void => {
          // Before BEGIN the shell itself would still read it.
          if (reader.begun) this.#wire.write(`${ABORT}\n`);
          wantsAbort = !reader.begun;
        };
        const patience = (): void => {
          const running = reader.running === undefined ? undefined : steps[reader.running];
          const ms = ABORT_GRACE_MS + (running?.interruptible === false ? running.deadlineMs : 0);
          const timer = setTimeout(() => {
            // An uninterruptible step may have begun since the last look.
            const now = reader.running === undefined ? undefined : steps[reader.running];
            if (now?.interruptible === false && now !== running) patience();
            else if (stopping !== undefined) giveUp(stopping);
          }, ms);
          cleanUp.push(() => {
            clearTimeout(timer);
          });
        };
        const stop = (kind: 'timeout' | 'aborted', how: string): void => {
          if (stopping !== undefined) return;
          stopping = this.#stopped(kind, how);
          if (steps.length === 0) {
            giveUp(stopping);
            return;
          }
          abort();
          const repeat = setInterval(abort, ABORT_REPEAT_MS);
          cleanUp.push(() => {
            clearInterval(repeat);
          });
          patience();
        };
        const onAbort = (): void => {
          stop('aborted', 'it was stopped on request');
        };
        limits.signal.addEventListener('abort', onAbort, { once: true });
        const deadline = setTimeout(() => {
          // What has arrived meanwhile comes first: after this program itself stood still, every deadline is over.
          setImmediate(() => {
            if (!done) stop('timeout', `it took longer than ${Math.round(limits.deadlineMs / 1000)} s`);
          });
        }, limits.deadlineMs);
        cleanUp.push(() => {
          done = true;
          limits.signal.removeEventListener('abort', onAbort);
          clearTimeout(deadline);
          this.#wire.onOutput = undefined;
          this.#wire.onClose = undefined;
        });
        this.#wire.onOutput = (bytes): void => {
          received += bytes.length;
          if (received > limits.maxBytes) {
            giveUp(this.#flooded(limits.maxBytes));
            return;
          }
          reader.push(bytes);
          if (reader.finished !== undefined) resolve(stopping);
          else if (wantsAbort && reader.begun) abort();
        };
        this.#wire.onClose = (end): void => {
          resolve(stopping ?? this.#stopped('lost', `${endOf(end)}${this.#wire.noise === '' ? '' : `: ${this.#wire.noise}`}`));
        };
        this.#wire.write(text);
      });
    } finally {
      this.#running = false;
      for (const undo of cleanUp) undo();
    }
  }

  /** The host is there, and would print as much again. */
  #flooded(maxBytes: number): Stopped {
    const message = `${this.#entry.hostName}: it printed more than ${maxBytes} bytes, and was not listened to any further`;
    return {
      kind: 'lost',
      error: { kind: 'unreadable', short: 'endless output', message, hint: 'what floods it: a file that grew, a service that answers without end?' },
    };
  }

  #stopped(kind: Stopped['kind'], how: string): Stopped {
    const host = this.#entry.hostName;
    const errors: Readonly<Record<Stopped['kind'], { kind: ErrorKind; short: string; hint: string }>> = {
      lost: {
        kind: 'lost',
        short: 'connection lost',
        hint: `${isSilence(this.#wire.end) ? 'was this machine asleep, or the network away? ' : ''}what ran at that moment may or may not have happened: run again, which asks first`,
      },
      timeout: { kind: 'timeout', short: 'took too long', hint: 'the running step was told to stop; run again to see what is left' },
      aborted: { kind: 'interrupted', short: 'stopped on request', hint: 'run again to finish' },
    };
    return { kind, error: { ...errors[kind], message: `${host}: no result came back, since ${how}` } };
  }
}

/** For questions that were too long to ride in the first command. */
export async function askFirst(session: FramedSession, asks: readonly Ask[], deadlineMs: number, signal: AbortSignal): Promise<void> {
  const frame = await session.ask(asks, { deadlineMs, maxBytes: 64 * 1024 * 1024, signal });
  if (frame.kind !== 'complete') throw new RunFailure(frame.error);
  session.first = frame.answers;
}

const isSilence = (end: ChannelEnd | undefined): boolean => end?.signal === `SIG${SILENCE_SIGNAL}`;

function endOf(end: ChannelEnd): string {
  const { code, signal } = end;
  if (isSilence(end)) return `the host had heard nothing from this program for ${SILENCE_SECONDS} s, stopped what ran and freed its lock`;
  if (signal !== undefined) return `its shell was killed by ${signal}`;
  return code === undefined ? 'the connection went away' : `its shell ended with code ${code}`;
}

const hasFailed = ({ end }: Pick<StepEnd, 'end'>): boolean => end.kind !== 'exited' || end.code !== 0;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

function unknownStep(index: number): never {
  throw new Error(`the host reported a step ${index} that was not sent`);
}

type Segment = { readonly kind: 'frame'; readonly steps: HostStep[] } | { readonly kind: 'upload'; readonly step: UploadStep };

function segmentsOf(steps: readonly CompiledStep[]): readonly Segment[] {
  const segments: Segment[] = [];
  for (const step of steps) {
    const last = segments.at(-1);
    if (step.at === 'upload') segments.push({ kind: 'upload', step });
    else if (step.at === 'controller') throw new Error(`step ${step.id} runs on the controller and was sent to a host`);
    else if (last?.kind === 'frame') last.steps.push(step);
    else segments.push({ kind: 'frame', steps: [step] });
  }
  return segments;
}
