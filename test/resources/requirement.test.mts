import { expect } from 'chai';
import { constant, requirement } from '../../lib/index.mts';
import { applyOn, shells } from '../shell/hostlike.mts';

describe('a requirement', () => {
  const of = (missing: string | undefined) => requirement('java is there', { missing: constant(missing), hint: 'run the role java first' });
  const changes = (missing: string | undefined) => {
    const answer = of(missing).differs.read(() => ({ kind: 'absent' }));
    return answer.kind === 'known' ? answer.value : [];
  };

  it('that is met has nothing to do', () => {
    expect(changes(undefined)).to.deep.equal([]);
  });

  for (const shell of shells) {
    it(`that is not met ends the role with what to do first (${shell.name})`, () => {
      const ran = applyOn(shell, of("java isn't there"), changes("java isn't there"));
      expect(ran.code).to.equal(1);
      expect(ran.stderr).to.contain("java isn't there; run the role java first");
    });
  }
});
