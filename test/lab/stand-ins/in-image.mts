/** Programs of the lab's image, run with a folder of the test at /mnt: the Java runtime is the one that hosts have, and no host is needed. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Result } from '../support.mts';

const MOUNTED = `set -eu
root=$2
mount --bind "$1" "$root/mnt"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
shift 2
exec chroot "$root" /bin/sh -c 'cd /mnt && exec "$@"' sh`;

export interface Image {
  /** Runs to its end. */
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<Result>;
  start(words: readonly string[], env?: Readonly<Record<string, string>>): Running;
}

/** `folder` is /mnt of everything that is run. */
export function inImage(lab: string, image: string, folder: string): Image {
  const argv = (words: readonly string[], env: Readonly<Record<string, string>>): readonly string[] => [
    ...(process.getuid?.() === 0 ? [] : ['sudo', '-n']),
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', `${MOUNTED} "$@"`, 'sh', folder, join(lab, 'images', image)],
    ...['env', '-i', 'PATH=/usr/bin:/bin', 'LC_ALL=C.UTF-8', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
    ...words,
  ];
  return {
    run(words, env = {}) {
      const started = performance.now();
      const [program = '', ...rest] = argv(words, env);
      return new Promise((done) => {
        execFile(program, rest, { timeout: 60_000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
          done({ code, stdout, stderr, ms: performance.now() - started });
        });
      });
    },
    start: (words, env = {}) => {
      const [program = '', ...rest] = argv(words, env);
      return new Running(spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] }));
    },
  };
}

/** A process and all that it has said. */
export class Running {
  readonly process: ChildProcess;
  output = '';

  constructor(child: ChildProcess) {
    this.process = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Waits until it has said what matches; fails where it ends first or time is up. */
  async says(pattern: RegExp, within = 15_000): Promise<void> {
    const until = performance.now() + within;
    while (!pattern.test(this.output)) {
      if (this.ended && !pattern.test(this.output)) throw new Error(`ended without ${String(pattern)}:\n${this.output}`);
      if (performance.now() > until) throw new Error(`never said ${String(pattern)}:\n${this.output}`);
      await new Promise((tick) => setTimeout(tick, 50));
    }
  }

  /** Its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.ended) {
      const exit = once(this.process, 'exit');
      this.process.kill(signal);
      await exit;
    }
    return this.process.exitCode;
  }
}
