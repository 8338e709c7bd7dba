import { expect } from 'chai';
import { writerOf } from '../../lib/report/output.mts';
import { plainReporter } from '../../lib/report/plain.mts';
import type { Verbosity } from '../../lib/report/finale.mts';
import { FakeClock, FakeOutput, stamped, type Recorded } from './support.mts';

const of = { host: 'es-01', role: 'elasticsearch', resource: 'archive /opt/es' };
const begin: Recorded = { kind: 'run.start', run: 'r', playbook: 'site', mode: 'apply', inventory: ['lab.yaml'], hosts: ['es-01'], roles: ['elasticsearch'] };

function plain(verbosity: Verbosity = 0) {
  const output = new FakeOutput();
  const clock = new FakeClock();
  const reporter = plainReporter(writerOf(output), { look: { colour: false, unicode: true }, diff: false, verbosity }, clock);
  const accept = (...bodies: Recorded[]): void => {
    for (const event of stamped(bodies)) reporter.accept({ ...event, at: new Date(clock.now()).toISOString() });
  };
  return { output, clock, reporter, accept };
}

describe('plain lines', () => {
  it('give a sign of life every 10 seconds of a long step, and none of a short one', async () => {
    const { output, clock, reporter, accept } = plain();
    accept(begin, { kind: 'step.start', ...of });
    clock.advance(9_000);
    accept({ kind: 'step.progress', ...of, done: 12_300_000, total: 31_000_000 });
    expect(output.text.split('\n')).to.have.length(2);
    clock.advance(1_000);
    accept({ kind: 'step.progress', ...of, done: 20_000_000, total: 31_000_000 });
    clock.advance(10_000);
    expect(output.text.split('\n').slice(1, 3)).to.deep.equal([
      '▸ es-01  elasticsearch  archive /opt/es 12.3/31.0 MB 10s',
      '▸ es-01  elasticsearch  archive /opt/es 20.0/31.0 MB 20s',
    ]);
    await reporter.close();
    expect(clock.pending).to.equal(0);
  });
  it('say what is waited for and what was last found', () => {
    const { output, clock, accept } = plain();
    const waiting = (attempt: number, found: string): Recorded => ({
      kind: 'waiting',
      host: 'es-01',
      role: 'elasticsearch',
      what: 'gate',
      check: 'cluster-health',
      attempt,
      found,
    });
    accept(begin, waiting(1, 'red'));
    clock.advance(5_000);
    accept(waiting(2, 'yellow'));
    clock.advance(5_000);
    expect(output.text.split('\n').slice(1, 3)).to.deep.equal([
      '▸ es-01  elasticsearch  gate cluster-health: red',
      '▸ es-01  elasticsearch  gate cluster-health 10s (yellow)',
    ]);
  });
  it('take the loss of a part for a change of the whole, and not for its end', async () => {
    const { output, reporter, accept } = plain();
    const gone = (resource: string, field: string): Recorded => ({
      kind: 'resource.verdict',
      host: 'es-01',
      role: 'elasticsearch',
      resource,
      verdict: { kind: 'changed', changes: [{ field, from: { kind: 'text', text: 'present' }, to: { kind: 'absent' } }] },
    });
    accept(begin, gone('directory /etc/conf.d', 'entry broker-03.conf'), gone('absent /etc/old', 'exists'), {
      kind: 'run.end',
      exitCode: 0,
      ms: 1,
      notAttempted: [],
    });
    await reporter.close();
    expect(output.text).to.include('  ~ directory /etc/conf.d').and.to.include('  - absent /etc/old');
  });
  it('are silent with -q but for failures', () => {
    const { output, clock, accept } = plain(-1);
    accept(begin, { kind: 'notice', text: 'hello' }, { kind: 'step.start', ...of });
    clock.advance(60_000);
    expect(output.text).to.equal('');
    accept({ kind: 'role.failed', host: 'es-01', role: 'elasticsearch', error: { kind: 'timeout', short: 'no answer', message: 'no answer' } });
    expect(output.text).to.equal('✗ es-01  elasticsearch  failed: no answer\n');
  });
});
