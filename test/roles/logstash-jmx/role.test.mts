import { expect } from 'chai';
import { logstashJmx } from '../../../roles/logstash-jmx/contract.mts';
import { threads } from '../../../roles/logstash-jmx/pipeline.mts';
import role from '../../../roles/logstash-jmx/role.mts';
import { context, find, steps } from '../support.mts';
import { chain, type World } from '../logstash/world.mts';

const here = (world: World = {}, name = 'mon') => context(logstashJmx, chain(world), name);
const two = { monitoring: 'mon: {private_address: 10.0.0.31}, mon-2: {private_address: 10.0.0.32}' };
const resources = (world: World = {}, name = 'mon') => role.resources(here(world, name));

describe('the logstash-jmx role', () => {
  it('works on the first monitoring host', () => {
    expect(resources(two).map(({ id }) => id)).to.deep.equal([
      'logstash is installed',
      'elasticsearch has the template',
      'directory /etc/logstash-jmx',
      'directory /var/lib/logstash-jmx',
      'directory /var/log/logstash-jmx',
      'file /etc/logstash-jmx/logstash.yml',
      'file /etc/logstash-jmx/jvm.options',
      'file /etc/logstash-jmx/log4j2.properties',
      'plugin logstash-input-jmx',
      'log4shell',
      'file /etc/logstash-jmx/clusters.json',
      'file /etc/logstash-jmx/kinds.json',
      'directory /etc/logstash-jmx/conf.d',
      'file /etc/logstash-jmx/conf.d/broker-01.conf',
      'file /etc/logstash-jmx/conf.d/broker-02.conf',
      'file /etc/logstash-jmx/conf.d/client-01-producer.conf',
      'file /etc/logstash-jmx/conf.d/client-01-consumer.conf',
      'file /etc/logstash-jmx/pipeline.conf',
      'unit logstash-jmx.service',
      'start-record logstash-jmx.service',
      'unit logstash-jmx.service.d/50-start-record.conf',
      'service logstash-jmx.service',
    ]);
  });

  it('is stopped on every other one, so that nothing is collected twice', () => {
    expect(resources(two, 'mon-2').map(({ id }) => id)).to.deep.equal(['service logstash-jmx.service']);
    expect(role.verify?.(here(two, 'mon-2'))).to.deep.equal([]);
    const { host, vars, inventory } = here(two, 'mon-2');
    expect(role.listeners?.({ host, vars, inventory })).to.deep.equal([]);
  });

  it('writes one pipeline for all', () => {
    const script = steps(
      find(resources({ vars: '{logstash_jmx_poll_seconds: 2, logstash_jmx_filters: "mutate { add_tag => [1] }"}' }), 'file /etc/logstash-jmx/pipeline.conf'),
    );
    expect(script.slice(script.indexOf('\ninput {') + 1).trim()).to.equal(`input {
  jmx {
    path => "/etc/logstash-jmx/conf.d"
    polling_frequency => 2
    nb_thread => 512
  }
}
filter {
  mutate {
    add_field => { "[@metadata][value]" => "%{metric_value_number}" }
  }
  if [@metadata][value] in ["NaN", "Infinity", "-Infinity"] {
    drop {}
  }
  dissect {
    mapping => { "metric_path" => "%{broker}.%{metric}" }
  }
  translate {
    field => "broker"
    destination => "cluster"
    dictionary_path => "/etc/logstash-jmx/clusters.json"
    refresh_interval => 5
    refresh_behaviour => "replace"
  }
  translate {
    field => "broker"
    destination => "kind"
    dictionary_path => "/etc/logstash-jmx/kinds.json"
    refresh_interval => 5
    refresh_behaviour => "replace"
  }
  mutate { add_tag => [1] }
}
output {
  elasticsearch {
    hosts => ["http://10.0.0.11:9200", "http://10.0.0.12:9200"]
    index => "kafka_mon-%{+YYYY.MM.dd}"
    manage_template => false
    ilm_enabled => false
    retry_max_interval => 10
  }
}`);
  });

  it('prints events only when asked to, and keeps the fixed index of the tutorial possible', () => {
    const script = steps(find(resources({ vars: '{logstash_jmx_debug: true, metrics_index_rotation: none}' }), 'file /etc/logstash-jmx/pipeline.conf'));
    expect(script).to.contain('stdout {\n    codec => "rubydebug"\n  }').and.to.contain('index => "kafka_mon"\n');
  });

  it('a broker more restarts nothing', () => {
    const service = (world: World) => find(resources(world), 'service logstash-jmx.service').fingerprint;
    const more = ', broker-03: {private_address: 10.0.0.23}';
    expect(service({})).to.equal(service({ brokers: more }));
  });

  it('files of JVMs are staged outside of the directory that the plugin reads', () => {
    expect(steps(find(resources(), 'file /etc/logstash-jmx/conf.d/broker-02.conf'))).to.contain(
      `put '/etc/logstash-jmx/.staged-broker-02.conf' 0 '0640' 'root' 'logstash'`,
    );
  });

  it('looks for the plugin without starting Java', () => {
    const plugin = find(resources(), 'plugin logstash-input-jmx');
    const answer = (output: string) => plugin.differs.read(() => ({ kind: 'value', bytes: Buffer.from(`0\n${output}`) }));
    const changes = (output: string) => {
      const found = answer(output);
      return found.kind === 'known' ? found.value.map(({ field, from }) => [field, from.kind === 'text' ? from.text : from.kind]) : found;
    };
    expect(changes('')).to.deep.equal([['installed', 'absent']]);
    expect(changes('gem 3.0.6\nlisted\nstamp 3.0.6\n')).to.deep.equal([['installed', '3.0.6']]);
    expect(changes('gem 3.0.7\n')).to.deep.equal([['installed', '3.0.7']]);
    expect(changes('gem 3.0.7\nlisted\n')).to.deep.equal([['recorded', 'absent']]);
    expect(changes('gem 3.0.7\nlisted\nstamp 3.0.7\n')).to.deep.equal([]);
  });

  const refused: readonly (readonly [string, World, string])[] = [
    [
      'two of one name',
      { brokers: ', broker.03: {private_address: 10.0.0.23}, b3: {private_address: 10.0.0.24, logstash_jmx_alias: broker_03}' },
      'broker.03 and b3 would both be called broker_03 in documents',
    ],
    [
      'an alias of another',
      { brokers: ', b3: {private_address: 10.0.0.23, logstash_jmx_alias: broker-02}' },
      'broker-02 and b3 would both be called broker-02 in documents',
    ],
  ];
  for (const [what, world, reason] of refused) {
    it(`refuses ${what}`, () => {
      expect(role.refuses?.(here(world)).map((each) => each.reason)).to.deep.equal([reason]);
    });
  }
  it('refuses nothing else', () => {
    expect(role.refuses?.(here())).to.deep.equal([]);
  });

  it('checks each JVM by its name', () => {
    expect(role.verify?.(here()).map(({ id }) => id)).to.deep.equal([
      'process',
      'api',
      'pipeline',
      'events',
      'listeners',
      'log4shell',
      'exposure',
      'elasticsearch',
      'metrics-broker-01',
      'metrics-broker-02',
      'metrics-client-01-producer',
      'metrics-client-01-consumer',
      'mapping',
      'removed',
    ]);
  });
});

describe('threads of the plugin', () => {
  const table: readonly (readonly [files: number, threads: number])[] = [
    [1, 512],
    [62, 512],
    [256, 512],
    [257, 1024],
    [1000, 2048],
  ];
  for (const [files, wanted] of table) {
    it(`${String(files)} JVMs: ${String(wanted)}`, () => {
      expect(threads(files)).to.equal(wanted);
    });
  }
});
