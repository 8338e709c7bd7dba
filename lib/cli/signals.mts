import type { ExitCode } from '../errors.mts';

export interface Interrupts extends Disposable {
  /** The second interrupt: stop the steps that may be stopped. */
  readonly signal: AbortSignal;
  /** The first: finish what is under way, begin nothing new. */
  stopping(): boolean;
  /** 130 or 143 once interrupted. */
  exitCode(): ExitCode | undefined;
}

/** Ctrl-C in three steps: finish, abort, leave. SIGTERM and SIGHUP begin at the second. `say` gets one line for each. */
export function watchInterrupts(say: (line: string) => void): Interrupts {
  const controller = new AbortController();
  let presses = 0;
  let code: ExitCode | undefined;
  const onInterrupt = (): void => {
    presses += 1;
    code ??= 130;
    if (presses === 1) say('stopping after what is under way; press Ctrl-C again to abort it');
    else if (presses === 2) {
      say('aborting; press Ctrl-C once more to leave at once');
      controller.abort();
    } else process.exit(code);
  };
  const onTerminate = (): void => {
    presses = 2;
    code ??= 143;
    say('asked to end: aborting');
    controller.abort();
  };
  const orphaned = watchParent(onTerminate);
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  process.on('SIGHUP', onTerminate);
  return {
    signal: controller.signal,
    stopping: () => presses > 0,
    exitCode: () => code,
    [Symbol.dispose]() {
      clearInterval(orphaned);
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      process.off('SIGHUP', onTerminate);
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
