import { expect } from 'chai';
import type { Judgement } from '../../../lib/index.mts';
import { readReply, healthSchema, rootSchema, type Health, type Reply, type Settings } from '../../../roles/elasticsearch/cluster.mts';
import * as judge from '../../../roles/elasticsearch/judge.mts';
import { readNode, type NodeState } from '../../../roles/elasticsearch/node.mts';

const said = <T,>(value: T): Reply<T> => ({ kind: 'said', value });
const silent = { kind: 'silent', why: 'Connection refused' } as const;
const passes = (judgement: Judgement, found?: RegExp): void => {
  expect(judgement.kind, JSON.stringify(judgement)).to.equal('pass');
  if (found !== undefined) expect(judgement.found).to.match(found);
};
const fails = (judgement: Judgement, found: RegExp): void => {
  expect(judgement.kind, JSON.stringify(judgement)).to.equal('fail');
  expect(`${judgement.found} | ${judgement.kind === 'fail' ? judgement.hint : ''}`).to.match(found);
};

describe('version and flavor', () => {
  const root = (number: string, flavor: string) => said({ name: 'a', cluster_name: 'c', cluster_uuid: 'u', version: { number, build_flavor: flavor } });
  it('are the wanted ones', () => {
    passes(judge.version(root('7.10.2', 'oss'), '7.10.2'));
    fails(judge.version(root('7.10.2', 'default'), '7.10.2'), /7\.10\.2 default/);
    fails(judge.version(root('7.9.0', 'oss'), '7.10.2'), /7\.9\.0/);
    fails(judge.version(silent, '7.10.2'), /Connection refused/);
  });
});

describe('health', () => {
  const health = (status: Health['status'], more: Partial<Health> = {}): Reply<Health> =>
    said({ status, number_of_nodes: 3, number_of_data_nodes: 3, initializing_shards: 0, relocating_shards: 0, unassigned_shards: 1, indices: {}, ...more });
  const index = (status: Health['status'], replicas: number) => ({ status, number_of_replicas: replicas });

  it('is green', () => {
    passes(judge.health(health('green')), /3 nodes/);
  });
  it('may be yellow where copies have no place', () => {
    passes(
      judge.health(health('yellow', { number_of_data_nodes: 1, indices: { kafka_mon: index('yellow', 1), fine: index('green', 0) } })),
      /kafka_mon want more replicas than 1 data node can/,
    );
  });
  it('is not excused otherwise', () => {
    fails(judge.health(health('yellow', { indices: { kafka_mon: index('yellow', 1) } })), /yellow: kafka_mon \| 1 shards unassigned/);
    fails(judge.health(health('yellow', { number_of_data_nodes: 1, indices: { a: index('yellow', 1), b: index('red', 1) } })), /a, b/);
    fails(judge.health(health('yellow')), /yellow/);
    fails(judge.health(health('red', { indices: { x: index('red', 5) } })), /red: x/);
    fails(judge.health(silent), /refused/);
  });

  it('after a batch is compared with before', () => {
    passes(judge.gate(health('green'), health('green')));
    passes(judge.gate(health('yellow'), health('yellow')));
    passes(judge.gate(health('green'), health('red')));
    passes(judge.gate(health('red'), health('red')));
    passes(judge.gate(health('red', { number_of_nodes: 1 }), silent), /before either/);
    fails(judge.gate(health('yellow'), health('green')), /3 nodes and yellow/);
    fails(judge.gate(health('green', { number_of_nodes: 2 }), health('green')), /2 nodes and green/);
    fails(judge.gate(silent, health('green')), /refused/);
  });
});

describe('what a node says', () => {
  const state = (
    uuid: string,
    master: string | null,
    nodes = { x: { name: 'es-01' }, y: { name: 'es-02' } },
  ): { kind: 'answered'; status: number; body: string } => ({
    kind: 'answered',
    status: 200,
    body: JSON.stringify({ cluster_name: 'c', cluster_uuid: uuid, master_node: master, nodes }),
  });
  const table: readonly (readonly [what: string, answer: Parameters<typeof readNode>[0], data: string, is: Partial<NodeState>])[] = [
    ['a member', state('u', 'y'), 'used\n', { running: true, fresh: false, clusterUuid: 'u', master: 'es-02', nodes: ['es-01', 'es-02'] }],
    ['a member whose data was called fresh', state('u', 'y'), 'fresh\n', { fresh: false }],
    ['one that waits', state('_na_', null), 'fresh\n', { running: true, fresh: true, clusterUuid: undefined, master: undefined }],
    ['one that lost its master', state('u', null), 'used\n', { clusterUuid: 'u', master: undefined }],
    ['a stopped one', { kind: 'refused', reason: 'Connection refused' }, 'used\n', { running: false, fresh: false, nodes: [] }],
    ['an empty one', { kind: 'refused', reason: 'Connection refused' }, 'fresh\n', { running: false, fresh: true }],
    ['a data path that could not be looked at', { kind: 'refused', reason: '' }, 'ls: cannot open', { fresh: false }],
    ['a stranger on the port', { kind: 'answered', status: 200, body: '<html>' }, 'fresh\n', { running: true, clusterUuid: undefined, fresh: true }],
  ];
  for (const [what, answer, data, is] of table)
    it(`reads ${what}`, () => expect(readNode(answer, data)).to.include(JSON.parse(JSON.stringify({ ...is, nodes: undefined }))));

  const node = (more: Partial<NodeState>): NodeState => ({
    fresh: false,
    running: true,
    clusterUuid: 'u',
    master: 'es-02',
    nodes: ['es-01', 'es-02'],
    ...more,
  });
  const up = { activeState: 'active', subState: 'running', result: 'success', execMainStatus: 0 };
  it('makes it formed or not', () => {
    passes(judge.formed(node({})), /cluster u, master es-02/);
    fails(judge.formed(node({ running: false, clusterUuid: undefined })), /no answer yet/);
    fails(judge.formed(node({ clusterUuid: undefined, master: undefined })), /waiting for a cluster/);
    fails(judge.formed(node({ master: undefined })), /without a master/);
  });
  it('is not waited for without systemd either', () => {
    const silent: NodeState = { fresh: true, running: false, clusterUuid: undefined, master: undefined, nodes: [] };
    expect(judge.alive(silent, false)).to.include({ kind: 'fail', final: true, found: 'the process ended' });
    expect(judge.alive(silent, true)).to.include({ kind: 'fail', found: 'no answer yet' }).and.not.to.have.property('final');
  });

  it('is not waited for once its process has ended', () => {
    passes(judge.started(node({}), up));
    const failed = judge.started(node({ running: false, clusterUuid: undefined }), {
      activeState: 'failed',
      subState: 'failed',
      result: 'exit-code',
      execMainStatus: 78,
    });
    fails(failed, /exit-code, exit status 78/);
    expect(failed).to.include({ final: true });
    expect(judge.started(node({ running: false, clusterUuid: undefined }), up)).not.to.have.property('final');
  });
  it('names missing nodes and mentions strangers', () => {
    passes(judge.nodes(node({}), ['es-01', 'es-02']));
    passes(judge.nodes(node({ nodes: ['es-01', 'es-02', 'x'] }), ['es-01', 'es-02']), /not in the inventory: x/);
    fails(judge.nodes(node({}), ['es-01', 'es-02', 'es-03']), /missing: es-03/);
  });
});

describe('settings left over', () => {
  const settings = (persistent: Settings['persistent'], transient: Settings['transient'] = {}): Reply<Settings> => said({ persistent, transient });
  it('are found wherever they are', () => {
    passes(judge.settings(settings({ 'indices.recovery.max_bytes_per_sec': '40mb', 'cluster.routing.allocation.enable': 'all' })));
    fails(judge.settings(settings({ 'cluster.routing.allocation.enable': 'primaries' })), /enable: primaries/);
    fails(judge.settings(settings({}, { 'cluster.routing.allocation.exclude._name': 'es-03' })), /exclude\._name: es-03/);
  });
});

describe('replies', () => {
  const answered = (status: number, body: string) => ({ kind: 'answered', status, body }) as const;
  it('are what was asked for, or silence with a reason', () => {
    expect(readReply({ kind: 'refused', reason: 'timeout' }, rootSchema)).to.deep.equal({ kind: 'silent', why: 'timeout' });
    expect(readReply(answered(503, '{"error":{"type":"master_not_discovered_exception"},"status":503}'), healthSchema)).to.deep.equal({
      kind: 'silent',
      why: '503 master_not_discovered_exception',
    });
    expect(readReply(answered(200, '<html>'), rootSchema)).to.deep.equal({ kind: 'silent', why: '200 without JSON' });
    expect(readReply(answered(200, '{}'), rootSchema)).to.deep.equal({ kind: 'silent', why: '200 with an unexpected body' });
  });
});
