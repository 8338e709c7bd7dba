/** The program as its users have it: a child process, in a directory of its own, with output to a pipe. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const SITE = join(ROOT, 'playbooks/site.mts');
export const DRIFT = join(ROOT, 'playbooks/drift.mts');
export const NOTE = join(import.meta.dirname, 'playbooks/note.mts');
const ZX = join(ROOT, 'node_modules/zx/build/cli.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export class Program implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'kem-cli-'));
  readonly #children = new Set<ChildProcess>();

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): string {
    mkdirSync(join(this.path(name), '..'), { recursive: true });
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** An inventory whose one host is this machine. */
  local(more = ''): string {
    return this.write('inventory.yaml', `all:\n  hosts:\n    here:\n      ansible_connection: local\n      note_path: ${this.path('note')}\n${more}`);
  }

  start(playbook: string, args: readonly string[], { zx = false, env = {} }: { zx?: boolean; env?: Readonly<Record<string, string>> } = {}): Started {
    const started = performance.now();
    const child = spawn(process.execPath, [...(zx ? [ZX] : []), playbook, ...args], {
      cwd: this.directory,
      env: { PATH: process.env['PATH'] ?? '', HOME: this.directory, LC_ALL: 'C.UTF-8', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString('utf8')));
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString('utf8')));
    const ended = once(child, 'close').then(([code]) => {
      this.#children.delete(child);
      return { code: code as number | null, stdout, stderr, ms: performance.now() - started };
    });
    return { child, ended };
  }

  run(playbook: string, args: readonly string[], options: Parameters<Program['start']>[2] = {}): Promise<Ended> {
    return this.start(playbook, args, options).ended;
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const said = ({ stdout, stderr }: Ended): string => `${stdout}\n${stderr}`;
