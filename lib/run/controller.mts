import type { Ask, CompiledStep, Raw } from '../plan/model.mts';
import type { StepEnd } from '../transport/session.mts';
import { distinct, keyOf } from './answers.mts';

type Argv = readonly [string, ...string[]];
export type ControllerAsk = Extract<Ask, { at: 'controller' }>;
export type ControllerStep = Extract<CompiledStep, { at: 'controller' }>;

const ASK_DEADLINE_MS = 60_000;
const TAIL_LINES = 20;

/**
 * Questions and steps whose place is this machine: host providers and cloud command lines, as argv without a shell string.
 * Every question is asked once for all hosts, until a step makes the answers old.
 */
export class Controller {
  #answers = new Map<string, Promise<Raw>>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async ask(asks: readonly ControllerAsk[]): Promise<ReadonlyMap<Ask, Raw>> {
    const answers = new Map<Ask, Raw>();
    await Promise.all(
      distinct(asks).map(async (ask) => {
        if (ask.at !== 'controller') return;
        const key = keyOf(ask);
        const answer = this.#answers.get(key) ?? this.#run(ask.argv);
        this.#answers.set(key, answer);
        answers.set(ask, await answer);
      }),
    );
    return answers;
  }

  /** Answers given before a change are not given again after it. */
  forget(): void {
    this.#answers = new Map();
  }

  async #run(argv: Argv): Promise<Raw> {
    const { $ } = await import('zx');
    const result = await $({ nothrow: true, quiet: true, stdio: ['ignore', 'pipe', 'pipe'], timeout: ASK_DEADLINE_MS, signal: this.#signal })`${argv}`;
    if (result.exitCode === null) return { kind: 'unavailable', reason: `${argv[0]} was stopped by ${result.signal ?? 'a signal'}` };
    return { kind: 'value', bytes: Buffer.from(JSON.stringify({ code: result.exitCode, stdout: result.stdout, stderr: result.stderr })) };
  }

  /** Runs one step. Lines `progress DONE [TOTAL]` of its output are progress; everything else is kept for the tail. */
  async apply(step: ControllerStep, onProgress: (done: number, total: number | undefined) => void): Promise<StepEnd> {
    const { $ } = await import('zx');
    const started = $({
      nothrow: true,
      quiet: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: step.deadlineMs,
      signal: this.#signal,
      detached: true,
    })`${step.argv}`;
    started.stdout.on('data', (chunk: Buffer) => {
      for (const match of chunk.toString('utf8').matchAll(/^progress (\d+)(?: (\d+))?$/gm))
        onProgress(Number(match[1]), match[2] === undefined ? undefined : Number(match[2]));
    });
    const result = await started;
    this.forget();
    const lines = `${result.stdout}${result.stderr}`.split('\n').filter((line) => line !== '' && !line.startsWith('progress '));
    const tail = lines.slice(-TAIL_LINES).join('\n');
    if (result.exitCode !== null) return { id: step.id, end: { kind: 'exited', code: result.exitCode }, tail };
    return { id: step.id, end: this.#signal.aborted ? { kind: 'aborted' } : { kind: 'timeout' }, tail };
  }
}
