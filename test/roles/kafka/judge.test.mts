import { expect } from 'chai';
import type { Judgement, ListeningSocket } from '../../../lib/index.mts';
import { isCurrent, readCluster, type Cluster, type View } from '../../../roles/kafka/cluster.mts';
import { listeners, readTopics } from '../../../roles/kafka/contract.mts';
import * as judge from '../../../roles/kafka/judge.mts';
import { activeControllerLast, cannotSpare, withoutQuorum } from '../../../roles/kafka/rollout.mts';
import { hostOf } from '../support.mts';
import { kafkaCluster, known, names, peers, unasked } from './support.mts';

const passes = (judgement: Judgement, found?: RegExp): void => {
  expect(judgement.kind, JSON.stringify(judgement)).to.equal('pass');
  if (found !== undefined) expect(judgement.found).to.match(found);
};
const fails = (judgement: Judgement, words: RegExp): void => {
  expect(judgement.kind, JSON.stringify(judgement)).to.equal('fail');
  expect(JSON.stringify(judgement)).to.match(words);
};

const line = (topic: string, partition: number, replicas: string, isr: string, leader = isr.split(',')[0] ?? 'none'): string =>
  `\tTopic: ${topic}\tPartition: ${String(partition)}\tLeader: ${leader === '' ? 'none' : leader}\tReplicas: ${replicas}\tIsr: ${isr}\tElr: \tLastKnownElr: `;
const head = (topic: string, config = 'min.insync.replicas=1'): string =>
  `Topic: ${topic}\tTopicId: KsZDzTJCQH2VccqOVDxM8g\tPartitionCount: 1\tReplicationFactor: 2\tConfigs: ${config}`;
const ROWS = `NodeId	DirectoryId           	LogEndOffset	Lag	LastFetchTimestamp	LastCaughtUpTimestamp	Status	
1     	AAAAAAAAAAAAAAAAAAAAAA	343         	0  	32 ms ago         	32 ms ago            	Leader	
2     	AAAAAAAAAAAAAAAAAAAAAA	343         	0  	400 ms ago        	400 ms ago           	Follower	
3     	AAAAAAAAAAAAAAAAAAAAAA	-1          	343	-1                	-1                   	Follower	
4     	AAAAAAAAAAAAAAAAAAAAAA	343         	0  	400 ms ago        	400 ms ago           	Observer	
`;
const cluster = (lines: readonly string[], quorum = ROWS): View => {
  const read = readCluster(`[WARN] noise\n${lines.join('\n')}\nkafka-elastic-monitoring:0\n${quorum}kafka-elastic-monitoring:0\n`, 'kraft');
  if (read.kind === 'silent') throw new Error(read.why);
  return read;
};
const silent: Cluster = { kind: 'silent', why: 'no broker listens' };

describe('what Kafka tells of its topics', () => {
  it('is read with partitions, copies and settings', () => {
    const said = readTopics({
      code: 0,
      output: [head('t', 'cleanup.policy=compact,delete,retention.ms=1000'), line('t', 0, '1,2', '1,2'), line('t', 1, '2,1', '')].join('\n'),
    });
    const topic = said.kind === 'said' ? said.topics.get('t') : undefined;
    expect(topic?.partitions).to.deep.equal([
      { topic: 't', partition: 0, leader: 1, replicas: [1, 2], inSync: [1, 2] },
      { topic: 't', partition: 1, leader: undefined, replicas: [2, 1], inSync: [] },
    ]);
    expect([...(topic?.config ?? [])]).to.deep.equal([
      ['cleanup.policy', 'compact,delete'],
      ['retention.ms', '1000'],
    ]);
  });
  it('is nothing where it does not answer, with the reason', () => {
    expect(readTopics({ code: 124, output: '' })).to.deep.equal({ kind: 'silent', why: 'no answer within 30 seconds' });
    expect(readTopics({ code: 1, output: 'Error while executing topic command : Timed out\n\tat x.y(Z.java)\n' })).to.deep.equal({
      kind: 'silent',
      why: 'Error while executing topic command : Timed out',
    });
    expect(readCluster('no broker listens on a:1\n', 'kraft')).to.deep.equal({ kind: 'silent', why: 'no broker listens on a:1' });
  });
  it('has the controllers beside it, each with how far it is', () => {
    expect(cluster([]).voters.map((voter) => [voter.id, voter.isLeader, isCurrent(voter)])).to.deep.equal([
      [1, true, true],
      [2, false, true],
      [3, false, false],
    ]);
  });
});

describe('the gate of a restart', () => {
  const whole = cluster([head('t'), line('t', 0, '1,2', '1,2')]);
  const behind = cluster([head('t'), line('t', 0, '1,2', '1')]);
  it('passes with everything as before', () => {
    passes(judge.gate(whole, whole), /all copies in sync/);
    passes(judge.gate(behind, behind), /1 under-replicated, as before/);
    passes(judge.gate(whole, silent), /did not answer before/);
  });
  it('fails with a partition behind, no leader, a controller that is late, or silence', () => {
    fails(judge.gate(behind, whole), /1 more under-replicated: t-0/);
    fails(judge.gate({ ...whole, voters: whole.voters.map((voter) => ({ ...voter, isLeader: false })) }, whole), /no active controller/);
    fails(judge.gate({ ...whole, voters: whole.voters.slice(0, 1) }, whole), /controller 2 has not caught up/);
    fails(judge.gate(silent, whole), /no broker listens/);
  });
});

describe('restarts', () => {
  const three = kafkaCluster(3, 3);
  const host = (name: string) => hostOf(three, name);
  const running = (leader: number | undefined) => known({ running: true, leader });

  it('come to the active controller last', () => {
    const order = activeControllerLast(names(3).map(host), peers({ 'broker-01': running(1), 'broker-02': running(1), 'broker-03': unasked }));
    expect(order.map(({ name }) => name)).to.deep.equal(['broker-02', 'broker-03', 'broker-01']);
  });
  it('leave a quorum that can be left', () => {
    const states = (third: Parameters<typeof peers>[0][string]) => peers({ 'broker-01': running(1), 'broker-02': running(1), 'broker-03': third });
    const all = names(3).map(host);
    expect(withoutQuorum(all, [host('broker-01')], states(running(1)))).to.deep.equal([]);
    expect(withoutQuorum(all, [host('broker-01')], states(unasked))[0]?.hint).to.equal('bring broker-03 up first');
    expect(withoutQuorum(all, [host('broker-01')], states(known()))[0]?.reason).to.match(/leave 1 of 3 .* 2 must run/);
    expect(withoutQuorum(all, all.slice(0, 2), states(running(1)))[0]?.hint).to.equal('lower --serial');
    expect(withoutQuorum(all.slice(0, 1), all.slice(0, 1), states(unasked)), 'one controller is always alone').to.deep.equal([]);
    expect(withoutQuorum(all.slice(0, 2), all.slice(2), states(unasked)), 'a broker is none').to.deep.equal([]);
    expect(withoutQuorum(all, [host('broker-01')], peers({ 'broker-01': known({ running: true }) })), 'nothing to lose').to.deep.equal([]);
  });
  it('spare no copy that is the last in sync, and only such', () => {
    const spare = (lines: readonly string[], names_: readonly string[] = ['broker-01']) => cannotSpare(cluster(lines, ''), names_.map(host), false);
    expect(spare([head('t'), line('t', 0, '1,2', '1,2')])).to.deep.equal([]);
    expect(spare([head('t'), line('t', 0, '1,2', '1')])[0]?.reason).to.match(/leave 1 partitions .*: t-0/);
    expect(spare([head('t'), line('t', 0, '1,2', '1')])[0]?.hint).to.match(/node 2 are not in sync/);
    expect(spare([head('t'), line('t', 0, '1,2', '2')]), 'already out').to.deep.equal([]);
    expect(spare([head('t'), line('t', 0, '1', '1')]), 'one copy can never be spared').to.deep.equal([]);
    expect(spare([head('t', 'min.insync.replicas=2'), line('t', 0, '1,2', '1,2')]), 'nor can one of as many as must be in sync').to.deep.equal([]);
    expect(spare([head('t', 'min.insync.replicas=2'), line('t', 0, '1,2,3', '1,2')])[0]?.reason).to.match(/fewer copies in sync/);
  });
  it('wait for controllers that are late', () => {
    expect(cannotSpare(cluster([]), [host('broker-02')], false)[0]?.hint).to.match(/controllers 3/);
    expect(cannotSpare(cluster([]), [host('broker-03')], false)).to.deep.equal([]);
  });
  it('need a word from a cluster that runs', () => {
    expect(cannotSpare(silent, [host('broker-01')], true)).to.deep.equal([]);
    expect(cannotSpare(silent, [host('broker-01')], false)[0]?.reason).to.match(/does not say whether it can spare broker-01: no broker listens/);
  });
});

describe('a service', () => {
  const unit = { activeState: 'active', subState: 'running', result: 'success', execMainStatus: 0, mainPid: 5 };
  const one = kafkaCluster(1, 1);
  const ports = listeners(hostOf(one, 'broker-01'));
  const sockets = (pid: number): readonly ListeningSocket[] => ports.map(({ address, port }) => ({ address: `::ffff:${address}`, port, pid, process: 'java' }));
  const node = { storage: { kind: 'blank' }, running: true, leader: 1, voters: [1], seed: '' } as const;

  it('serves when the process has all its ports and knows the active controller', () => {
    passes(judge.serving(unit, 'kafka.service', sockets(5), ports, node));
    fails(judge.serving(unit, 'kafka.service', sockets(5).slice(1), ports, node), /not yet: kafka \(9092\)/);
    fails(judge.serving(unit, 'kafka.service', sockets(7), ports, node), /not yet: kafka \(9092\), kafka-controller/);
    fails(judge.serving(unit, 'kafka.service', sockets(5), ports, { ...node, leader: undefined }), /none yet/);
    passes(judge.serving(unit, 'kafka.service', sockets(5), ports, undefined));
  });
  it('that ended is not waited for', () => {
    fails(judge.running({ ...unit, activeState: 'failed', result: 'exit-code', execMainStatus: 1 }, 'kafka.service'), /exit status 1.*"final":true/);
    fails(judge.running({ ...unit, activeState: 'activating', subState: 'auto-restart' }, 'kafka.service'), /"final":true/);
    fails(judge.running({ ...unit, activeState: 'inactive' }, 'kafka.service'), /systemctl start kafka/);
  });
  it('of others is judged by its ports', () => {
    passes(judge.observed(sockets(9), ports));
    fails(judge.observed([], ports), /nothing listens/);
  });
  it('has a quorum by name', () => {
    const nameOf = (id: number): string => `broker-0${String(id)}`;
    passes(judge.quorum({ ...node, voters: [1, 2, 3] }, nameOf), /active controller broker-01, of broker-01, broker-02, broker-03/);
    fails(judge.quorum({ ...node, leader: undefined }, nameOf), /none/);
  });
});
