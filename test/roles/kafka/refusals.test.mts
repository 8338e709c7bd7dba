import { expect } from 'chai';
import type { Answer, Facts, Inventory } from '../../../lib/index.mts';
import { hostName } from '../../../lib/index.mts';
import { kafka } from '../../../roles/kafka/contract.mts';
import type { NodeState } from '../../../roles/kafka/node.mts';
import { refusals } from '../../../roles/kafka/refusals.mts';
import { context, inventory } from '../support.mts';
import { formatted, kafkaCluster, known, names, peers, unasked } from './support.mts';

const empty = (count: number): Record<string, Answer<NodeState>> => Object.fromEntries(names(count).map((name) => [name, known()]));
const said = (from: Inventory, name = 'broker-01', states = empty(5), facts: Partial<Facts> = {}, within?: readonly string[]): readonly string[] => {
  const here = context(kafka, from, name, facts, peers(states));
  return refusals({ ...here, ...(within === undefined ? {} : { within: new Set(within.map(hostName)) }) }).map(
    ({ kind, reason, hint }) => `${kind}: ${reason} | ${hint}`,
  );
};

describe('what Kafka is not installed with', () => {
  it('nothing is wrong with a sound inventory', () => {
    expect(said(kafkaCluster(3, 3, 'kafka_replication_factor: 3, kafka_min_insync_replicas: 2'))).to.deep.equal([]);
    expect(said(kafkaCluster(1, 0, 'kafka_managed: false'))).to.deep.equal([]);
  });

  const usages: readonly (readonly [what: string, from: () => Inventory, words: RegExp])[] = [
    ['no controllers', () => kafkaCluster(1, 0), /controllers has no host of kafka: nobody would keep its metadata.*one, three or five/],
    ['an even number of controllers', () => kafkaCluster(2, 2), /controllers has 2 hosts \(broker-01, broker-02\).*even number/],
    ['more copies than brokers', () => kafkaCluster(1, 1, 'kafka_replication_factor: 2'), /kafka_replication_factor is 2, and kafka has 1 brokers/],
    ['more copies of a topic than brokers', () => kafkaCluster(1, 1, 'kafka_topics: [{name: t, replication_factor: 3}]'), /of the topic t is 3/],
    ['more copies in sync than there are', () => kafkaCluster(2, 1, 'kafka_min_insync_replicas: 2'), /acks=all could never be given/],
    ['two nodes of one id', () => kafkaCluster(2, 1, '', { 'broker-02': ', kafka_node_id: 1' }), /same node id 1.*kafka_node_id: 101/],
    ['no login for JMX', () => withoutPassword(), /kafka_jmx_password: \{ secret: 'generate:kafka-jmx' \}/],
    ['a setting that the role decides', () => kafkaCluster(1, 1, 'kafka_settings: {log.dirs: /data}'), /kafka_settings has log\.dirs.*use kafka_data_dirs/],
    ['two modes', () => kafkaCluster(2, 1, '', { 'broker-02': ', kafka_mode: zookeeper' }), /kafka_mode is kraft on broker-01 and not on broker-02/],
    ['a heap below what the cleaner takes', () => kafkaCluster(1, 1, 'kafka_heap: 128m'), /128m is too little/],
    ['one port twice', () => kafkaCluster(1, 1, 'kafka_jmx_port: 9093'), /not three different ports/],
  ];
  const withoutPassword = (): Inventory =>
    inventory(`all: {children: {controllers: {hosts: {broker-01: {private_address: 10.0.0.1}}}, brokers: {hosts: {broker-01: }}}}`);
  for (const [what, from, words] of usages) {
    it(`${what}: exit 4`, () => {
      const found = said(from());
      expect(found.join('\n')).to.match(words);
      expect(
        found.every((one) => one.startsWith('usage: ')),
        found.join('\n'),
      ).to.equal(true);
    });
  }

  it('a name without a number: exit 4', () => {
    const from = inventory(`all:
  vars: {kafka_jmx_authentication: false}
  children: {controllers: {hosts: {kafka: {private_address: 10.0.0.1}}}, brokers: {hosts: {kafka: }}}
`);
    expect(said(from, 'kafka', { kafka: known() })).to.deep.equal([
      'usage: kafka has no node id: its name does not end in a number | set kafka_node_id of kafka',
    ]);
  });

  it('a public address, a temporary folder, a heap or files beyond the machine: exit 5', () => {
    const words = (vars: string, facts: Partial<Facts> = {}): string => said(kafkaCluster(1, 1, vars), 'broker-01', empty(1), facts).join('\n');
    expect(words("kafka_data_dirs: ['/var/lib/kafka', '/tmp/kafka-logs']")).to.match(/^refused: kafka_data_dirs has \/tmp\/kafka-logs/m);
    expect(words('kafka_heap: 64g')).to.match(/^refused: kafka_heap 64g is beyond the 16384 MiB/);
    expect(words('kafka_nofile: 2000000')).to.match(/^refused: 2000000 open files are above fs\.nr_open/);
    const exposed = inventory(
      `all: {vars: {kafka_jmx_authentication: false}, children: {controllers: {hosts: {k-1: {private_address: 34.64.85.1}}}, brokers: {hosts: {k-1: }}}}`,
    );
    expect(said(exposed, 'k-1', { 'k-1': known() })[0]).to.match(/^refused: Kafka without a login would listen on 34\.64\.85\.1/);
  });
});

describe('what Kafka is not started with', () => {
  const three = kafkaCluster(3, 3);
  const all = (state: (id: number) => Partial<NodeState>): Record<string, Answer<NodeState>> =>
    Object.fromEntries(names(3).map((name, at) => [name, known(state(at + 1))]));

  it('data that agrees is no reason', () => {
    expect(
      said(
        three,
        'broker-01',
        all((id) => ({ storage: formatted(id), voters: [1, 2, 3], running: true, leader: 1 })),
      ),
    ).to.deep.equal([]);
  });
  it('data of another node, of ZooKeeper, of nobody', () => {
    const first = (state: Partial<NodeState>): string =>
      said(three, 'broker-01', { ...all((id) => ({ storage: formatted(id) })), 'broker-01': known(state) }).join('\n');
    expect(first({ storage: formatted(9) })).to.match(/^refused: the data of broker-01 is that of node 9, not 1 \| set kafka_node_id: 9/);
    expect(first({ storage: { ...formatted(1), mode: 'zookeeper' } as NodeState['storage'] })).to.match(
      /^refused: the data of broker-01 is of kafka_mode: zookeeper, not kraft/,
    );
    expect(first({ storage: { kind: 'foreign', path: '/var/lib/kafka' } })).to.match(
      /^refused: \/var\/lib\/kafka of broker-01 is not empty, and no Kafka wrote it/,
    );
  });
  it('other controllers than those that the cluster runs with', () => {
    const fewer = kafkaCluster(3, 1);
    expect(
      said(
        fewer,
        'broker-02',
        all((id) => ({ storage: formatted(id), voters: [1, 2, 3] })),
      ).join('\n'),
    ).to.match(/^refused: the cluster of broker-02 runs with the controllers 1, 2, 3, and the inventory has 1/);
  });
  it('data of two clusters under one name', () => {
    const states = { ...all((id) => ({ storage: formatted(id) })), 'broker-03': known({ storage: formatted(3, 'xxxxxxxxxxxxxxxxxxxxxx') }) };
    expect(said(three, 'broker-01', states).join('\n')).to.match(
      /^refused: kafka has data of several clusters \(broker-01: .*broker-03: xxxxxxxxxxxxxxxxxxxxxx\)/,
    );
  });
  it('a new id while a controller is away, outside the run, or blank beside brokers that are not', () => {
    expect(said(three, 'broker-01', { ...all(() => ({})), 'broker-03': unasked }).join('\n')).to.match(
      /^refused: broker-01 is blank and broker-03 could not be asked/,
    );
    expect(
      said(
        three,
        'broker-01',
        all(() => ({})),
        {},
        ['broker-01', 'broker-02'],
      ).join('\n'),
    ).to.match(/^refused: founding the cluster kafka needs all its controllers.*broker-03 is outside/);
    const one = kafkaCluster(3, 1);
    expect(said(one, 'broker-01', { ...all(() => ({})), 'broker-02': known({ storage: formatted(2) }) }).join('\n')).to.match(
      /^refused: every controller of kafka is blank, and broker-02 has data of cluster/,
    );
  });
});
