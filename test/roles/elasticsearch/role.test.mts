import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { hostName, type Answer, type Facts, type HostName, type Inventory, type Resource } from '../../../lib/index.mts';
import { elasticsearch, listeners, members, nodeUrl } from '../../../roles/elasticsearch/contract.mts';
import type { NodeState } from '../../../roles/elasticsearch/node.mts';
import role from '../../../roles/elasticsearch/role.mts';
import { masterLast, runningPeer, withoutQuorum } from '../../../roles/elasticsearch/rollout.mts';
import { context, find, hostOf, inventory, steps, threeMasters } from '../support.mts';

const node = (more: Partial<NodeState> = {}): Answer<NodeState> => ({
  kind: 'known',
  value: { fresh: true, running: false, clusterUuid: undefined, master: undefined, nodes: [], ...more },
});
const member = node({ fresh: false, running: true, clusterUuid: 'u', master: 'es-02', nodes: ['es-01', 'es-02', 'es-03'] });
const all = (answer: Answer<NodeState>): ReadonlyMap<HostName, Answer<NodeState>> =>
  new Map(['es-01', 'es-02', 'es-03'].map((name) => [hostName(name), answer]));

const resources = (
  peers: ReadonlyMap<HostName, Answer<NodeState>>,
  vars = '{}',
  facts: Partial<Facts> = {},
  from: Inventory = threeMasters(vars),
): readonly Resource[] => role.resources(context(elasticsearch, from, 'es-01', facts, peers));
const ids = (some: readonly Resource[]): readonly string[] => some.map(({ id }) => id);
const YML = 'file /etc/elasticsearch/elasticsearch.yml';
const SERVICE = 'service elasticsearch.service';

describe('the Elasticsearch role', () => {
  it('names every resource once, and needs only what comes before', () => {
    for (const some of [resources(all(node())), resources(all(member)), resources(all(node()), '{}', { init: 'none' })]) {
      const seen = new Set<string>();
      for (const resource of some) {
        expect(seen, resource.id).not.to.include(resource.id);
        for (const need of resource.needs ?? []) expect(seen, `${resource.id} needs ${need}`).to.include(need);
        seen.add(resource.id);
      }
    }
  });

  it('founds a cluster of empty nodes, and takes the list away once there is one, without a restart', () => {
    const before = resources(all(node()));
    const after = resources(all(member));
    expect(steps(find(before, YML))).to.include('cluster.initial_master_nodes: ["es-01", "es-02", "es-03"]');
    expect(steps(find(after, YML))).not.to.include('initial_master_nodes');
    expect(find(after, SERVICE).fingerprint).to.equal(find(before, SERVICE).fingerprint);
    expect(find(after, YML).fingerprint).not.to.equal(find(before, YML).fingerprint);
  });

  it('founds with the entries it is given', () => {
    expect(steps(find(resources(all(node()), '{elasticsearch_initial_master_nodes: [es-02]}'), YML))).to.include('cluster.initial_master_nodes: ["es-02"]');
  });

  it('never founds beside data', () => {
    expect(steps(find(resources(new Map(all(node())).set(hostName('es-03'), node({ fresh: false }))), YML))).not.to.include('initial_master_nodes');
  });

  it('restarts for a heap, not for another master', () => {
    const now = find(resources(all(member)), SERVICE).fingerprint;
    expect(find(resources(all(member), '{elasticsearch_heap: 1g}'), SERVICE).fingerprint).not.to.equal(now);
    const four = inventory(`all:
  children:
    es_masters:
      hosts:
        es-0[1:4]:
          private_address: 10.0.0.11
`);
    const three = inventory(`all:
  children:
    es_masters:
      hosts:
        es-0[1:3]:
          private_address: 10.0.0.11
`);
    expect(find(resources(all(member), '{}', {}, four), SERVICE).fingerprint).to.equal(find(resources(all(member), '{}', {}, three), SERVICE).fingerprint);
    expect(find(resources(all(member), '{}', {}, four), 'file /etc/elasticsearch/unicast_hosts.txt').fingerprint).not.to.equal(
      find(resources(all(member), '{}', {}, three), 'file /etc/elasticsearch/unicast_hosts.txt').fingerprint,
    );
  });

  it('asks about allocation only where somebody can answer', () => {
    expect(ids(resources(all(node())))).not.to.include('cluster allocation');
    expect(ids(resources(all(node({ fresh: false }))))).not.to.include('cluster allocation');
    expect(ids(resources(all(member)))).to.include('cluster allocation');
  });

  it('keeps the temporary and the normal allocation under one id', () => {
    const during = role.rollout?.during?.(context(elasticsearch, threeMasters(), 'es-01', {}, all(member))) ?? [];
    expect(ids(during)).to.deep.equal(['cluster allocation']);
    expect(steps(during[0]!)).to.include('10.0.0.12:9200').and.to.include('"primaries"');
    expect(steps(find(resources(all(member)), 'cluster allocation')))
      .to.include('10.0.0.11:9200')
      .and.to.include('null');
  });

  it('moves no shards where there is nobody to move them to', () => {
    const alone = new Map([[hostName('es-01'), member]]);
    expect(role.rollout?.during?.(context(elasticsearch, threeMasters(), 'es-01', {}, alone))).to.deep.equal([]);
    expect(runningPeer(hostOf(threeMasters(), 'es-01'), threeMasters(), all(node()))).to.equal(undefined);
  });

  const masters = ['es-01', 'es-02', 'es-03'];
  const cases: readonly [string, { of?: readonly string[]; batch: readonly string[]; up: readonly string[]; master?: string }, RegExp | undefined][] = [
    ['one of three', { batch: ['es-01'], up: masters }, undefined],
    ['one while another is away', { batch: ['es-01'], up: ['es-01', 'es-02'] }, /^restarting es-01 would leave 1 of 3 masters.*bring es-03 up first/],
    ['two at once', { batch: ['es-01', 'es-02'], up: masters }, /lower --serial/],
    ['the one that is away', { batch: ['es-03'], up: ['es-01', 'es-02'] }, undefined],
    ['a node that is no master while one is away', { batch: ['data-01'], up: ['es-01', 'es-02', 'data-01'] }, undefined],
    ['one of two, which always stops the cluster', { of: ['es-01', 'es-02'], batch: ['es-01'], up: ['es-01', 'es-02'] }, undefined],
    ['the only one', { of: ['es-01'], batch: ['es-01'], up: ['es-01'] }, undefined],
    ['one of three that have no master', { batch: ['es-01'], up: ['es-01'], master: '' }, undefined],
  ];
  for (const [what, { of = masters, batch, up, master = 'es-02' }, refusal] of cases) {
    it(`restarting ${what}: ${refusal === undefined ? 'goes on' : 'is refused'}`, () => {
      const peers = new Map(
        of.map((name): [HostName, Answer<NodeState>] => [
          hostName(name),
          up.includes(name) ? node({ fresh: false, running: true, master: master || undefined, nodes: up }) : { kind: 'unavailable', reason: 'no route' },
        ]),
      );
      const found = withoutQuorum(of, batch, peers).map(({ reason, hint }) => `${reason} ${hint}`);
      if (refusal === undefined) expect(found).to.deep.equal([]);
      else expect(found.join('\n')).to.match(refusal);
    });
  }

  it('restarts the elected master last', () => {
    const hosts = ['es-01', 'es-02', 'es-03'].map((name) => hostOf(threeMasters(), name));
    expect(masterLast(hosts, all(member)).map(({ name }) => name)).to.deep.equal(['es-01', 'es-03', 'es-02']);
    expect(masterLast(hosts, all(node())).map(({ name }) => name)).to.deep.equal(['es-01', 'es-02', 'es-03']);
  });

  it('has a process with a pid file where systemd is absent', () => {
    const some = resources(all(member), '{}', { init: 'none' });
    expect(ids(some)).to.include('daemon elasticsearch').and.not.to.include(SERVICE);
    expect(steps(find(some, 'daemon elasticsearch'))).to.include('/run/elasticsearch/elasticsearch.pid');
  });

  it('leaves an observed node alone and still judges it', () => {
    const observed = context(elasticsearch, threeMasters('{elasticsearch_managed: false}'), 'es-01', {}, all(member));
    expect(role.resources(observed)).to.deep.equal([]);
    expect(role.verify?.(observed).map(({ id }) => id)).to.deep.equal(['version', 'master', 'nodes', 'health', 'allocation']);
    const managed = context(elasticsearch, threeMasters(), 'es-01', {}, all(member));
    expect(role.verify?.(managed).map(({ id }) => id)).to.include.members(['process-limits', 'listeners', 'log4shell']);
  });

  it('declares its listeners on the private address', () => {
    const [http, transport] = listeners(hostOf(threeMasters('{elasticsearch_http_port: 9201}'), 'es-03'));
    expect(http).to.include({ address: '10.0.0.13', port: 9201 });
    expect(transport).to.include({ address: '10.0.0.13', port: 9300 });
    expect(nodeUrl(hostOf(inventory("all:\n  hosts:\n    a: {private_address: 'fd00::1'}\n"), 'a'))).to.equal('http://[fd00::1]:9200');
  });

  it('counts members by cluster', () => {
    const two = threeMasters('{}', { 'es-03': ', elasticsearch_cluster_name: other' });
    expect(members(two, hostOf(two, 'es-01')).map(({ name }) => name)).to.deep.equal(['es-01', 'es-02']);
  });
});

describe('where Elasticsearch comes from', () => {
  let lab: string;
  const saved = process.env['LAB_DIR'];
  beforeEach(() => {
    lab = mkdtempSync(join(tmpdir(), 'lab-'));
    process.env['LAB_DIR'] = lab;
  });
  afterEach(() => {
    rmSync(lab, { recursive: true });
    if (saved === undefined) delete process.env['LAB_DIR'];
    else process.env['LAB_DIR'] = saved;
  });
  const assemble = (): void => {
    mkdirSync(join(lab, 'artifacts'));
    const file = join(lab, 'artifacts/elasticsearch-oss-7.10.2-assembled.tar.gz');
    writeFileSync(file, 'archive');
    writeFileSync(`${file}.sha256`, `${'a'.repeat(64)}  elasticsearch-oss-7.10.2-assembled.tar.gz\n`);
  };
  const installed = (vars: string): string => steps(find(resources(all(member), vars), 'archive elasticsearch'));
  const unitText = (vars: string): string => steps(find(resources(all(member), vars), 'unit elasticsearch.service'));

  it('auto is the official one until the lab has assembled one', () => {
    expect(installed('{elasticsearch_source: auto}')).to.include('https://artifacts.elastic.co/').and.to.include('f6decc407d83cc2277887b73f518d2a0');
    expect(unitText('{elasticsearch_source: auto}')).to.include('UnsetEnvironment=JAVA_HOME');
    assemble();
    expect(installed('{elasticsearch_source: auto}')).to.include(`${lab}/artifacts/elasticsearch-oss-7.10.2-assembled.tar.gz`).and.to.include('a'.repeat(64));
    expect(unitText('{elasticsearch_source: auto}')).to.include('JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64');
  });
  it('official stays official, with another Java on request', () => {
    assemble();
    expect(installed('{elasticsearch_source: official}')).to.include('https://artifacts.elastic.co/');
    expect(unitText('{elasticsearch_source: official, elasticsearch_java: /opt/jdk}')).to.include('JAVA_HOME=/opt/jdk');
  });
  it('what is missing is wrong usage, with the command that gets it', () => {
    const hint = (vars: string): unknown => {
      try {
        resources(all(member), vars);
        return undefined;
      } catch (thrown) {
        return (thrown as { error: { kind: string; hint: string } }).error;
      }
    };
    expect(hint('{elasticsearch_source: assembled}'))
      .to.include({ kind: 'usage' })
      .with.property('hint')
      .that.matches(/lab\.mts up/);
    expect(hint('{elasticsearch_delivery: controller}'))
      .to.include({ kind: 'usage' })
      .with.property('hint')
      .that.matches(/^curl --fail .*artifacts\.elastic\.co/);
    expect(hint('{elasticsearch_version: "7.10.1"}'))
      .to.include({ kind: 'usage' })
      .with.property('hint')
      .that.matches(/known versions: 7\.10\.2/);
  });
  it('a controller can hand it out', () => {
    writeFileSync(join(lab, 'es.tar.gz'), 'x');
    expect(installed(`{elasticsearch_delivery: controller, elasticsearch_archive: ${lab}/es.tar.gz}`))
      .to.include(`${lab}/es.tar.gz`)
      .and.to.include('f6decc407d83');
  });
});
