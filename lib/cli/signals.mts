import type { ExitCode } from '../errors.mts';

export interface Interrupts extends Disposable {
  /** The second interrupt: stop the steps that may be stopped. */
  readonly signal: AbortSignal;
  /** The first: finish what is under way, begin nothing new. */
  stopping(): boolean;
  /** 130 or 143 once interrupted. */
  exitCode(): ExitCode | undefined;
}

export interface InterruptOptions {
  /** Gets one line for each. */
  readonly say: (line: string) => void;
  /** The steps under way that are not stopped half way, in words. */
  readonly uninterruptible: () => readonly string[];
}

/** Ctrl-C in three steps: finish, abort, leave. SIGTERM and SIGHUP begin at the second; SIGTERM again leaves. */
export function watchInterrupts({ say, uninterruptible }: InterruptOptions): Interrupts {
  const controller = new AbortController();
  let presses = 0;
  let code: ExitCode | undefined;
  const abort = (why: string): void => {
    const kept = uninterruptible();
    say(kept.length === 0 ? why : `${why}; ${kept.join(', ')} must not be cut off and ${kept.length === 1 ? 'is' : 'are'} waited for`);
    controller.abort();
  };
  const leave = (exitCode: ExitCode): never => {
    const kept = uninterruptible();
    const alone = kept.length === 0 ? '' : `, but for ${kept.join(', ')}, which ends by itself and keeps the host locked until then`;
    process.stderr.write(`left at once: hosts stop what runs there within seconds${alone}; run again to see what is left and to finish\n`);
    process.exit(exitCode);
  };
  const onInterrupt = (): void => {
    presses += 1;
    code ??= 130;
    if (presses === 1) say('stopping after what is under way; press Ctrl-C again to abort it');
    else if (presses === 2) abort('aborting; press Ctrl-C once more to leave at once');
    else leave(code);
  };
  const onTerminate = (): void => {
    code ??= 143;
    if (controller.signal.aborted) leave(code);
    presses = 2;
    abort('asked to end: aborting');
  };
  // A closed terminal says so several times, and to npx as well.
  const onHangUp = (): void => {
    if (!controller.signal.aborted) onTerminate();
  };
  const orphaned = watchParent(onHangUp);
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  process.on('SIGHUP', onHangUp);
  return {
    signal: controller.signal,
    stopping: () => presses > 0,
    exitCode: () => code,
    [Symbol.dispose]() {
      clearInterval(orphaned);
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      process.off('SIGHUP', onHangUp);
    },
  };
}

const PAUSES_EVERY_MS = 5_000;
/** Hosts are more patient than this by little. */
const PAUSE_MS = 30_000;

/** Says when this program stood still: a laptop slept, or it was stopped. What the hosts did meanwhile, they say themselves. */
export function watchPauses(say: (line: string) => void): Disposable {
  let last = Date.now();
  const timer = setInterval(() => {
    const still = Date.now() - last - PAUSES_EVERY_MS;
    last = Date.now();
    if (still > PAUSE_MS)
      say(
        `this program stood still for ${String(Math.round(still / 1000))} s: hosts end what they hear nothing of for long; it is begun again, now or by the next run`,
      );
  }, PAUSES_EVERY_MS).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

const PARENT_EVERY_MS = 500;

/** npx does not hand on a SIGTERM: that it is gone is all the program it started ever hears. */
function watchParent(onGone: () => void): NodeJS.Timeout | undefined {
  if (process.env['npm_command'] !== 'exec') return undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_EVERY_MS);
  return timer.unref();
}
