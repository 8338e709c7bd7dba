/** Runs compiled probes and steps as a host would: under each shell, with the functions a frame gives to its steps. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Answer, Ask, Change, Question, Raw, Resource } from '../../lib/plan/model.mts';
import { bytesOf } from '../../lib/secret.mts';
import { compileProbe, parseProbe, type HostAsk } from '../../lib/shell/probe.mts';
import { compileSteps } from '../../lib/shell/steps.mts';

/** Shells of the hosts; busybox brings its own tools too. */
export const SHELLS: Readonly<Record<string, readonly [string, ...string[]]>> = { dash: ['dash'], bash: ['bash', '--posix'], busybox: ['busybox', 'sh'] };

export interface Shell {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
}
export const shells: readonly Shell[] = Object.entries(SHELLS).map(([name, argv]) => ({ name, argv }));
export const dash: Shell = { name: 'dash', argv: ['dash'] };

export interface Ran {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The script arrives on stdin, as in a session. */
export function runSh(shell: Shell, script: string, env: Readonly<Record<string, string>> = {}): Ran {
  const [command, ...args] = shell.argv;
  const ran = spawnSync(command, args, { input: script, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 });
  return { code: ran.status ?? -1, stdout: ran.stdout, stderr: ran.stderr.toString() };
}

let counter = 0;
const nonce = (): string => `nonce${(Date.now() + counter++).toString(36)}`.padEnd(12, '0');

export function askHost(shell: Shell, asks: readonly Ask[]): ReadonlyMap<Ask, Raw> {
  const hostAsks = asks.filter((ask): ask is HostAsk => ask.at === 'host');
  const mark = nonce();
  return parseProbe(runSh(shell, compileProbe(hostAsks, mark)).stdout, hostAsks, mark);
}

export function answerOf<T>(shell: Shell, question: Question<T>): Answer<T> {
  const answers = askHost(shell, question.asks);
  return question.read((ask) => answers.get(ask) ?? { kind: 'unavailable', reason: 'not asked' });
}

export function valueOf<T>(shell: Shell, question: Question<T>): T {
  const answer = answerOf(shell, question);
  if (answer.kind === 'unavailable') throw new Error(`unavailable: ${answer.reason}`);
  return answer.value;
}

/** Steps of a resource, with `payload` and `progress` defined as the frame defines them. */
export function applyOn(shell: Shell, resource: Resource, changes: readonly Change[]): Ran {
  let last: Ran = { code: 0, stdout: Buffer.alloc(0), stderr: '' };
  for (const step of compileSteps(resource, changes)) {
    if (step.at === 'upload') {
      last = runSh(shell, `cp '${step.localPath}' '${step.remotePath}'\n`);
    } else if (step.at === 'host') {
      const payloads = step.payloads.map(
        (content, index) => `${index.toString()}) base64 -d <<'EOF'\n${Buffer.from(bytesOf(content)).toString('base64')}\nEOF\n;;`,
      );
      last = runSh(shell, `payload() { case $1 in\n${payloads.join('\n')}\n*) return 1 ;; esac; }\nprogress() { :; }\n(\n${step.script}) </dev/null\n`);
    }
    if (last.code !== 0) return last;
  }
  return last;
}

/** Check, apply, check again. */
export function converge(shell: Shell, resource: Resource): { readonly before: readonly Change[]; readonly ran: Ran; readonly after: readonly Change[] } {
  const before = valueOf(shell, resource.differs);
  const ran = before.length === 0 ? { code: 0, stdout: Buffer.alloc(0), stderr: '' } : applyOn(shell, resource, before);
  return { before, ran, after: valueOf(shell, resource.differs) };
}

/** A directory of its own, gone when `body` ends. */
export function inTemporary<T>(body: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'kem-'));
  try {
    return body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const me = { owner: String(process.getuid?.() ?? 0), group: String(process.getgid?.() ?? 0) };

/** An HTTP server beside this thread, which waits for shells. */
export async function withServer(body: string, use: (url: string) => void): Promise<void> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');\nconst server = require('node:http').createServer((request, response) => {${body}});\nserver.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    {
      eval: true,
    },
  );
  try {
    const port = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    use(`http://127.0.0.1:${port.toString()}`);
  } finally {
    await worker.terminate();
  }
}
