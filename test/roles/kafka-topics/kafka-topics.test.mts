import { expect } from 'chai';
import type { Change } from '../../../lib/index.mts';
import { compileSteps } from '../../../lib/shell/steps.mts';
import { readTopics, type Topics } from '../../../roles/kafka/contract.mts';
import { kafkaTopics } from '../../../roles/kafka-topics/contract.mts';
import { reassignment, topicChanges, wanted } from '../../../roles/kafka-topics/plan.mts';
import role from '../../../roles/kafka-topics/role.mts';
import { complete, inSync, led } from '../../../roles/kafka-topics/verify.mts';
import { kafkaCluster } from '../kafka/support.mts';
import { context, find, hostOf, inventory } from '../support.mts';

const topics = (...lines: readonly string[]): Topics => readTopics({ code: 0, output: lines.join('\n') });
const head = (name: string, factor = 2, config = 'min.insync.replicas=1'): string =>
  `Topic: ${name}\tTopicId: KsZDzTJCQH2VccqOVDxM8g\tPartitionCount: 1\tReplicationFactor: ${String(factor)}\tConfigs: ${config}`;
const line = (name: string, partition: number, replicas = '1,2', isr = replicas, leader = '1'): string =>
  `\tTopic: ${name}\tPartition: ${String(partition)}\tLeader: ${leader}\tReplicas: ${replicas}\tIsr: ${isr}`;
const silent: Topics = { kind: 'silent', why: 'no broker listens' };
const shown = (changes: readonly Change[]): readonly string[] =>
  changes.map(({ field, from, to }) => `${field}: ${from.kind === 'text' ? from.text : from.kind} -> ${to.kind === 'text' ? to.text : to.kind}`);

describe('what a topic lacks', () => {
  const want = wanted({ name: 't', partitions: 2, config: { 'retention.ms': 1000, 'cleanup.policy': 'compact,delete' } }, 2);
  it('is itself', () => {
    expect(shown(topicChanges(topics(), 't', want))).to.deep.equal(['exists: absent -> 2 partitions, replication factor 2']);
  });
  it('is nothing when it is as wanted, whatever else is set', () => {
    const as = topics(head('t', 2, 'cleanup.policy=compact,delete,min.insync.replicas=1,retention.ms=1000,segment.bytes=5'), line('t', 0), line('t', 1));
    expect(topicChanges(as, 't', want)).to.deep.equal([]);
  });
  it('is partitions, copies and settings', () => {
    expect(shown(topicChanges(topics(head('t', 1, 'retention.ms=5'), line('t', 0, '1')), 't', want))).to.deep.equal([
      'partitions: 1 -> 2',
      'replication factor: 1 -> 2',
      'retention.ms: 5 -> 1000',
      'cleanup.policy: absent -> compact,delete',
    ]);
  });
  it('is not known while Kafka is silent', () => {
    expect(topicChanges(silent, 't', want)).to.deep.equal([]);
  });
});

describe('the role kafka-topics', () => {
  const cluster = kafkaCluster(
    2,
    1,
    "kafka_replication_factor: 2, kafka_topics: [{name: t, partitions: 3, config: {cleanup.policy: 'compact,delete', retention.ms: 7}}]",
  );
  const here = (name = 'broker-01') => context(kafkaTopics, cluster, name);
  const stepsOf = (...changes: readonly (readonly [string, string])[]): string =>
    compileSteps(
      find(role.resources(here()), 'topic t'),
      changes.map(([field, from]): Change => ({ field, from: from === '' ? { kind: 'absent' } : { kind: 'text', text: from }, to: { kind: 'absent' } })),
    )
      .map((step) => (step.at === 'host' ? step.script : ''))
      .join('\n');

  it('speaks through one broker of each cluster', () => {
    expect(role.resources(here()).map(({ id }) => id)).to.deep.equal(['kafka answers', 'topic t']);
    expect(role.resources(here('broker-02'))).to.deep.equal([]);
    expect(role.verify?.(here('broker-02'))).to.deep.equal([]);
    const two = inventory(`all:
  vars: {kafka_topics: [{name: t}]}
  children: {brokers: {hosts: {a-1: {private_address: 10.0.0.1, kafka_managed: false}, a-2: {private_address: 10.0.0.2}, b-1: {private_address: 10.0.0.3, kafka_cluster_name: b}}}}
`);
    expect(['a-1', 'a-2', 'b-1'].map((name) => role.resources(context(kafkaTopics, two, name)).length)).to.deep.equal([0, 2, 2]);
  });
  it('asks everything with one run of the tool', () => {
    const asks = [...role.resources(here()).map(({ differs }) => differs), ...(role.verify?.(here()) ?? []).map(({ ask }) => ask)].flatMap(
      ({ asks: some }) => some,
    );
    expect(new Set(asks.map((ask) => JSON.stringify(ask))).size).to.equal(1);
  });
  it('makes a topic with its settings', () => {
    const script = stepsOf(['exists', '']);
    expect(script).to.include('--create').and.include('--partitions').and.include('cleanup.policy=compact,delete');
  });
  it('adds partitions, changes settings, and takes nothing away', () => {
    expect(stepsOf(['partitions', '2'])).to.include('--alter');
    expect(stepsOf(['cleanup.policy', 'delete']))
      .to.include('cleanup.policy=[compact,delete]')
      .and.not.to.include('retention.ms');
    expect(stepsOf(['partitions', '5']))
      .to.match(/refuse .*has 5 partitions and cannot get fewer/)
      .and.not.to.include('--alter');
    expect(stepsOf(['replication factor', '1']))
      .to.match(/refuse .*another number of copies/)
      .and.include('kafka-reassign-partitions.sh')
      .and.include('"replicas":[2,1]');
  });
  it('shows a plan of copies over the brokers', () => {
    expect(JSON.parse(reassignment('t', { partitions: 3, replicationFactor: 2, config: new Map() }, [1, 2, 5]))).to.deep.equal({
      version: 1,
      partitions: [
        { topic: 't', partition: 0, replicas: [1, 2] },
        { topic: 't', partition: 1, replicas: [2, 5] },
        { topic: 't', partition: 2, replicas: [5, 1] },
      ],
    });
  });
});

describe('the topics of a running cluster', () => {
  const host = hostOf(kafkaCluster(2, 1, 'kafka_replication_factor: 2, kafka_topics: [{name: t, partitions: 2}]'), 'broker-01');
  const whole = topics(head('t'), line('t', 0), line('t', 1));
  it('are there, led and in sync', () => {
    expect([complete(whole, host).kind, led(whole).kind, inSync(whole).kind]).to.deep.equal(['pass', 'pass', 'pass']);
  });
  it('are named when they are not', () => {
    expect(complete(topics(), host).found).to.equal('t is missing');
    expect(complete(topics(head('t', 1), line('t', 0, '1'), line('t', 1, '1')), host).found).to.equal('t has 1 copies, not 2');
    expect(complete(topics(head('t'), line('t', 0)), host).found).to.equal('t has 1 partitions, not 2');
    const leaderless = led(topics(head('other'), line('other', 0, '3,2', '', 'none')));
    expect([leaderless.found, leaderless.kind === 'fail' ? leaderless.hint : '']).to.deep.equal([
      'none: other-0',
      'start the brokers that have their records: node 2, 3',
    ]);
    const behind = inSync(topics(head('t'), line('t', 0, '1,2', '1')));
    expect([behind.found, behind.kind === 'fail' ? behind.hint : '']).to.deep.equal(['1 under-replicated: t-0', 'node 2 is down or behind: look at its log']);
  });
  it('are not judged while Kafka is silent: that is the failure', () => {
    for (const judged of [complete(silent, host), led(silent), inSync(silent)])
      expect([judged.kind, judged.found]).to.deep.equal(['fail', 'no broker listens']);
  });
});
