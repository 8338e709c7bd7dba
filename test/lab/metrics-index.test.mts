/** Where metrics go and how long they stay, on a real cluster: every check is seen failing for its reason, and passing again. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { borrow, changesIn, eventually, must, play, ROOT, writeInventory, type Document, type LabHost, type Variables } from './support.mts';

const LAB = join(ROOT, '.lab-test-metrics');
const env = { LAB_DIR: LAB, RUNS_DIR: join(LAB, 'runs') };
const ES: readonly LabHost[] = ['es-01', 'es-02'].map((name, at) => ({ name, address: `127.86.1.${String(11 + at)}`, groups: ['es_masters', 'es_data'] }));
const MONITORING: readonly LabHost[] = ['mon-01', 'mon-02'].map((name, at) => ({ name, address: `127.86.1.${String(31 + at)}`, groups: ['monitoring'] }));
const VARS: Variables = { elasticsearch_heap: '512m', elasticsearch_source: 'auto', os_limits_nofile: 'auto' };
const URL = 'http://127.86.1.11:9200';

type Run = Document & { readonly text: string };
async function site(inventory: string, roles: string, ...words: readonly string[]): Promise<Run> {
  const { stdout, stderr } = await play('site', ['-i', inventory, '--role', roles, ...words, '--json'], { env });
  try {
    return { ...(JSON.parse(stdout) as Document), text: stdout + stderr };
  } catch {
    throw new Error(`no document:\n${stdout}\n${stderr}`);
  }
}
const onHost = (name: string, script: string): Promise<string> =>
  must(play('lab', ['ssh', name, '--', 'sudo', 'sh', '-c', script], { env, timeoutMs: 60_000 }));

async function ask(method: string, path: string, body?: unknown): Promise<string> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${URL}/${path}`, { method, ...sent, signal: AbortSignal.timeout(20_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${String(response.status)} ${text}`);
  return text;
}
const indices = async (): Promise<readonly string[]> =>
  (await ask('GET', '_cat/indices/*kafka_mon*?h=index'))
    .split('\n')
    .filter((name) => name !== '')
    .sort();
const day = (ago: number): string => `kafka_mon-${new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '.')}`;

describe('metrics-index on the lab', function () {
  this.bail(true);
  let inventory = '';
  const apply = (...words: string[]): Promise<Run> => site(inventory, 'metrics-index', ...words);
  /** Exactly these checks fail, for these reasons; then `repair` makes all pass. */
  async function fails(reasons: Readonly<Record<string, RegExp>>, repair: () => Promise<unknown>): Promise<void> {
    const broken = await apply('--verify-only');
    const failed = (broken.hosts['mon-01']?.roles['metrics-index']?.checks ?? []).filter(({ outcome }) => outcome === 'fail');
    expect(failed.map(({ id }) => id).sort(), broken.text).to.deep.equal(Object.keys(reasons).sort());
    for (const { id, found } of failed) expect(found).to.match(reasons[id]!);
    expect(broken.exitCode).to.equal(1);
    await repair();
    const repaired = await apply('--verify-only');
    expect(repaired.exitCode, repaired.text).to.equal(0);
  }

  before(async () => {
    await play('lab', ['down'], { env });
    await borrow(LAB);
    inventory = writeInventory('metrics.yaml', [...ES, ...MONITORING], VARS, LAB);
  });
  after(async () => {
    expect((await play('lab', ['down'], { env, timeoutMs: 120_000 })).code).to.equal(0);
  });

  it('says what to run first where there is no Elasticsearch yet', async () => {
    const hosts = await site(inventory, 'lab-image,lab-hosts');
    expect(hosts.exitCode, hosts.text).to.equal(0);
    const report = await apply();
    expect(report.exitCode, report.text).to.equal(1);
    expect(report.hosts['mon-01']?.error?.message).to.match(/no Elasticsearch answers.*bring it up first: npx zx .*--role os-limits,java,elasticsearch/);
    expect((await apply('--check')).exitCode).to.equal(2);
  });

  it('writes the template before the first document, and has its first run of the retention', async () => {
    const report = await site(inventory, 'os-limits,java,elasticsearch,metrics-index');
    expect(report.exitCode, report.text).to.equal(0);
    expect(await onHost('mon-01', 'cat /var/lib/metrics-retention/last-success')).to.equal('deleted 0, kept 0 with 0 bytes\n');
    await ask('POST', `${day(0)}/_doc?refresh=true`, { '@timestamp': new Date().toISOString(), broker: 'broker-01', metric_value_number: 0, late: 1 });
    const mapping = await ask('GET', `${day(0)}/_mapping`);
    expect(mapping).to.include('"metric_value_number":{"type":"double"}').and.to.include('"late":{"type":"double"}');
    expect(await ask('GET', `${day(0)}/_settings`)).to.include('"number_of_replicas":"1"');
  });

  it('changes nothing the second time', async () => {
    const report = await apply();
    expect([report.exitCode, changesIn(report)], report.text).to.deep.equal([0, []]);
  });

  it('has its timer on one host, unprivileged', async () => {
    expect(await onHost('mon-01', 'systemctl is-active metrics-retention.timer; systemctl show -p DynamicUser --value metrics-retention')).to.equal(
      'active\nyes\n',
    );
    expect(await onHost('mon-02', 'systemctl is-active metrics-retention.timer || true; ls /etc/systemd/system /usr/local/lib')).not.to.match(
      /^active|retention/m,
    );
  });

  it('deletes days that are over, and nothing else', async () => {
    const foreign = ['kafka_mon-2020.01.01.bak', 'kafka_mon_old-2020.01.01', 'xkafka_mon-2020.01.01', 'kafka_mon-2020.02.31', 'kafka_mon-2099.01.01'];
    for (const name of [...foreign, 'kafka_mon-2020.01.01', day(15), day(14)]) await ask('PUT', name);
    await onHost('mon-01', 'systemctl start metrics-retention');
    expect(await indices()).to.deep.equal([...foreign, day(14), day(0)].sort());
    expect(await onHost('mon-01', 'journalctl -o cat --no-pager -u metrics-retention')).to.match(
      /^deleted kafka_mon-2020\.01\.01 \(\d+ bytes\): \d+ days old, more than 14$/m,
    );
    for (const name of [...foreign, day(14)]) await ask('DELETE', name);
  });

  it('sees a disk above the high watermark, and what Elasticsearch makes read-only for it', async () => {
    const disk = (settings: Readonly<Record<string, string | null>>): Promise<string> =>
      ask('PUT', '_cluster/settings', {
        transient: {
          'cluster.info.update.interval': '10s',
          ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`cluster.routing.allocation.disk.watermark.${name}`, value])),
        },
      });
    const isBlocked = async (): Promise<boolean> => (await ask('GET', `${day(0)}/_settings/index.blocks.read_only_allow_delete`)).includes('"true"');
    await disk({ low: '0.1%', high: '0.2%', flood_stage: '0.3%' });
    await eventually('the flood stage', 60_000, isBlocked);
    await fails({ disk: /^es-0\d \d+ %, es-0\d \d+ %$/, 'write-block': new RegExp(`^${day(0)}$`) }, async () => {
      await disk({ low: null, high: null, flood_stage: null });
      await eventually('the end of the flood stage', 60_000, async () => !(await isBlocked()));
    });
  });

  it('sees that retention has not succeeded for a night, and a run makes up for it', async () => {
    await onHost('mon-01', 'touch -d "30 hours ago" /var/lib/metrics-retention/last-success');
    await fails({ retention: /^last success 30 hours ago/ }, async () => {
      expect(changesIn(await apply())).to.deep.equal(['mon-01 metrics retention']);
    });
  });

  it('sees a template that wins over its own, and an index that was made with it', async () => {
    await ask('PUT', '_index_template/other', {
      index_patterns: ['kafka*'],
      priority: 900,
      template: { mappings: { properties: { metric_value_number: { type: 'long' } } } },
    });
    await fails({ template: /^@timestamp unknown/ }, () => ask('DELETE', '_index_template/other'));
    await ask('DELETE', '_index_template/kafka_mon');
    await ask('PUT', day(1), { mappings: { properties: { metric_value_number: { type: 'long' } } } });
    expect(changesIn(await apply())).to.include('mon-01 metrics index template');
    await fails({ types: new RegExp(`^metric_value_number is long in ${day(1)}$`) }, () => ask('DELETE', day(1)));
  });

  it('sees an index that wants more copies than there are nodes, and gives it what fits', async () => {
    await ask('PUT', `${day(0)}/_settings`, { index: { number_of_replicas: 3 } });
    await fails({ health: /^yellow: .*3 replicas wanted, and 2 data nodes/ }, async () => {
      expect(changesIn(await apply())).to.deep.equal(['mon-01 metrics replicas']);
    });
  });

  it('takes the class of Log4Shell out again, and restarts the node that was started with it', async () => {
    const starts = (): Promise<string[]> => Promise.all(ES.map(({ name }) => onHost(name, 'systemctl show -p InvocationID --value elasticsearch')));
    await onHost(
      'es-01',
      'cd /tmp && mkdir -p org/apache/logging/log4j/core/lookup && : >org/apache/logging/log4j/core/lookup/JndiLookup.class && zip -q /opt/elasticsearch/current/lib/log4j-core-*.jar org/apache/logging/log4j/core/lookup/JndiLookup.class && systemctl restart elasticsearch',
    );
    const before = await starts();
    const check = await site(inventory, 'elasticsearch', '--check');
    expect(changesIn(check), check.text).to.deep.equal(['es-01 log4shell', 'es-01 service elasticsearch.service']);
    const repaired = await site(inventory, 'elasticsearch');
    expect(repaired.exitCode, repaired.text).to.equal(0);
    const after = await starts();
    expect([after[0] !== before[0], after[1] === before[1]]).to.deep.equal([true, true]);
    const checks = repaired.hosts['es-01']?.roles['elasticsearch']?.checks.map(({ id, outcome }) => `${id} ${outcome}`);
    expect(checks).to.include.members(['log4shell pass', 'exposure pass']);
  });

  it('works through the nodes that are left, and for nodes that others run and that let nobody in', async () => {
    // With one node away an index with a copy would be yellow.
    await ask('DELETE', day(0));
    // Of two candidates one alone has the vote: it has to be the one that stays.
    await ask('POST', '_cluster/voting_config_exclusions?node_names=es-01');
    await onHost('es-01', 'systemctl stop elasticsearch');
    const observed = writeInventory(
      'observed.yaml',
      [...ES.map((host) => ({ ...host, vars: { elasticsearch_managed: false, ansible_port: 1 } })), ...MONITORING],
      { ...VARS, metrics_index_refresh_seconds: 10 },
      LAB,
    );
    const report = await site(observed, 'metrics-index');
    expect(changesIn(report), report.text).to.deep.equal(['mon-01 metrics index template']);
    expect(report.exitCode, report.text).to.equal(0);
  });

  it('its script on the host is the one that the tests know', async () => {
    const ours = readFileSync(join(ROOT, 'roles/metrics-index/bin/metrics-retention.sh'), 'utf8');
    expect(await onHost('mon-01', 'cat /usr/local/lib/kafka-elastic-monitoring/metrics-retention')).to.equal(ours);
  });
});
