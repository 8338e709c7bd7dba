import { expect } from 'chai';
import { z } from 'zod';
import { judgeAnswer, judgeDocuments, judgeRemains, stale, type Arrived, type Documents } from '../../../roles/logstash-jmx/documents.mts';
import { readReply } from '../../../roles/logstash-jmx/elasticsearch.mts';
import { judgeMapping, type Mapping } from '../../../roles/logstash-jmx/mapping.mts';

const NOW = 1_700_000_000_000;
const arrived = (ages: Readonly<Record<string, number>>): Arrived => ({
  documents: 42,
  newest: new Map(Object.entries(ages).map(([metric, age]) => [metric, NOW - age])),
});
const documents = (of: Readonly<Record<string, Arrived>>): Documents => ({ now: NOW, reply: { kind: 'said', value: new Map(Object.entries(of)) } });
const expectation = { alias: 'b1', metrics: ['A', 'B', 'C', 'D', 'E'], within: 9, hint: 'do this' };
const fresh = { A: 1000, B: 1200, C: 1400, D: 8999, E: 9000 };

describe('documents of a JVM', () => {
  const table: readonly (readonly [string, Documents, 'pass' | 'fail', string])[] = [
    ['all fresh', documents({ b1: arrived({ ...fresh, Lag: 99_000 }) }), 'pass', '6 metrics, newest 1.0 s old, 42 documents in 10 minutes'],
    ['none at all', documents({ b2: arrived(fresh) }), 'fail', 'no document of b1 in the last 10 minutes'],
    ['all old', documents({ b1: arrived({ A: 10_000, B: 40_000, C: 40_000, D: 40_000, E: 40_000 }) }), 'fail', 'the newest document of b1 is 10.0 s old'],
    ['one old', documents({ b1: arrived({ ...fresh, E: 9001 }) }), 'fail', 'nothing fresh of E'],
    ['several missing', documents({ b1: arrived({ A: 1000 }) }), 'fail', 'nothing fresh of B, C, D and 1 more'],
    ['no Elasticsearch', { now: NOW, reply: { kind: 'silent', why: 'Connection refused' } }, 'fail', 'no answer of Elasticsearch: Connection refused'],
  ];
  for (const [what, given, kind, found] of table) {
    it(what, () => {
      expect(judgeDocuments(given, expectation)).to.include({ kind, found, ...(kind === 'fail' ? { hint: 'do this' } : {}) });
    });
  }
  it('names that are gone from the inventory are told', () => {
    expect(judgeRemains(documents({ b1: arrived(fresh), old: arrived(fresh) }), ['b1'])).to.include({
      kind: 'pass',
      found: 'old: not asked any more, what was collected goes with its indices',
    });
    expect(judgeRemains(documents({ b1: arrived(fresh) }), ['b1', 'b2'])).to.include({ kind: 'pass', found: 'none' });
  });
  it('Elasticsearch answers first', () => {
    expect(judgeAnswer(documents({}), 'do that')).to.include({ kind: 'pass' });
    expect(judgeAnswer({ now: NOW, reply: { kind: 'silent', why: 'refused' } }, 'do that')).to.include({ kind: 'fail', found: 'refused' });
  });
  it('what cannot be asked is not called stale', () => {
    expect(stale({ now: NOW, reply: { kind: 'silent', why: 'x' } }, expectation)).to.deep.equal([]);
  });
});

describe('what Elasticsearch said', () => {
  const read = (code: number, printed: string) => readReply(code, printed, z.object({ a: z.int() }));
  it('is read by its status and its shape', () => {
    expect(read(0, '{"a":1}\n200')).to.deep.equal({ kind: 'said', value: { a: 1 } });
    expect(read(0, '{"b":1}\n200')).to.deep.equal({ kind: 'silent', why: '200 with an unexpected body' });
    expect(read(0, 'hello\n502')).to.deep.equal({ kind: 'silent', why: '502 without JSON' });
    expect(read(0, '{"error":{"type":"x","reason":"why"},"status":400}\n400')).to.deep.equal({ kind: 'silent', why: '400 x: why' });
    expect(read(1, 'curl: (7) Failed to connect\n000')).to.deep.equal({ kind: 'silent', why: 'curl: (7) Failed to connect' });
  });
});

describe('the mapping of metrics', () => {
  const of = (types: Readonly<Record<string, string>>): Mapping[string] => ({
    mappings: Object.fromEntries(Object.entries(types).map(([field, type]) => [field, { mapping: { [field]: { type } } }])),
  });
  const right = { metric_value_number: 'double', broker: 'keyword', cluster: 'keyword', metric: 'keyword' };
  const judge = (mapping: Mapping) => judgeMapping({ kind: 'said', value: mapping });

  it('is right when every index has it', () => {
    expect(judge({ 'kafka_mon-2026.01.01': of(right), 'kafka_mon-2026.01.02': of(right) })).to.include({ kind: 'pass' });
  });
  it('names the index that was made before its template', () => {
    expect(judge({ 'kafka_mon-2026.01.01': of(right), 'kafka_mon-2026.01.02': of({ ...right, metric_value_number: 'long' }) })).to.include({
      kind: 'fail',
      found: 'kafka_mon-2026.01.02: metric_value_number is long',
    });
    expect(judge({ kafka_mon: of({ metric_value_number: 'double' }) })).to.include({
      kind: 'fail',
      found: 'kafka_mon: broker is not mapped; kafka_mon: cluster is not mapped; kafka_mon: metric is not mapped',
    });
  });
  it('needs an index', () => {
    expect(judge({})).to.include({ kind: 'fail', found: 'no index yet' });
    expect(judgeMapping({ kind: 'silent', why: 'x' })).to.include({ kind: 'fail' });
  });
});
