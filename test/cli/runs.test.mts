import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { NOTE, Program, ROOT, said, SITE, type Ended } from './program.mts';

const { default: Ajv } = createRequire(import.meta.url)('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
const schemaNamed = (name: string) =>
  new Ajv({ strict: false, validateFormats: false }).compile(JSON.parse(readFileSync(join(ROOT, 'lib/report/schema', name), 'utf8')) as object);

interface Document {
  readonly outcome: string;
  readonly exitCode: number;
  readonly summary: { readonly changed: number; readonly failed: number; readonly pending: number };
  readonly hosts: Readonly<
    Record<string, { readonly outcome: string; readonly roundTrips: number; readonly bytesSent: number; readonly bytesReceived: number }>
  >;
}

const isReport = schemaNamed('report.schema.json');
const isEvent = schemaNamed('events.schema.json');

function documentIn({ stdout, stderr }: Ended): Document {
  const document = JSON.parse(stdout) as Document;
  expect(isReport(document), `${JSON.stringify(isReport.errors)}\n${stderr}`).to.equal(true);
  return document;
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries += 1) {
    if (tries > 400) throw new Error('it did not come to that');
    await sleep(25);
  }
}

describe('command line: runs on this machine', function () {
  this.timeout(60_000);

  it('check, apply and apply again: 2, 0 with changes, 0 without; each document is what its schema says', async () => {
    using program = new Program();
    const inventory = program.local();
    const check = await program.run(NOTE, ['-i', inventory, '--check', '--json']);
    expect([check.code, documentIn(check).outcome, documentIn(check).exitCode]).to.deep.equal([2, 'drift', 2]);
    expect(existsSync(program.path('note'))).to.equal(false);
    const apply = await program.run(NOTE, ['-i', inventory, '--json']);
    expect([apply.code, documentIn(apply).outcome, documentIn(apply).summary.changed], said(apply)).to.deep.equal([0, 'changed', 1]);
    expect(readFileSync(program.path('note'), 'utf8')).to.equal('hello\n');
    const again = await program.run(NOTE, ['-i', inventory, '--json']);
    expect([again.code, documentIn(again).outcome, documentIn(again).summary.changed], said(again)).to.deep.equal([0, 'converged', 0]);
    const verify = await program.run(NOTE, ['-i', inventory, '--json', '--verify-only']);
    expect([verify.code, documentIn(verify).outcome], said(verify)).to.deep.equal([0, 'converged']);
  });

  it('a check costs two round trips and a few kilobytes', async () => {
    using program = new Program();
    const { here } = documentIn(await program.run(NOTE, ['-i', program.local(), '--check', '--json'])).hosts;
    expect(here?.roundTrips).to.equal(2);
    expect(here?.bytesSent).to.be.within(1, 4096);
    expect(here?.bytesReceived).to.be.within(1, 4096);
  });

  it('--profile tells people where the time went and leaves the document alone', async () => {
    using program = new Program();
    const ended = await program.run(NOTE, ['-i', program.local(), '--check', '--json', '--profile']);
    expect(documentIn(ended).exitCode).to.equal(2);
    const phases = ended.stderr.slice(ended.stderr.indexOf('PROFILE')).matchAll(/^ {2}([a-z-]+) +\d/gm);
    expect([...phases].map(([, phase]) => phase)).to.deep.equal(['start-up', 'inventory', 'connect', 'ask', 'close', 'report', 'here']);
  });

  it('a mistake gives a document too', async () => {
    using program = new Program();
    const ended = await program.run(NOTE, ['-i', 'nowhere.yaml', '--json']);
    expect([ended.code, documentIn(ended).exitCode, documentIn(ended).outcome]).to.deep.equal([4, 4, 'failed']);
  });

  it('a failed step ends with 1, its output, and the command that retries it; --retry-failed runs what is left', async () => {
    using program = new Program();
    const failing = program.local('      note_fails: true\n');
    const ended = await program.run(NOTE, ['-i', failing, '--json']);
    expect([ended.code, documentIn(ended).outcome, documentIn(ended).hosts['here']?.outcome], said(ended)).to.deep.equal([1, 'failed', 'failed']);
    expect(ended.stderr).to.match(/retry: npx zx \S*note\.mts .*--limit here/);
    program.local();
    const retried = await program.run(NOTE, ['-i', failing, '--json', '--retry-failed']);
    expect([retried.code, Object.keys(documentIn(retried).hosts)], said(retried)).to.deep.equal([0, ['here']]);
    const nothing = await program.run(NOTE, ['-i', failing, '--retry-failed']);
    expect(nothing.code).to.equal(4);
    expect(said(nothing)).to.include('left no host unfinished');
  });

  it('the command that retries keeps what decides what is done, each as one word', async () => {
    using program = new Program();
    const failing = program.local('      note_fails: true\n');
    const ended = await program.run(NOTE, ['-i', failing, '-e', "unused=it's one word", '-u', 'ops', '--serial', '50%', '--max-failures', '0', '--no-restart']);
    expect(said(ended)).to.include(`--limit here -e 'unused=it'\\''s one word' -u ops --serial 50% --max-failures 0 --no-restart\n`);
  });

  it('changes nothing where neither lock nor record can be kept', async () => {
    using program = new Program();
    const ended = await program.run(NOTE, ['-i', program.local()], { env: { RUNS_DIR: join(program.write('file', ''), 'runs') } });
    expect(ended.code, said(ended)).to.equal(4);
    expect(said(ended)).to.include('set RUNS_DIR');
    expect(existsSync(program.path('note'))).to.equal(false);
  });

  it('--retry-failed takes only the hosts that failed', async () => {
    using program = new Program();
    const inventory = program.write(
      'two.yaml',
      `all:\n  vars: {ansible_connection: local}\n  hosts:\n    good: {note_path: ${program.path('good')}}\n    bad: {note_path: ${program.path('bad')}, note_fails: true}\n`,
    );
    const ended = await program.run(NOTE, ['-i', inventory, '--json', '--limit', 'bad']);
    expect(ended.code, said(ended)).to.equal(1);
    const hosts = await program.run(NOTE, ['-i', inventory, '--list-hosts', '--retry-failed']);
    expect(hosts.stdout, said(hosts)).to.equal('bad\n');
  });

  it('--events has one valid event a line and ends with the exit code', async () => {
    using program = new Program();
    await program.run(NOTE, ['-i', program.local(), '--events', 'events.jsonl']);
    const events = readFileSync(program.path('events.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind?: string; exitCode?: number });
    for (const event of events) expect(isEvent(event), `${JSON.stringify(event)} ${JSON.stringify(isEvent.errors?.slice(-2))}`).to.equal(true);
    expect(events.at(-1)).to.include({ kind: 'run.end', exitCode: 0 });
    const piped = await program.run(NOTE, ['-i', program.local(), '--events', '-']);
    for (const line of piped.stdout.trimEnd().split('\n')) expect(isEvent(JSON.parse(line))).to.equal(true);
  });

  it('writes no escape sequence into a pipe, whatever the hosts and files contain', async () => {
    using program = new Program();
    const inventory = program.local();
    writeFileSync(program.path('note'), 'evil \u001b[31m\u001b]0;title\u0007\n');
    for (const args of [['--check', '--diff', '-vv'], ['--diff'], ['--check', '--json', '--diff']]) {
      const ended = await program.run(NOTE, ['-i', inventory, ...args], { env: { TERM: 'xterm-256color' } });
      expect(said(ended)).to.not.match(/[\u0000-\u0008\u000b-\u001f\u007f\u009b]/);
    }
  });

  it('a reader that goes away is no error', async () => {
    using program = new Program();
    for (const args of [['--help'], ['-i', program.local(), '--check', '-vv'], ['-i', program.local(), '--check', '--json']]) {
      const { child, ended } = program.start(NOTE, args);
      child.stdout?.destroy();
      const { code, stderr } = await ended;
      expect([0, 2], stderr).to.include(code);
      expect(stderr).to.not.include('EPIPE');
    }
  });

  it('a second run ends with 6 and names the first; a killed run leaves no lock', async () => {
    using program = new Program();
    const inventory = program.local('      note_seconds: 60\n');
    const first = program.start(NOTE, ['-i', inventory]);
    await until(() => existsSync(program.path('note.begun')));
    const second = await program.run(NOTE, ['-i', inventory, '--json']);
    expect([second.code, documentIn(second).outcome], said(second)).to.deep.equal([6, 'locked']);
    expect(said(second)).to.include(`process ${String(first.child.pid)}`);
    const check = await program.run(NOTE, ['-i', inventory, '--check']);
    expect(check.code, said(check)).to.equal(2);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    program.local();
    // The host's own lock goes with the running step, which has five seconds to end.
    const killed = performance.now();
    let third = await program.run(NOTE, ['-i', inventory]);
    while (third.code === 6 && performance.now() - killed < 7000) third = await program.run(NOTE, ['-i', inventory]);
    expect(third.code, said(third)).to.equal(0);
    expect(said(third)).to.not.include('another run is changing');
  });

  it('a host that another inventory is changing is locked too', async () => {
    using program = new Program();
    const first = program.start(NOTE, ['-i', program.local('      note_seconds: 60\n')]);
    await until(() => existsSync(program.path('note.begun')));
    const other = program.write('other.yaml', `all:\n  hosts:\n    there: {ansible_connection: local, note_path: ${program.path('other')}}\n`);
    const second = await program.run(NOTE, ['-i', other]);
    expect(second.code, said(second)).to.equal(6);
    expect(said(second)).to.include(String(first.child.pid));
    first.child.kill('SIGTERM');
    const { code } = await first.ended;
    expect(code).to.equal(143);
  });

  it('Ctrl-C twice ends with 130 and a valid document', async () => {
    using program = new Program();
    const run = program.start(NOTE, ['-i', program.local('      note_seconds: 60\n'), '--json']);
    await until(() => existsSync(program.path('note.begun')));
    run.child.kill('SIGINT');
    await sleep(300);
    run.child.kill('SIGINT');
    const ended = await run.ended;
    expect([ended.code, documentIn(ended).outcome], said(ended)).to.deep.equal([130, 'interrupted']);
    expect(existsSync(program.path('note.done'))).to.equal(false);
  });

  it('ends like on SIGTERM when the npx that started it is gone', async () => {
    using program = new Program();
    const inventory = program.local('      note_seconds: 60\n');
    const npx = spawn('sh', ['-c', '"$@" >/dev/null 2>&1 & echo $!; wait', 'sh', process.execPath, NOTE, '-i', inventory], {
      cwd: program.directory,
      env: { PATH: process.env['PATH'] ?? '', HOME: program.directory, npm_command: 'exec' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [first] = (await once(npx.stdout, 'data')) as [Buffer];
    const pid = Number(first.toString());
    await until(() => existsSync(program.path('note.begun')));
    npx.kill('SIGKILL');
    await until(() => !isAlive(pid));
    expect(existsSync(program.path('note.done'))).to.equal(false);
  });

  it('secrets are in no output, event, record or process list, also when a step says them', async () => {
    using program = new Program();
    const key = 'correct-horse-battery-staple';
    const sudo = "tr'oub4dor&3";
    const env = { NOTE_KEY: key, SUDO: sudo };
    const inventory = program.local('      note_key: {secret: env:NOTE_KEY}\n      ansible_become_password: {secret: env:SUDO}\n      note_fails: true\n');
    const outputs: string[] = [];
    for (const args of [
      ['--check', '--diff', '-vv'],
      ['--diff', '-vv', '--events', 'events.jsonl'],
      ['--json', '--diff'],
      ['--check', '--json', '--diff'],
    ])
      outputs.push(said(await program.run(NOTE, ['-i', inventory, ...args], { env })));
    expect(readFileSync(program.path('note.key'), 'utf8')).to.equal(`key: ${key}\n`);
    outputs.push(readFileSync(program.path('events.jsonl'), 'utf8'));
    const running = program.start(
      NOTE,
      ['-i', program.local('      note_key: {secret: env:NOTE_KEY}\n      ansible_become_password: {secret: env:SUDO}\n      note_seconds: 60\n')],
      { env },
    );
    await until(() => existsSync(program.path('note.begun')));
    outputs.push(await commandLines());
    running.child.kill('SIGTERM');
    outputs.push(said(await running.ended), await filesIn(program.path('.runs')));
    for (const secret of [key, sudo])
      for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)])
        for (const output of outputs) expect(output).to.not.include(form);
  });

  it('site refuses to guess: a limit outside the inventory contacts nothing', async () => {
    using program = new Program();
    const ended = await program.run(SITE, ['-i', join(ROOT, 'inventory/lab.yaml'), '--limit', 'es-09', '--check']);
    expect(ended.code).to.equal(4);
    expect(said(ended)).to.include('es-0');
  });
});

async function commandLines(): Promise<string> {
  const { readdir, readFile } = await import('node:fs/promises');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return (await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))).join('\n');
}

async function filesIn(directory: string): Promise<string> {
  const { readdir, readFile } = await import('node:fs/promises');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return (await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')))).join('\n');
}

/** A zombie has ended, whoever has yet to ask for its status. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}
