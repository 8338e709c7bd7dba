import { expect } from 'chai';
import fc from 'fast-check';
import { Secret } from '../../../lib/index.mts';
import { bytesOf, isConfidential } from '../../../lib/secret.mts';
import { checkedQueries, confFile, dictionary, expectedMetrics } from '../../../roles/logstash-jmx/conf.mts';
import { METRICS, metricName, queriesFor, type JmxQuery, type TargetKind } from '../../../roles/logstash-jmx/contract.mts';
import { targets, type Target } from '../../../roles/logstash-jmx/targets.mts';
import { chain } from '../logstash/world.mts';

const KINDS: readonly TargetKind[] = ['broker', 'controller', 'broker_controller', 'producer', 'consumer'];
const all = targets(chain());
const named = (alias: string): Target => {
  const found = all.find((target) => target.alias === alias);
  if (found === undefined) throw new Error(`no target ${alias}`);
  return found;
};
const parsed = (target: Target): Record<string, unknown> =>
  JSON.parse(Buffer.from(bytesOf(confFile(target, 'extended'))).toString()) as Record<string, unknown>;

describe('JVMs that are asked', () => {
  it('are all Kafka processes and both clients', () => {
    expect(all.map(({ alias, kind, cluster, jmx, alive, role }) => [alias, kind, cluster, `${jmx.address}:${String(jmx.port)}`, alive, role])).to.deep.equal([
      ['broker-01', 'broker_controller', 'kafka', '10.0.0.21:9999', 9092, 'kafka'],
      ['broker-02', 'broker', 'kafka', '10.0.0.22:9999', 9092, 'kafka'],
      ['client-01-producer', 'producer', 'kafka', '10.0.0.41:9998', 9601, 'tracks-producer'],
      ['client-01-consumer', 'consumer', 'kafka', '10.0.0.41:9997', 9602, 'tracks-consumer'],
    ]);
  });
  it('so are those that others run', () => {
    const found = targets(
      chain({ brokers: ', old.kafka: {private_address: 10.0.0.99, kafka_managed: false, kafka_jmx_authentication: false, kafka_jmx_port: 19999}' }),
    );
    const old = found.find(({ alias }) => alias === 'old_kafka');
    expect(old).to.deep.include({ kind: 'broker', role: undefined, jmx: { address: '10.0.0.99', port: 19999 } });
  });
});

describe('the file of a JVM', () => {
  it('is what the plugin reads, with the login inside', () => {
    const conf = parsed(named('broker-02'));
    expect(Object.keys(conf)).to.deep.equal(['host', 'port', 'alias', 'username', 'password', 'queries']);
    expect(conf).to.deep.include({ host: '10.0.0.22', port: 9999, alias: 'broker-02', username: 'monitor', password: 'ops' });
    expect(conf['queries']).to.deep.include({
      object_name: 'kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Produce',
      attributes: ['Mean', '99thPercentile'],
      object_alias: '${type}.${name}.${request}',
    });
    expect(isConfidential(confFile(named('broker-02'), 'extended'))).to.equal(true);
  });

  it('shows itself where it holds no secret', () => {
    const target: Target = { ...named('broker-02'), jmx: { address: '10.0.0.22', port: 9999 } };
    expect(confFile(target, 'tutorial')).to.equal(`{
  "host": "10.0.0.22",
  "port": 9999,
  "alias": "broker-02",
  "queries": [
    {"object_name":"kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec","attributes":["OneMinuteRate"],"object_alias":"\${type}.\${name}"},
    {"object_name":"kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec","attributes":["OneMinuteRate"],"object_alias":"\${type}.\${name}"},
    {"object_name":"kafka.server:type=BrokerTopicMetrics,name=BytesOutPerSec","attributes":["OneMinuteRate"],"object_alias":"\${type}.\${name}"},
    {"object_name":"kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions","attributes":["Value"],"object_alias":"\${type}.\${name}"},
    {"object_name":"kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Produce","attributes":["Mean","99thPercentile"],"object_alias":"\${type}.\${name}.\${request}"},
    {"object_name":"kafka.network:type=RequestMetrics,name=TotalTimeMs,request=FetchConsumer","attributes":["Mean","99thPercentile"],"object_alias":"\${type}.\${name}.\${request}"}
  ]
}
`);
  });

  it('holds any password', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const password = new Secret(text, 'env:X');
        expect(parsed({ ...named('broker-02'), jmx: { address: 'a', port: 1, login: { user: 'u', password } } })['password']).to.equal(text.toWellFormed());
      }),
    );
  });

  for (const kind of KINDS) {
    it(`asks a ${kind} only for what the plugin can name, each by a name of its own`, () => {
      expect(() => checkedQueries(queriesFor(kind, 'extended'))).not.to.throw();
      expect(expectedMetrics({ kind }, 'extended').length).to.be.greaterThan(0);
    });
  }

  const query: JmxQuery = { of: 'jvm', object: 'a:type=T,name=N', attributes: ['X'], alias: '${type}.${name}' };
  it('a key that the object lacks is found before it is written', () => {
    expect(() => checkedQueries([{ ...query, alias: '${type}.${request}' }])).to.throw('has no key request');
  });
  it("so is the tutorial's one name for two series", () => {
    const twice = ['Produce', 'FetchConsumer'].map((request) => ({
      ...query,
      object: `kafka.network:type=RequestMetrics,name=TotalTimeMs,request=${request}`,
      attributes: ['Mean'],
    }));
    expect(() => checkedQueries(twice)).to.throw('two queries give the metric RequestMetrics.TotalTimeMs.Mean');
  });
});

describe('names of metrics', () => {
  it('are those that the real plugin gave', () => {
    // Lines of what logstash-input-jmx 3.0.7 emitted for a real broker.
    const real = [
      'BrokerTopicMetrics.MessagesInPerSec.OneMinuteRate',
      'ReplicaManager.UnderReplicatedPartitions.Value',
      'RequestMetrics.TotalTimeMs.FetchConsumer.Mean',
      'Memory.HeapMemoryUsage.committed',
      'Memory.HeapMemoryUsage.used',
    ];
    const ours = METRICS.flatMap((each) =>
      each.attributes.flatMap((attribute) => (each.composite ?? [undefined]).map((key) => metricName(each, attribute, key))),
    );
    expect(ours).to.include.members(real);
  });
});

describe('the dictionaries of the pipeline', () => {
  it('say to which cluster a name belongs, and what it is', () => {
    expect(JSON.parse(dictionary(all, 'cluster'))).to.deep.equal(Object.fromEntries(all.map(({ alias }) => [alias, 'kafka'])));
    expect(JSON.parse(dictionary(all, 'kind'))).to.include({ 'broker-01': 'broker_controller', 'client-01-consumer': 'consumer' });
  });
});
