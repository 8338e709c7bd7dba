import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../errors.mts';
import type { LockHolder } from '../transport/session.mts';

const HELD = 75;

/**
 * One changing run for an inventory at a time on this machine. The lock is an flock of a child whose stdin we hold: the kernel frees it
 * with us, however we end. Without flock(1) (macOS) the locks on the hosts still stand.
 */
export async function lockInventory(directory: string, inventoryFiles: readonly string[], holder: LockHolder): Promise<AsyncDisposable> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    cannotKeep(directory, cause);
  }
  const file = join(directory, `${createHash('sha256').update(inventoryFiles.join('\0')).digest('hex').slice(0, 16)}.lock`);
  const child = spawn('flock', ['--nonblock', '--conflict-exit-code', HELD.toString(), '--no-fork', file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // Ctrl-C at a terminal reaches the whole foreground group: the lock must outlive the first one.
    detached: true,
  });
  const code = await new Promise<number | 'held' | 'missing'>((resolve) => {
    child.once('error', () => {
      resolve('missing');
    });
    child.once('close', (status) => {
      resolve(status ?? 1);
    });
    child.stdout.once('data', () => {
      resolve('held');
    });
  });
  if (code === HELD)
    fail('locked', `another run is changing the hosts of this inventory: ${describeHolder(file)}`, {
      hint: 'wait for it to end; its lock is freed by the kernel, also when it dies',
    });
  const release = async (): Promise<void> => {
    if (code !== 'held' || child.exitCode !== null) return;
    const closed = new Promise<void>((resolve) => {
      child.once('close', () => {
        resolve();
      });
    });
    child.stdin.end();
    await closed;
  };
  if (code === 'held')
    try {
      writeFileSync(file, JSON.stringify(holder), { mode: 0o600 });
    } catch (cause) {
      await release();
      cannotKeep(directory, cause);
    }
  return { [Symbol.asyncDispose]: release };
}

function cannotKeep(directory: string, cause: unknown): never {
  fail('usage', `the lock of this run cannot be kept in ${directory}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    hint: 'set RUNS_DIR to a directory that can be written',
    cause,
  });
}

function describeHolder(file: string): string {
  try {
    const { run, user, host, pid, since } = JSON.parse(readFileSync(file, 'utf8')) as Partial<LockHolder>;
    return `run ${run ?? '?'} of ${user ?? '?'}@${host ?? '?'}, process ${String(pid ?? '?')}, since ${since ?? '?'}`;
  } catch {
    return 'its holder has not said its name yet';
  }
}
