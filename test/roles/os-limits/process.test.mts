import { expect } from 'chai';
import type { Judgement } from '../../../lib/index.mts';
import { judgeLimits } from '../../../roles/os-limits/contract.mts';

const passes = (judgement: Judgement, found?: RegExp): void => {
  expect(judgement.kind, JSON.stringify(judgement)).to.equal('pass');
  if (found !== undefined) expect(judgement.found).to.match(found);
};
const fails = (judgement: Judgement, found: RegExp): void => {
  expect(judgement.kind, JSON.stringify(judgement)).to.equal('fail');
  expect(JSON.stringify(judgement)).to.match(found);
};

describe('limits of the process', () => {
  const have = (nofile: number, nproc = 4096, memlock = 65536) => ({
    nofile: { soft: nofile, hard: nofile },
    nproc: { soft: nproc, hard: nproc },
    memlock: { soft: memlock, hard: memlock },
  });
  const want = { nofile: 70000, nproc: 4096, memoryLock: false };
  it('are at least the declared ones', () => {
    passes(judgeLimits(have(70000), want, 'elasticsearch'));
    passes(judgeLimits(have(Infinity, Infinity), want, 'elasticsearch'), /unlimited/);
    fails(judgeLimits(have(20000), want, 'elasticsearch'), /20000 open files.*systemd lowers it silently/);
    fails(judgeLimits(have(20000), want, 'elasticsearch'), /was started before the limit was raised \(restart elasticsearch\)/);
    fails(judgeLimits(have(NaN), want, 'elasticsearch'), /unknown/);
    fails(judgeLimits(have(70000), { ...want, memoryLock: true }, 'elasticsearch'), /65536 locked/);
    passes(judgeLimits(have(70000, 4096, Infinity), { ...want, memoryLock: true }, 'elasticsearch'));
    fails(judgeLimits(undefined, want, 'elasticsearch'), /no process/);
  });
});
