import { expect } from 'chai';
import fc from 'fast-check';
import { log4jProperties, serverProperties, voters, zookeeperProperties } from '../../../roles/kafka/config.mts';
import { bootstrapServers, jmxTarget, listeners, nodeId, processKind } from '../../../roles/kafka/contract.mts';
import { properties } from '../../../roles/kafka/properties.mts';
import { tool } from '../../../roles/kafka/tool.mts';
import { jmxOptions, unit, zookeeperUnit } from '../../../roles/kafka/unit.mts';
import { readProperties as load } from '../readers.mts';
import { hostOf, inventory } from '../support.mts';
import { kafkaCluster } from './support.mts';

describe('Java properties', () => {
  it('parse back to what was meant, whatever the strings are', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(
        fc.dictionary(
          text.filter((key) => key !== ''),
          text,
          { noNullPrototype: true },
        ),
        (settings) => {
          const written = properties(settings);
          expect(written).to.match(/^[\u0020-\u007e\n]*$/);
          expect(load(written)).to.deep.equal(settings);
        },
      ),
    );
  });
  it('leave out what is undefined', () => {
    expect(properties({ a: undefined, 'b.c': false, d: 1 })).to.equal('b.c=false\nd=1\n');
  });
});

describe('server.properties', () => {
  const cluster = kafkaCluster(3, 1, 'kafka_replication_factor: 3, kafka_min_insync_replicas: 2, kafka_settings: {log.retention.hours: 48}');
  it('is a broker and a controller on the private address', () => {
    expect(serverProperties(hostOf(cluster, 'broker-01'), cluster)).to.equal(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@10.0.0.21:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
listeners=PLAINTEXT://10.0.0.21:9092,CONTROLLER://10.0.0.21:9093
advertised.listeners=PLAINTEXT://10.0.0.21:9092
inter.broker.listener.name=PLAINTEXT
log.dirs=/var/lib/kafka
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
log.retention.hours=48
`);
  });
  it('is a broker only, or a controller only, with what belongs to it', () => {
    const split = inventory(`all:
  children:
    controllers: {hosts: {ctl-11: {private_address: 'fd00::11'}}}
    brokers: {hosts: {kafka-1: {private_address: 10.0.0.1}}}
`);
    const lines = (name: string): readonly string[] =>
      serverProperties(hostOf(split, name), split)
        .split('\n')
        .filter((line) => /roles|listeners=|voters/.test(line));
    expect(lines('kafka-1')).to.deep.equal([
      'process.roles=broker',
      'controller.quorum.voters=11@[fd00::11]:9093',
      'listeners=PLAINTEXT://10.0.0.1:9092',
      'advertised.listeners=PLAINTEXT://10.0.0.1:9092',
    ]);
    expect(lines('ctl-11')).to.deep.equal([
      'process.roles=controller',
      'controller.quorum.voters=11@[fd00::11]:9093',
      'listeners=CONTROLLER://[fd00::11]:9093',
    ]);
  });
  it('does not change when a broker is added', () => {
    const more = kafkaCluster(4, 1, 'kafka_replication_factor: 3, kafka_min_insync_replicas: 2, kafka_settings: {log.retention.hours: 48}');
    expect(serverProperties(hostOf(more, 'broker-02'), more)).to.equal(serverProperties(hostOf(cluster, 'broker-02'), cluster));
    expect(unit(hostOf(more, 'broker-02'), { javaHome: '/j', nofile: 1 })).to.equal(unit(hostOf(cluster, 'broker-02'), { javaHome: '/j', nofile: 1 }));
  });
  it('names the controllers of its own cluster only', () => {
    const two = inventory(`all:
  children:
    controllers: {hosts: {a-1: {private_address: 10.0.0.1}, b-2: {private_address: 10.0.0.2, kafka_cluster_name: other}}}
    brokers: {hosts: {a-1: , b-2: }}
`);
    expect(voters(two, hostOf(two, 'b-2'))).to.equal('2@10.0.0.2:9093');
    expect(bootstrapServers(two, hostOf(two, 'a-1'))).to.equal('10.0.0.1:9092');
  });
});

describe('Kafka with ZooKeeper', () => {
  const one = inventory(`all:
  vars: {kafka_mode: zookeeper, kafka_jmx_authentication: false}
  children:
    zookeepers: {hosts: {broker-01: {private_address: 10.0.0.1}}}
    brokers: {hosts: {broker-01: }}
`);
  it('connects to it, each on the private address', () => {
    const host = hostOf(one, 'broker-01');
    const broker = serverProperties(host, one).split('\n');
    expect(broker.slice(0, 5)).to.deep.equal([
      'broker.id=1',
      'zookeeper.connect=10.0.0.1:2181',
      'zookeeper.connection.timeout.ms=18000',
      'listeners=PLAINTEXT://10.0.0.1:9092',
      'advertised.listeners=PLAINTEXT://10.0.0.1:9092',
    ]);
    expect(zookeeperProperties(host, one).split('\n').slice(0, 4)).to.deep.equal([
      'dataDir=/var/lib/zookeeper',
      'clientPort=2181',
      'clientPortAddress=10.0.0.1',
      'admin.enableServer=false',
    ]);
    expect(processKind(host)).to.equal('broker_controller');
    expect(listeners(host).map(({ name }) => name)).to.deep.equal(['kafka', 'kafka-jmx', 'zookeeper']);
    expect(zookeeperUnit(host, { javaHome: '/j', nofile: 1 }))
      .to.include('zookeeper-server-start.sh /etc/kafka/zookeeper.properties')
      .and.not.to.include('jmxremote');
  });
  it('makes an ensemble of several', () => {
    const three = inventory(`all:
  vars: {kafka_mode: zookeeper}
  children:
    zookeepers: {hosts: {zk-1: {private_address: 10.0.0.1}, zk-2: {private_address: 10.0.0.2}, zk-3: {private_address: 10.0.0.3}}}
`);
    expect(zookeeperProperties(hostOf(three, 'zk-2'), three)).to.include(
      'server.1=10.0.0.1:2888:3888\nserver.2=10.0.0.2:2888:3888\nserver.3=10.0.0.3:2888:3888\n',
    );
  });
});

describe('JMX', () => {
  it('has one port on the private address, behind a login that may only read', () => {
    const cluster = kafkaCluster(1, 1);
    const options = jmxOptions(hostOf(cluster, 'broker-01')).split(' ');
    expect(options).to.include.members([
      '-Dcom.sun.management.jmxremote.port=9999',
      '-Dcom.sun.management.jmxremote.rmi.port=9999',
      '-Dcom.sun.management.jmxremote.host=10.0.0.21',
      '-Djava.rmi.server.hostname=10.0.0.21',
      '-Dcom.sun.management.jmxremote.authenticate=true',
      '-Dcom.sun.management.jmxremote.password.toHashes=false',
    ]);
    expect(jmxTarget(hostOf(cluster, 'broker-01')).login?.user).to.equal('monitor');
  });
  it('sends its clients elsewhere, or asks for no login, only when told so', () => {
    const open = kafkaCluster(1, 1, 'kafka_jmx_authentication: false, kafka_jmx_hostname: jmx.example.org, kafka_jmx_port: 9990');
    const options = jmxOptions(hostOf(open, 'broker-01'));
    expect(options).to.include('authenticate=false').and.include('java.rmi.server.hostname=jmx.example.org').and.include('jmxremote.port=9990');
    expect(options).not.to.include('password');
    expect(jmxTarget(hostOf(open, 'broker-01'))).not.to.have.property('login');
  });
});

describe('the unit of Kafka', () => {
  it('gives its tools no JMX port: the options are its own environment only', () => {
    const cluster = kafkaCluster(1, 1, 'kafka_heap: 384m');
    const text = unit(hostOf(cluster, 'broker-01'), { javaHome: '/usr/lib/jvm/j', nofile: 70000 });
    expect(text).to.include('Environment="KAFKA_HEAP_OPTS=-Xms384m -Xmx384m"').and.include('hs_err_pid%%p.log').and.include('LimitNOFILE=70000');
    expect(text).to.include('UnsetEnvironment=JMX_PORT').and.include('SuccessExitStatus=143').and.include('TimeoutStopSec=180');
    expect(tool('/j', 'kafka-topics', ['--list'])).to.include("'JMX_PORT=' 'KAFKA_JMX_OPTS= '");
  });
});

describe('node ids', () => {
  it('are the number at the end of the name, unless given', () => {
    const hosts = inventory(`all:
  children:
    brokers: {hosts: {broker-007: {private_address: 10.0.0.1}, plain: {private_address: 10.0.0.2}, x9: {private_address: 10.0.0.3, kafka_node_id: 0}}}
`);
    expect(['broker-007', 'plain', 'x9'].map((name) => nodeId(hostOf(hosts, name)))).to.deep.equal([7, undefined, 0]);
  });
});

describe('log4j.properties', () => {
  it('bounds every file', () => {
    const text = log4jProperties();
    expect(text.match(/RollingFileAppender/g)).to.have.length(3);
    expect(text.match(/MaxBackupIndex=8/g)).to.have.length(3);
  });
});
