import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { shellOutput, type Answer, type Ask, type Raw } from '../../../lib/index.mts';
import { describeTopics, kafka } from '../../../roles/kafka/contract.mts';
import type { NodeState } from '../../../roles/kafka/node.mts';
import role from '../../../roles/kafka/role.mts';
import { context, find, inventory, steps } from '../support.mts';
import { CLUSTER, formatted, kafkaCluster, known, peers } from './support.mts';

const here = (from = kafkaCluster(2, 1), name = 'broker-01', states: Record<string, Answer<NodeState>> = { 'broker-01': known(), 'broker-02': known() }) =>
  context(kafka, from, name, {}, peers(states));
const ids = (of = here()): readonly string[] => role.resources(of).map(({ id }) => id);

describe('the role kafka', () => {
  it('has what it reads before what it reads it with, and the service last', () => {
    expect(ids()).to.deep.equal([
      'user kafka',
      'archive kafka',
      'directory /etc/kafka',
      'directory /var/lib/kafka',
      'directory /var/log/kafka',
      'file /etc/kafka/server.properties',
      'file /etc/kafka/log4j.properties',
      'file /etc/kafka/jmxremote.access',
      'file /etc/kafka/jmxremote.password',
      'kafka storage',
      'unit kafka.service',
      'start-record kafka.service',
      'unit kafka.service.d/50-start-record.conf',
      'service kafka.service',
    ]);
  });
  it('does nothing to what others run, and looks at its ports only', () => {
    const observed = here(kafkaCluster(2, 1, '', { 'broker-02': ', kafka_managed: false' }), 'broker-02');
    expect(ids(observed)).to.deep.equal([]);
    expect(role.verify?.(observed).map(({ id }) => id)).to.deep.equal(['listening']);
    expect(role.manages?.(observed.host)).to.equal(false);
  });
  it('formats a blank node for the cluster of the others, and never what has data', () => {
    const joining = here(undefined, 'broker-02', { 'broker-01': known({ storage: formatted(1) }), 'broker-02': known() });
    expect(steps(find(role.resources(joining), 'kafka storage')))
      .to.include(CLUSTER)
      .and.to.include('--reuid=kafka');
    const storage = find(role.resources(joining), 'kafka storage');
    const answer = (output: string) =>
      storage.differs.read((ask: Ask): Raw => ({
        kind: 'value',
        bytes: Buffer.from(ask.at === 'host' && ask.kind === 'unit' ? 'LoadState=loaded\nActiveState=inactive' : `0\n${output}`),
      }));
    expect(answer('node /var/lib/kafka\nversion=1\nnode.id=7\ncluster.id=x\nseed s')).to.deep.equal({ kind: 'known', value: [] });
    expect(answer('foreign /var/lib/kafka\nseed s')).to.deep.equal({ kind: 'known', value: [] });
    expect(answer('seed s')).to.have.nested.property('value[0].to.text', `node 2 of cluster ${CLUSTER}`);
  });
  it('runs ZooKeeper beside the broker, or alone', () => {
    const zk = inventory(`all:
  vars: {kafka_mode: zookeeper, kafka_jmx_authentication: false}
  children:
    zookeepers: {hosts: {k-1: {private_address: 10.0.0.1}, zk-2: {private_address: 10.0.0.2}}}
    brokers: {hosts: {k-1: }}
`);
    expect(ids(here(zk, 'k-1', {})))
      .to.include.members(['service zookeeper.service', 'service kafka.service'])
      .and.not.to.include('kafka storage');
    expect(ids(here(zk, 'zk-2', {})).filter((id) => id.startsWith('service'))).to.deep.equal(['service zookeeper.service']);
  });
  it('asks and acts in the shell of every host', () => {
    const of = here();
    const resources = role.resources(of);
    const checks = [...(role.verify?.(of) ?? []), ...(role.ready?.(of) ?? []), ...(role.rollout?.gate(of) ?? [])];
    const questions = [
      ...resources.map(({ differs }) => differs),
      ...checks.map(({ ask }) => ask),
      describeTopics(of.host, of.inventory, of.facts),
      ...(role.peers === undefined ? [] : [role.peers.ask(of.host, of.inventory)]),
      ...(role.diagnose === undefined ? [] : [role.diagnose(of)]),
      shellOutput('true'),
    ];
    const asked = questions.flatMap(({ asks }) => asks).flatMap((ask) => (ask.at === 'host' && ask.kind === 'shell' ? [ask.key] : []));
    const scripts = [
      ...new Set([
        ...asked,
        ...resources
          .filter(({ id }) => !/^(file|unit|start-record) /.test(id))
          .map(steps)
          .filter((text) => !text.startsWith('{')),
      ]),
    ];
    expect(scripts.length).to.be.greaterThan(8);
    for (const shell of [['dash'], ['bash', '--posix'], ['busybox', 'sh']] as const) {
      for (const script of scripts) {
        const { status, stderr } = spawnSync(shell[0], [...shell.slice(1), '-n'], { input: script, encoding: 'utf8' });
        expect(status, `${shell[0]}: ${stderr}\n${script}`).to.equal(0);
      }
    }
  });
});
