import { expect } from 'chai';
import { hostName, type Answer, type Facts, type HostName, type Refusal } from '../../../lib/index.mts';
import { elasticsearch } from '../../../roles/elasticsearch/contract.mts';
import type { NodeState } from '../../../roles/elasticsearch/node.mts';
import { refusals } from '../../../roles/elasticsearch/refusals.mts';
import { isInside, plainAddress } from '../../../lib/inventory/address.mts';
import { context, inventory, threeMasters } from '../support.mts';

const node = (more: Partial<NodeState>): Answer<NodeState> => ({
  kind: 'known',
  value: { fresh: true, running: false, clusterUuid: undefined, master: undefined, nodes: [], ...more },
});
type Peers = ReadonlyMap<HostName, Answer<NodeState>>;
const EMPTY: Peers = new Map(['es-01', 'es-02', 'es-03'].map((name) => [hostName(name), node({})]));

const refused = (vars = '{}', facts: Partial<Facts> = {}, hosts: Readonly<Record<string, string>> = {}, peers: Peers = EMPTY): readonly Refusal[] =>
  refusals(context(elasticsearch, threeMasters(vars, hosts), 'es-01', facts, peers));
const texts = (found: readonly Refusal[]): string => found.map(({ kind, reason, hint }) => `${kind}: ${reason} (${hint})`).join('\n');

describe('what Elasticsearch refuses before it touches a host', () => {
  it('nothing, when all is well', () => {
    expect(refused()).to.deep.equal([]);
  });

  it('entries that are no node, with the nearest name', () => {
    const found = texts(refused('{elasticsearch_initial_master_nodes: [es-0l, 34.64.85.12, es-02, "10.0.0.13:9300"]}'));
    expect(found).to.match(
      /^usage: .*"es-0l" is neither a node's name nor its publish address \(did you mean "es-0\d"\?\)\nusage: .*"34\.64\.85\.12".*\(use "es-01", "es-02", "es-03"; an external address/,
    );
    expect(found.split('\n')).to.have.length(2);
  });

  it("the tutorial's typing error", () => {
    const one = inventory(`all:
  children:
    es_masters: {hosts: {kafka-monitoring: {private_address: 10.0.0.31, elasticsearch_initial_master_nodes: [kakfa-monitoring]}}}
`);
    expect(texts(refusals(context(elasticsearch, one, 'kafka-monitoring', {}, new Map([[hostName('kafka-monitoring'), node({})]]))))).to.include(
      'did you mean "kafka-monitoring"?',
    );
  });

  it('the same entry twice', () => {
    expect(texts(refused('{elasticsearch_initial_master_nodes: [es-01, es-01]}'))).to.match(/names "es-01" twice/);
  });

  it('candidates that would found with different lists', () => {
    expect(texts(refused('{}', {}, { 'es-01': ', elasticsearch_initial_master_nodes: [es-01]' }))).to.match(
      /^usage: .*es-01: es-01; es-02: es-01, es-02, es-03.*two clusters/,
    );
    expect(refused('{elasticsearch_initial_master_nodes: [es-02, es-01]}')).to.deep.equal([]);
  });

  it('a heap beyond the memory', () => {
    expect(texts(refused('{elasticsearch_heap: 64g}'))).to.match(
      /^refused: elasticsearch_heap 64g is beyond the 16g of memory of es-01 \("auto" would give 7680m\)$/,
    );
    expect(refused('{elasticsearch_heap: 8g}')).to.deep.equal([]);
  });

  it('a host too small for any heap', () => {
    expect(texts(refused('{}', { memoryBytes: 512 * 1024 ** 2 }))).to.match(/512m of memory: too little/);
  });

  it('more open files than the kernel has', () => {
    expect(texts(refused('{}', { nrOpen: 65536 }))).to.match(/70000 open files are above fs\.nr_open 65536/);
    expect(refused('{os_limits_nofile: 65536}', { nrOpen: 65536 })).to.deep.equal([]);
    expect(texts(refused('{elasticsearch_nofile: 2000000}'))).to.match(/2000000 open files/);
  });

  it('an address that the internet can reach, or none', () => {
    for (const address of ['34.64.85.12', '2001:db8::1']) {
      const open = inventory(`all:\n  children:\n    es_masters: {hosts: {a: {private_address: '${address}'}}}\n`);
      expect(texts(refusals(context(elasticsearch, open, 'a', {}, new Map([[hostName('a'), node({})]])))), address).to.match(
        /^refused: .*which is no private address/,
      );
    }
    const none = inventory('all:\n  children:\n    es_masters: {hosts: {a: }}\n');
    expect(texts(refusals(context(elasticsearch, none, 'a', {}, new Map([[hostName('a'), node({})]]))))).to.match(/^usage: a has no private address/);
  });

  it('founding while a candidate cannot be asked', () => {
    const half = new Map(EMPTY).set(hostName('es-03'), { kind: 'unavailable', reason: 'no route' });
    expect(texts(refused('{}', {}, {}, half))).to.match(
      /^refused: es-01 is empty and es-03 could not be asked: founding a cluster now could make a second one/,
    );
    const joined = new Map(half).set(hostName('es-02'), node({ fresh: false, running: true, clusterUuid: 'u', master: 'es-02' }));
    expect(refused('{}', {}, {}, joined)).to.deep.equal([]);
  });

  it('founding with a limit that leaves a candidate out; joining is free', () => {
    const here = context(elasticsearch, threeMasters('{}'), 'es-01', {}, EMPTY);
    const limited = { ...here, within: new Set([hostName('es-01'), hostName('es-02')]) };
    expect(texts(refusals(limited))).to.match(/^refused: founding the cluster of es-01 needs all its master candidates in one run, and es-03 is outside/);
    const formed = new Map(EMPTY).set(hostName('es-02'), node({ fresh: false, running: true, clusterUuid: 'u', master: 'es-02' }));
    expect(refusals({ ...limited, peers: formed })).to.deep.equal([]);
  });

  it('nobody who could be elected', () => {
    const no = inventory('all:\n  children:\n    es_data: {hosts: {a: {private_address: 10.0.0.1}}}\n');
    expect(texts(refusals(context(elasticsearch, no, 'a')))).to.match(/es_masters is empty/);
  });

  it('nothing of a node that is only observed', () => {
    expect(refused('{elasticsearch_managed: false, elasticsearch_heap: 640g}')).to.deep.equal([]);
  });
});

describe('addresses', () => {
  for (const address of ['10.1.2.3', '172.31.0.1', '192.168.9.9', '127.77.0.11', '100.64.0.1', 'fd00::1', 'fe80::1', '::1'])
    it(`${address} is inside`, () => expect(isInside(address)).to.equal(true));
  for (const address of ['172.32.0.1', '8.8.8.8', '0.0.0.0', '::', '2a00::1', 'es-01', ''])
    it(`${address || 'nothing'} is not`, () => expect(isInside(address)).to.equal(false));
  it('are shown by ss in several ways', () => {
    expect(['::ffff:10.0.0.1', '[::ffff:10.0.0.1]', '10.0.0.1', 'fe80::1%eth0', '*'].map(plainAddress)).to.deep.equal([
      '10.0.0.1',
      '10.0.0.1',
      '10.0.0.1',
      'fe80::1',
      '*',
    ]);
  });
});
