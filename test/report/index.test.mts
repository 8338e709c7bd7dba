import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { createReporters, lookOf, type ReportOptions } from '../../lib/report/index.mts';
import { cases } from './recorded.mts';
import { FakeClock, FakeOutput, play, stamped } from './support.mts';

const UTF8 = { LANG: 'en_US.UTF-8' };
const ANSI = /\x1b/;
const events = stamped(cases.find(({ name }) => name === 'apply-failed')?.events ?? []);

async function streams(options: Partial<ReportOptions>, isTTY = false): Promise<{ out: string; err: string }> {
  const stdout = new FakeOutput({ isTTY });
  const stderr = new FakeOutput({ isTTY });
  const clock = new FakeClock();
  await play(createReporters({ diff: true, verbosity: 0, json: false, env: UTF8, clock, stdout, stderr, ...options }), events, clock);
  return { out: stdout.text, err: stderr.text };
}

describe('choice of renderers', () => {
  it('tells people on stdout', async () => {
    const { out, err } = await streams({});
    expect(out).to.include('RECAP');
    expect(err).to.equal('');
  });
  for (const isTTY of [false, true]) {
    it(`leaves stdout to the document with --json (${isTTY ? 'terminal' : 'pipe'})`, async () => {
      const { out, err } = await streams({ json: true }, isTTY);
      expect(JSON.parse(out)).to.deep.include({ schema: '1', exitCode: 3 });
      expect(err).to.include('RECAP');
    });
  }
  it('leaves stdout to the events with --events -', async () => {
    const { out, err } = await streams({ eventsFile: '-' });
    const lines = out.trimEnd().split('\n');
    expect(lines).to.have.length(events.length + 1);
    for (const line of lines) JSON.parse(line);
    expect(err).to.include('RECAP');
  });
  it('has no escape sequences off a terminal, and colours on one', async () => {
    expect((await streams({})).out).not.to.match(ANSI);
    expect((await streams({}, true)).out).to.match(ANSI);
  });
  for (const [name, env] of Object.entries({ 'TERM=dumb': { TERM: 'dumb' } })) {
    it(`has none on a terminal with ${name}`, async () => {
      expect((await streams({ env: { ...UTF8, ...env } }, true)).out).not.to.match(ANSI);
    });
  }
  it('does not redraw on a build server', async () => {
    expect((await streams({ env: { ...UTF8, CI: 'true' }, color: false }, true)).out).not.to.match(ANSI);
  });

  const tty = new FakeOutput({ isTTY: true });
  const pipe = new FakeOutput();
  const colours: readonly (readonly [string, FakeOutput, Record<string, string>, boolean | undefined, boolean])[] = [
    ['a terminal', tty, {}, undefined, true],
    ['a pipe', pipe, {}, undefined, false],
    ['NO_COLOR', tty, { NO_COLOR: '1' }, undefined, false],
    ['an empty NO_COLOR', tty, { NO_COLOR: '' }, undefined, true],
    ['--no-color', tty, { FORCE_COLOR: '1' }, false, false],
    ['TERM=dumb', tty, { TERM: 'dumb' }, undefined, false],
    ['FORCE_COLOR and a pipe', pipe, { FORCE_COLOR: '1' }, undefined, true],
    ['FORCE_COLOR=0 and a pipe', pipe, { FORCE_COLOR: '0' }, undefined, false],
    ['NO_COLOR against FORCE_COLOR', tty, { NO_COLOR: '1', FORCE_COLOR: '1' }, undefined, false],
  ];
  for (const [name, output, env, color, expected] of colours) {
    it(`${name}: ${expected ? 'colour' : 'no colour'}`, () => {
      expect(lookOf(output, env, color).colour).to.equal(expected);
    });
  }
  it('keeps to ASCII unless the locale is UTF-8', () => {
    expect(lookOf(tty, UTF8).unicode).to.equal(true);
    expect(lookOf(tty, { LANG: 'C' }).unicode).to.equal(false);
    expect(lookOf(tty, { ...UTF8, LC_ALL: 'C' }).unicode).to.equal(false);
    expect(lookOf(tty, {}).unicode).to.equal(false);
  });

  it('ends quietly when the reader of a pipe has gone', () => {
    const script = `
      const { createReporters } = await import('./lib/report/index.mts');
      const reporter = createReporters({ diff: false, verbosity: 2, json: false, env: {} });
      for (let seq = 1; seq < 20000; seq += 1) reporter.accept({ kind: 'notice', text: 'x'.repeat(100), seq, at: new Date().toISOString() });
      await reporter.close();
      process.exitCode = 7;`;
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', '{ "$0" --input-type=module -e "$1"; echo "code $?" >&2; } | head -n 1', process.execPath, script], {
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url),
    });
    expect(stdout.split('\n')).to.have.length(2);
    expect(stderr).to.equal('code 7\n');
  });
});
