import { expect } from 'chai';
import { kqlToQuery, KqlSyntaxError, parseKql } from '../../lab/stand-ins/kibana/src/query/kql.mts';
import { parseRison, toRison } from '../../lab/stand-ins/kibana/src/query/rison.mts';
import { searchQuery } from '../../lab/stand-ins/kibana/src/query/search-source.mts';
import { fixed, instant, intervalOf, nearInterval } from '../../lab/stand-ins/kibana/src/query/time.mts';

const oneOf = (...should: readonly object[]) => ({ bool: { should, minimum_should_match: 1 } });
const match = (field: string, value: string) => oneOf({ match: { [field]: value } });
const phrase = (field: string, value: string) => oneOf({ match_phrase: { [field]: value } });
const wildcard = (field: string, query: string) => oneOf({ query_string: { fields: [field], query } });

describe("the Kibana stand-in's query language", () => {
  const cases: readonly (readonly [name: string, kql: string, query: object])[] = [
    ['nothing', ' ', { match_all: {} }],
    ['a field', 'broker: broker-01', match('broker', 'broker-01')],
    ['blanks around the colon', 'broker : broker-01 ', match('broker', 'broker-01')],
    ['a value of several words', 'message: connection refused', match('message', 'connection refused')],
    ['quotation marks', 'metric : "a.b \\"c\\""', phrase('metric', 'a.b "c"')],
    ['a wildcard', 'metric: Broker*.In-Sec', wildcard('metric', 'Broker*.In\\-Sec')],
    ['an escaped star', 'metric: a\\*b', match('metric', 'a*b')],
    ['that a field exists', 'broker: *', oneOf({ exists: { field: 'broker' } })],
    ['everything', '*', { match_all: {} }],
    ['a value of any field', '"broker01.X"', { multi_match: { type: 'phrase', query: 'broker01.X', lenient: true } }],
    ['words of any field', 'refused', { multi_match: { type: 'best_fields', query: 'refused', lenient: true } }],
    ['fields by a wildcard', 'metric*: x', { multi_match: { type: 'best_fields', fields: ['metric*'], query: 'x', lenient: true } }],
    [
      'or between quoted values',
      '"a.b" or "c.d"',
      oneOf({ multi_match: { type: 'phrase', query: 'a.b', lenient: true } }, { multi_match: { type: 'phrase', query: 'c.d', lenient: true } }),
    ],
    ['and before or', 'a: 1 or b: 2 AND c: 3', oneOf(match('a', '1'), { bool: { filter: [match('b', '2'), match('c', '3')] } })],
    ['parentheses', '(a: 1 or b: 2) and c: 3', { bool: { filter: [oneOf(match('a', '1'), match('b', '2')), match('c', '3')] } }],
    ['not', 'not a: 1 and b: 2', { bool: { filter: [{ bool: { must_not: match('a', '1') } }, match('b', '2')] } }],
    ['words within values', 'a: brand or b: northern', oneOf(match('a', 'brand'), match('b', 'northern'))],
    ['values in parentheses', 'a: (x or "y z")', oneOf(match('a', 'x'), phrase('a', 'y z'))],
    ['not among values', 'a: (not x)', { bool: { must_not: match('a', 'x') } }],
    ['a range', 'value >= 5 and value < 10', { bool: { filter: [oneOf({ range: { value: { gte: '5' } } }), oneOf({ range: { value: { lt: '10' } } })] } }],
  ];
  for (const [name, kql, query] of cases) it(`asks for ${name}`, () => expect(kqlToQuery(parseKql(kql))).to.deep.equal(query));

  for (const [name, kql, position] of [
    ['a field without a value', 'broker: ', 8],
    ['a parenthesis without an end', '(a: 1', 5],
    ['a quotation mark without an end', 'a: "b', 5],
    ['a word that joins nothing', 'a: 1 and ', 9],
  ] as const) {
    it(`refuses ${name}, and says where`, () => {
      expect(() => parseKql(kql))
        .to.throw(KqlSyntaxError, /^Expected .* but /)
        .with.property('position', position);
    });
  }
});

describe("the Kibana stand-in's search", () => {
  it('joins queries, filters and time', () => {
    const query = searchQuery({
      queries: [{ language: 'kuery', query: 'a: 1' }, { language: 'lucene', query: 'b:2' }, undefined, { language: 'kuery', query: '' }],
      filters: [
        { meta: { disabled: false, negate: false, key: 'broker' }, $state: { store: 'appState' }, query: { match_phrase: { broker: 'b1' } } },
        { meta: { negate: true }, exists: { field: 'x' } },
        { meta: { disabled: true }, exists: { field: 'y' } },
      ],
      time: { field: '@timestamp', span: { from: 0, to: 60_000 } },
    });
    expect(query).to.deep.equal({
      bool: {
        must: [],
        filter: [
          match('a', '1'),
          { query_string: { query: 'b:2', analyze_wildcard: true, time_zone: 'UTC' } },
          { match_phrase: { broker: 'b1' } },
          { range: { '@timestamp': { gte: '1970-01-01T00:00:00.000Z', lte: '1970-01-01T00:01:00.000Z', format: 'strict_date_optional_time' } } },
        ],
        should: [],
        must_not: [{ exists: { field: 'x' } }],
      },
    });
  });
});

describe("the Kibana stand-in's time", () => {
  const now = Date.parse('2026-03-18T10:20:30.400Z');
  for (const [text, isEnd, found] of [
    ['now', false, '2026-03-18T10:20:30.400Z'],
    ['now-15m', false, '2026-03-18T10:05:30.400Z'],
    ['now/d', false, '2026-03-18T00:00:00.000Z'],
    ['now/d', true, '2026-03-18T23:59:59.999Z'],
    ['now-1d/w', false, '2026-03-16T00:00:00.000Z'],
    ['now-1M', false, '2026-02-18T10:20:30.400Z'],
    ['2026-03-01T00:00:00.000Z', false, '2026-03-01T00:00:00.000Z'],
  ] as const) {
    it(`reads ${text} as ${isEnd ? 'an end' : 'a beginning'}`, () => expect(new Date(instant(text, now, isEnd)).toISOString()).to.equal(found));
  }
  for (const text of ['yesterday', 'now-', 'now-5', 'now|d'])
    it(`refuses ${text}`, () => expect(() => instant(text, now, false)).to.throw('is no point in time'));

  it('makes about as many columns as asked for', () => {
    const minutes = (count: number) => ({ from: 0, to: count * 60_000 });
    expect([15, 60, 1440].map((count) => fixed(nearInterval(minutes(count), 50)))).to.deep.equal(['30s', '1m', '30m']);
    expect(fixed(intervalOf('10s', minutes(15), 50))).to.equal('10s');
    expect(fixed(intervalOf('>=1m', minutes(15), 50))).to.equal('1m');
    expect(fixed(intervalOf('m', minutes(15), 50))).to.equal('1m');
  });
});

describe("the Kibana stand-in's addresses", () => {
  it('read what Kibana writes', () => {
    expect(
      parseRison("(filters:!((meta:(disabled:!f,key:broker),query:(match_phrase:(broker:'broker-01')))),time:(from:now-1h,to:now),n:!n,x:-1.5)"),
    ).to.deep.equal({
      filters: [{ meta: { disabled: false, key: 'broker' }, query: { match_phrase: { broker: 'broker-01' } } }],
      time: { from: 'now-1h', to: 'now' },
      n: null,
      x: -1.5,
    });
  });

  it('are read back as they were written', () => {
    const value = { "it's!": ['a b', true, false, null, 1.5, { 한글: '', nested: [] }], from: 'now-1h' };
    expect(parseRison(toRison(value))).to.deep.equal(value);
  });

  it('refuse what is cut off', () => expect(() => parseRison('(a:!(1,2)')).to.throw('invalid rison'));
});
