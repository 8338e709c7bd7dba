import { expect } from 'chai';
import type { ResourceId } from '../../lib/names.mts';
import { stateOf, type ResourceState } from '../../lib/report/run-state.mts';
import { START, stamped, type Recorded } from './support.mts';

const of = { host: 'a', role: 'java' };
const value = (from: string, to: string) => [{ field: 'value', from: { kind: 'text', text: from } as const, to: { kind: 'text', text: to } as const }];
const verdict = (kind: 'pending' | 'changed', from: string, to: string): Recorded => ({
  kind: 'resource.verdict',
  ...of,
  resource: 'x',
  verdict: { kind, changes: value(from, to) },
});
const converged: Recorded = { kind: 'resource.verdict', ...of, resource: 'x', verdict: { kind: 'converged' } };
const applied: Recorded = { kind: 'step.end', ...of, resource: 'x', ok: true, ms: 1 };

const resourceAfter = (...events: Recorded[]): ResourceState | undefined => {
  const [host] = stateOf(stamped(events)).hosts.values();
  const [role] = host?.roles.values() ?? [];
  return role?.resources.get('x' as ResourceId);
};

describe('state of a run', () => {
  it('keeps a change although the resource is converged when asked again', () => {
    expect(resourceAfter(verdict('changed', '1', '2'), converged)).to.deep.include({
      verdict: { kind: 'changed', changes: value('1', '2') },
      changes: value('1', '2'),
    });
    expect(resourceAfter(verdict('pending', '1', '2'), applied, converged)?.verdict.kind).to.equal('changed');
  });
  it('takes a pending change back when something else put it right', () => {
    expect(resourceAfter(verdict('pending', '1', '2'), converged)).to.deep.include({ verdict: { kind: 'converged' }, changes: [] });
  });
  it('tells two changes of one field as one', () => {
    expect(resourceAfter(verdict('changed', '1', '2'), verdict('changed', '2', '3'))?.changes).to.deep.equal(value('1', '3'));
  });
  it('does not count hosts that are only asked as peers', () => {
    const state = stateOf(
      stamped([
        { kind: 'run.start', run: 'r', playbook: 'site', mode: 'apply', inventory: [], hosts: ['a'], roles: [] },
        { kind: 'host.connecting', host: 'peer' },
        { kind: 'host.connected', host: 'peer', ms: 3 },
      ]),
    );
    expect([...state.hosts.keys()]).to.deep.equal(['a']);
  });
  it('knows since when a host has been busy with what', () => {
    const state = stateOf(
      stamped([
        { kind: 'step.start', ...of, resource: 'archive' },
        { kind: 'step.progress', ...of, resource: 'archive', done: 5, total: 10, after: 3_000 },
      ]),
    );
    expect([...state.hosts.values()][0]?.activity).to.deep.equal({ role: 'java', what: 'archive', since: START, done: 5, total: 10 });
  });
  it('knows since when a new host lets nobody in, and what it said last', () => {
    const waiting = (attempt: number, found: string): Recorded => ({ kind: 'host.waiting', host: 'a', attempt, found });
    const start: Recorded = { kind: 'run.start', run: 'r', playbook: 'site', mode: 'apply', inventory: [], hosts: ['a'], roles: [] };
    const events = [start, waiting(1, 'connection refused'), { ...waiting(2, 'login refused'), after: 6_000 }];
    const busy = { what: 'waiting for ssh', since: START + 10, found: 'login refused', attempt: 2 };
    expect([...stateOf(stamped(events)).hosts.values()][0]?.activity).to.deep.equal(busy);
    const connected: Recorded = { kind: 'host.connected', host: 'a', ms: 3 };
    expect([...stateOf(stamped([...events, connected])).hosts.values()][0]?.activity).to.equal(undefined);
  });
});
