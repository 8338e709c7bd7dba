import { expect } from 'chai';
import { judgeExposure } from '../../lib/plan/exposure.mts';
import type { Listener } from '../../lib/plan/model.mts';
import type { ListeningSocket } from '../../lib/plan/questions.mts';

const listener = (name: string, port: number, exposure?: 'public'): Listener => ({
  name,
  port,
  address: '10.0.0.5',
  from: [],
  process: name,
  ...(exposure === undefined ? {} : { exposure }),
});
const DECLARED = [listener('http', 9200), listener('jmx', 9999)];
const on = (address: string, port: number): ListeningSocket => ({ address, port, process: 'java', pid: 7 });

describe('exposure', () => {
  const cases: readonly [string, readonly ListeningSocket[], RegExp | undefined, (readonly Listener[])?][] = [
    ['the private address', [on('10.0.0.5', 9200), on('::ffff:10.0.0.5', 9999)], undefined],
    ['a loopback address', [on('127.86.0.11', 9200), on('::1', 9999)], undefined],
    ['nobody at all', [], undefined],
    ['all addresses', [on('0.0.0.0', 9200)], /^http on 0\.0\.0\.0:9200 by java \(pid 7\)$/],
    ['all addresses, as ss writes it', [on('*', 9999)], /^jmx on \*:9999/],
    ['all addresses of IPv6', [on('::', 9200)], /^http on :::9200/],
    ['an address of the internet', [on('203.0.113.9', 9200)], /^http on 203\.0\.113\.9:9200/],
    ['an address of the internet, mapped', [on('::ffff:203.0.113.9', 9200)], /^http on 203\.0\.113\.9:9200/],
    ['both', [on('10.0.0.5', 9200), on('203.0.113.9', 9200), on('*', 9999)], /^http on 203.*, jmx on \*/],
    ['another port of another process', [on('*', 22), on('*', 41234)], undefined],
    ['what the inventory opens', [on('*', 5601)], undefined, [listener('kibana', 5601, 'public')]],
    ['only what the inventory opens', [on('*', 5601), on('*', 9200)], /^http on \*:9200/, [...DECLARED, listener('kibana', 5601, 'public')]],
  ];
  for (const [what, sockets, wrong, declared = DECLARED] of cases) {
    it(`${what}: ${wrong === undefined ? 'passes' : 'fails'}`, () => {
      const judgement = judgeExposure(sockets, declared);
      if (wrong === undefined) expect(judgement.kind).to.equal('pass');
      else expect(judgement.kind === 'fail' ? judgement.found : 'passed').to.match(wrong);
    });
  }
  it('says what is open on purpose', () => {
    expect(judgeExposure([on('*', 5601)], [listener('kibana', 5601, 'public')])).to.deep.equal({
      kind: 'pass',
      found: 'kibana 5601 (public, as the inventory says)',
    });
  });
});
