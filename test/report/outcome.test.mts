import { expect } from 'chai';
import type { ExitCode } from '../../lib/errors.mts';
import type { Mode } from '../../lib/report/events.mts';
import { exitCodeFor, hostOutcome, outcomeOf, summaryOf, type HostOutcome, type Outcome } from '../../lib/report/outcome.mts';
import { stateOf } from '../../lib/report/run-state.mts';
import { stamped, type Recorded } from './support.mts';

const of = { host: 'a', role: 'java' };
const pending: Recorded = {
  kind: 'resource.verdict',
  ...of,
  resource: 'package jre',
  verdict: { kind: 'pending', changes: [{ field: 'version', from: { kind: 'absent' }, to: { kind: 'text', text: '17' } }] },
};
const changed: Recorded = { ...pending, verdict: { ...pending.verdict, kind: 'changed' } } as Recorded;
const converged: Recorded = { kind: 'resource.verdict', ...of, resource: 'package jre', verdict: { kind: 'converged' } };
const unknown: Recorded = { kind: 'resource.verdict', ...of, resource: 'file /x', verdict: { kind: 'unknown', because: 'package jre' } };
const unreadable: Recorded = {
  kind: 'resource.verdict',
  ...of,
  resource: 'file /y',
  verdict: { kind: 'failed', error: { kind: 'unreadable', short: 'no', message: 'permission denied' } },
};
const check = (kind: 'pass' | 'fail' | 'unknown'): Recorded => ({
  kind: 'check.result',
  ...of,
  check: 'version',
  outcome:
    kind === 'pass' ? { kind, found: '17' } : kind === 'fail' ? { kind, expected: '17', found: '11', hint: 'install it' } : { kind, because: 'no answer' },
});
const hostFailed = (kind: 'unreachable' | 'auth' | 'refused' | 'locked' | 'lost' | 'bug'): Recorded => ({
  kind: 'host.failed',
  host: 'a',
  error: { kind, short: kind, message: kind },
});
const runFailed = (kind: 'interrupted' | 'usage'): Recorded => ({ kind: 'run.failed', error: { kind, short: kind, message: kind } });
const roleEnd = (verdict: 'converged' | 'pending' | 'unknown' | 'failed'): Recorded => ({ kind: 'role.end', ...of, verdict, ms: 1 });

const table: readonly {
  readonly name: string;
  readonly mode: Mode;
  readonly events: readonly Recorded[];
  readonly exit: ExitCode;
  readonly outcome: Outcome;
  readonly host: HostOutcome;
}[] = [
  { name: 'all in order', mode: 'apply', events: [converged, check('pass'), roleEnd('converged')], exit: 0, outcome: 'converged', host: 'converged' },
  { name: 'something changed', mode: 'apply', events: [changed], exit: 0, outcome: 'changed', host: 'changed' },
  { name: 'something would change', mode: 'check', events: [pending], exit: 2, outcome: 'drift', host: 'pending' },
  { name: 'something drifted', mode: 'drift', events: [pending, check('pass')], exit: 2, outcome: 'drift', host: 'pending' },
  { name: 'a host is still to be made', mode: 'check', events: [roleEnd('unknown')], exit: 2, outcome: 'drift', host: 'pending' },
  { name: 'unknown because of a pending change', mode: 'check', events: [pending, unknown], exit: 2, outcome: 'drift', host: 'pending' },
  { name: 'a check unknown because of a pending change', mode: 'drift', events: [pending, check('unknown')], exit: 2, outcome: 'drift', host: 'pending' },
  { name: 'a check that could not be read', mode: 'drift', events: [converged, check('unknown')], exit: 3, outcome: 'unreachable', host: 'unreachable' },
  {
    name: 'a check that could not be read after an apply',
    mode: 'apply',
    events: [changed, check('unknown')],
    exit: 3,
    outcome: 'unreachable',
    host: 'unreachable',
  },
  { name: 'unreadable outweighs a pending change', mode: 'check', events: [pending, unreadable], exit: 3, outcome: 'unreachable', host: 'unreachable' },
  {
    name: 'unreadable outweighs the failed role it makes',
    mode: 'drift',
    events: [unreadable, roleEnd('failed')],
    exit: 3,
    outcome: 'unreachable',
    host: 'unreachable',
  },
  { name: 'restart left pending on request', mode: 'apply', events: [pending], exit: 0, outcome: 'converged', host: 'pending' },
  { name: 'a failed verification outweighs drift', mode: 'drift', events: [pending, check('fail')], exit: 1, outcome: 'failed', host: 'failed' },
  { name: 'unreachable is never no drift', mode: 'drift', events: [hostFailed('unreachable')], exit: 3, outcome: 'unreachable', host: 'unreachable' },
  { name: 'login refused', mode: 'apply', events: [hostFailed('auth')], exit: 3, outcome: 'unreachable', host: 'unreachable' },
  { name: 'link lost in the middle', mode: 'apply', events: [changed, hostFailed('lost')], exit: 3, outcome: 'unreachable', host: 'unreachable' },
  { name: 'unknown host key', mode: 'apply', events: [hostFailed('refused')], exit: 5, outcome: 'refused', host: 'refused' },
  { name: 'locked by another run', mode: 'apply', events: [hostFailed('locked')], exit: 6, outcome: 'locked', host: 'locked' },
  { name: 'a bug outweighs everything of a host', mode: 'apply', events: [check('fail'), hostFailed('bug')], exit: 70, outcome: 'failed', host: 'failed' },
  {
    name: 'interrupted outweighs a failure',
    mode: 'apply',
    events: [check('fail'), runFailed('interrupted')],
    exit: 130,
    outcome: 'interrupted',
    host: 'failed',
  },
  { name: 'interrupted before the host', mode: 'apply', events: [runFailed('interrupted')], exit: 130, outcome: 'interrupted', host: 'not-attempted' },
  {
    name: 'observed only and not to be asked is not in order either',
    mode: 'check',
    events: [{ kind: 'host.skipped', host: 'a', because: 'connection refused' }],
    exit: 0,
    outcome: 'converged',
    host: 'not-attempted',
  },
  { name: 'wrong usage', mode: 'apply', events: [runFailed('usage')], exit: 4, outcome: 'failed', host: 'not-attempted' },
];

describe('exit code and outcome', () => {
  for (const { name, mode, events, exit, outcome, host } of table) {
    it(`${mode}: ${name} is ${String(exit)}`, () => {
      const state = stateOf(stamped([{ kind: 'run.start', run: 'r', playbook: 'site', mode, inventory: [], hosts: ['a'], roles: ['java'] }, ...events]));
      expect(exitCodeFor(state)).to.equal(exit);
      expect(outcomeOf(state)).to.equal(outcome);
      const only = [...state.hosts.values()][0];
      expect(only === undefined ? undefined : hostOutcome(only, state)).to.equal(host);
      const { hosts, changed, unchanged, pending, failed, unreachable, notAttempted } = summaryOf(state);
      expect(changed + unchanged + pending + failed + unreachable + notAttempted).to.equal(hosts);
    });
  }
});
