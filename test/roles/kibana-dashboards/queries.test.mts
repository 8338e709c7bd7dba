import { expect } from 'chai';
import type { Judgement } from '../../../lib/index.mts';
import type { Shown } from '../../../roles/kibana-dashboards/dashboards.mts';
import { judgePanels, readSaid, searches } from '../../../roles/kibana-dashboards/queries.mts';
import { judgeDefault, judgeObjects } from '../../../roles/kibana-dashboards/verify.mts';
import { built } from './support.mts';

const lines: Shown = { title: 'Bytes in', series: [{ label: 'Bytes in', where: { metric: ['m'] }, value: 'avg', by: 'broker' }] };
const brokers: Shown = { title: 'Brokers reporting', series: [{ label: 'Brokers reporting', where: { metric: ['m'] }, value: 'brokers' }] };
const lag: Shown = { title: 'Lag', series: [{ label: 'Lag', where: { metric: ['l'] }, value: 'max', by: 'broker', sparse: true }] };

const groups = (names: readonly string[], left = 0) => ({
  aggregations: { by: { sum_other_doc_count: left, buckets: names.map((name) => ({ key: name, value: { value: 1 } })) } },
  status: 200,
});
const single = (value: number | null) => ({ aggregations: { value: { value } }, status: 200 });
const judge = (panels: readonly Shown[], ...responses: readonly object[]): Judgement =>
  judgePanels(readSaid({ kind: 'answered', status: 200, body: JSON.stringify({ responses }) }), panels, 5, 'URL');

describe('the query of every panel', () => {
  it('asks once for each series, in the order of the panels', () => {
    const text = searches([lines, brokers], 5).trimEnd().split('\n');
    expect(text).to.have.length(4);
    expect(JSON.parse(text[1]!)).to.deep.equal({
      size: 0,
      query: { bool: { filter: [{ range: { '@timestamp': { gte: 'now-5m' } } }, { terms: { metric: ['m'] } }] } },
      aggs: { by: { terms: { field: 'broker', size: 100, order: { _key: 'asc' } }, aggs: { value: { avg: { field: 'metric_value_number' } } } } },
    });
    expect(JSON.parse(text[3]!)).to.deep.include({ aggs: { value: { cardinality: { field: 'broker' } } } });
  });

  it('is there for every panel of every dashboard', () => {
    const { panels, objects } = built();
    const charts = objects.filter(
      ({ type, attributes }) => type === 'visualization' && !/"type":"(markdown|input_control_vis)"/.test(String(attributes['visState'])),
    );
    expect(panels.map(({ title }) => title).sort()).to.deep.equal(charts.map(({ attributes }) => attributes['title']).sort());
  });

  const cases: Readonly<Record<string, readonly [Judgement, RegExp | undefined]>> = {
    'with data': [judge([lines, brokers, lag], groups(['broker-01', 'broker-02']), single(2), groups(['client-consumer'])), undefined],
    'without lag, while nothing is read': [judge([lines, lag], groups(['broker-01']), groups([])), undefined],
    'without data': [judge([lines, brokers], groups([]), single(0)), /^nothing in "Bytes in" \(metric : "m"\), "Brokers reporting"/],
    'with an index and no document in it': [judge([lines], { aggregations: { by: { sum_other_doc_count: 0 } }, status: 200 }), /^nothing in "Bytes in"/],
    'of a broker without a value': [judge([lines], { aggregations: { by: { sum_other_doc_count: 0, buckets: [{ key: 'a' }] } }, status: 200 }), /^nothing in/],
    'without an index': [judge([lines], { status: 200 }), /^nothing in "Bytes in"/],
    'with a value that is no number': [
      judge([lines], { aggregations: { by: { sum_other_doc_count: 0, buckets: [{ key: 'a', value: { value: null } }] } } }),
      /^nothing in/,
    ],
    'with more brokers than are shown': [judge([lines], groups(['a'], 7)), /"Bytes in": more than 100 values of broker/],
    'with a wrong mapping': [
      judge([lines], { error: { reason: 'all shards failed', root_cause: [{ reason: 'Text fields are not optimised for operations' }] }, status: 400 }),
      /"Bytes in": Text fields are not optimised/,
    ],
    'of which one got no answer': [judge([lines, brokers], groups(['a'])), /"Brokers reporting": Elasticsearch gave no answer/],
    'that nobody answers': [judgePanels({ kind: 'silent', why: 'connection refused' }, [lines], 5, ''), /connection refused/],
  };
  for (const [what, [judgement, wrong]] of Object.entries(cases)) {
    it(what, () => {
      if (wrong === undefined) expect(judgement).to.deep.include({ kind: 'pass' });
      else expect(judgement.kind === 'fail' && judgement.found).to.match(wrong);
    });
  }

  it('counts the processes that are seen, and says where', () => {
    expect(judge([lines, lag], groups(['broker-01', 'broker-02']), groups(['client-consumer']))).to.deep.include({ found: '2 panels show 3 processes: URL' });
  });

  it('is not read from anything but an answer', () => {
    expect(readSaid({ kind: 'answered', status: 503, body: 'no' })).to.deep.include({ kind: 'silent', why: '503 no' });
    // What is empty is left out of a filtered answer: a search without a hit has no buckets.
    expect(
      readSaid({ kind: 'answered', status: 200, body: '{"responses": [{"aggregations": {"by": {"sum_other_doc_count": 0}}, "status": 200}]}' }),
    ).to.deep.equal({
      kind: 'said',
      responses: [{ aggregations: { by: { sum_other_doc_count: 0, buckets: [] } } }],
    });
    expect(readSaid({ kind: 'answered', status: 200, body: '{"responses": [{"aggregations": {"by": 1}}]}' })).to.deep.include({ kind: 'silent' });
    expect(readSaid({ kind: 'refused', reason: 'r' })).to.deep.equal({ kind: 'silent', why: 'r' });
  });
});

describe('what Kibana must hold', () => {
  it('is everything', () => {
    const { objects } = built();
    const all = new Map(objects.map((each) => [`${each.type} ${each.id}`, each]));
    expect(judgeObjects({ kind: 'known', value: all }, objects)).to.deep.include({ kind: 'pass' });
    all.delete('index-pattern kafka-monitoring-metrics');
    expect(judgeObjects({ kind: 'known', value: all }, objects)).to.deep.include({ kind: 'fail', found: 'missing: index-pattern kafka-monitoring-metrics' });
  });
  it('cannot be told of a Kibana that is silent', () => {
    expect(judgeObjects({ kind: 'unavailable', reason: 'answered 503' }, [])).to.deep.include({ kind: 'fail', found: 'answered 503' });
  });
  it('is a default index pattern that exists, whoever chose it', () => {
    expect(judgeDefault('mine', ['mine']).kind).to.equal('pass');
    expect(judgeDefault('gone', ['mine'])).to.deep.include({ kind: 'fail', found: 'gone, which is gone' });
    expect(judgeDefault(undefined, ['mine'])).to.deep.include({ kind: 'fail', found: 'none is chosen' });
  });
});
