import { expect } from 'chai';
import { writerOf } from '../../lib/report/output.mts';
import { profileReporter } from '../../lib/report/profile.mts';
import { FakeClock, FakeOutput, stamped, START, type Recorded } from './support.mts';

const begin = (hosts: readonly string[]): readonly Recorded[] => [
  { kind: 'run.start', run: 'r', playbook: 'site', mode: 'apply', inventory: ['lab.yaml'], hosts, roles: ['kafka'] },
  { kind: 'stage.start', index: 0, hosts, roles: ['kafka'], after: 20 },
];
const end: readonly Recorded[] = [
  { kind: 'host.end', host: 'a', connectMs: 1, roundTrips: 2, bytesSent: 3, bytesReceived: 4, after: 0 },
  { kind: 'run.end', exitCode: 0, ms: 1, notAttempted: [], after: 60 },
];

/** The process began 400 ms and turned to the inventory 100 ms before the first event; the profile is asked for 30 ms after the last. */
async function profiled(bodies: readonly Recorded[]): Promise<readonly string[]> {
  const [output, clock] = [new FakeOutput(), new FakeClock()];
  const beginning = { process: START - 400, inventory: START - 100, usage: () => ({ cpuMs: 450, peakBytes: 110_400_000 }) };
  const reporter = profileReporter(writerOf(output), beginning, { colour: false, unicode: true }, clock);
  const events = stamped(bodies);
  for (const event of events) reporter.accept(event);
  clock.advance(Date.parse(events.at(-1)?.at ?? '') - START + 30);
  await reporter.close();
  return output.text.split('\n').filter((line) => line !== '');
}

describe('the profile of a run', () => {
  it('says how long each phase lasted, and which host was in it longest with what', async () => {
    const lines = await profiled([
      ...begin(['a', 'b']),
      { kind: 'host.connecting', host: 'a', after: 0 },
      { kind: 'host.connecting', host: 'b', after: 100 },
      { kind: 'host.connected', host: 'a', ms: 300, after: 200 },
      { kind: 'host.connected', host: 'b', ms: 500, after: 300 },
      { kind: 'host.asked', host: 'a', questions: 14, ms: 50, after: 50 },
      { kind: 'step.start', host: 'a', role: 'kafka', resource: 'file /small', after: 0 },
      { kind: 'step.end', host: 'a', role: 'kafka', resource: 'file /small', ok: true, ms: 100, after: 100 },
      { kind: 'step.start', host: 'a', role: 'kafka', resource: 'archive /large', after: 0 },
      { kind: 'step.end', host: 'a', role: 'kafka', resource: 'archive /large', ok: true, ms: 900, after: 900 },
      ...end,
    ]);
    expect(lines).to.deep.equal([
      'PROFILE  2.2s, 450 ms of it computing, 110 MB at most',
      '  start-up    320 ms',
      '  inventory   100 ms',
      // From the first host's beginning to the last one's end, not the sum of both.
      '  connect     600 ms   800 ms of all hosts, slowest b 500 ms',
      '  ask          50 ms    50 ms of all hosts, slowest a 50 ms (14 questions)',
      '  apply         1.0s     1.0s of all hosts, slowest a 1.0s (archive /large)',
      '  close        60 ms',
      '  report       30 ms',
      '  slowest hosts',
      '  a     1.4s  connect 300 ms, ask 50 ms, apply 1.0s',
      '  b   500 ms  connect 500 ms',
    ]);
  });
  it('counts the questions of a check that is waited for as verification, once', async () => {
    const waiting = (attempt: number, after: number): Recorded => ({
      ...{ kind: 'waiting', host: 'a', role: 'kafka', what: 'verify', check: 'moving', found: 'nothing', attempt, after },
    });
    const lines = await profiled([
      ...begin(['a']),
      waiting(1, 0),
      { kind: 'host.asked', host: 'a', questions: 2, ms: 40, after: 500 },
      waiting(2, 0),
      { kind: 'host.asked', host: 'a', questions: 2, ms: 40, after: 500 },
      { kind: 'check.result', host: 'a', role: 'kafka', check: 'moving', outcome: { kind: 'pass', found: 'it moves' }, after: 0 },
      ...end,
    ]);
    expect(lines.filter((line) => /^ {2}(ask|verify) /.test(line))).to.deep.equal(['  verify        1.0s     1.0s of all hosts, slowest a 1.0s (moving)']);
  });
  it('ends a phase with the host that failed in it', async () => {
    const lines = await profiled([
      ...begin(['a']),
      { kind: 'host.connecting', host: 'a', after: 0 },
      { kind: 'host.failed', host: 'a', error: { kind: 'unreachable', short: 'no answer', message: 'no answer' }, after: 700 },
      ...end,
    ]);
    expect(lines.find((line) => line.includes('connect '))).to.equal('  connect     700 ms   700 ms of all hosts, slowest a 700 ms');
  });
  it('has a run that ended before it began in its first two phases', async () => {
    const lines = await profiled([
      { kind: 'run.start', run: 'r', playbook: 'site', mode: 'check', inventory: [], hosts: [], roles: [] },
      { kind: 'run.failed', error: { kind: 'usage', short: 'wrong', message: 'wrong' } },
      { kind: 'run.end', exitCode: 4, ms: 1, notAttempted: [] },
    ]);
    expect(lines.map((line) => line.trim().split(' ')[0])).to.deep.equal(['PROFILE', 'start-up', 'inventory', 'report']);
  });
});
