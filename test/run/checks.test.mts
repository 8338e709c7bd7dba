import { expect } from 'chai';
import type { Ask, Check, Question, Raw } from '../../lib/plan/model.mts';
import { controllerOutput } from '../../lib/plan/questions.mts';
import { settle, type Asker } from '../../lib/run/checks.mts';
import { Answers } from '../../lib/run/answers.mts';

/** Answers an ask by the next of its texts, and notes what was asked. */
class Scripted implements Asker {
  readonly answers = new Answers();
  readonly log: string[] = [];
  readonly #texts: Readonly<Record<string, readonly string[]>>;
  readonly #asked = new Map<string, number>();

  constructor(texts: Readonly<Record<string, readonly string[]>>) {
    this.#texts = texts;
  }
  know(asks: readonly Ask[]): Promise<void> {
    return this.refresh(this.answers.missing(asks));
  }
  refresh(asks: readonly Ask[]): Promise<void> {
    this.answers.record(new Map(asks.map((ask): [Ask, Raw] => [ask, this.#answer(ask)])));
    return Promise.resolve();
  }
  #answer(ask: Ask): Raw {
    const what = ask.at === 'controller' ? ask.argv.join(' ') : ask.key;
    this.log.push(what);
    const times = this.#asked.get(what) ?? 0;
    this.#asked.set(what, times + 1);
    const stdout = this.#texts[what]?.[times] ?? this.#texts[what]?.at(-1) ?? '';
    return { kind: 'value', bytes: Buffer.from(JSON.stringify({ code: 0, stdout, stderr: '' })) };
  }
}

const says = (...argv: [string, ...string[]]): Question<string> => controllerOutput(argv).map(({ stdout }) => stdout);
const patience = { patient: true, signal: new AbortController().signal };
const retry = { everyMs: 1, deadlineMs: 1000 };

describe('checks', () => {
  it('look closer by what the first answer says, and are judged by that', async () => {
    const asker = new Scripted({ where: ['a', 'b'], 'at a': ['not yet'], 'at b': ['there'] });
    const check: Check<string> = {
      id: 'there',
      ask: says('where'),
      closer: (where) => says('at', where),
      judge: (found) => (found === 'there' ? { kind: 'pass', found } : { kind: 'fail', expected: 'there', found, hint: 'wait' }),
      retry,
    };
    const [result] = await settle([check], asker, patience);
    expect(result?.outcome).to.deep.equal({ kind: 'pass', found: 'there' });
    expect(asker.log).to.deep.equal(['where', 'at a', 'where', 'at b']);
  });

  it('may have nothing to judge, which nobody waits for and what needs it does not come to', async () => {
    const asker = new Scripted({ where: ['nowhere'] });
    const none: Check<string> = { id: 'none', ask: says('where'), judge: (where) => ({ kind: 'skipped', because: `it is ${where}` }), retry };
    const after: Check<string> = { id: 'after', needs: ['none'], ask: says('where'), judge: (found) => ({ kind: 'pass', found }), retry };
    const results = await settle([none, after], asker, patience);
    expect(results.map(({ outcome }) => outcome)).to.deep.equal([
      { kind: 'skipped', because: 'it is nowhere' },
      { kind: 'skipped', because: 'none' },
    ]);
    expect(asker.log).to.deep.equal(['where']);
  });
});
