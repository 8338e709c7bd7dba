import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { closest } from '../../../lib/index.mts';
import { diagnose, type Evidence } from '../../../roles/elasticsearch/diagnose.mts';

// Printed by real Elasticsearch 7.10.2 nodes; stack traces are left out.
const LOGS = resolve(import.meta.dirname, '../../cases/elasticsearch/logs');
const read = (file: string): string => (existsSync(join(LOGS, file)) ? readFileSync(join(LOGS, file), 'utf8') : '');

const evidence = (name: string, more: Partial<Evidence> = {}): Evidence => ({
  journal: read(`${name}.journal`),
  log: read(`${name}.log`),
  sockets: [],
  candidates: [
    { name: 'es-01', address: '127.77.0.11', transportPort: 9300 },
    { name: 'kafka-monitoring', address: '127.77.0.31', transportPort: 9300 },
  ],
  memoryBytes: 24 * 1024 ** 3,
  nofile: 70000,
  nofileVariable: undefined,
  grantedFiles: 1048576,
  nearest: (text, names) => closest(text, names)[0],
  ...more,
});

interface Case {
  readonly causes: readonly RegExp[];
  readonly fix?: RegExp;
  readonly more?: Partial<Evidence>;
}
const CASES: Readonly<Record<string, Case>> = {
  'fd-4096-enforced': { causes: [/may open 4096 files and wants 65535/], fix: /running process keeps its limits/ },
  'fd-4096-soft-hard20000': { causes: [/may open 20000 files/], fix: /nobody more than 20000/, more: { grantedFiles: 20000 } },
  'fd-4096-not-enforced': { causes: [] },
  'max-map-count-and-fd-enforced': { causes: [/may open 20000 files/, /vm\.max_map_count is 65530, Elasticsearch wants 262144/], fix: /--role os-limits/ },
  'memory-lock-enforced': { causes: [/may open 20000 files/, /may not lock its memory/] },
  'discovery-default-enforced': { causes: [/may open/, /neither where other nodes are nor who founds/], fix: /discovery\.seed_hosts/ },
  'heap-min-max-differ': { causes: [/may open/, /-Xms \(268435456\) and -Xmx \(536870912\) differ/] },
  'initial-master-wrong-names': { causes: [/no node's name or publish address: kakfa-monitoring/], fix: /"kakfa-monitoring" should be "kafka-monitoring"/ },
  'initial-master-empty': { causes: [/waits for a cluster to join/], fix: /es-01, kafka-monitoring/ },
  'http-port-in-use': {
    causes: [/port 9200 of 127\.77\.0\.11 is already in use by nginx \(pid 42\)/],
    fix: /elasticsearch_http_port/,
    more: { sockets: [{ address: '0.0.0.0', port: 9200, process: 'nginx', pid: 42 }] },
  },
  'transport-port-in-use': {
    causes: [/port 9300 of 127\.77\.0\.12 is already in use by java \(pid 7\)/],
    fix: /elasticsearch_transport_port/,
    more: {
      sockets: [
        { address: '127.77.0.11', port: 9300, process: 'other', pid: 1 },
        { address: '::ffff:127.77.0.12', port: 9300, process: 'java', pid: 7 },
      ],
    },
  },
  'address-not-local': { causes: [/10\.99\.99\.99 is no address of this host/], fix: /private_address/ },
  'heap-200g': { causes: [/the heap of 200g is beyond the memory that is left \(the host has 24g\)/], fix: /elasticsearch_heap/ },
  'jvm-unrecognized-option': { causes: [/does not know the option UseConcMarkSweepGC/] },
  'unknown-setting': { causes: [/does not know: xpack\.security\.enabled/], fix: /OSS edition has no xpack/ },
  'data-path-not-writable': { causes: [/may not write to \/var\/lib\/elasticsearch/] },
  'bad-yaml': { causes: [/not valid YAML/] },
  'as-root': { causes: [/started as root/] },
  'no-java': { causes: [/no Java at \/nonexistent\/bin\/java/] },
  'keystore-not-writable': { causes: [/no keystore/] },
  'ok-first-start': { causes: [] },
  'loopback-only-not-enforced': { causes: [] },
};

describe('diagnosis of Elasticsearch from its own words', () => {
  for (const [name, { causes, fix, more }] of Object.entries(CASES)) {
    it(name, () => {
      const found = diagnose(evidence(name, more));
      expect(found.map(({ cause }) => cause)).to.have.length(causes.length);
      causes.forEach((cause, at) => expect(found[at]?.cause).to.match(cause));
      if (fix !== undefined) expect(found.map((each) => each.fix).join('\n')).to.match(fix);
      for (const each of found) expect(each.evidence).to.be.a('string').that.is.not.empty;
    });

    if (existsSync(join(LOGS, `${name}.log`))) {
      it(`${name}, from the log alone as without systemd`, () => {
        expect(diagnose(evidence(name, { ...more, journal: '' })).map(({ cause }) => cause)).to.deep.equal(
          diagnose(evidence(name, more)).map(({ cause }) => cause),
        );
      });
    }
  }

  it('has a case for every log', () => {
    const names = new Set(readdirSync(LOGS).map((file) => file.replace(/\.(log|journal)$/, '')));
    expect([...names].sort()).to.deep.equal(Object.keys(CASES).sort());
  });

  it('does not blame an earlier start', () => {
    const log = read('fd-4096-enforced.log') + read('initial-master-wrong-names.log');
    expect(diagnose(evidence('x', { log })).map(({ cause }) => cause)).to.deep.equal([
      "cluster.initial_master_nodes has entries that are no node's name or publish address: kakfa-monitoring",
    ]);
  });

  it('does not blame a log that the last start never opened', () => {
    const found = diagnose(evidence('heap-200g', { log: read('fd-4096-enforced.log') }));
    expect(found).to.have.length(1);
    expect(found[0]?.cause).to.match(/heap of 200g/);
  });

  it('forgets about waiting once a master was found', () => {
    const joined = '[2026-11-22T10:46:00,000][INFO ][o.e.c.s.ClusterApplierService] [es-01] master node changed {previous [], current [{es-02}{a}{b}]}\n';
    expect(diagnose(evidence('initial-master-wrong-names', { log: read('initial-master-wrong-names.log') + joined, journal: '' }))).to.deep.equal([]);
  });

  it('names the variable that asks for too few open files, and the machine that grants no more', () => {
    const fixes = (more: Partial<Evidence>): string =>
      diagnose(evidence('fd-4096-enforced', { nofile: 4096, ...more }))
        .map(({ fix }) => fix)
        .join('');
    expect(fixes({ nofileVariable: 'elasticsearch_nofile' })).to.match(/^raise elasticsearch_nofile \(now 4096\) to at least 65535[^\n]*$/);
    expect(fixes({ nofileVariable: 'os_limits_nofile', grantedFiles: 20000 })).to.match(
      /^raise os_limits_nofile .*\nthis machine grants nobody more than 20000/,
    );
    expect(fixes({ grantedFiles: 20000 })).to.match(/^this machine grants nobody more than 20000/);
  });

  it('names an external address as one', () => {
    const log = read('initial-master-wrong-names.log').replaceAll('kakfa-monitoring', '34.64.85.12');
    const [found] = diagnose(evidence('x', { log }));
    expect(found?.fix).to.match(/external address never is/);
  });

  it('understands the words of later versions', () => {
    const journal =
      'version[7.17.0], pid[1]\nbootstrap check failure [1] of [1]: max file descriptors [4096] for elasticsearch process is too low, increase to at least [65535]';
    expect(diagnose(evidence('x', { journal }))[0]?.cause).to.match(/4096/);
  });

  it('says how many checks failed when it knows none of them', () => {
    const journal = 'version[7.10.2], pid[1]\n[1] bootstrap checks failed\n[1]: something new';
    expect(diagnose(evidence('x', { journal })).map(({ cause }) => cause)).to.deep.equal(['1 bootstrap checks failed']);
  });

  it('clips what it shows', () => {
    const journal = `version[7.10.2], pid[1]\n${'x'.repeat(5000)} unknown setting [a.b]`;
    expect(diagnose(evidence('x', { journal }))[0]?.evidence.length).to.be.at.most(300);
  });
});
