import pLimit from 'p-limit';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunFailure, type RunError } from '../errors.mts';
import { GCLOUD_MISSING, gcloudTrouble, honest, isApiOff, isMadeAlready, isNotReadyYet, isPassing } from '../plan/gcloud.mts';
import type { Ask, CompiledStep, Raw } from '../plan/model.mts';
import type { StepEnd } from '../transport/session.mts';
import { distinct } from './answers.mts';

type Argv = readonly [string, ...string[]];
export type ControllerAsk = Extract<Ask, { at: 'controller' }>;
export type ControllerStep = Extract<CompiledStep, { at: 'controller' }>;

const ASK_DEADLINE_MS = 60_000;
const TAIL_LINES = 20;
/** Each is a Python of its own, and the API counts requests per minute. */
const GCLOUDS_AT_ONCE = 4;
const TRIES = 4;
/** What takes its time, such as an instance that is stopping, or an API that was just switched on: some two minutes. */
const PATIENT_TRIES = 12;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;

interface End {
  /** `undefined`: ended by a signal. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What stands in the way of everything this run wants from a command line of the controller, whichever host it is about. */
export class ControllerFailure extends RunFailure {
  /** What was answered, where that is an answer for whoever can live without the API. */
  readonly off?: End;
  constructor(error: RunError, off?: End) {
    super(error);
    if (off !== undefined) this.off = off;
  }
}

/**
 * Questions and steps whose place is this machine: host providers and cloud command lines, as argv without a shell string.
 * Every question is asked once for all hosts, until a step makes the answers old.
 */
export class Controller {
  #answers = new Map<string, Promise<End>>();
  #switchedOn = false;
  readonly #signal: AbortSignal;
  readonly #gclouds = pLimit(GCLOUDS_AT_ONCE);
  readonly #steps = new Set<Promise<unknown>>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Throws a `ControllerFailure` where no answer can be had at all. */
  async ask(asks: readonly ControllerAsk[], again = false): Promise<ReadonlyMap<Ask, Raw>> {
    // While something is being changed for one host, an answer for another would be old before it is read.
    while (this.#steps.size > 0) await Promise.allSettled(this.#steps);
    const answers = new Map<Ask, Raw>();
    await Promise.all(
      distinct(asks).map(async (ask) => {
        if (ask.at !== 'controller') return;
        const key = JSON.stringify(ask.argv);
        const end = (again ? undefined : this.#answers.get(key)) ?? this.#run(ask.argv, { deadlineMs: ASK_DEADLINE_MS, detached: false });
        this.#answers.set(key, end);
        answers.set(ask, rawOf(ask, await end.catch((thrown: unknown) => offOf(ask, thrown))));
      }),
    );
    return answers;
  }

  /** Answers given before a change are not given again after it. */
  forget(): void {
    this.#answers = new Map();
  }

  /** Runs one step. Lines `progress DONE [TOTAL]` of its output are progress; everything else is kept for the tail. */
  async apply(step: ControllerStep, onProgress: (done: number, total: number | undefined) => void): Promise<StepEnd> {
    const running = this.#run(step.argv, { deadlineMs: step.deadlineMs, detached: true, onProgress });
    this.#steps.add(running);
    const result = await running.finally(() => {
      this.#steps.delete(running);
      this.forget();
    });
    const lines = `${result.stdout}${result.stderr}`.split('\n').filter((line) => line !== '' && !line.startsWith('progress '));
    const tail = lines.slice(-TAIL_LINES).join('\n');
    if (result.code !== undefined) return { id: step.id, end: { kind: 'exited', code: result.code }, tail };
    return { id: step.id, end: this.#signal.aborted ? { kind: 'aborted' } : { kind: 'timeout' }, tail };
  }

  #run(argv: Argv, options: Running): Promise<End> {
    return argv[0] === 'gcloud' ? this.#gclouds(() => this.#gcloud(argv, options)) : this.#once(argv, options);
  }

  /** Tries again what passes by itself; everything that stands in the way of every call is thrown. */
  async #gcloud(argv: Argv, options: Running): Promise<End> {
    for (let attempt = 1; ; attempt += 1) {
      const end = await this.#once(argv, options);
      if (end.code === undefined) return end;
      const seen = honest({ argv, code: end.code, stderr: end.stderr });
      if (seen.code === 0) {
        this.#switchedOn ||= argv.slice(1, 3).join(' ') === 'services enable';
        return end;
      }
      if (isMadeAlready(seen)) return { ...end, code: 0 };
      const answer = { ...end, code: seen.code, stderr: seen.stderr };
      const isComing = isNotReadyYet(seen) || (this.#switchedOn && isApiOff(seen));
      if (attempt >= (isComing ? PATIENT_TRIES : isPassing(seen) ? TRIES : 1)) {
        const trouble = isPassing(seen) ? undefined : gcloudTrouble(seen);
        if (trouble !== undefined) throw new ControllerFailure(trouble, isApiOff(seen) ? answer : undefined);
        return answer;
      }
      await sleep(Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS), undefined, { signal: this.#signal }).catch(() => undefined);
      if (this.#signal.aborted) return end;
    }
  }

  async #once(argv: Argv, { deadlineMs, detached, onProgress }: Running): Promise<End> {
    const { $ } = await import('zx');
    const started = $({
      nothrow: true,
      quiet: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: deadlineMs,
      signal: this.#signal,
      detached,
    })`${argv}`;
    if (onProgress !== undefined)
      started.stdout.on('data', (chunk: Buffer) => {
        for (const match of chunk.toString('utf8').matchAll(/^progress (\d+)(?: (\d+))?$/gm))
          onProgress(Number(match[1]), match[2] === undefined ? undefined : Number(match[2]));
      });
    const { exitCode, signal, stdout, stderr } = await started;
    if (exitCode === 127 && argv[0] === 'gcloud') throw new ControllerFailure(GCLOUD_MISSING);
    return { code: exitCode ?? undefined, signal: signal ?? undefined, stdout, stderr };
  }
}

function rawOf({ argv }: ControllerAsk, { code, signal, stdout, stderr }: End): Raw {
  if (code === undefined) return { kind: 'unavailable', reason: `${argv[0]} was stopped by ${signal ?? 'a signal'}` };
  return { kind: 'value', bytes: Buffer.from(JSON.stringify({ code, stdout, stderr })) };
}

function offOf({ mayBeOff }: ControllerAsk, thrown: unknown): End {
  if (mayBeOff === true && thrown instanceof ControllerFailure && thrown.off !== undefined) return thrown.off;
  throw thrown;
}

interface Running {
  readonly deadlineMs: number;
  /** In a process group of its own, which the first Ctrl-C of a terminal does not reach. */
  readonly detached: boolean;
  readonly onProgress?: (done: number, total: number | undefined) => void;
}
