import { expect } from 'chai';
import { resourceId, roleName } from '../../lib/names.mts';
import type { Change, Raw, Resource, Verdict } from '../../lib/plan/model.mts';
import { constant, text } from '../../lib/plan/questions.mts';
import { disrupts, judge, withoutDisruption } from '../../lib/plan/verdict.mts';

const change = (field: string, more: Pick<Change, 'disrupts'> = {}): Change => ({ field, from: { kind: 'absent' }, to: { kind: 'text', text: 'x' }, ...more });
const resource = (id: string, differs: Resource['differs'] = constant([]), needs?: readonly string[]): Resource => ({
  id: resourceId(id),
  differs,
  ...(needs === undefined ? {} : { needs: needs.map(resourceId) }),
  apply: () => undefined,
});
const lost: Raw = { kind: 'unavailable', reason: 'the link was cut' };
const unread = text('/etc/x').map((): readonly Change[] => []);
const kinds = (resources: readonly Resource[]): readonly Verdict['kind'][] => judge(resources, () => lost).map(({ verdict }) => verdict.kind);

describe('verdicts', () => {
  it('nothing that differs is converged, anything is pending with its changes', () => {
    const [one, other] = judge([resource('one'), resource('other', constant([change('mode')]))], () => lost);
    expect(one?.verdict).to.deep.equal({ kind: 'converged' });
    expect(other?.verdict).to.deep.equal({ kind: 'pending', changes: [change('mode')] });
    expect(other?.resource.id).to.equal('other');
  });

  it('what could not be read has failed, and says what, why and what to do', () => {
    const [verdict] = judge([resource('file /etc/x', unread)], () => lost).map((judged) => judged.verdict);
    expect(verdict?.kind === 'failed' && verdict.error).to.deep.equal({
      kind: 'unreadable',
      short: 'file /etc/x: the link was cut',
      message: 'the state of file /etc/x could not be read: the link was cut',
      hint: 'nothing is assumed about what cannot be read; let the login user read it (ansible_become: true) or repair it, then run again',
    });
  });

  it('what it needs is converged, or it is unknown and names the first that is not', () => {
    const pending = constant([change('mode')]);
    expect(kinds([resource('a'), resource('b', pending, ['a'])])).to.deep.equal(['converged', 'pending']);
    const open = judge([resource('a', pending), resource('b', unread), resource('c', constant([]), ['b', 'a'])], () => lost);
    expect(open[2]?.verdict).to.deep.equal({ kind: 'unknown', because: 'b' });
    expect(kinds([resource('a', pending), resource('b', pending, ['a']), resource('c', constant([]), ['b'])]), 'through another one').to.deep.equal([
      'pending',
      'unknown',
      'unknown',
    ]);
  });

  it('what it needs and nobody has is not converged', () => {
    expect(judge([resource('a', constant([]), ['nobody'])], () => lost)[0]?.verdict).to.deep.equal({ kind: 'unknown', because: 'nobody' });
    expect(kinds([resource('later', constant([]), ['a']), resource('a')]), 'an order that is wrong').to.deep.equal(['unknown', 'converged']);
  });

  it('nothing is known of a role that waits for another', () => {
    const because = roleName('java');
    const found = judge([resource('a'), resource('b', constant([change('mode')]))], () => lost, because);
    expect(found.map(({ verdict }) => verdict)).to.deep.equal([
      { kind: 'unknown', because },
      { kind: 'unknown', because },
    ]);
  });

  it('two resources of one name are a bug of the role', () => {
    expect(() => judge([resource('a'), resource('a')], () => lost)).to.throw('two resources of one role are called "a"');
    expect(() => judge([resource('a'), resource('a')], () => lost))
      .to.throw()
      .with.nested.property('error.kind', 'bug');
  });

  it('one change that disrupts makes a verdict that disrupts; the others are left without it', () => {
    const changes = [change('heap'), change('restart', { disrupts: true })];
    expect(disrupts({ kind: 'pending', changes })).to.equal(true);
    expect(disrupts({ kind: 'pending', changes: [change('heap')] })).to.equal(false);
    expect(disrupts({ kind: 'converged' })).to.equal(false);
    expect(withoutDisruption(changes)).to.deep.equal([change('heap')]);
  });
});
