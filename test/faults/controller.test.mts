/** Faults of the machine that runs the program: a second run, signals, a reader that goes away, disks that are full. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { NOTE, Program, said, type Ended } from '../cli/program.mts';
import { startSshd } from '../transport/sshd.mts';
import { eventually } from '../transport/support.mts';
import { lineOf, seen } from './support.mts';
import { CannotTry, row } from './table.mts';

const LONG = '      note_seconds: 60\n';
const journals = (program: Program): readonly string[] =>
  (existsSync(program.path('.runs')) ? readdirSync(program.path('.runs')) : []).filter((name) => name.endsWith('.journal'));

async function begun(program: Program, args: readonly string[] = []): Promise<{ inventory: string; run: ReturnType<Program['start']> }> {
  const inventory = program.local(LONG);
  const run = program.start(NOTE, ['-i', inventory, ...args]);
  await eventually('the step', () => existsSync(program.path('note.begun')), 20_000);
  await sleep(200);
  return { inventory, run };
}

/** The next run of the same inventory without the long step, once the host's lock has gone with what was cut off. */
async function next(program: Program): Promise<Ended> {
  const inventory = program.local();
  const until = performance.now() + 15_000;
  for (;;) {
    const ended = await program.run(NOTE, ['-i', inventory]);
    if (ended.code !== 6 || performance.now() > until) return ended;
    await sleep(250);
  }
}

/** Says what is left of a run that was stopped, and that the next one ends in order. */
async function recovered(program: Program): Promise<string> {
  const left = journals(program).length;
  const ended = await next(program);
  expect(ended.code, said(ended)).to.equal(0);
  expect(readFileSync(program.path('note'), 'utf8')).to.equal('hello\n');
  expect(journals(program)).to.deep.equal([]);
  return `${left === 0 ? '' : 'what was cut off was noted; '}the next run: exit ${String(ended.code)}`;
}

describe('faults of the controller', function () {
  row(
    45,
    {
      fault: 'two controllers apply at once',
      done: 'a second run while the first is in a step',
      expected: 'exit 6 naming the holder; nothing done by the second',
    },
    async () => {
      using program = new Program();
      const { inventory, run } = await begun(program);
      const second = await program.run(NOTE, ['-i', inventory, '-e', 'note_text=second']);
      expect(second.code, said(second)).to.equal(6);
      expect(said(second)).to.include(`process ${String(run.child.pid)}`);
      expect(readFileSync(program.path('note'), 'utf8')).to.equal('hello\n');
      run.child.kill('SIGTERM');
      await run.ended;
      return seen(second, /another run is changing the hosts of this inventory: run \S+ of /);
    },
  );

  row(
    46,
    {
      fault: 'kill -9 of the controller within an apply',
      done: 'the process is killed in a step of 60 s, then an apply',
      expected: 'the lock is free within seconds, the step is told, exit 0',
    },
    async () => {
      using program = new Program();
      const { run } = await begun(program);
      run.child.kill('SIGKILL');
      await run.ended;
      expect(journals(program)).to.have.length(1);
      const ended = await next(program);
      expect(ended.code, said(ended)).to.equal(0);
      expect(said(ended)).to.match(/wait on here \(note\), which an earlier run left in the middle, is in order/);
      expect(journals(program)).to.deep.equal([]);
      return seen(ended, /ended in the middle of wait on here \(note\): this run asks anew/);
    },
  );

  for (const [done, signals, code, telling] of [
    ['Ctrl-C twice in a step', ['SIGINT', 'SIGINT'], 130, /aborting; press Ctrl-C once more/],
    ['Ctrl-C three times in a step', ['SIGINT', 'SIGINT', 'SIGINT'], 130, /aborting; press Ctrl-C once more|left at once/],
    ['SIGTERM in a step', ['SIGTERM'], 143, /asked to end: aborting/],
    ['SIGHUP in a step', ['SIGHUP'], 143, /asked to end: aborting/],
  ] as const)
    row(
      47,
      { fault: 'an interrupt while a step runs', done, expected: `exit ${String(code)}, what is half done is told, the next run completes it` },
      async () => {
        using program = new Program();
        const { run } = await begun(program);
        for (const signal of signals) {
          run.child.kill(signal);
          await sleep(150);
        }
        const ended = await run.ended;
        expect(ended.code, said(ended)).to.equal(code);
        expect(ended.ms).to.be.below(30_000);
        expect(existsSync(program.path('note.done'))).to.equal(false);
        return `${seen(ended, telling)}; ${await recovered(program)}`;
      },
    );

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    row(
      47,
      {
        fault: 'an interrupt before anything is changed',
        done: `${signal} while the program connects to a host that does not answer`,
        expected: `exit ${String(code)} within seconds, nothing changed`,
      },
      async () => {
        using program = new Program();
        const { createServer } = await import('node:net');
        const silent = createServer(() => undefined).listen(0, '127.78.251.2');
        try {
          const connected = new Promise<void>((resolve) => {
            silent.once('connection', () => {
              resolve();
            });
          });
          await eventually('the listener', () => silent.listening, 5_000);
          const port = (silent.address() as { port: number }).port.toString();
          execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', program.path('key')]);
          const inventory = program.write(
            'inventory.yaml',
            `all:\n  hosts:\n    there: {ansible_host: 127.78.251.2, ansible_port: ${port}, ansible_ssh_private_key_file: ${program.path('key')}, note_path: ${program.path('note')}}\n`,
          );
          const { child, ended: end } = program.start(NOTE, ['-i', inventory]);
          await connected;
          const at = performance.now();
          child.kill(signal);
          if (signal === 'SIGINT') child.kill(signal);
          await sleep(100);
          if (signal === 'SIGINT') child.kill(signal);
          const ended = await end;
          expect(ended.code, said(ended)).to.equal(code);
          expect(performance.now() - at).to.be.below(10_000);
          expect(existsSync(program.path('note'))).to.equal(false);
          return `${seen(ended, /stopping after|aborting/)} (${((performance.now() - at) / 1000).toFixed(1)} s)`;
        } finally {
          silent.close();
        }
      },
    );

  row(
    48,
    {
      fault: 'a reader that goes away',
      done: 'an apply whose stdout is closed at once, with --events',
      expected: 'exit 0, no complaint, every event is a line of JSON',
    },
    async () => {
      using program = new Program();
      const { child, ended: end } = program.start(NOTE, ['-i', program.local(), '-vv', '--events', 'events']);
      child.stdout?.destroy();
      const ended = await end;
      expect(ended.code, said(ended)).to.equal(0);
      expect(ended.stderr).to.equal('');
      const events = readFileSync(program.path('events'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind?: string });
      expect(events.at(-1)?.kind).to.equal('run.end');
      return `exit ${String(ended.code)}, nothing on stderr, ${events.length.toString()} events`;
    },
  );

  for (const args of [[], ['--json']])
    row(
      48,
      { fault: 'a full disk behind stdout', done: `an apply ${args.join('')} >/dev/full`, expected: 'the work is done, the loss is said on stderr, exit 1' },
      () => {
        using program = new Program();
        const ran = spawnSync('sh', ['-c', '"$@" >/dev/full', 'sh', process.execPath, NOTE, '-i', program.local(), ...args], {
          cwd: program.directory,
          encoding: 'utf8',
          env: { PATH: process.env['PATH'], HOME: program.directory },
          timeout: 60_000,
        });
        const ended = { code: ran.status, stdout: ran.stdout, stderr: ran.stderr, ms: 0 };
        expect(ended.code, said(ended)).to.equal(1);
        expect(readFileSync(program.path('note'), 'utf8')).to.equal('hello\n');
        return seen(ended, /error: what this run says cannot be written to stdout: ENOSPC/);
      },
    );

  row(48, { fault: 'a full disk behind --events', done: '--events /dev/full', expected: 'the run goes on, the loss is said, exit 0' }, async () => {
    using program = new Program();
    const ended = await program.run(NOTE, ['-i', program.local(), '--events', '/dev/full']);
    expect(ended.code, said(ended)).to.equal(0);
    return seen(ended, /warning: events are no longer written to \/dev\/full: ENOSPC/);
  });

  row(
    48,
    {
      fault: 'a full disk behind the records of runs',
      done: 'RUNS_DIR on a tmpfs of 64 kB that is full',
      expected: 'exit 4 and the variable to set; nothing changed, nothing hangs',
    },
    async () => {
      if (process.getuid?.() !== 0) throw new CannotTry('only root can mount a small file system');
      using program = new Program();
      mkdirSync(program.path('small'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', program.path('small')]);
      try {
        spawnSync('dd', ['if=/dev/zero', `of=${program.path('small/fill')}`], { stdio: 'ignore' });
        const ended = await program.run(NOTE, ['-i', program.local()], { env: { RUNS_DIR: program.path('small/runs') } });
        expect(ended.code, said(ended)).to.equal(4);
        expect(said(ended)).to.include('hint: set RUNS_DIR');
        expect(existsSync(program.path('note'))).to.equal(false);
        return seen(ended, /the lock of this run cannot be kept in .*ENOSPC/).replaceAll(program.directory, '');
      } finally {
        execFileSync('umount', ['-l', program.path('small')]);
        rmSync(program.path('small'), { recursive: true, force: true });
      }
    },
  );

  for (const [done, offset] of [
    ['10 min ahead', '+10m'],
    ['10 min behind', '-10m'],
  ] as const)
    row(
      42,
      {
        fault: 'the clocks of controller and host differ',
        done: `the controller is ${done} (libfaketime), the host is a real sshd`,
        expected: `exit 0, and a check after it finds no drift; both say that the host's clock is the other way off, and how to put it right`,
      },
      async () => {
        const library = spawnSync('faketime', ['-f', offset, 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' });
        if (library.status !== 0) throw new CannotTry('faketime is not installed');
        await using sshd = await startSshd();
        using program = new Program();
        const inventory = program.write(
          'inventory.yaml',
          `all:\n  hosts:\n    there: {ansible_host: ${sshd.address}, ansible_port: ${sshd.port.toString()}, ansible_user: ${userInfo().username}, ansible_ssh_private_key_file: ${sshd.keyFile}, connection_known_hosts_file: ${sshd.knownHosts}, note_path: ${program.path('note')}}\n`,
        );
        const env = { LD_PRELOAD: library.stdout.trim(), FAKETIME: offset };
        const apply = await program.run(NOTE, ['-i', inventory], { env });
        expect(apply.code, said(apply)).to.equal(0);
        const [record = ''] = readdirSync(program.path('.runs')).filter((name) => name.endsWith('.json'));
        const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/.exec(record) ?? [];
        const minutes = Math.round((Date.parse(`${String(year)}-${String(month)}-${String(day)}T${String(hour)}:${String(minute)}:00Z`) - Date.now()) / 60_000);
        expect(Math.abs(minutes), 'minutes that the program believed to be off').to.be.within(8, 12);
        const check = await program.run(NOTE, ['-i', inventory, '--check'], { env });
        expect(check.code, said(check)).to.equal(0);
        const warning = new RegExp(`note: there: its clock is (10m|9m5\\d)\\S* ${minutes > 0 ? 'behind' : 'ahead of'} .*chrony`);
        lineOf(apply, warning);
        return `apply: exit ${String(apply.code)}; check: ${seen(check, /in order|1 host:/)}; ${lineOf(check, warning)}`;
      },
    );
});
