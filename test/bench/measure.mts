/** One child process: how long it took, what it and its own children used, what it said. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const TIME = '/usr/bin/time';

export interface Measured {
  readonly ms: number;
  /** User and system time of the process and everything it started and waited for. */
  readonly cpuMs: number;
  readonly peakKib: number;
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** GNU time, since a process's usage is known only to its parent. */
export async function measure(directory: string, argv: readonly [string, ...string[]], input = ''): Promise<Measured> {
  if (!existsSync(TIME)) throw new Error(`${TIME} is missing: apt-get install time`);
  const usage = join(directory, 'usage');
  rmSync(usage, { force: true });
  const started = performance.now();
  const child = spawn(TIME, ['-o', usage, '-f', '%U %S %M', ...argv], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString('utf8')));
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString('utf8')));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  const ms = performance.now() - started;
  const [user = 0, system = 0, peakKib = 0] = (readFileSync(usage, 'utf8').trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { ms, cpuMs: (user + system) * 1000, peakKib, code: code ?? undefined, stdout, stderr };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
