/** What the README promises, on real hosts: three masters and a monitoring host, from nothing to green, broken in every promised way. */
import Ajv2020 from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  borrow,
  changesIn,
  document,
  eventually,
  get,
  LAB,
  labDown,
  must,
  onHost,
  play,
  ROOT,
  start,
  writeInventory,
  type Document,
  type LabHost,
} from './support.mts';

const ES: readonly LabHost[] = ['es-01', 'es-02', 'es-03'].map((name, index) => ({
  name,
  address: `127.79.0.${(11 + index).toString()}`,
  groups: ['es_masters', 'es_data'],
}));
const HOSTS: readonly LabHost[] = [...ES, { name: 'spare', address: '127.79.0.31', groups: ['spares'] }];
const VARS = { elasticsearch_heap: '512m', elasticsearch_source: 'auto', os_limits_nofile: 'auto', elasticsearch_enforce_bootstrap_checks: 'auto' };
const url = (host: LabHost, path = '/'): string => `http://${host.address}:9200${path}`;

interface Root {
  readonly cluster_uuid: string;
  readonly version: { readonly number: string; readonly build_flavor: string };
}

describe('site.mts on the lab', function () {
  this.bail(true);
  let inventory = '';
  let uuid = '';
  const site = (...args: string[]): Promise<Document & { readonly text: string; readonly ms: number }> => document('site', ['-i', inventory, ...args]);
  const drift = (): Promise<Document & { readonly text: string; readonly ms: number }> => document('drift', ['-i', inventory]);
  const clusterUuids = async (): Promise<readonly unknown[]> => Promise.all(ES.map(async (host) => ((await get(url(host))) as Root).cluster_uuid));
  /** Which start of Elasticsearch runs where. */
  const invocations = async (): Promise<readonly string[]> =>
    Promise.all(ES.map(async ({ name }) => (await must(onHost(name, 'systemctl show -p InvocationID --value elasticsearch'))).trim()));
  /** Every regular file a run could have written to, with its time and content's size. */
  const written = async (): Promise<readonly string[]> =>
    Promise.all(
      HOSTS.map(({ name }) =>
        must(
          onHost(
            name,
            'find /etc /opt /usr/local /var/lib/elasticsearch/nodes/0/node.lock /run/systemd/system -xdev -type f -printf "%p %T@ %s\\n" 2>/dev/null | sort',
          ),
        ),
      ),
    );

  before(async () => {
    await labDown();
    await borrow(LAB);
    inventory = writeInventory('site.yaml', HOSTS, VARS);
  });
  after(async () => {
    const down = await labDown();
    expect(down.code, down.stderr).to.equal(0);
  });

  it('says before anything exists which hosts it would make, and exits 2', async () => {
    const report = await site('--check');
    expect(report.exitCode, report.text).to.equal(2);
    for (const { name } of HOSTS) expect(changesIn(report).join('\n')).to.include(name);
    expect(changesIn(await drift()).length).to.be.greaterThan(0);
  });

  it('ends in a green cluster of three masters, each answering on its own address', async () => {
    const report = await site();
    expect(report.exitCode, report.text).to.equal(0);
    for (const host of ES) {
      const root = (await get(url(host))) as Root;
      expect([root.version.number, root.version.build_flavor]).to.deep.equal(['7.10.2', 'oss']);
    }
    const health = (await get(url(ES[0]!, '/_cluster/health'))) as { status: string; number_of_nodes: number };
    expect([health.status, health.number_of_nodes]).to.deep.equal(['green', 3]);
    const uuids = await clusterUuids();
    expect(new Set(uuids).size).to.equal(1);
    uuid = String(uuids[0]);
  });

  it('no longer names founders once the cluster exists', async () => {
    for (const { name } of ES) expect(await must(onHost(name, 'cat /etc/elasticsearch/elasticsearch.yml'))).not.to.include('initial_master_nodes');
  });

  it('changes nothing the second time, writes no file anywhere, and takes at most 5 seconds', async () => {
    const before = await written();
    const report = await site();
    expect(report.exitCode, report.text).to.equal(0);
    expect(changesIn(report)).to.deep.equal([]);
    expect(report.outcome).to.equal('converged');
    expect(await written()).to.deep.equal(before);
    expect(report.ms).to.be.lessThan(5000);
  });

  it('checks a host in at most 8 round trips', async () => {
    const report = await site('--check');
    expect(report.exitCode, report.text).to.equal(0);
    for (const { name } of ES) expect(report.hosts[name]?.roundTrips).to.be.within(1, 8);
  });

  it('gives documents that fit the published schema', async () => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'lib/report/schema/report.schema.json'), 'utf8')) as object;
    const validate = new Ajv2020.default({ strict: false, validateFormats: false }).compile(schema);
    for (const args of [['--check'], ['--verify-only']]) {
      const { stdout } = await play('site', ['-i', inventory, ...args, '--json']);
      expect(validate(JSON.parse(stdout)), JSON.stringify(validate.errors)).to.equal(true);
    }
  });

  it('sees a changed sysctl and a hand edit, repairs exactly these, and restarts nothing', async () => {
    const running = await invocations();
    await must(
      onHost(
        'es-02',
        'sysctl -q -w vm.max_map_count=65530; echo "# edited by hand" >>/etc/elasticsearch/elasticsearch.yml; echo "node.attr.rack: r1" >>/etc/elasticsearch/elasticsearch.yml',
      ),
    );
    const check = await play('site', ['-i', inventory, '--role', 'os-limits,elasticsearch', '--check', '--diff']);
    expect(check.code, check.stdout).to.equal(2);
    expect(check.stdout).to.include('65530 -> 262144').and.to.include('-node.attr.rack: r1');
    const expected = changesIn(await site('--role', 'os-limits,elasticsearch', '--check'));
    expect(expected.filter((change) => change.includes('elasticsearch.yml'))).to.deep.equal(['es-02 file /etc/elasticsearch/elasticsearch.yml']);
    const repaired = await site();
    expect(repaired.exitCode, repaired.text).to.equal(0);
    // The lab's hosts share one kernel: the first that sets it back sets it for all.
    expect(changesIn(repaired).filter((change) => !change.includes('sysctl'))).to.deep.equal(expected.filter((change) => !change.includes('sysctl')));
    expect(changesIn(repaired).some((change) => change.includes('sysctl vm.max_map_count'))).to.equal(true);
    expect(await invocations()).to.deep.equal(running);
    expect(changesIn(await site('--check'))).to.deep.equal([]);
  });

  it('restarts only the member whose heap changed, with the cluster whole before and after', async () => {
    const running = await invocations();
    const bigger = writeInventory(
      'heap.yaml',
      HOSTS.map((host) => (host.name === 'es-01' ? { ...host, vars: { elasticsearch_heap: '600m' } } : host)),
      VARS,
    );
    const expected = changesIn(await document('site', ['-i', bigger, '--check']));
    const report = await document('site', ['-i', bigger]);
    expect(report.exitCode, report.text).to.equal(0);
    expect(changesIn(report)).to.deep.equal(expected);
    const now = await invocations();
    expect(now.map((id, index) => id === running[index])).to.deep.equal([false, true, true]);
    expect(await must(onHost('es-01', 'tr "\\0" "\\n" </proc/$(systemctl show -p MainPID --value elasticsearch)/cmdline'))).to.include('-Xmx600m');
    expect(await clusterUuids()).to.deep.equal([uuid, uuid, uuid]);
    const settings = (await get(url(ES[1]!, '/_cluster/settings?flat_settings=true'))) as { persistent: object };
    expect(settings.persistent).to.deep.equal({});
    expect((await site()).exitCode).to.equal(0);
  });

  it('starts a stopped cluster as the same cluster', async () => {
    await Promise.all(ES.map(({ name }) => must(onHost(name, 'systemctl stop elasticsearch'))));
    const seen = await drift();
    expect(seen.exitCode, seen.text).to.equal(1);
    const report = await site();
    expect(report.exitCode, report.text).to.equal(0);
    expect(await clusterUuids()).to.deep.equal([uuid, uuid, uuid]);
  });

  it('lets a member with a wiped disk join the old cluster instead of founding one', async () => {
    await Promise.all(ES.map(({ name }) => must(onHost(name, 'systemctl stop elasticsearch'))));
    await must(onHost('es-03', 'rm -rf /var/lib/elasticsearch/nodes'));
    const report = await site();
    expect(report.exitCode, report.text).to.equal(0);
    expect(await clusterUuids()).to.deep.equal([uuid, uuid, uuid]);
    const nodes = (await get(url(ES[0]!, '/_cluster/health'))) as { number_of_nodes: number };
    expect(nodes.number_of_nodes).to.equal(3);
  });

  it('comes back by itself after a reboot, without drift', async () => {
    await onHost('es-02', 'systemctl reboot');
    await eventually(
      'es-02 is back in the cluster',
      120_000,
      async () => ((await get(url(ES[1]!, '/_cluster/health'))) as { number_of_nodes: number }).number_of_nodes === 3,
    );
    const report = await drift();
    expect(report.exitCode, report.text).to.equal(0);
  });

  it('repairs a lab whose every process was killed', async () => {
    const killed = await must(
      play('lab', ['status', '--json']).then(async (status) => {
        const { hosts } = JSON.parse(status.stdout) as { hosts: readonly { pids?: readonly number[] }[] };
        expect(hosts.length).to.equal(HOSTS.length);
        for (const pid of await labProcesses()) process.kill(pid, 'SIGKILL');
        return status;
      }),
    );
    expect(killed).to.include('es-01');
    const report = await site();
    expect(report.exitCode, report.text).to.equal(0);
    expect(await clusterUuids()).to.deep.equal([uuid, uuid, uuid]);
  });

  it('exits 3 for a host that is down, in bounded time, and finishes the others', async () => {
    const foreign = writeInventory(
      'down.yaml',
      [...HOSTS, { name: 'gone-01', address: '127.79.0.99', groups: ['es_data'], vars: { host_provider: 'none' } }],
      VARS,
    );
    const report = await document('site', ['-i', foreign, '--check', '--limit', 'es-01,es-02,gone-01', '--role', 'os-limits']);
    expect(report.exitCode, report.text).to.equal(3);
    expect(report.hosts['gone-01']?.outcome).to.equal('unreachable');
    expect(report.hosts['es-01']?.outcome).to.equal('converged');
    expect(report.ms).to.be.lessThan(20_000);
  });

  it('refuses an unknown and a changed host key with one attempt, fingerprints shown', async () => {
    const known = readFileSync(join(LAB, 'known_hosts'), 'utf8');
    const key = /^\[127\.79\.0\.12\]:22022 (.*)$/m.exec(known)?.[1] ?? '';
    expect(key).not.to.equal('');
    const unknown = { ...ES[0]!, vars: { connection_known_hosts_file: '/dev/null', host_provider: 'none' } };
    const first = await document('site', ['-i', writeInventory('unknown.yaml', [unknown], VARS), '--check', '--role', 'os-limits']);
    expect(first.exitCode, first.text).to.equal(5);
    expect(first.hosts['es-01']?.error?.message).to.match(/SHA256:/);
    const { writeFileSync } = await import('node:fs');
    const wrong = join(LAB, 'wrong_hosts');
    writeFileSync(wrong, `[127.79.0.11]:22022 ${key}\n`);
    const changed = { ...ES[0]!, vars: { connection_known_hosts_file: wrong, host_provider: 'none' } };
    const second = await document('site', ['-i', writeInventory('changed.yaml', [changed], VARS), '--check', '--role', 'os-limits']);
    expect(second.exitCode, second.text).to.equal(5);
    expect(second.hosts['es-01']?.error?.message.match(/SHA256:/g)?.length).to.be.at.least(2);
  });

  it('lets only one run change hosts at a time: the second exits 6 and names the first', async () => {
    await must(onHost('es-03', 'systemctl stop elasticsearch'));
    const first = start('site', ['-i', inventory, '--json']);
    try {
      await new Promise((tick) => setTimeout(tick, 1500));
      const second = await play('site', ['-i', inventory]);
      expect(second.code, second.stdout + second.stderr).to.equal(6);
      expect(second.stdout + second.stderr).to.include(String(first.pid));
    } finally {
      const code = await new Promise((done) => first.once('close', done));
      expect(code).to.equal(0);
    }
  });

  it('keeps a planted secret out of every output', async () => {
    const secret = 'tr0ub4dor&3-planted';
    const file = writeInventory('secret.yaml', HOSTS, VARS);
    const text = readFileSync(file, 'utf8').replace('"ansible_become": true', '"ansible_become": true, "ansible_become_password": {"secret": "env:PLANTED"}');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, text);
    const events = join(LAB, 'secret-events.jsonl');
    const run = await play('site', ['-i', file, '--check', '--diff', '-vv', '--events', events], { env: { PLANTED: secret } });
    expect(run.code, run.stdout + run.stderr).to.equal(0);
    const report = await play('site', ['-i', file, '--check', '--json'], { env: { PLANTED: secret } });
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)]) {
      expect(run.stdout + run.stderr + report.stdout + report.stderr + readFileSync(events, 'utf8')).not.to.include(form);
    }
    for (const { name } of ES)
      expect(
        await must(onHost(name, 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"; journalctl --no-pager -n 2000')),
      ).not.to.include(secret);
  });
});

/** Every process of the tests' lab: those whose command line or root belongs to its directory. */
async function labProcesses(): Promise<readonly number[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const [mounts, argv] = await Promise.all(['mountinfo', 'cmdline'].map((file) => readFile(`/proc/${entry}/${file}`, 'utf8').catch(() => '')));
    const isInside = mounts?.split('\n').some((line) => line.split(' ')[4] === '/' && line.includes(`upperdir=${LAB}/`)) === true;
    const isSupervisor = argv?.includes(`${LAB}/`) === true || argv?.split('\0').includes(LAB) === true;
    if (isInside || isSupervisor) found.push(Number(entry));
  }
  return found;
}
