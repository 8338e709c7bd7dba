/** A lab of the tests' own: other addresses than the one of inventory/lab.yaml, its own directory, everything gone afterwards but the base image. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Json } from '../../lib/index.mts';

export const ROOT = resolve(import.meta.dirname, '../..');
/** Kept between runs for its base image and archives; git-ignored. */
export const LAB = join(ROOT, '.lab-test');

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const node = join(ROOT, 'node_modules/.bin/node');

/** Starts a playbook as the README does, without npx: its start is measured elsewhere. */
export function play(playbook: string, args: readonly string[], { env = {}, timeoutMs = 540_000 }: RunOptions = {}): Promise<Result> {
  return command(node, [join(ROOT, 'node_modules/zx/build/cli.js'), `playbooks/${playbook}.mts`, ...args], { env, timeoutMs });
}

export function start(playbook: string, args: readonly string[], { env = {} }: Pick<RunOptions, 'env'> = {}): ChildProcess {
  return spawn(node, [join(ROOT, 'node_modules/zx/build/cli.js'), `playbooks/${playbook}.mts`, ...args], {
    cwd: ROOT,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const environment = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...process.env,
  LAB_DIR: LAB,
  RUNS_DIR: join(LAB, 'runs'),
  PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  ...more,
});

export function command(file: string, args: readonly string[], { env = {}, timeoutMs = 60_000 }: RunOptions = {}): Promise<Result> {
  const started = performance.now();
  return new Promise((done) => {
    execFile(file, args, { cwd: ROOT, env: environment(env), timeout: timeoutMs, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      done({ code, stdout, stderr, ms: performance.now() - started });
    });
  });
}

export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly groups: readonly string[];
  /** Lines of YAML for this host. */
  readonly vars?: Variables;
}

export type Variables = Readonly<Record<string, Json>>;

/** Writes an inventory of the shape of inventory/lab.yaml for the lab in that directory and gives its path. */
export function writeInventory(file: string, hosts: readonly LabHost[], vars: Variables = {}, lab = LAB): string {
  const groups = new Map<string, string[]>();
  for (const { name, groups: names } of hosts) for (const group of names) groups.set(group, [...(groups.get(group) ?? []), name]);
  const all = { host_provider: 'lab', ansible_user: 'ops', ansible_port: 22022, ansible_become: true, ...vars };
  const path = join(lab, file);
  mkdirSync(lab, { recursive: true });
  writeFileSync(
    path,
    JSON.stringify(
      {
        all: {
          vars: { ...all, ansible_ssh_private_key_file: join(lab, 'id_ed25519'), connection_known_hosts_file: join(lab, 'known_hosts') },
          hosts: Object.fromEntries(hosts.map(({ name, address, vars: own }) => [name, { ansible_host: address, ...own }])),
          children: Object.fromEntries([...groups].map(([group, names]) => [group, { hosts: Object.fromEntries(names.map((name) => [name, null])) }])),
        },
      },
      undefined,
      2,
    ),
  );
  return path;
}

/** Half a minute and a download less where another lab of this working copy has an image and archives already: links to the same files. */
export async function borrow(lab: string): Promise<void> {
  for (const part of ['images', 'artifacts']) {
    const lender = LABS.map((name) => join(ROOT, name)).find((other) => other !== lab && existsSync(join(other, part)));
    if (existsSync(join(lab, part)) || lender === undefined) continue;
    mkdirSync(lab, { recursive: true });
    await must(command('cp', ['-al', join(lender, part), join(lab, part)]));
  }
}
const LABS = [
  '.lab',
  '.lab-test',
  '.lab-test-diagnosis',
  '.lab-test-faults',
  '.lab-test-chain',
  '.lab-test-metrics',
  '.lab-test-logstash',
  '.lab-test-gcp',
  '.lab-test-kernel',
  '.lab-test-systemd',
];

/** One command on a host of the lab, as root. */
export const onHost = (name: string, script: string): Promise<Result> => play('lab', ['ssh', name, '--', 'sudo', 'sh', '-c', script], { timeoutMs: 120_000 });

export async function must(result: Promise<Result>): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`exit ${String(code)}\n${stdout}\n${stderr}`);
  return stdout;
}

/** JSON from a URL of a loopback address, or the status where it is no 200. */
export async function get(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  return response.ok ? response.json() : response.status;
}

export async function eventually(what: string, within: number, test: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + within;
  while (!(await test().catch(() => false))) {
    if (performance.now() > until) throw new Error(`${what}: not within ${String(within)} ms`);
    await new Promise((tick) => setTimeout(tick, 500));
  }
}

export const labDown = (): Promise<Result> => play('lab', ['down'], { timeoutMs: 120_000 });

/** A directory that is gone when the disposable is. */
export function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'kem-lab-'));
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** The parts of the \`--json\` document that the tests read. */
export interface Document {
  readonly exitCode: number;
  readonly outcome: string;
  readonly summary: { readonly hosts: number; readonly changed: number; readonly failed: number; readonly unreachable: number };
  readonly hosts: Readonly<
    Record<
      string,
      {
        readonly outcome: string;
        readonly roundTrips?: number;
        readonly error?: { readonly kind: string; readonly message: string; readonly hint?: string };
        readonly roles: Readonly<
          Record<
            string,
            {
              readonly verdict: string;
              readonly changes: readonly { readonly resource: string; readonly field: string }[];
              readonly checks: readonly { readonly id: string; readonly outcome: string; readonly found: string }[];
              readonly diagnoses?: readonly { readonly cause: string; readonly evidence: string; readonly fix: string }[];
              readonly errors?: readonly { readonly kind: string; readonly message: string }[];
            }
          >
        >;
      }
    >
  >;
}

export async function document(
  playbook: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Document & { readonly text: string; readonly ms: number }> {
  const { stdout, stderr, ms } = await play(playbook, [...args, '--json'], options);
  try {
    return { ...(JSON.parse(stdout) as Document), text: stdout + stderr, ms };
  } catch {
    throw new Error(`no document on stdout:\n${stdout}\n${stderr}`);
  }
}

/** `host resource` of everything that changed or would. */
export const changesIn = (report: Document): readonly string[] =>
  [
    ...new Set(
      Object.entries(report.hosts).flatMap(([host, { roles }]) =>
        Object.values(roles).flatMap(({ changes }) => changes.map(({ resource }) => `${host} ${resource}`)),
      ),
    ),
  ].sort();
