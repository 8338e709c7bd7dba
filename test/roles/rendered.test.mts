/** Whatever the values are: every file that a role writes says to its reader what was meant, and nothing else; or the value is refused. */
import { expect } from 'chai';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { toRunError, type Host, type Inventory } from '../../lib/index.mts';
import { startRecordDropIn, inputArguments } from '../../lib/resources/start-record.mts';
import { managerFile } from '../../roles/os-limits/systemd.mts';
import { limitsFile } from '../../roles/os-limits/limits.mts';
import * as elasticsearch from '../../roles/elasticsearch/config.mts';
import { unit as elasticsearchUnit } from '../../roles/elasticsearch/unit.mts';
import { kibanaYml, unit as kibanaUnit } from '../../roles/kibana/config.mts';
import { jmxAccess, log4jProperties, serverProperties, zookeeperProperties } from '../../roles/kafka/config.mts';
import { unit as kafkaUnit, zookeeperUnit } from '../../roles/kafka/unit.mts';
import { config as managerConfig, unit as managerUnit } from '../../roles/kafka-manager/config.mts';
import { jvmOptions, log4j2Properties, logstashYml } from '../../roles/logstash/config.mts';
import { jmxOptions } from '../../roles/logstash/jmx.mts';
import { placesOf } from '../../roles/logstash/paths.mts';
import { unit as logstashUnit } from '../../roles/logstash/unit.mts';
import { serviceUnit, TIMER_UNIT } from '../../roles/metrics-index/retention.mts';
import { readEnvironment, readJvmOptions, readProperties, readUnit, unitWords, type UnitLine } from './readers.mts';
import { hostOf, inventory } from './support.mts';

const size = fc.tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('m', 'g', 'M', 'G')).map(([count, unit]) => `${String(count)}${unit}`);
const port = fc.integer({ min: 1024, max: 65535 });
const path = fc.stringMatching(/^(\/[a-zA-Z0-9_+-][a-zA-Z0-9_.+-]{0,8}){1,4}$/);
const address = fc.constantFrom('10.1.2.3', 'fd00::12');
/** What somebody may write where a word is wanted. */
const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', '-', '.', ':', ' ', '"', "'", '\\', '%', '$', '#', ';', '=', '\n', '*', 'é', '{', '}', ','),
    minLength: 1,
    maxLength: 12,
  }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
);

const one = (unit: readonly UnitLine[], key: string): string => {
  const found = unit.filter((line) => line.key === key);
  expect(found.length, key).to.equal(1);
  return found[0]?.value ?? '';
};
const start = (unit: readonly UnitLine[]): readonly string[] => unitWords(one(unit, 'ExecStart'), { command: true });

/** A value of an inventory is written as it is, or the inventory is refused. */
function accepted(make: () => Inventory): Inventory | undefined {
  try {
    return make();
  } catch (thrown) {
    expect(toRunError(thrown).kind).to.equal('usage');
    return undefined;
  }
}
const fleet = (vars: Readonly<Record<string, unknown>>): Inventory =>
  inventory(`all:
  vars: ${JSON.stringify(vars)}
  children:
    es_masters: {hosts: {es-01: {private_address: 10.0.0.11}, es-02: {private_address: 'fd00::12'}}}
    es_data: {hosts: {es-01: }}
    zookeepers: {hosts: {broker-01: , broker-02: }}
    controllers: {hosts: {broker-01: }}
    brokers: {hosts: {broker-01: {private_address: 10.0.0.21}, broker-02: {private_address: 'fd00::22'}}}
    monitoring: {hosts: {mon-01: {private_address: 10.0.0.31}}}
`);
const holds = <T,>(values: fc.Arbitrary<T>, body: (values: T) => void): void => {
  fc.assert(fc.property(values, body), { numRuns: 80 });
};

describe('what a role writes is read as it was meant', function () {
  this.timeout(60_000);

  it('Kafka: properties, units and what Java is told', () => {
    const hostile: fc.Arbitrary<Readonly<Partial<Record<string, string>>>> = fc.oneof(
      fc.record({ kafka_jmx_hostname: fc.oneof(text, fc.constantFrom('jmx.example.org', '203.0.113.7', '2001:db8::1')) }),
      fc.record({ kafka_heap: text, kafka_zookeeper_heap: text, kafka_jmx_user: text, kafka_cluster_name: text, kafka_java: text }, { requiredKeys: [] }),
    );
    holds(
      fc.record({
        vars: fc.record({
          kafka_heap: size,
          kafka_zookeeper_heap: size,
          kafka_port: port,
          kafka_controller_port: port,
          kafka_zookeeper_port: port,
          kafka_jmx_port: port,
          kafka_jmx_authentication: fc.boolean(),
          kafka_mode: fc.constantFrom('kraft', 'zookeeper'),
          kafka_data_dirs: fc.uniqueArray(
            path.map((each) => `/data${each}`),
            { minLength: 1, maxLength: 3 },
          ),
          kafka_settings: fc.dictionary(fc.stringMatching(/^x[a-z.]{1,8}$/), fc.oneof(text, fc.integer(), fc.boolean()), { maxKeys: 3, noNullPrototype: true }),
        }),
        odd: hostile,
        java: path,
        nofile: fc.integer({ min: 1024, max: 1_000_000 }),
      }),
      ({ vars, odd, java, nofile }) => {
        const from = accepted(() => fleet({ ...vars, ...odd }));
        if (from === undefined) return;
        for (const name of ['broker-01', 'broker-02']) {
          const host = hostOf(from, name);
          const { kafka_mode: mode } = vars;
          const properties = readProperties(serverProperties(host, from));
          for (const [key, value] of Object.entries(vars.kafka_settings)) expect(properties[key]).to.equal(String(value).toWellFormed());
          expect(properties['log.dirs']).to.equal(vars.kafka_data_dirs.join(','));
          expect(properties['listeners']).to.match(
            new RegExp(`^PLAINTEXT://\\S+:${String(vars.kafka_port)}(,CONTROLLER://\\S+:${String(vars.kafka_controller_port)})?$`),
          );
          expect(readProperties(zookeeperProperties(host, from))['clientPort']).to.equal(String(vars.kafka_zookeeper_port));

          const unit = readUnit(kafkaUnit(host, { javaHome: java, nofile }));
          expect(start(unit)).to.deep.equal(['/opt/kafka/current/bin/kafka-server-start.sh', '/etc/kafka/server.properties']);
          expect(one(unit, 'LimitNOFILE')).to.equal(String(nofile));
          const environment = readEnvironment(unit);
          expect(environment['JAVA_HOME']).to.equal(java);
          expect(Object.keys(environment)).to.have.members([
            'JAVA_HOME',
            'LOG_DIR',
            'KAFKA_HEAP_OPTS',
            'KAFKA_LOG4J_OPTS',
            'KAFKA_GC_LOG_OPTS',
            'KAFKA_OPTS',
            'KAFKA_JMX_OPTS',
          ]);
          const heap = odd['kafka_heap'] ?? vars.kafka_heap;
          expect(environment['KAFKA_HEAP_OPTS']).to.equal(`-Xms${heap} -Xmx${heap}`);
          // The launcher leaves them unquoted: a shell takes them to pieces.
          const told = environment['KAFKA_JMX_OPTS'] ?? '';
          expect(told).to.not.match(/[*?[\n\\'"`$;|&<>()]/);
          const where = odd['kafka_jmx_hostname'] ?? (name === 'broker-01' ? '10.0.0.21' : 'fd00::22');
          expect(told.split(/\s+/))
            .to.include(`-Djava.rmi.server.hostname=${where}`)
            .and.include(`-Dcom.sun.management.jmxremote.port=${String(vars.kafka_jmx_port)}`);
          expect(told.split(/\s+/)).to.have.length(vars.kafka_jmx_authentication ? 10 : 7);
          if (mode === 'zookeeper') expect(start(readUnit(zookeeperUnit(host, { javaHome: java, nofile })))).to.have.length(2);
        }
        const user = odd['kafka_jmx_user'] ?? 'monitor';
        expect(jmxAccess(user).split('\n')).to.deep.equal([`${user} readonly`, '']);
      },
    );
  });

  it('Kafka: its log, wherever that is', () => {
    holds(path, (logs) => {
      const settings = readProperties(log4jProperties(logs));
      expect(settings['log4j.appender.server.File']).to.equal(`${logs}/server.log`);
      const appenders = new Set(Object.keys(settings).flatMap((key) => /^log4j\.appender\.(\w+)$/.exec(key)?.[1] ?? []));
      const used = Object.entries(settings).flatMap(([key, value]) => (/^log4j\.(rootLogger|logger\.)/.test(key) ? value.split(', ').slice(1) : []));
      expect([...appenders]).to.have.members([...new Set(used)]);
    });
  });

  it('Elasticsearch: elasticsearch.yml, jvm.options and the unit', () => {
    holds(
      fc.record({
        vars: fc.record({ elasticsearch_http_port: port, elasticsearch_transport_port: port, elasticsearch_memory_lock: fc.boolean() }),
        odd: fc.record({ elasticsearch_cluster_name: text, elasticsearch_java: text }, { requiredKeys: [] }),
        masters: fc.option(fc.array(text, { minLength: 1, maxLength: 3 }), { nil: undefined }),
        heap: fc.integer({ min: 64, max: 64 * 1024 }).map((mebibytes) => mebibytes * 1024 ** 2),
        java: fc.option(path, { nil: undefined }),
        nofile: fc.integer({ min: 1024 }),
        checks: fc.boolean(),
      }),
      ({ vars, odd, masters, heap, java, nofile, checks }) => {
        const from = accepted(() => fleet({ ...vars, ...odd }));
        if (from === undefined) return;
        const host = hostOf(from, 'es-02');
        const yml = load(elasticsearch.elasticsearchYml(host, from, masters)) as Readonly<Record<string, unknown>>;
        expect(yml).to.deep.include({
          'cluster.name': odd.elasticsearch_cluster_name ?? 'kafka-monitoring',
          'network.host': 'fd00::12',
          'node.roles': ['master', 'ingest'],
          'http.port': vars.elasticsearch_http_port,
          'transport.port': vars.elasticsearch_transport_port,
          'bootstrap.memory_lock': vars.elasticsearch_memory_lock,
        });
        expect(yml['cluster.initial_master_nodes']).to.deep.equal(masters?.map((each) => each.toWellFormed()));
        expect(elasticsearch.unicastHosts(host, from)).to.equal(
          `10.0.0.11:${String(vars.elasticsearch_transport_port)}\n[fd00::12]:${String(vars.elasticsearch_transport_port)}\n`,
        );
        const bytes = (option: string): number => {
          const [, count, unit] = /^-Xm[sx](\d+)([mg])$/.exec(option) ?? [];
          return Number(count) * (unit === 'g' ? 1024 ** 3 : 1024 ** 2);
        };
        expect(readJvmOptions(elasticsearch.heapOptions(heap), 17).map(bytes)).to.deep.equal([heap, heap]);
        for (const version of [11, 13, 14, 17]) {
          const options = readJvmOptions(elasticsearch.jvmOptions(checks), version);
          expect(
            options.filter((option) => /^-XX:\+Use\w+GC$/.test(option)),
            String(version),
          ).to.have.length(1);
          expect(options.includes('-Des.enforce.bootstrap.checks=true')).to.equal(checks);
        }
        const unit = readUnit(elasticsearchUnit({ javaHome: java, nofile, nproc: 4096, memoryLock: checks }));
        expect(start(unit)).to.deep.equal(['/opt/elasticsearch/current/bin/elasticsearch']);
        expect(readEnvironment(unit)).to.deep.equal({
          ES_PATH_CONF: '/etc/elasticsearch',
          ES_TMPDIR: '/tmp',
          ...(java === undefined ? {} : { JAVA_HOME: java }),
        });
        expect(one(unit, 'LimitNOFILE')).to.equal(String(nofile));
      },
    );
  });

  it('Logstash: logstash.yml, jvm.options, its log and the unit', () => {
    const options = fc.array(fc.stringMatching(/^-D[a-z]{1,5}=[!-~]{0,8}$/), { maxLength: 3 });
    holds(
      fc.record({
        name: fc.stringMatching(/^[a-z]{1,8}$/),
        node: text,
        settings: fc.dictionary(fc.stringMatching(/^x\.[a-z]{1,8}$/), fc.oneof(text, fc.integer(), fc.boolean()), { maxKeys: 3, noNullPrototype: true }),
        heap: size,
        options,
        chatty: fc.array(fc.stringMatching(/^[a-z]{1,8}(\.[a-z]{1,8}){0,2}$/), { maxLength: 2 }),
        server: fc.record({ address, port }),
        java: fc.option(path, { nil: undefined }),
      }),
      ({ name, node, settings, heap, options: more, chatty, server, java }) => {
        const places = placesOf(name);
        const yml = load(logstashYml(node, places, server, settings)) as Readonly<Record<string, unknown>>;
        expect(yml['node.name']).to.equal(node.toWellFormed());
        for (const [key, value] of Object.entries(settings)) expect(yml[key]).to.equal(typeof value === 'string' ? value.toWellFormed() : value);
        expect(yml).to.include({ 'http.host': server.address, 'http.port': server.port });

        const told = readJvmOptions(jvmOptions(heap, places.logs, more), 17);
        expect(told).to.include.members([`-Xms${heap}`, `-Xmx${heap}`, `-XX:HeapDumpPath=${places.logs}/heap.hprof`, ...more]);
        const log = readProperties(log4j2Properties(chatty));
        expect(chatty.map((_, index) => log[`logger.chatty${String(index)}.name`])).to.deep.equal(chatty);
        expect(log['appender.rolling.fileName']).to.equal('${sys:ls.logs}/logstash-plain.log');

        const jmx = jmxOptions(server, places.config);
        const unit = readUnit(logstashUnit({ description: `Logstash ${name}`, places, javaHome: java, javaOptions: jmx }));
        expect(start(unit)).to.deep.equal(['/opt/logstash/current/bin/logstash', '--path.settings', places.config]);
        expect(readEnvironment(unit)).to.deep.equal({ LS_JAVA_OPTS: jmx.join(' '), ...(java === undefined ? {} : { JAVA_HOME: java }) });
      },
    );
  });

  it('Kibana and the Kafka manager: settings and units', () => {
    holds(
      fc.record({
        vars: fc.record({ kibana_port: port, kafka_manager_port: port, kafka_port: port }),
        cluster: fc.stringMatching(/^[\w-]{1,20}$/),
        heap: size,
        address,
        java: path,
        memory: fc.option(
          fc.integer({ min: 100, max: 9999 }).map((count) => `${String(count)}m`),
          { nil: undefined },
        ),
      }),
      ({ vars, cluster, heap, address: at, java, memory }) => {
        const from = fleet({ ...vars, kafka_cluster_name: cluster });
        const host: Host = hostOf(from, 'mon-01');
        expect(load(kibanaYml(host, from))).to.deep.include({ 'server.host': '10.0.0.31', 'server.port': vars.kibana_port, 'server.name': 'mon-01' });
        const kibana = readUnit(kibanaUnit(memory));
        expect(start(kibana)).to.deep.equal(['/opt/kibana/current/bin/kibana']);
        expect(readEnvironment(kibana)['NODE_OPTIONS']).to.equal(memory === undefined ? undefined : `--max-old-space-size=${memory.slice(0, -1)}`);

        const servers = `10.0.0.21:${String(vars.kafka_port)},[fd00::22]:${String(vars.kafka_port)}`;
        expect(load(managerConfig('akhq', host, from))).to.deep.equal({
          micronaut: { server: { host: '10.0.0.31', port: vars.kafka_manager_port } },
          akhq: { connections: { [cluster]: { properties: { 'bootstrap.servers': servers } } } },
        });
        expect(managerConfig('cmak', host, from)).to.match(/^include classpath\("application"\)\ncmak\.zkhosts = "10\.0\.0\.21:2181,\[fd00::22\]:2181"\n$/);
        for (const product of ['akhq', 'cmak'] as const) {
          const words = start(readUnit(managerUnit({ product, sha256: 'a'.repeat(64), address: at, port: vars.kafka_manager_port, heap, javaHome: java })));
          expect(words).to.include.members(
            product === 'akhq'
              ? [`${java}/bin/java`, `-Xmx${heap}`]
              : [`-J-Xmx${heap}`, `-Dhttp.address=${at}`, `-Dhttp.port=${String(vars.kafka_manager_port)}`],
          );
        }
      },
    );
  });

  it('units of the retention of metrics', () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9_./:[\]-]{1,20}$/);
    holds(fc.array(word, { maxLength: 6 }), (argv) => {
      expect(start(readUnit(serviceUnit(argv)))).to.deep.equal(['/bin/sh', ...argv]);
    });
    expect(one(readUnit(TIMER_UNIT), 'OnCalendar')).to.equal('*-*-* 03:10:00 UTC');
  });

  it('the record of starts: its words, whatever is in them', () => {
    const odd = fc.string({ unit: fc.constantFrom('a', ' ', '"', "'", '\\', '%', '$', '#', ';', 'é', '{', '*'), minLength: 1, maxLength: 10 });
    const input = fc.oneof(
      fc.record({ path: odd.map((name) => `/etc/${name}`), content: fc.constant(''), ignore: fc.constantFrom('^;', '^\\$%"', "^'") }),
      fc.record({ link: odd.map((name) => `/opt/${name}`), target: odd }),
      fc.record({ jars: odd.map((name) => `/opt/${name}`), without: odd }),
    );
    holds(fc.array(input, { maxLength: 4 }), (inputs) => {
      const [line] = readUnit(startRecordDropIn('x.service', inputs));
      expect(line).to.include({ section: 'Service', key: 'ExecStartPre' });
      const [program, , unit, ...rest] = unitWords(line?.value ?? '', { command: true });
      expect([program, unit]).to.deep.equal(['-+/bin/sh', 'x.service']);
      expect(rest).to.deep.equal(inputArguments(inputs));
    });
  });

  it('limits of logins and of systemd', () => {
    const limit = fc.option(fc.oneof(fc.integer({ min: 1 }), fc.constant('unlimited' as const)), { nil: undefined });
    holds(fc.record({ nofile: fc.integer({ min: 1 }), nproc: limit, memlock: limit }), ({ nofile, nproc, memlock }) => {
      const limits = { nofile, ...(nproc === undefined ? {} : { nproc }), ...(memlock === undefined ? {} : { memlock }) };
      const lines = limitsFile(limits)
        .split('\n')
        .filter((line) => !/^\s*(#.*)?$/.test(line))
        .map((line) => line.split(/\s+/));
      const read = (who: string, type: string): Readonly<Record<string, string>> =>
        Object.fromEntries(lines.flatMap(([domain, kind, item = '', value = '']) => (domain === who && kind === type ? [[item, value]] : [])));
      for (const who of ['*', 'root'])
        for (const type of ['soft', 'hard'])
          expect(read(who, type)).to.deep.equal(Object.fromEntries(Object.entries(limits).map(([item, value]) => [item, String(value)])));
      expect(lines.length).to.equal(Object.keys(limits).length * 4);
      expect(readUnit(managerFile(nofile))).to.deep.equal([{ section: 'Manager', key: 'DefaultLimitNOFILE', value: String(nofile) }]);
    });
  });
});
