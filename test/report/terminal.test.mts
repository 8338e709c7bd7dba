import { expect } from 'chai';
import { liveLines } from '../../lib/report/live.mts';
import { record, newRunState } from '../../lib/report/run-state.mts';
import { columnsOf, paint } from '../../lib/report/style.mts';
import { terminalReporter } from '../../lib/report/terminal.mts';
import { cases } from './recorded.mts';
import { FakeClock, FakeOutput, START, play, screenOf, stamped, type Recorded } from './support.mts';

const look = { colour: false, unicode: true };
const told = { look, diff: false, verbosity: 0 } as const;
const of = { host: 'es-01', role: 'elasticsearch', resource: 'archive' };
const begin = (hosts: readonly string[]): Recorded => ({
  kind: 'run.start',
  run: 'r',
  playbook: 'site',
  mode: 'apply',
  inventory: ['lab.yaml'],
  hosts,
  roles: ['elasticsearch'],
});
const many = Array.from({ length: 200 }, (_, index) => `host-${String(index + 1).padStart(3, '0')}`);

function terminal(size: { columns?: number; rows?: number } = {}) {
  const output = new FakeOutput({ isTTY: true, ...size });
  const clock = new FakeClock();
  const reporter = terminalReporter(output, told, clock);
  const accept = (...bodies: Recorded[]): void => {
    for (const event of stamped(bodies)) reporter.accept({ ...event, at: new Date(clock.now()).toISOString() });
  };
  const screen = (): readonly string[] => screenOf(output.text).filter((line) => line !== '');
  return { output, clock, reporter, accept, screen };
}

describe('live terminal', () => {
  it('shows a line a host: role, step, bytes and time', () => {
    const { clock, accept, screen } = terminal();
    accept(begin(['es-01', 'es-02']), { kind: 'step.start', ...of });
    clock.advance(4_000);
    accept({ kind: 'step.progress', ...of, done: 12_300_000, total: 31_000_000 });
    clock.advance(100);
    expect(screen()).to.deep.equal(['apply site  lab.yaml  2 hosts  4s', '▸ es-01  elasticsearch  archive 12.3/31.0 MB 4s', '· es-02']);
  });
  it('lets time tick while nothing happens', () => {
    const { clock, accept, screen } = terminal();
    accept(begin(['es-01']), { kind: 'step.start', ...of });
    clock.advance(7_100);
    expect(screen().at(-1)).to.match(/archive 7s$/);
  });
  it('redraws at most 10 times a second, in place', () => {
    const { output, clock, accept, screen } = terminal();
    accept(begin(['es-01']));
    for (let done = 0; done < 1_000; done += 1) {
      accept({ kind: 'step.progress', ...of, done, total: 1_000 });
      clock.advance(1);
    }
    expect(output.writes).to.be.within(5, 11);
    expect(screen()).to.have.length(2);
  });
  it('counts, and shows failed and busy hosts, when hosts outnumber lines', () => {
    const { clock, accept, screen } = terminal({ rows: 12 });
    accept(begin(many), ...many.slice(0, 32).map((host): Recorded => ({ kind: 'role.start', host, role: 'elasticsearch' })));
    accept({ kind: 'host.failed', host: 'host-190', error: { kind: 'unreachable', short: 'no route', message: 'no route' } });
    accept({ kind: 'role.end', host: 'host-001', role: 'elasticsearch', verdict: 'converged', ms: 5 });
    clock.advance(100);
    const lines = screen();
    expect(lines).to.have.length(11);
    expect(lines[1]).to.equal('1/200 done, 0 changed, 31 busy, 1 failed');
    expect(lines[2]).to.match(/^✗ host-190  no route/);
    expect(lines[3]).to.match(/^▸ host-002 {2}elasticsearch/);
  });
  it('keeps every line within the window', () => {
    const { clock, accept, screen } = terminal({ columns: 60 });
    accept(begin(['es-01']), { kind: 'step.start', ...of, resource: `file /${'한'.repeat(80)}` });
    clock.advance(100);
    expect(screen().at(-1)).to.match(/…$/);
    expect(columnsOf(screen().at(-1) ?? '')).to.be.within(50, 59);
  });
  it('redraws when the window changes, erasing the lines that were wrapped', () => {
    const { output, clock, accept, screen } = terminal({ columns: 120 });
    accept(begin(['es-01']), { kind: 'step.start', ...of, resource: `file /${'x'.repeat(100)}` });
    clock.advance(100);
    const before = output.text.length;
    output.columns = 70;
    output.emit('resize');
    clock.advance(100);
    expect(output.text.slice(before)).to.match(/^\r\x1b\[3A\x1b\[J/);
    expect(screen().every((line) => line.length < 70)).to.equal(true);
  });
  it('prints plain lines in a window below 60 columns', () => {
    const { output, accept } = terminal({ columns: 59 });
    accept(begin(['es-01']), {
      kind: 'role.failed',
      host: 'es-01',
      role: 'elasticsearch',
      error: { kind: 'timeout', short: 'no answer', message: 'no answer' },
    });
    expect(output.text).to.equal('apply site  lab.yaml  1 host\n✗ es-01  elasticsearch  failed: no answer\n');
  });
  it('keeps notices above the live part', () => {
    const { clock, accept, screen } = terminal();
    accept(begin(['es-01']), { kind: 'notice', text: 'first' });
    clock.advance(200);
    accept({ kind: 'notice', text: 'second' });
    clock.advance(200);
    expect(screen().slice(0, 2)).to.deep.equal(['note: first', 'note: second']);
    expect(screen()).to.have.length(4);
  });
  for (const one of cases) {
    it(`leaves only the report of ${one.name} on the screen, and no timer or listener`, async () => {
      const { output, clock, reporter } = terminal({ columns: 100 });
      await play(reporter, stamped(one.events), clock);
      const text = screenOf(output.text).join('\n');
      expect(text).not.to.include('▸');
      expect(text).to.match(one.exit === 0 ? /\d hosts: / : new RegExp(`exit ${String(one.exit)}: `));
      expect(clock.pending).to.equal(0);
      expect(output.listeners('resize')).to.equal(0);
    });
  }
  it('takes less than 5 % of a core for 200 busy hosts', () => {
    const state = newRunState();
    const bodies = [
      begin(many),
      ...many.flatMap((host): Recorded[] => [
        { kind: 'step.start', ...of, host },
        { kind: 'step.progress', ...of, host, done: 5_000_000, total: 9_000_000 },
      ]),
    ];
    for (const event of stamped(bodies)) record(state, event);
    const draw = (): number => liveLines(state, { columns: 80, rows: 24 }, look, START + 60_000).map((line) => paint(line, look)).length;
    for (let warm = 0; warm < 50; warm += 1) draw();
    const begun = process.cpuUsage();
    for (let redraw = 0; redraw < 100; redraw += 1) expect(draw()).to.equal(23);
    const { user, system } = process.cpuUsage(begun);
    // 100 redraws are at least 10 seconds; 5 % of them are 500 ms.
    expect((user + system) / 1_000).to.be.below(500);
  });
});
