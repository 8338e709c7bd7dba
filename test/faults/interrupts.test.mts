/** A run that is asked to end, once or twice and by whatever signal, in each of its phases: where it is left, what is said, what the next run does. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { quote } from '../../lib/shell/quote.mts';
import { NOTE, Program, said, type Ended } from '../cli/program.mts';
import type { Sshd } from '../transport/sshd.mts';
import { eventually } from '../transport/support.mts';
import { ADDRESS, Answering, cluster, isolated, members, SERVICES, text } from './answers.mts';
import { ending, hostsOf, lineOf, WORK } from './support.mts';
import { row } from './table.mts';

interface Way {
  readonly name: string;
  readonly signals: readonly NodeJS.Signals[];
  readonly code: number;
}
const ONCE: Way = { name: 'Ctrl-C once', signals: ['SIGINT'], code: 130 };
const ABORTING: readonly Way[] = [
  { name: 'Ctrl-C twice', signals: ['SIGINT', 'SIGINT'], code: 130 },
  { name: 'SIGTERM', signals: ['SIGTERM'], code: 143 },
  { name: 'SIGHUP', signals: ['SIGHUP'], code: 143 },
];
const ALL: readonly Way[] = [ONCE, ...ABORTING];

/** Starts a run, waits for its phase, asks it to end, and gives what it ended with; `ms` is counted from the first signal. */
async function stopped(program: Program, playbook: string, args: readonly string[], hasBegun: () => boolean, { signals }: Way): Promise<Ended> {
  const { child, ended } = program.start(playbook, args);
  await eventually('the phase', hasBegun, 40_000);
  await sleep(300);
  const asked = performance.now();
  for (const signal of signals) {
    child.kill(signal);
    await sleep(150);
  }
  return { ...(await ended), ms: performance.now() - asked };
}

const here = (work: Readonly<Record<string, unknown>>): string => hostsOf({ here: JSON.stringify({ ansible_connection: 'local', ...work }) });

/** The next run of an inventory, once the host's lock has gone with what was cut off. */
async function next(program: Program, playbook: string, args: readonly string[]): Promise<Ended> {
  const until = performance.now() + 30_000;
  for (;;) {
    const ended = await program.run(playbook, args);
    if (ended.code !== 6 || performance.now() > until) return ended;
    await sleep(250);
  }
}

describe('faults of a run that is asked to end', function () {
  this.timeout(120_000);

  for (const way of ALL)
    row(
      47,
      {
        fault: `${way.name} while it connects`,
        done: 'the host takes the connection and says nothing',
        expected: `exit ${String(way.code)}${way === ONCE ? ' when the host has had its time' : ' at once'}, nothing changed`,
      },
      async () => {
        using program = new Program();
        let connections = 0;
        const silent = createServer(() => (connections += 1)).listen(0, '127.78.251.3');
        try {
          await once(silent, 'listening');
          const port = (silent.address() as { port: number }).port.toString();
          execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', program.path('key')]);
          const inventory = program.write(
            'inventory.yaml',
            `all:\n  hosts:\n    there: {ansible_host: 127.78.251.3, ansible_port: ${port}, ansible_ssh_private_key_file: ${program.path('key')}, note_path: ${program.path('note')}}\n`,
          );
          const ended = await stopped(program, NOTE, ['-i', inventory], () => connections > 0, way);
          expect(ended.ms).to.be.below(way === ONCE ? 35_000 : 3_000);
          lineOf(ended, /stopping after|aborting/);
          return ending(ended, way.code, way === ONCE ? /no ssh answer/ : /there: interrupted while the session was opened/);
        } finally {
          silent.close();
        }
      },
    );

  for (const way of ALL)
    row(
      47,
      {
        fault: `${way.name} while the host is asked`,
        done: 'a question that takes 6 s to answer',
        expected: `exit ${String(way.code)}, nothing is changed; the next run does it`,
      },
      async () => {
        using program = new Program();
        const inventory = program.write(
          'inventory.yaml',
          here({
            work_question: `[ -e ${program.path('asked')} ] || { touch ${program.path('asked')}; sleep 6; }`,
            work_script: `touch ${program.path('done')}`,
            work_done: program.path('done'),
          }),
        );
        const ended = await stopped(program, WORK, ['-i', inventory], () => existsSync(program.path('asked')), way);
        expect(ended.ms).to.be.below(way === ONCE ? 9_000 : 4_000);
        expect(existsSync(program.path('done')), said(ended)).to.equal(false);
        ending(await next(program, WORK, ['-i', inventory]), 0, /changed: work/);
        return ending(ended, way.code, /stopping after|aborting/);
      },
    );

  for (const [name, key] of [
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ] as const)
    row(47, { fault: `${name} at a prompt`, done: '-K asks for the password of sudo', expected: 'exit 130, nothing was contacted' }, async () => {
      using program = new Program();
      const words = [process.execPath, NOTE, '-i', program.local(), '-K'].map(quote).join(' ');
      const terminal = spawn('script', ['-qec', words, '/dev/null'], {
        cwd: program.directory,
        env: { PATH: process.env['PATH'] ?? '', HOME: program.directory, TERM: 'dumb', LC_ALL: 'C.UTF-8' },
      });
      let output = '';
      terminal.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
      const started = performance.now();
      await eventually('the prompt', () => /password.*: /.test(output), 20_000);
      await sleep(500);
      terminal.stdin.write(key);
      const [code] = (await once(terminal, 'close')) as [number | null];
      expect(existsSync(program.path('note'))).to.equal(false);
      return ending({ code, stdout: output.replaceAll('\r', ''), stderr: '', ms: performance.now() - started }, 130, /no answer was given/);
    });

  row(
    47,
    {
      fault: 'Ctrl-C once while a step runs',
      done: 'a step that takes 4 s',
      expected: 'exit 130: it is finished, and nothing is left for the next run',
    },
    async () => {
      using program = new Program();
      const [begun, done] = [program.path('begun'), program.path('done')];
      const inventory = program.write('inventory.yaml', here({ work_script: `touch ${begun}; sleep 4; touch ${done}`, work_done: done }));
      const ended = await stopped(program, WORK, ['-i', inventory], () => existsSync(begun), ONCE);
      expect(existsSync(done), said(ended)).to.equal(true);
      lineOf(ended, /changed: work/);
      const last = await program.run(WORK, ['-i', inventory, '--check']);
      ending(last, 0, /here/);
      return ending(ended, 130, /stopping after what is under way/);
    },
  );

  /** Of three members the first is restarted, which takes the 5 seconds that its process is given to end. */
  async function rolling(
    way: Way,
    within: 'its restart' | 'the wait after it',
    ...limit: readonly string[]
  ): Promise<{ readonly ended: Ended; readonly put: readonly (string | null)[]; readonly next: Ended }> {
    using program = new Program();
    await using one = await isolated();
    await using two = await isolated();
    await using three = await isolated();
    const servers: readonly Sshd[] = [one, two, three];
    const names = ['es-01', 'es-02', 'es-03'];
    const allocation = { value: null as string | null, put: [] as (string | null)[] };
    const restarted = program.path('restarted');
    let isBack = true;
    await using answering = await Answering.with(
      cluster(() => ({ version: '7.10.2', status: 'green', nodes: isBack || !existsSync(restarted) ? names : ['es-01', 'es-03'], allocation })),
    );
    const inventory = (script: string): string => program.write('inventory.yaml', members(servers, answering.port, script, { service_gate_seconds: 8 }));
    const slow = "trap '' TERM; while :; do sleep 0.2; done";
    ending(await program.run(SERVICES, ['-i', inventory(slow), '--role', 'elasticsearch']), 0, /es-01/);
    allocation.put.length = 0;
    isBack = within === 'its restart';
    const args = ['-i', inventory(`touch ${restarted}; exec sleep 600`), '--role', 'elasticsearch', ...limit];
    const phase =
      within === 'its restart' ? (): boolean => allocation.put.includes('primaries') : (): boolean => existsSync(restarted) && allocation.value === null;
    const ended = await stopped(program, SERVICES, args, phase, way);
    expect(allocation.value, said(ended)).to.equal(null);
    const put = [...allocation.put];
    isBack = true;
    return { ended, put, next: await next(program, SERVICES, args) };
  }

  row(
    47,
    {
      fault: 'Ctrl-C once within a rolling restart',
      done: 'of three members the first is just restarted',
      expected: 'exit 130: its restart is finished and shards may move again, the others are not touched and named, the next run restarts them',
    },
    async () => {
      const { ended, put, next: after } = await rolling(ONCE, 'its restart');
      expect(put).to.deep.equal(['primaries', null]);
      expect(said(ended).match(/changed: daemon member/g)?.length, said(ended)).to.equal(1);
      ending(after, 0, /es-03/);
      expect(said(after).match(/changed: daemon member/g)?.length, said(after)).to.equal(2);
      return `${ending(ended, 130, /--limit/)}; allocation: ${put.map(String).join(', ')}`;
    },
  );

  for (const way of ABORTING)
    row(
      47,
      {
        fault: `${way.name} within a rolling restart`,
        done: 'of three members the first is just stopped, and shards may not move',
        expected: `exit ${String(way.code)}: the restart is cut off, shards may move again all the same, the next run completes it`,
      },
      async () => {
        const { ended, put, next: after } = await rolling(way, 'its restart');
        expect(put).to.deep.equal(['primaries', null]);
        ending(after, 0, /es-03/);
        return `${ending(ended, way.code, /retry: .*--limit es-01,es-02,es-03 /)}; allocation: ${put.map(String).join(', ')}`;
      },
    );

  row(
    47,
    {
      fault: 'SIGTERM within the restart of a member that is alone in its run',
      done: '--limit to one of three members, which is just stopped, and shards may not move',
      expected: 'exit 143: shards may move again all the same, the next run completes it',
    },
    async () => {
      const { ended, put, next: after } = await rolling({ name: 'SIGTERM', signals: ['SIGTERM'], code: 143 }, 'its restart', '--limit', 'es-02');
      expect(put).to.deep.equal(['primaries', null]);
      ending(after, 0, /es-02/);
      return `${ending(ended, 143, /retry: .*--limit es-02 /)}; allocation: ${put.map(String).join(', ')}`;
    },
  );

  for (const way of ALL)
    row(
      47,
      {
        fault: `${way.name} between two members of a rolling restart`,
        done: 'the first is restarted, and the gate waits for it to be in the cluster again',
        expected: `exit ${String(way.code)}${way === ONCE ? ' when the gate has waited' : ' at once'}: no other is restarted, shards may move`,
      },
      async () => {
        const { ended, put, next: after } = await rolling(way, 'the wait after it');
        expect(said(ended).match(/changed: daemon member/g)?.length, said(ended)).to.equal(1);
        ending(after, 0, /es-03/);
        return `${ending(ended, way.code, /stopping after|aborting/)}; allocation: ${put.map(String).join(', ')}`;
      },
    );

  for (const way of ALL)
    row(
      47,
      {
        fault: `${way.name} while it is verified`,
        done: 'Kibana is waited for, which is not ready for a minute',
        expected: `exit ${String(way.code)} within seconds: looking on changes nothing`,
      },
      async () => {
        using program = new Program();
        let asked = 0;
        await using answering = await Answering.with((request, response) => {
          asked += 1;
          text(503, 'Kibana server is not ready yet')(request, response);
        });
        const hosts = hostsOf(
          { 'mon-01': JSON.stringify({ ansible_connection: 'local', private_address: ADDRESS, kibana_port: answering.port }) },
          'monitoring',
        );
        const inventory = program.write('inventory.yaml', hosts);
        const ended = await stopped(program, SERVICES, ['-i', inventory, '--role', 'kibana'], () => asked > 2, way);
        expect(ended.ms, said(ended)).to.be.below(10_000);
        return ending(ended, way.code, /Kibana server is not ready yet/);
      },
    );
});
