/** The controller itself as a host: the same commands and frames through a local /bin/sh. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Channel, Connection } from './session.mts';

export function localConnection(): Connection {
  return {
    start: (command) => {
      // A process group of its own, so that Ctrl-C on the terminal reaches only this program, which then ends the steps in order.
      const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: environment() });
      return new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('spawn', () => {
          child.off('error', reject);
          child.on('error', () => undefined);
          resolve(new ProcessChannel(child));
        });
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** What an ssh login would have; nothing of the caller's environment, which may hold secrets. */
function environment(): NodeJS.ProcessEnv {
  const kept = ['HOME', 'USER', 'LOGNAME'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(Object.fromEntries(kept) as NodeJS.ProcessEnv) };
}

/** A step that ignores TERM is killed after 5 s. */
const LEFT_BEHIND_MS = 6_000;

class ProcessChannel implements Channel {
  readonly #child: ChildProcessWithoutNullStreams;
  #full = false;
  readonly #waiting: (() => void)[] = [];

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdin.on('error', () => undefined);
    child.stdin.on('drain', () => {
      this.#free();
    });
    child.once('close', () => {
      this.#free();
    });
    // A shell that was killed leaves its step behind: end of file tells the step's watchdog, and what ignores even that is not waited for.
    child.once('exit', () => {
      child.stdin.destroy();
      setTimeout(() => child.stdout.destroy(), LEFT_BEHIND_MS).unref();
      setTimeout(() => child.stderr.destroy(), LEFT_BEHIND_MS).unref();
    });
  }

  write(bytes: Uint8Array | string): void {
    if (this.#child.stdin.writable) this.#full = !this.#child.stdin.write(bytes);
  }

  drained(): Promise<void> {
    return this.#full && this.#child.stdin.writable ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  #free(): void {
    this.#full = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  end(): void {
    this.#child.stdin.end();
  }

  /** End of file lets the watchdog end a running step; the shell itself dies of its closed pipes. */
  destroy(): void {
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    this.#child.unref();
  }

  onOutput(listener: (bytes: Uint8Array) => void): void {
    this.#child.stdout.on('data', listener);
  }

  onErrorOutput(listener: (bytes: Uint8Array) => void): void {
    this.#child.stderr.on('data', listener);
  }

  onClose(listener: (end: { readonly code: number | undefined; readonly signal: string | undefined }) => void): void {
    this.#child.once('close', (code, signal) => {
      listener({ code: code ?? undefined, signal: signal ?? undefined });
    });
  }
}
