/** One command: how long it took, what it and everything it started used, what it said. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TIME = '/usr/bin/time';

export interface Measured {
  readonly ms: number;
  /** User and system time of the command and everything it started, also what stayed behind as a daemon. */
  readonly cpuMs: number;
  /** Memory of all its processes together; shared pages once. */
  readonly peakKib: number;
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/**
 * In a process namespace of its own: with the command end the ssh masters that it leaves behind, so that every measurement begins without
 * connections, and their time is counted. GNU time, since a process's usage is known only to its parent.
 */
export async function measure(directory: string, { argv, env = {}, input = '' }: Command): Promise<Measured> {
  if (!existsSync(TIME)) throw new Error(`${TIME} is missing: apt-get install time`);
  const usage = join(directory, 'usage');
  rmSync(usage, { force: true });
  const started = performance.now();
  const child = spawn(TIME, ['-o', usage, '-f', '%U %S %M', 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc', ...argv], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, LC_ALL: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString('utf8')));
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString('utf8')));
  child.stdin.end(input);
  const watching = new AbortController();
  const sampled = peakOf(child.pid ?? 0, watching.signal);
  const [code] = (await once(child, 'close')) as [number | null];
  const ms = performance.now() - started;
  watching.abort();
  const [user = 0, system = 0, largestKib = 0] = (readFileSync(usage, 'utf8').trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { ms, cpuMs: (user + system) * 1000, peakKib: Math.max(largestKib, await sampled), code: code ?? undefined, stdout, stderr };
}

/** Sums up the processes below `pid` from time to time: seldom, since looking costs the time that is measured. */
async function peakOf(pid: number, signal: AbortSignal): Promise<number> {
  let peak = 0;
  for (let pause = 250; !signal.aborted;) {
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    const began = performance.now();
    peak = Math.max(
      peak,
      treeOf(pid).reduce((sum, each) => sum + shareOf(each), 0),
    );
    pause = Math.max(250, 40 * (performance.now() - began));
  }
  return peak;
}

const treeOf = (pid: number): readonly number[] => [pid, ...childrenOf(pid).flatMap(treeOf)];
const childrenOf = (pid: number): readonly number[] =>
  read(`/proc/${pid.toString()}/task/${pid.toString()}/children`)
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
const shareOf = (pid: number): number => Number(/^Pss: +(\d+) kB/m.exec(read(`/proc/${pid.toString()}/smaps_rollup`))?.[1] ?? 0);

/** A process may have ended since it was listed. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
