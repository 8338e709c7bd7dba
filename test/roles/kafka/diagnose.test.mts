import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { listeners } from '../../../roles/kafka/contract.mts';
import { diagnose, stopped, type Evidence } from '../../../roles/kafka/diagnose.mts';
import { hostOf } from '../support.mts';
import { kafkaCluster } from './support.mts';

const log = (name: string): string => readFileSync(new URL(`../../cases/kafka/logs/${name}.journal`, import.meta.url), 'utf8');
const evidence = (text: string, more: Partial<Evidence> = {}): Evidence => ({
  log: text,
  sockets: [],
  ports: listeners(hostOf(kafkaCluster(1, 1), 'broker-01')),
  heap: '1g',
  memoryBytes: 8 * 1024 ** 3,
  controllers: ['broker-01'],
  ...more,
});

/** What real processes said when they were made to fail. */
const CASES: readonly (readonly [file: string, cause: RegExp, fix: RegExp])[] = [
  ['port-in-use', /port 9092 of 10\.0\.0\.21 is already in use by nginx \(pid 7\)/, /another kafka_port/],
  ['controller-port-in-use', /port 9093 of 10\.0\.0\.21 is already in use/, /run again/],
  ['jmx-port-in-use', /port 9999 of 10\.0\.0\.21 is already in use/, /run again/],
  ['blank', /never formatted/, /run the kafka role/],
  ['other-node-id', /another node \(ids 7 and 1\)/, /kafka_node_id/],
  ['jmx-password-readable', /others than its owner may read \/etc\/kafka\/jmxremote\.password/, /0400/],
  ['jmx-no-password-file', /jmxremote\.password is missing/, /run the kafka role/],
  ['jmx-no-access-file', /jmxremote\.access is missing/, /run the kafka role/],
  ['advertised-wildcard', /send their clients to 0\.0\.0\.0/, /private address/],
  ['unresolvable', /no-such-host\.invalid cannot be resolved/, /private_address/],
  ['address-not-local', /203\.0\.113\.5 is no address of this host/, /private_address/],
  ['bad-value', /Invalid value abc for configuration num\.io\.threads/, /kafka_settings/],
  ['no-quorum', /no controller can be reached: node 1 at 10\.0\.0\.21:9093/, /start the controllers \(broker-01\)/],
  ['denied-meta', /user kafka may not use \/var\/lib\/kafka\/meta\.properties/, /chown/],
  ['denied-data', /user kafka may not use \/var\/lib\/kafka\/__cluster_metadata-0/, /chown/],
  ['heap-beyond-memory', /heap of 1g is beyond the memory that is left \(the host has 8192 MiB\)/, /lower kafka_heap/],
  ['out-of-memory', /ran out of memory: Java heap space/, /raise kafka_heap \(now 1g\)/],
  ['locked', /another Kafka uses \/var\/lib\/kafka$/, /fuser -v \/var\/lib\/kafka\/\.lock/],
];

describe('why Kafka did not come up', () => {
  for (const [file, cause, fix] of CASES) {
    it(file, () => {
      const [first, ...more] = diagnose(evidence(log(file), { sockets: [{ address: '0.0.0.0', port: 9092, process: 'nginx', pid: 7 }] }));
      expect(first?.cause).to.match(cause);
      expect(first?.fix).to.match(fix);
      expect(log(file)).to.include((first?.evidence ?? 'nothing').replace(/…$/, ''));
      expect(more.map((each) => each.cause)).to.not.include(first?.cause);
      expect(more.length, JSON.stringify(more)).to.be.lessThan(2);
    });
  }
  it('in words that no lab could provoke', () => {
    const causeOf = (text: string): string | undefined => diagnose(evidence(text))[0]?.cause;
    expect(causeOf("ERROR kafka.common.InconsistentClusterIdException: The Cluster ID a doesn't match stored clusterId Some(b) in meta.properties.")).to.match(
      /of another cluster/,
    );
    expect(causeOf('java.io.IOException: No space left on device')).to.equal('a disk is full');
    expect(causeOf("Unrecognized VM option 'UseNothing'")).to.match(/UseNothing/);
    expect(causeOf('/opt/kafka/current/bin/kafka-run-class.sh: 41: exec: /no/bin/java: not found')).to.equal('there is no Java at /no/bin/java');
    expect(causeOf('kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out waiting for connection while in state: CONNECTING')).to.equal(
      'ZooKeeper does not answer',
    );
    expect(causeOf('all is well')).to.equal(undefined);
  });
  it('is nothing where it was stopped on request', () => {
    const unit = { activeState: 'inactive', result: 'success', invocationId: 'a' };
    expect(stopped(unit, 'kafka.service', 'broker-02')[0]?.fix).to.match(/--role kafka --limit broker-02/);
    expect(stopped({ ...unit, result: 'exit-code' }, 'kafka.service', 'b')).to.deep.equal([]);
    expect(stopped({ ...unit, invocationId: '' }, 'kafka.service', 'b')).to.deep.equal([]);
  });
});
