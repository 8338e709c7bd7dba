import { expect } from 'chai';
import type { JsonObject } from '../../lab/stand-ins/kibana/src/json.mts';
import { scale } from '../../lab/stand-ins/kibana/src/page/chart.mts';
import { html } from '../../lab/stand-ins/kibana/src/page/html.mts';
import { planAggs } from '../../lab/stand-ins/kibana/src/visualizations/aggs.mts';
import { pattern, seriesFormat } from '../../lab/stand-ins/kibana/src/visualizations/format.mts';
import { compile } from '../../lab/stand-ins/kibana/src/visualizations/math.mts';
import type { Context, IndexPattern } from '../../lab/stand-ins/kibana/src/visualizations/result.mts';
import { computed, planTsvb } from '../../lab/stand-ins/kibana/src/visualizations/tsvb.mts';

const PATTERN: IndexPattern = { id: 'p', title: 'kafka_mon*', timeField: '@timestamp', formats: { value: { id: 'bytes' } } };
const context: Context = {
  span: { from: 0, to: 900_000 },
  queries: [],
  filters: [],
  pattern: () => Promise.resolve(PATTERN),
  search: () => Promise.reject(new Error('none')),
};
const agg = (id: string, type: string, schema: string, params: object = {}) => ({ id, enabled: true, type, schema, params });
const AVERAGE = agg('1', 'avg', 'metric', { field: 'value' });
const OVER_TIME = agg('2', 'date_histogram', 'segment', { field: '@timestamp', interval: 'auto', min_doc_count: 1 });
const BY_BROKER = agg('3', 'terms', 'group', { field: 'broker', orderBy: '1', order: 'desc', size: 60 });
const visState = (type: string, aggs: readonly object[], params: object = {}) => JSON.parse(JSON.stringify({ type, aggs, params })) as JsonObject;
const plan = (state: JsonObject) => planAggs({ visState: state, searchSource: { query: { language: 'kuery', query: '' } } }, PATTERN, context);
const bucket = (key: string | number, value: number | null, more: object = {}) => ({ key, doc_count: 1, 1: { value }, ...more });

describe('an aggregation-based visualization', () => {
  it('asks in the order of its aggregations, with the metric to sort by at each terms', () => {
    const [search] = plan(visState('line', [AVERAGE, OVER_TIME, BY_BROKER])).searches;
    expect(search?.index).to.equal('kafka_mon*');
    expect(search?.body['aggs']).to.deep.equal({
      2: {
        date_histogram: { field: '@timestamp', fixed_interval: '30s', time_zone: 'UTC', min_doc_count: 1 },
        aggs: { 3: { terms: { field: 'broker', size: 60, order: { 1: 'desc' } }, aggs: { 1: { avg: { field: 'value' } } } } },
      },
    });
  });

  it('is a line for each term', () => {
    const result = plan(visState('line', [AVERAGE, OVER_TIME, BY_BROKER], { thresholdLine: { show: true, value: 10 } })).read([
      {
        aggregations: {
          2: {
            buckets: [
              { key: 0, 3: { buckets: [bucket('b1', 1), bucket('b2', 2)] } },
              { key: 30_000, 3: { buckets: [bucket('b2', null)] } },
            ],
          },
        },
      },
    ]);
    expect(result).to.deep.include({ kind: 'chart', look: 'line', stacked: false, threshold: 10 });
    expect(result.kind === 'chart' && result.series).to.deep.equal([
      { label: 'b1', points: [[0, 1]] },
      {
        label: 'b2',
        points: [
          [0, 2],
          [30_000, null],
        ],
      },
    ]);
  });

  it('is a number with its label and format', () => {
    const state = visState('metric', [{ ...AVERAGE, params: { field: 'value', customLabel: 'Controllers' } }]);
    const read = (total: number, value: number | null) => plan(state).read([{ hits: { total: { value: total } }, aggregations: { 1: { value } } }]);
    expect(read(3, 2048)).to.deep.equal({
      kind: 'readings',
      look: 'metric',
      readings: [{ label: 'Controllers', value: 2048, text: '2KB', colour: undefined }],
    });
    expect(read(0, null)).to.deep.equal({ kind: 'readings', look: 'metric', readings: [] });
  });

  it('is a gauge in the colours of its ranges', () => {
    const gauge = {
      gaugeColorMode: 'Labels',
      colorSchema: 'Green to Red',
      colorsRange: [
        { from: 0, to: 1 },
        { from: 1, to: 5 },
        { from: 5, to: 100 },
      ],
    };
    const result = plan(visState('gauge', [AVERAGE, BY_BROKER], { gauge })).read([
      { hits: { total: { value: 2 } }, aggregations: { 3: { buckets: [bucket('b1', 0), bucket('b2', 7)] } } },
    ]);
    expect(result.kind === 'readings' && result.readings.map(({ label, colour }) => [label, colour])).to.deep.equal([
      ['b1', '#006837'],
      ['b2', '#a50026'],
    ]);
  });

  it('is a table with the newest value', () => {
    const newest = agg('4', 'top_hits', 'metric', { field: 'value', aggregate: 'concat', size: 1, sortField: '@timestamp', sortOrder: 'desc' });
    const planned = plan(visState('table', [newest, { ...BY_BROKER, schema: 'bucket', params: { field: 'broker', orderBy: '_key', order: 'asc', size: 5 } }]));
    expect(planned.searches[0]?.body['aggs']).to.deep.equal({
      3: {
        terms: { field: 'broker', size: 5, order: { _key: 'asc' } },
        aggs: {
          4: {
            top_hits: { docvalue_fields: [{ field: 'value' }], _source: false, size: 1, sort: [{ '@timestamp': { order: 'desc', unmapped_type: 'date' } }] },
          },
        },
      },
    });
    const hit = { key: 'b1', doc_count: 1, 4: { hits: { hits: [{ fields: { value: [12] } }] } } };
    expect(planned.read([{ hits: { total: { value: 1 } }, aggregations: { 3: { buckets: [hit] } } }])).to.deep.equal({
      kind: 'table',
      columns: ['broker', 'Last value'],
      rows: [['b1', '12B']],
    });
  });

  it('names what it does not know', () => {
    expect(() => plan(visState('line', [agg('1', 'geo_centroid', 'metric')]))).to.throw('does not know the metric "geo_centroid"');
    expect(() => plan(visState('line', [AVERAGE, agg('2', 'geohash_grid', 'segment')]))).to.throw('does not know the bucket "geohash_grid"');
  });
});

describe('a visualization of the visual builder', () => {
  const metric = (id: string, type: string, more: object = {}) => JSON.parse(JSON.stringify({ id, type, ...more })) as JsonObject;
  const buckets = [10, 30, null, 20].map((value, i) => ({ key: i * 10_000, doc_count: value === null ? 0 : 1, a: { value } }));

  for (const [name, metrics, values] of [
    ['a field', [metric('a', 'max')], [10, 30, null, 20]],
    ['a rate', [metric('a', 'max'), metric('b', 'derivative', { field: 'a', unit: '1s' })], [null, 2, null, -0.5]],
    [
      'a rate that does not fall',
      [metric('a', 'max'), metric('b', 'derivative', { field: 'a', unit: '1s' }), metric('c', 'positive_only', { field: 'b' })],
      [null, 2, null, 0],
    ],
    ['a positive rate', [metric('a', 'positive_rate', { unit: '1s' })], [null, 2, null, 0]],
    ['a difference', [metric('a', 'max'), metric('b', 'derivative', { field: 'a' })], [null, 20, null, -10]],
    ['arithmetic', [metric('a', 'max'), metric('m', 'math', { script: 'params.x / 10 + 1', variables: [{ name: 'x', field: 'a' }] })], [2, 4, null, 3]],
    ['a running sum', [metric('a', 'max'), metric('b', 'cumulative_sum', { field: 'a' })], [10, 40, 40, 60]],
    ['a running average', [metric('a', 'max'), metric('b', 'moving_average', { field: 'a', window: 2 })], [10, 20, 30, 20]],
    ['a count', [metric('n', 'count')], [1, 1, 0, 1]],
  ] as const) {
    it(`computes ${name}`, () => expect(computed(metrics, buckets, 10_000)).to.deep.equal(values));
  }

  const params = (type: string, series: object) => ({
    params: JSON.parse(JSON.stringify({ type, index_pattern: 'kafka_mon*', time_field: '@timestamp', interval: '10s', series: [series] })) as JsonObject,
  });
  const BY_TERM = {
    id: 's',
    split_mode: 'terms',
    terms_field: 'broker',
    terms_size: '60',
    terms_order_by: 'a',
    formatter: 'bytes',
    metrics: [{ id: 'a', type: 'avg', field: 'value' }],
  };

  it('asks for every series over the whole time', () => {
    const filter = { language: 'kuery', query: 'metric: x' };
    const [search] = planTsvb(params('timeseries', { ...BY_TERM, filter }), '*', context).searches;
    expect(search?.index).to.equal('kafka_mon*');
    expect(search?.body['aggs']).to.deep.equal({
      split: {
        terms: { field: 'broker', size: 60, order: { sort: 'desc' } },
        aggs: {
          timeseries: {
            date_histogram: { field: '@timestamp', fixed_interval: '10s', min_doc_count: 0, time_zone: 'UTC', extended_bounds: { min: 0, max: 900_000 } },
            aggs: { a: { avg: { field: 'value' } } },
          },
          sort: { avg: { field: 'value' } },
        },
      },
    });
    expect(JSON.stringify(search?.body['query'])).to.include('{"match":{"metric":"x"}}');
  });

  it('shows the last value of each term, the highest first, without the column that is not complete', () => {
    const of = (key: string, ...values: readonly number[]) => ({
      key,
      timeseries: { buckets: values.map((value, i) => ({ key: i * 10_000, doc_count: 1, a: { value } })) },
    });
    const result = planTsvb(params('top_n', BY_TERM), '*', context).read([
      { aggregations: { split: { buckets: [of('b1', 5, 1024, 9), of('b2', 1, 4096, 9)] } } },
    ]);
    expect(result.kind === 'readings' && result.readings.map(({ label, text }) => [label, text])).to.deep.equal([
      ['b2', '4KB'],
      ['b1', '1KB'],
    ]);
  });
});

describe('numbers of the Kibana stand-in', () => {
  for (const [text, value, found] of [
    ['0,0.[000]', 1234567.5, '1,234,567.5'],
    ['0,0.[000]', 2, '2'],
    ['0.00', 2, '2.00'],
    ['0.0b', 1536, '1.5KB'],
    ['0,0.[0]b', 3 * 2 ** 30, '3GB'],
    ['0.0%', 0.123, '12.3%'],
    ['0.[0]a', 1500, '1.5k'],
  ] as const) {
    it(`writes ${String(value)} by ${text}`, () => expect(pattern(text)(value)).to.equal(found));
  }

  it('follow the formatter of a series', () => {
    expect(seriesFormat('ms,s,2', '{{value}} s')(1500)).to.equal('1.50 s');
    expect(seriesFormat('bytes', '')(2048)).to.equal('2KB');
  });

  it('are computed', () => {
    const x = new Map([['a', 8]]);
    expect(
      ['params.a / 4 - 1', '-(1 + 2) * params.a', 'max(params.a, 10, 2)', 'round(params.a / 3, 1)', 'params.a / 0'].map((script) => compile(script)(x)),
    ).to.deep.equal([1, -24, 10, 2.7, null]);
    expect(compile('params.b + 1')(x)).to.equal(null);
    for (const script of ['params.a +', '(1', '1 2', '1 $ 2']) expect(() => compile(script), script).to.throw('cannot compute');
  });

  it('have round marks around them', () => {
    expect(scale([3, 97]).ticks).to.deep.equal([0, 25, 50, 75, 100]);
    expect(scale([]).ticks[0]).to.equal(0);
    expect(scale([-3, 4]).low).to.equal(-4);
  });
});

describe('a page of the Kibana stand-in', () => {
  it('escapes all values', () =>
    expect(html`<p title="${'"x"'}">${['<b>', html`<i>${'&'}</i>`]}</p>`.text).to.equal('<p title="&quot;x&quot;">&lt;b&gt;<i>&amp;</i></p>'));
});
