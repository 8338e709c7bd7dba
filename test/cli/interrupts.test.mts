/** Runs that are interrupted, killed, or left by their terminal: what they say, what goes on, and what the next one says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../transport/support.mts';
import { NOTE, Program, said, type Ended } from './program.mts';

const journals = (program: Program): readonly string[] =>
  (existsSync(program.path('.runs')) ? readdirSync(program.path('.runs')) : []).filter((name) => name.endsWith('.journal'));

/** The host's own lock goes with the step, which has its time to end. */
async function runWhenFree(program: Program, args: readonly string[]): Promise<Ended> {
  const until = performance.now() + 30_000;
  for (;;) {
    const ended = await program.run(NOTE, args);
    if (ended.code !== 6 || performance.now() > until) return ended;
    await sleep(250);
  }
}

describe('command line: interrupted runs', function () {
  this.timeout(60_000);

  const begin = async (program: Program, more: string, args: readonly string[] = []): Promise<{ inventory: string; run: ReturnType<Program['start']> }> => {
    const inventory = program.local(more);
    const run = program.start(NOTE, ['-i', inventory, ...args]);
    await eventually('the step', () => existsSync(program.path('note.begun')), 20_000);
    await sleep(200);
    return { inventory, run };
  };

  it('Ctrl-C twice waits for what must not be cut off, names it, and begins nothing else', async () => {
    using program = new Program();
    const { run } = await begin(program, '      note_seconds: 5\n      note_whole: true\n');
    run.child.kill('SIGINT');
    await sleep(200);
    run.child.kill('SIGINT');
    const ended = await run.ended;
    expect(ended.code, said(ended)).to.equal(130);
    expect(said(ended)).to.include('stopping after what is under way; press Ctrl-C again to abort it');
    expect(said(ended), said(ended)).to.include('aborting; press Ctrl-C once more to leave at once; wait on here must not be cut off and is waited for');
    expect(existsSync(program.path('note.done'))).to.equal(true);
    expect(journals(program), 'nothing is half done').to.deep.equal([]);
  });

  it('the third leaves at once; the step ends by itself and keeps the lock, and the next run says what was left', async () => {
    using program = new Program();
    const { inventory, run } = await begin(program, '      note_seconds: 10\n      note_whole: true\n');
    for (const pause of [200, 200, 0]) {
      run.child.kill('SIGINT');
      await sleep(pause);
    }
    const pressed = performance.now();
    const ended = await run.ended;
    expect(performance.now() - pressed, 'long before the step ends').to.be.lessThan(4_000);
    expect(ended.code, said(ended)).to.equal(130);
    expect(ended.stderr).to.include('left at once').and.include('wait on here, which ends by itself and keeps the host locked until then');
    const meanwhile = await program.run(NOTE, ['-i', inventory]);
    expect(meanwhile.code, said(meanwhile)).to.equal(6);
    expect(existsSync(program.path('note.done'))).to.equal(false);
    const next = await runWhenFree(program, ['-i', inventory]);
    expect(next.code, said(next)).to.equal(0);
    expect(said(next)).to.include('wait on here (note): this run asks anew');
    expect(said(next)).to.include('wait on here (note), which an earlier run left in the middle, is in order');
    expect(existsSync(program.path('note.done'))).to.equal(true);
    expect(journals(program)).to.deep.equal([]);
  });

  for (const [signal, what] of [
    ['SIGTERM', 'asked to end'],
    ['SIGHUP', 'a terminal that is gone'],
  ] as const)
    it(`${signal} (${what}) stops the step and ends with 143; what was left is noted`, async () => {
      using program = new Program();
      const { inventory, run } = await begin(program, '      note_seconds: 60\n');
      run.child.kill(signal);
      run.child.kill(signal === 'SIGHUP' ? signal : 'SIGCONT');
      const ended = await run.ended;
      expect(ended.code, said(ended)).to.equal(143);
      expect(ended.ms).to.be.lessThan(15_000);
      expect(said(ended)).to.include('asked to end: aborting').and.include('stopped on request');
      expect(existsSync(program.path('note.done'))).to.equal(false);
      const check = await program.run(NOTE, ['-i', inventory, '--check']);
      expect(said(check)).to.match(/run \S+ of \S+, begun \S+, ended in the middle of wait on here \(note\): this run asks anew/);
      expect(journals(program), 'a check settles nothing').to.have.length(1);
    });

  it('a terminal that is closed ends the run, its step and its lock', async () => {
    using program = new Program();
    const inventory = program.local('      note_seconds: 60\n');
    const terminal = spawn('script', ['-qfc', `exec '${process.execPath}' '${NOTE}' -i '${inventory}' --events events`, '/dev/null'], {
      cwd: program.directory,
      env: { PATH: process.env['PATH'] ?? '', HOME: program.directory, TERM: 'xterm' },
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    await eventually('the step', () => existsSync(program.path('note.begun')), 20_000);
    terminal.kill('SIGKILL');
    await once(terminal, 'exit');
    program.local();
    const next = await runWhenFree(program, ['-i', inventory]);
    expect(next.code, said(next)).to.equal(0);
    expect(readFileSync(program.path('events'), 'utf8').trimEnd().split('\n').at(-1)).to.include('"exitCode":143');
  });

  it('a killed run is told by the next ones until one has put it right', async () => {
    using program = new Program();
    const { inventory, run } = await begin(program, '      note_seconds: 60\n');
    run.child.kill('SIGKILL');
    await run.ended;
    const other = program.write(
      'inventory.yaml',
      `all:\n  vars: {ansible_connection: local}\n  hosts:\n    here: {note_path: ${program.path('note')}}\n    there: {note_path: ${program.path('there')}}\n`,
    );
    expect(other).to.equal(inventory);
    const elsewhere = await runWhenFree(program, ['-i', inventory, '--limit', 'there']);
    expect(elsewhere.code, said(elsewhere)).to.equal(0);
    expect(said(elsewhere)).to.include('wait on here (note), which this run leaves out: run it there too');
    const next = await runWhenFree(program, ['-i', inventory, '--json', '--limit', 'here']);
    expect(next.code, said(next)).to.equal(0);
    expect(next.stderr).to.include('this run asks anew').and.include('is in order');
    const last = await program.run(NOTE, ['-i', inventory, '--limit', 'here']);
    expect(said(last)).to.not.include('in the middle');
    expect(journals(program)).to.deep.equal([]);
  });

  it('a journal that ends in the middle of a line, or is none, hinders nobody', async () => {
    using program = new Program();
    const inventory = program.local();
    for (const [index, text] of ['', '{"schema":"1"', '{"schema":"9"}\n', 'x\n'].entries())
      program.write(`.runs/20260101T000000000Z-note-000${index.toString()}.journal`, text);
    const ended = await program.run(NOTE, ['-i', inventory]);
    expect(ended.code, said(ended)).to.equal(0);
    expect(said(ended)).to.not.include('in the middle');
  });
});
