import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { RunFailure, type ErrorKind, type RunError } from '../../lib/errors.mts';
import type { Connection, Host, SshConnection } from '../../lib/inventory/model.mts';
import { hostName, resourceId } from '../../lib/names.mts';
import type { Ask, CompiledStep } from '../../lib/plan/model.mts';
import type { Content } from '../../lib/secret.mts';
import type { HostStep } from '../../lib/shell/frame.mts';
import type { Limits, LockHolder } from '../../lib/transport/session.mts';
import type { Sshd } from './sshd.mts';

export const SHELLS = ['/bin/dash', '/bin/bash --posix', '/bin/busybox sh'] as const;

export const me = userInfo().username;

export function makeHost(connection: Connection, name = 'host-01'): Host {
  return {
    name: hostName(name),
    connection,
    privateAddress: undefined,
    provider: undefined,
    groups: new Set(),
    source: { file: 'inventory.yaml', line: 1, column: 1 },
    vars: () => {
      throw new Error('a transport reads no variables');
    },
  };
}

export const sshTo = (sshd: Pick<Sshd, 'address' | 'port' | 'keyFile' | 'knownHosts'>, more: Partial<SshConnection> = {}): SshConnection => ({
  kind: 'ssh',
  address: sshd.address,
  port: sshd.port,
  user: me,
  keyFile: sshd.keyFile,
  knownHostsFile: sshd.knownHosts,
  hostKeyChecking: 'strict',
  ...more,
});

const RELAY = fileURLToPath(new URL('relay.mts', import.meta.url));

/** A proxy command that leads to a server; `word` is in its command line. */
export const relay = ({ address, port }: Pick<Sshd, 'address' | 'port'>, word = ''): readonly [string, ...string[]] => [
  process.execPath,
  RELAY,
  address,
  port.toString(),
  word,
];

export const never = new AbortController().signal;

export const limits = (more: Partial<Limits> = {}): Limits => ({ deadlineMs: 20_000, maxBytes: 4 * 1024 * 1024, signal: never, ...more });

export const opening = { signal: never, asks: [] as readonly Ask[], deadlineMs: 20_000 };

export const holder = (run = 'run-1'): LockHolder => ({ run, user: 'ann', host: 'laptop', pid: 4711, since: '2026-01-01T00:00:00Z' });

export function step(script: string, more: { deadlineMs?: number; interruptible?: boolean; payloads?: readonly Content[]; id?: string } = {}): HostStep {
  const { id = 'step', ...rest } = more;
  return { at: 'host', id: resourceId(id), script, payloads: [], deadlineMs: 20_000, interruptible: true, ...rest };
}

export const uploadStep = (localPath: string, remotePath: string, deadlineMs = 20_000): CompiledStep => ({
  at: 'upload',
  id: resourceId('upload'),
  localPath,
  remotePath,
  deadlineMs,
});

export const text = (path: string): Ask => ({ at: 'host', kind: 'text', key: path });
export const shell = (script: string): Ask => ({ at: 'host', kind: 'shell', key: script });

/** A directory that is gone after `body`. */
export async function withDirectory<T>(body: (directory: string) => Promise<T> | T): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'kem-test-'));
  try {
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function failureOf(promise: Promise<unknown>, kind: ErrorKind): Promise<RunError> {
  try {
    const value = await promise;
    if (typeof value === 'object' && value !== null && Symbol.asyncDispose in value) await (value as AsyncDisposable)[Symbol.asyncDispose]();
  } catch (error) {
    if (!(error instanceof RunFailure)) throw error;
    expect(error.error.kind, error.error.message).to.equal(kind);
    return error.error;
  }
  throw new Error(`expected a failure of kind ${kind}`);
}

/** A word that no other process has in its command line. */
export const mark = (): string => `kemmark${randomBytes(6).toString('hex')}`;

/** Processes whose command line contains `word`. */
export function processesWith(word: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(word);
      } catch {
        return false;
      }
    })
    .map(Number);
}

export async function eventually(what: string, condition: () => boolean | Promise<boolean>, withinMs = 7_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(50);
  }
}

/** For tests that mostly wait: all of a suite run at once, and each says its own result. */
export function together(name: string, body: () => Promise<void>): void {
  let running: Promise<void>;
  before(() => {
    running = body();
    running.catch(() => undefined);
  });
  it(name, () => running);
}
