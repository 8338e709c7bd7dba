import { expect } from 'chai';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { elasticsearchYml, heapOptions, jvmOptions, log4j2Properties, unicastHosts, YML_IGNORED } from '../../../roles/elasticsearch/config.mts';
import { flatYaml } from '../../../roles/elasticsearch/yaml.mts';
import { daemonArgv, unit } from '../../../roles/elasticsearch/unit.mts';
import { hostOf, inventory, threeMasters } from '../support.mts';

describe('flat YAML', () => {
  it('parses back to what was meant, whatever the strings are', () => {
    const text = fc.string({ unit: 'binary' });
    const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text, { maxLength: 4 }));
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]+(\.[a-z_]+){0,3}$/), value, { minKeys: 1, maxKeys: 8 }), (settings) => {
        const written = flatYaml(settings);
        expect(written.split('\n')).to.have.length(Object.keys(settings).length + 1);
        expect(load(written)).to.deep.equal({ ...settings });
      }),
      { numRuns: 50 },
    );
  });
  it('leaves out what is undefined', () => {
    expect(flatYaml({ a: undefined, b: [] })).to.equal('b: []\n');
  });
});

describe('elasticsearch.yml', () => {
  it('binds the private address and single ports, and finds others by file', () => {
    const yml = load(elasticsearchYml(hostOf(threeMasters(), 'es-02'), threeMasters(), undefined));
    expect(yml).to.deep.equal({
      'cluster.name': 'kafka-monitoring',
      'node.name': 'es-02',
      'node.roles': ['master', 'data', 'ingest'],
      'path.data': '/var/lib/elasticsearch',
      'path.logs': '/var/log/elasticsearch',
      'network.host': '10.0.0.12',
      'http.port': 9200,
      'transport.port': 9300,
      'discovery.seed_hosts': [],
      'discovery.seed_providers': 'file',
      'bootstrap.memory_lock': false,
      'action.destructive_requires_name': true,
    });
  });

  it('differs by one ignored line while a cluster is founded', () => {
    const host = hostOf(threeMasters(), 'es-01');
    const founding = elasticsearchYml(host, threeMasters(), ['es-01', 'es-02', 'es-03']);
    expect(load(founding)).to.have.property('cluster.initial_master_nodes').that.deep.equals(['es-01', 'es-02', 'es-03']);
    const ignored = new RegExp(YML_IGNORED);
    const kept = founding.split('\n').filter((line) => !ignored.test(line));
    expect(kept.join('\n')).to.equal(elasticsearchYml(host, threeMasters(), undefined));
  });

  it('gives masters and data nodes their roles', () => {
    const split = inventory(`all:
  children:
    es_masters: {hosts: {m: {private_address: 10.0.0.1}, both: {private_address: 10.0.0.2}}}
    es_data: {hosts: {d: {private_address: 10.0.0.3}, both: }}
`);
    const roles = (name: string): unknown => (load(elasticsearchYml(hostOf(split, name), split, undefined)) as Record<string, unknown>)['node.roles'];
    expect([roles('m'), roles('d'), roles('both')]).to.deep.equal([
      ['master', 'ingest'],
      ['data', 'ingest'],
      ['master', 'data', 'ingest'],
    ]);
    expect(unicastHosts(hostOf(split, 'd'), split)).to.equal('10.0.0.1:9300\n10.0.0.2:9300\n');
  });

  it('seeds masters of its own cluster only, IPv6 in brackets', () => {
    const two = inventory(`all:
  children:
    es_masters:
      hosts:
        a: {private_address: fd00::1}
        b: {private_address: 10.0.0.2, elasticsearch_transport_port: 9301}
        c: {private_address: 10.0.0.3, elasticsearch_cluster_name: other}
`);
    expect(unicastHosts(hostOf(two, 'b'), two)).to.equal('[fd00::1]:9300\n10.0.0.2:9301\n');
    expect(unicastHosts(hostOf(two, 'c'), two)).to.equal('10.0.0.3:9300\n');
  });
});

describe('Java options', () => {
  it('give the heap one size', () => {
    expect(heapOptions(512 * 1024 ** 2)).to.equal('-Xms512m\n-Xmx512m\n');
  });
  it('keep logs and dumps in the log folder and turn lookups off', () => {
    const options = jvmOptions(false);
    expect(options).to.include('-Dlog4j2.formatMsgNoLookups=true\n').and.to.include('14-:-XX:+UseG1GC\n');
    for (const [, path] of options.matchAll(/(?:file|Path|ErrorFile)=([^:\n]+)/g)) expect(path).to.match(/^\/var\/log\/elasticsearch\//);
    expect(options).not.to.include('enforce.bootstrap.checks');
    for (const line of options.trim().split('\n')) expect(line).to.match(/^(#|-|\d+-(\d+)?:-)/);
  });
  it('enforce bootstrap checks on request', () => {
    expect(jvmOptions(true)).to.include('\n-Des.enforce.bootstrap.checks=true\n');
  });
});

describe('log4j2.properties', () => {
  it('sets no key twice and bounds every file', () => {
    const keys = log4j2Properties()
      .split('\n')
      .flatMap((line) => /^([\w.]+) = /.exec(line)?.[1] ?? []);
    expect(new Set(keys).size).to.equal(keys.length);
    const files = keys.filter((key) => key.endsWith('.fileName')).map((key) => key.replace('.fileName', ''));
    for (const appender of files) expect(keys).to.include.members([`${appender}.policies.size.size`, `${appender}.strategy.max`]);
  });
});

describe('the unit', () => {
  const options = { javaHome: '/usr/lib/jvm/x', nofile: 70000, nproc: 4096, memoryLock: false };
  it('carries the limits, and no Java of somebody else', () => {
    expect(unit(options))
      .to.include('\nLimitNOFILE=70000\nLimitNPROC=4096\n')
      .and.to.include('\nEnvironment=JAVA_HOME=/usr/lib/jvm/x\n')
      .and.not.to.include('MEMLOCK');
    expect(unit({ ...options, javaHome: undefined }))
      .to.include('\nUnsetEnvironment=JAVA_HOME')
      .and.not.to.include('JAVA_HOME=');
    expect(unit({ ...options, memoryLock: true })).to.include('\nLimitMEMLOCK=infinity\n');
  });
  it('is not started again after a refused bootstrap check', () => {
    expect(unit(options)).to.include('\nRestart=on-failure\n').and.to.include('\nRestartPreventExitStatus=78\n').and.to.include('\nSuccessExitStatus=143\n');
  });
  it('has a counterpart for hosts without systemd', () => {
    expect(daemonArgv(options).join(' ')).to.match(
      /ulimit -n 70000 .*exec env JAVA_HOME=\/usr\/lib\/jvm\/x ES_PATH_CONF=\/etc\/elasticsearch bin\/elasticsearch/,
    );
  });
});
