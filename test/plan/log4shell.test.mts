import { expect } from 'chai';
import type { Answer } from '../../lib/plan/model.mts';
import { judgeLog4Shell, NO_LOOKUPS } from '../../lib/plan/log4shell.mts';

const jars = (...value: string[]): Answer<readonly string[]> => ({ kind: 'known', value });

describe('Log4Shell', () => {
  const cases: readonly [string, readonly string[] | undefined, Answer<readonly string[]>, RegExp | undefined][] = [
    ['off and taken out', ['java', NO_LOOKUPS, 'x.Main'], jars(), undefined],
    ['a jar that has the class', ['java', NO_LOOKUPS], jars('lib/log4j-core-2.11.1.jar'), /^the class in lib\/log4j-core-2\.11\.1\.jar; run the role again/],
    ['a process without the option', ['java', '-Xmx1g'], jars(), /^a process without the option; .*writes jvm\.options/],
    ['the option undone by a later one', [NO_LOOKUPS, '-Dlog4j2.formatMsgNoLookups=false'], jars(), /^a process with -D.*=false/],
    ['the option done after all', ['-Dlog4j2.formatMsgNoLookups=false', NO_LOOKUPS], jars(), undefined],
    ['no process', undefined, jars(), /^no process/],
    ['jars that cannot be read', [NO_LOOKUPS], { kind: 'unavailable', reason: 'grep: ./a.jar: Permission denied' }, /Permission denied; .*ansible_become/],
  ];
  for (const [what, argv, found, wrong] of cases) {
    it(`${what}: ${wrong === undefined ? 'passes' : 'fails'}`, () => {
      const judgement = judgeLog4Shell(argv, found, '/opt/x/current');
      if (wrong === undefined) expect(judgement.kind).to.equal('pass');
      else expect(judgement.kind === 'fail' ? `${judgement.found}; ${judgement.hint}` : 'passed').to.match(wrong);
    });
  }
});
