import { expect } from 'chai';
import * as judge from '../../../roles/logstash/judge.mts';

const unit = { activeState: 'active', subState: 'running', result: 'success', execMainStatus: 0, nRestarts: 0, mainPid: 7 };
const stats = (out: number, name = 'main'): judge.Said<judge.Stats> => ({ kind: 'said', value: { pipelines: { [name]: { events: { in: out + 1, out } } } } });
const silent = { kind: 'silent', why: 'Connection refused' } as const;

describe('judgements about an instance of Logstash', () => {
  it('a crash loop is not alive, also while it looks so', () => {
    expect(judge.alive('l.service', unit, unit)).to.deep.equal({ kind: 'pass', found: 'pid 7' });
    expect(judge.alive('l.service', { ...unit, activeState: 'activating', subState: 'auto-restart', result: 'exit-code', execMainStatus: 1 }, unit)).to.include(
      {
        kind: 'fail',
        found: 'it ended: exit-code, exit status 1',
        final: true,
      },
    );
    expect(judge.alive('l.service', { ...unit, activeState: 'failed' }, unit)).to.include({ kind: 'fail', final: true });
    expect(judge.alive('l.service', { ...unit, nRestarts: 2 }, unit)).to.include({
      kind: 'fail',
      found: 'it was started again 2 times meanwhile',
      final: true,
    });
    expect(judge.alive('l.service', { ...unit, nRestarts: 2 }, { ...unit, nRestarts: 2 })).to.include({ kind: 'pass' });
    expect(judge.alive('l.service', { ...unit, activeState: 'inactive' }, unit)).to.include({ kind: 'fail', found: 'inactive' });
  });

  it('an answer is Logstash’s, or it is none', () => {
    const answered = (status: number, body: string) => judge.said({ kind: 'answered', status, body }, judge.rootSchema);
    expect(answered(200, '{"version":"7.10.2","http_address":"10.0.0.1:9600","more":1}')).to.deep.equal({
      kind: 'said',
      value: { version: '7.10.2', http_address: '10.0.0.1:9600' },
    });
    for (const [status, body] of [
      [200, '{}'],
      [200, 'hello'],
      [503, '{"version":"7.10.2","http_address":"a"}'],
    ] as const)
      expect(answered(status, body)).to.include({ kind: 'silent' });
    expect(judge.said({ kind: 'refused', reason: 'Connection refused' }, judge.rootSchema)).to.deep.equal(silent);
  });

  it('the version is the wanted one', () => {
    const root = (version: string) => ({ kind: 'said', value: { version, http_address: '10.0.0.1:9600' } }) as const;
    expect(judge.version(root('7.10.2'), '7.10.2')).to.deep.equal({ kind: 'pass', found: 'Logstash 7.10.2 at 10.0.0.1:9600' });
    expect(judge.version(root('7.15.0'), '7.10.2')).to.include({ kind: 'fail', found: '7.15.0' });
    expect(judge.version(silent, '7.10.2')).to.include({ kind: 'fail', found: 'Connection refused' });
  });

  it('the pipeline is there', () => {
    expect(judge.pipeline(stats(0))).to.include({ kind: 'pass' });
    expect(judge.pipeline(stats(0, 'other'))).to.include({ kind: 'fail', found: 'other' });
    expect(judge.pipeline({ kind: 'said', value: { pipelines: {} } })).to.include({ kind: 'fail', found: 'none' });
  });

  const growth: readonly (readonly [string, judge.Said<judge.Stats>, judge.Said<judge.Stats>, string | undefined, 'pass' | 'fail', string])[] = [
    ['grown', stats(9), stats(5), undefined, 'pass', '10 in, 9 out'],
    ['standing still', stats(5), stats(5), undefined, 'fail', 'still 5 out, 6 in'],
    ['started anew in between', stats(3), stats(5), undefined, 'pass', '4 in, 3 out'],
    ['silent before', stats(3), silent, undefined, 'pass', '4 in, 3 out'],
    ['nothing yet', stats(0), silent, undefined, 'fail', 'still 0 out, 1 in'],
    ['silent now', silent, stats(5), undefined, 'fail', 'Connection refused'],
    ['idle with a reason', stats(5), stats(5), 'the file is sent', 'pass', '5 out: the file is sent'],
  ];
  for (const [what, now, first, idle, kind, found] of growth) {
    it(`events: ${what}`, () => {
      expect(judge.growing(now, first, idle)).to.include({ kind, found });
    });
  }
});
