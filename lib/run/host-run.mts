import { assertNever, RunFailure, toRunError, type RunError } from '../errors.mts';
import type { Host } from '../inventory/model.mts';
import type { HostName, RoleName } from '../names.mts';
import type { Answer, Ask, CompiledStep, Facts, Question } from '../plan/model.mts';
import type { EventBody } from '../report/events.mts';
import { elapsed } from '../report/format.mts';
import { REFUSED } from '../shell/steps.mts';
import type { Counters, Frame, Limits, LockHolder, OpenOptions, Reader, Session, StepEnd, Transport } from '../transport/session.mts';
import { Answers, distinct } from './answers.mts';
import { ControllerFailure, type Controller, type ControllerAsk, type ControllerStep } from './controller.mts';
import type { Intent, Intents } from './journal.mts';
import { rounds, segments, type HostStep, type Lane } from './segments.mts';

const OPEN_DEADLINE_MS = 30_000;
const ASK_DEADLINE_MS = 60_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Beside the deadlines of the steps themselves: sending, syncing, asking again. */
const APPLY_SLACK_MS = 30_000;
/** How long a host whose session was lost may take to let this run in again: it may be starting anew. */
const RETURN_MS = 120_000;

/** From here on certificates may be judged wrongly, and what two logs say does not fit together. */
const CLOCK_TOLERANCE_MS = 60_000;

export interface HostRunOptions {
  readonly transport: Transport;
  readonly controller: Controller;
  /** The host with everything that is needed to reach it. */
  readonly placed: (host: Host) => Promise<Host>;
  /** How often this run has changed anything, on any host. */
  readonly changes: Changes;
  readonly emit: (event: EventBody) => void;
  readonly signal: () => AbortSignal;
  stopping(): boolean;
  /** Present when the run may write: the host's lock is taken in this name. */
  readonly holder?: LockHolder;
  /** Where steps are noted before they are begun. */
  readonly journal?: Intents;
}

export interface Changes {
  count: number;
}

/** One host during one run: its session, what is known about it, and whether anything was changed. */
export class HostRun {
  readonly host: Host;
  readonly answers = new Answers();
  /** Set once; a host that failed is not touched again. */
  failure: RunError | undefined;
  /** Its provider made it in this run, or changed it. */
  isNew = false;
  readonly #options: HostRunOptions;
  #writer: Session | undefined;
  #reader: Reader | undefined;
  #opening: Promise<void> | undefined;
  #appliedSinceOpen = false;
  #isReopened = false;
  /** What a session cost that was lost. */
  #spent: Counters = { connectMs: 0, roundTrips: 0, bytesSent: 0, bytesReceived: 0 };
  /** How many changes there had been when this host was begun to be asked anew. */
  #askedAfter = 0;
  #queue: Promise<void> = Promise.resolve();

  constructor(host: Host, options: HostRunOptions) {
    this.host = host;
    this.#options = options;
  }

  get facts(): Facts {
    return this.#session().facts;
  }

  get isOpen(): boolean {
    return this.#reader !== undefined;
  }

  /** Connects once, however often it is called; `riding` is asked in the first command. */
  open(riding: readonly Ask[]): Promise<void> {
    this.#opening ??= this.#open(riding);
    return this.#opening;
  }

  async #open(riding: readonly Ask[]): Promise<void> {
    const { emit } = this.#options;
    const { name } = this.host;
    emit({ kind: 'host.connecting', host: name });
    await this.#login(await this.#options.placed(this.host), riding);
    emit({ kind: 'host.connected', host: name, ms: Math.round(this.#session().counters.connectMs) });
    const { aheadMs } = this.facts;
    if (Math.abs(aheadMs) >= CLOCK_TOLERANCE_MS) emit({ kind: 'notice', text: clockNotice(name, aheadMs) });
  }

  async #login(host: Host, riding: readonly Ask[], lastingMs?: number): Promise<void> {
    const { transport, holder, emit } = this.#options;
    const { name } = this.host;
    const options: OpenOptions = {
      signal: this.#options.signal(),
      asks: riding,
      deadlineMs: OPEN_DEADLINE_MS,
      onWaiting: (attempt, { short }) => {
        emit({ kind: 'host.waiting', host: name, attempt, found: short });
        return !this.#options.stopping();
      },
      ...(lastingMs === undefined ? {} : { lastingMs }),
    };
    this.#askedAfter = this.#options.changes.count;
    if (holder === undefined) this.#reader = await transport.read(host, options);
    else this.#reader = this.#writer = await transport.write(host, { ...options, holder });
    this.answers.record(this.#reader.first);
  }

  /**
   * Opens a session that was lost again, once in a run: whatever was under way is unknown until it was asked. Throws what was lost where it
   * cannot be had again, or need not. Gives whether the host has started anew since: what it said before counts no more.
   */
  async #reopen(lost: RunError, lastingMs = 0): Promise<boolean> {
    const { emit, signal } = this.#options;
    if (lost.kind !== 'lost' || this.#isReopened || this.failure !== undefined || this.#options.stopping() || signal().aborted) throw new RunFailure(lost);
    this.#isReopened = true;
    const before = this.#session();
    emit({ kind: 'notice', text: `${lost.message}; it is opened again, and what was under way is asked` });
    await before[Symbol.asyncDispose]();
    try {
      await this.#login(patient(await this.#options.placed(this.host)), [], lastingMs);
      this.#spent = before.counters;
    } catch (thrown) {
      throw thrown instanceof ControllerFailure ? thrown : new RunFailure(bothOf(lost, toRunError(thrown)), { cause: thrown });
    }
    const hasRestarted = before.facts.bootId !== this.facts.bootId;
    emit({
      kind: 'notice',
      text: `${this.host.name}: ${hasRestarted ? 'it has started anew meanwhile, and everything' : 'the session is back, and what was under way'} is asked again`,
    });
    return hasRestarted;
  }

  #session(): Reader {
    if (this.#reader === undefined) throw new Error(`bug: ${this.host.name} was asked before it was connected`);
    return this.#reader;
  }

  /** Makes sure that every ask has an answer, and gives it; throws `RunFailure`. */
  know(asks: readonly Ask[]): Promise<void> {
    return this.#alone(() => this.#fetch(this.answers.missing(asks)));
  }

  /** Asks again, whatever was known; the old answers stay until the new ones are there. */
  refresh(asks: readonly Ask[]): Promise<void> {
    if (asks.some((ask) => ask.at === 'controller')) this.#options.controller.forget();
    return this.#alone(() => this.#fetch(distinct(asks)));
  }

  /** What was known is old: time has passed in which the host went on by itself. */
  forget(): Promise<void> {
    return this.#alone(() => {
      this.#forget();
      return Promise.resolve();
    });
  }

  #forget(): void {
    this.answers.forget();
    this.#askedAfter = this.#options.changes.count;
  }

  /** Something was changed since it was asked, here or elsewhere: what a host says may be about others. */
  get isOld(): boolean {
    return this.#askedAfter < this.#options.changes.count;
  }

  /** One answer, read before anybody else can change what is known; with `again` asked anew. */
  answer<T>(question: Question<T>, again: boolean): Promise<Answer<T>> {
    return this.#alone(async () => {
      await this.#fetch(again ? distinct(question.asks) : this.answers.missing(question.asks));
      return question.read(this.answers.lookup);
    });
  }

  /** A session has one frame under way at most, and peers ask between a host's own frames. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Asks, and says how long that took. */
  async #fetch(asks: readonly Ask[]): Promise<void> {
    if (asks.length === 0) return;
    const started = performance.now();
    await this.#ask(asks);
    this.#options.emit({ kind: 'host.asked', host: this.host.name, questions: asks.length, ms: Math.round(performance.now() - started) });
  }

  async #ask(asks: readonly Ask[]): Promise<void> {
    const atController = asks.filter((ask): ask is ControllerAsk => ask.at === 'controller');
    if (atController.length > 0) this.answers.record(await this.#options.controller.ask(atController));
    const current: Ask[] = [];
    const fresh: Ask[] = [];
    for (const ask of asks) {
      if (ask.at === 'controller') continue;
      (ask.fresh === true && this.#appliedSinceOpen ? fresh : current).push(ask);
    }
    if (current.length > 0) await this.#askSession(current);
    if (fresh.length > 0) await this.#askFresh(fresh);
  }

  async #askSession(asks: readonly Ask[]): Promise<void> {
    const frame = await this.#session().ask(asks, this.#limits(ASK_DEADLINE_MS));
    if (frame.kind === 'complete') {
      this.answers.record(frame.answers);
      return;
    }
    const hasRestarted = await this.#reopen(frame.error);
    await this.#askSession(hasRestarted ? distinct([...asks, ...currentAsks(this.answers.asks)]) : asks);
  }

  /** A second login beside the first, which stays open: what a change broke can still be put right through it. */
  async #askFresh(asks: readonly Ask[]): Promise<void> {
    await using session = await this.#options.transport.read(await this.#options.placed(this.host), {
      signal: this.#options.signal(),
      asks: [],
      deadlineMs: OPEN_DEADLINE_MS,
    });
    this.answers.record(answersOf(await session.ask(asks, this.#limits(ASK_DEADLINE_MS))));
  }

  /**
   * Runs the steps in their order up to the first that fails, wherever each has its place; then everything in `reask` is known anew.
   * Throws `RunFailure` of kind `step-failed` with the step's last lines, or the transport's failure. False: the session was lost under a step
   * and is back; what became of the steps is in the answers only.
   */
  apply(role: RoleName, steps: readonly CompiledStep[], reask: readonly Ask[]): Promise<boolean> {
    return this.#alone(async () => {
      this.#forget();
      let cut: Cut | undefined;
      try {
        for (const segment of segments(steps)) {
          if (segment.at === 'controller') for (const lanes of rounds(segment.steps)) await this.#applyAtController(role, lanes);
          else await this.#applyAtHost(role, segment.steps, segment.last ? currentAsks(reask) : []);
        }
      } catch (thrown) {
        if (!(thrown instanceof Cut)) throw thrown;
        cut = thrown;
        await this.#reopen(cut.error, cut.lastingMs);
      } finally {
        this.#countChange();
      }
      await this.#fetch(this.answers.missing(reask));
      cut?.intent?.over();
      return cut === undefined;
    });
  }

  /** Its own change makes nothing old of what is asked after it; what others changed meanwhile does. */
  #countChange(): void {
    const { changes } = this.#options;
    if (this.#askedAfter === changes.count) this.#askedAfter += 1;
    changes.count += 1;
  }

  /** Lanes at the same time, the steps of each in their order; all are over when this is, whether one failed or not. */
  async #applyAtController(role: RoleName, lanes: readonly Lane[]): Promise<void> {
    const host = this.host.name;
    const intent = await this.#options.journal?.intend(
      host,
      role,
      lanes.flatMap((lane) => lane.slice(0, 1).map(({ id }) => id)),
    );
    const over: StepEnd[] = [];
    const ends = await Promise.allSettled(
      lanes.map(async (lane) => {
        for (const step of lane) {
          const end = await this.#stepAtController(role, step);
          over.push(end);
          if (!succeeded(end)) throw new RunFailure(stepError(end));
        }
        for (const { id } of lane.slice(0, 1)) intent?.ended(id);
      }),
    );
    if (over.every(endedByItself)) intent?.over();
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason as RunFailure;
  }

  async #stepAtController(role: RoleName, step: ControllerStep): Promise<StepEnd> {
    const { controller, emit } = this.#options;
    const of = { host: this.host.name, role, resource: step.id };
    const started = performance.now();
    emit({ kind: 'step.start', ...of });
    const end = await controller.apply(step, (done, total) => {
      emit({ kind: 'step.progress', ...of, done, ...(total === undefined ? {} : { total }) });
    });
    emit({ kind: 'step.end', ...of, ok: succeeded(end), ms: Math.round(performance.now() - started) });
    return end;
  }

  async #applyAtHost(role: RoleName, steps: readonly HostStep[], reask: readonly Ask[]): Promise<void> {
    const { emit, journal } = this.#options;
    const host = this.host.name;
    if (this.#writer === undefined) throw new Error(`bug: a step for ${host} in a run that may not write`);
    this.#appliedSinceOpen = true;
    const deadlineMs = steps.reduce((sum, step) => sum + step.deadlineMs, APPLY_SLACK_MS);
    const intent = await journal?.intend(
      host,
      role,
      steps.map(({ id }) => id),
    );
    let started = performance.now();
    let isRunning = false;
    const frame = await this.#writer.apply(steps, reask, {
      ...this.#limits(deadlineMs),
      onStep: ({ id, ok, interruptible }) => {
        const now = performance.now();
        isRunning = ok === undefined;
        if (ok === true) intent?.ended(id);
        if (ok === undefined) emit({ kind: 'step.start', host, role, resource: id, ...(interruptible === false ? { uninterruptible: true } : {}) });
        else emit({ kind: 'step.end', host, role, resource: id, ok, ms: Math.round(now - started) });
        started = now;
      },
      onProgress: ({ id, done, total }) => {
        emit({ kind: 'step.progress', host, role, resource: id, done, ...(total === undefined ? {} : { total }) });
      },
    });
    if (frame.steps.every(endedByItself) && !(frame.kind === 'lost' ? frame.steps.length < steps.length : isRunning)) intent?.over();
    const failed = frame.steps.find((end) => !succeeded(end));
    if (failed !== undefined) throw new RunFailure(stepError(failed));
    if (frame.kind === 'lost') throw new Cut(frame.error, intent, lastingMs(steps.slice(frame.steps.length)));
    this.answers.record(answersOf(frame));
  }

  #limits(deadlineMs: number): Limits {
    return { deadlineMs, maxBytes: MAX_ANSWER_BYTES, signal: this.#options.signal() };
  }

  /** Ends the session and says what it cost. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    const session = this.#reader;
    if (session === undefined) return;
    const { counters } = session;
    const spent = this.#spent;
    this.#options.emit({
      kind: 'host.end',
      host: this.host.name,
      connectMs: Math.round(spent.connectMs + counters.connectMs),
      roundTrips: spent.roundTrips + counters.roundTrips,
      bytesSent: spent.bytesSent + counters.bytesSent,
      bytesReceived: spent.bytesReceived + counters.bytesReceived,
    });
    await session[Symbol.asyncDispose]();
  }

  /** Remembers why this host is left alone from now on. */
  fail(thrown: unknown): RunError {
    this.failure = toRunError(thrown);
    return this.failure;
  }
}

const clockNotice = (name: HostName, aheadMs: number): string =>
  `${name}: its clock is ${elapsed(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's — set right whichever is wrong (chronyc tracking or timedatectl says it): certificates are judged and logs are dated by it`;

const currentAsks = (asks: readonly Ask[]): readonly Ask[] => asks.filter((ask) => ask.at === 'host' && ask.fresh !== true);

const succeeded = ({ end }: StepEnd): boolean => end.kind === 'exited' && end.code === 0;

/** Well or not: it is not half done. */
const endedByItself = ({ end }: StepEnd): boolean => end.kind === 'exited' || end.kind === 'signalled';

/** The session was lost under steps: what became of them is unknown. */
class Cut extends RunFailure {
  readonly intent: Intent | undefined;
  /** How long what must not be cut off may go on, and keep the lock. */
  readonly lastingMs: number;

  constructor(error: RunError, intent: Intent | undefined, lastingMs: number) {
    super(error);
    this.intent = intent;
    this.lastingMs = lastingMs;
  }
}

const lastingMs = (steps: readonly HostStep[]): number =>
  steps.reduce((sum, step) => sum + (step.at === 'host' && !step.interruptible ? step.deadlineMs : 0), 0);

/** The host as one that may be starting just now. */
const patient = (host: Host): Host =>
  host.connection.kind === 'local' ? host : { ...host, connection: { ...host.connection, settlingMs: Math.max(RETURN_MS, host.connection.settlingMs ?? 0) } };

/** A session was lost, and then not to be had again: the exit code is that of the loss, but for what has a reason of its own. */
function bothOf(lost: RunError, later: RunError): RunError {
  const message = `${lost.message}\nand it could not be opened again: ${later.message}`;
  const isStillAway = later.kind === 'unreachable' || later.kind === 'auth' || later.kind === 'become';
  return isStillAway ? { ...lost, short: `${lost.short}, then ${later.short}`, message } : { ...later, message };
}

function answersOf(frame: Frame): Extract<Frame, { kind: 'complete' }>['answers'] {
  if (frame.kind !== 'complete') throw new RunFailure(frame.error);
  return frame.answers;
}

function stepError({ id, end, tail }: StepEnd): RunError {
  const message = tail === '' ? `${id} failed without a word` : tail;
  switch (end.kind) {
    case 'exited':
      if (end.code === REFUSED) return { kind: 'refused', short: `${id}: refused`, message };
      return { kind: 'step-failed', short: `${id}: exit code ${end.code.toString()}`, message };
    case 'signalled':
      return {
        kind: 'step-failed',
        short: `${id}: killed by ${end.signal}`,
        message,
        ...(end.signal === 'SIGKILL' ? { hint: 'was it out of memory? see dmesg on the host' } : {}),
      };
    case 'timeout':
      return { kind: 'timeout', short: `${id}: did not finish before its deadline and was stopped`, message };
    case 'aborted':
      return { kind: 'interrupted', short: `${id}: stopped on request`, message, hint: 'run again: what was left half done is found and finished' };
    default:
      return assertNever(end);
  }
}
