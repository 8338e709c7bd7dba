/**
 * `inventory/gcp.yaml` from an empty project to dashboards: the real gcloud against the double of the Compute API, whose instances are hosts of the lab
 * with real sshd, real block devices and the real stack.
 */
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { startDouble, type Double } from '../cloud/support.mts';
import { borrow, changesIn, command, must, play, ROOT, type Document, type Result } from './support.mts';

const LAB = join(ROOT, '.lab-test-gcp');
const NETWORK = '127.94.0';
const GCP = 'inventory/gcp.yaml';
const PROJECT = 'my-project-123';

/** Where inventory/gcp.yaml has 10.20.0.x, the host of the lab has a loopback address. */
const ADDRESSES: ReadonlyMap<string, string> = new Map(
  [...readFileSync(join(ROOT, GCP), 'utf8').matchAll(/^ +([\w-]+): \{ private_address: 10\.20\.0\.(\d+),/gm)].map(([, name = '', last = '']) => [
    name,
    `${NETWORK}.${last}`,
  ]),
);

/** What differs where instances are hosts of the lab: the login, where archives come from, and room for eight of them on one machine. */
const VARIABLES = {
  ansible_port: 22022,
  ansible_ssh_private_key_file: join(LAB, 'id_ed25519'),
  gcp_subnet_range: `${NETWORK}.0/24`,
  firewall_gcloud_operators: ['198.51.100.7/32'],
  os_limits_nofile: 'auto',
  elasticsearch_source: 'auto',
  kafka_source: 'auto',
  kibana_source: 'auto',
  logstash_source: 'auto',
  elasticsearch_heap: '512m',
  kafka_heap: '384m',
  logstash_jmx_heap: '256m',
  logstash_jmx_poll_seconds: 1,
};

/** Of the disks for data; nothing of it is used up before it is written. */
const DATA_DISK_GB = 10;

type Variables = Readonly<Record<string, unknown>>;

/** A second inventory file, whose values win over those of inventory/gcp.yaml. */
function overlay(file: string, vars: Variables, ofHost: (address: string, name: string) => Variables): string {
  const path = join(LAB, file);
  mkdirSync(LAB, { recursive: true });
  const hosts = Object.fromEntries([...ADDRESSES].map(([name, address]) => [name, ofHost(address, name)]));
  writeFileSync(path, JSON.stringify({ all: { vars: { ...VARIABLES, ...vars }, hosts } }, undefined, 2));
  return path;
}

/** A disk of its own for a host of the lab, where Google Cloud shows one; a container has no udev that would. */
async function attachDisk(name: string): Promise<void> {
  const image = join(LAB, `${name}-data.img`);
  writeFileSync(image, '');
  truncateSync(image, DATA_DISK_GB * 2 ** 30);
  const device = (await must(command('losetup', ['--find', '--show', image]))).trim();
  const supervisor = (await must(command('pgrep', ['--full', `^systemd-nspawn .*--directory=${LAB}/hosts/${name}/root `]))).trim();
  const init = (await must(command('pgrep', ['--parent', supervisor]))).trim();
  const numbers = (await must(command('stat', ['--format=%Hr %Lr', device]))).trim();
  const script = `mkdir -p /dev/disk/by-id && mknod ${device} b ${numbers} && ln -s ${device} /dev/disk/by-id/google-data`;
  await must(command('nsenter', ['--target', init, '--mount', '--', 'sh', '-c', script]));
}

async function detachDisks(): Promise<void> {
  for (const name of ADDRESSES.keys()) {
    const { stdout } = await command('losetup', ['--noheadings', '--output', 'NAME', '--associated', join(LAB, `${name}-data.img`)]);
    for (const device of stdout.split('\n').filter((line) => line !== '')) await command('losetup', ['--detach', device.trim()]);
  }
}

/** The keys of the host's sshd, as the lab knows them. */
const hostKeysOf = (address: string): readonly string[] =>
  readFileSync(join(LAB, 'known_hosts'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`[${address}]:22022 `))
    .map((line) => line.split(' ').slice(1, 3).join(' '));

describe('inventory/gcp.yaml', function () {
  this.bail(true);
  let double: Double;
  let mapped = '';
  const labEnv = { LAB_DIR: LAB, RUNS_DIR: join(LAB, 'runs') };
  let env: Readonly<Record<string, string>> = labEnv;

  const site = (...args: readonly string[]): Promise<Result> => play('site', ['-i', GCP, '-i', mapped, ...args], { env, timeoutMs: 900_000 });
  async function report(...args: readonly string[]): Promise<Document & { readonly text: string; readonly ms: number }> {
    const { stdout, stderr, ms } = await site(...args, '--json');
    try {
      return { ...(JSON.parse(stdout) as Document), text: stdout + stderr, ms };
    } catch {
      throw new Error(`no document on stdout:\n${stdout}\n${stderr}`);
    }
  }

  before(async () => {
    expect(ADDRESSES.size).to.equal(8);
    await must(command('gcloud', ['--version']));
    await play('lab', ['down'], { env: labEnv });
    await detachDisks();
    await borrow(LAB);
    const machines = overlay('machines.yaml', { host_provider: 'lab', connection_known_hosts_file: join(LAB, 'known_hosts') }, (address) => ({
      ansible_host: address,
      private_address: address,
      connection_jump: 'none',
    }));
    await must(play('lab', ['up', '-i', GCP, '-i', machines], { env: labEnv }));
    double = await startDouble({
      defaultNetwork: false,
      onInstance: async ({ event, instance }) => {
        const address = ADDRESSES.get(instance.name) ?? '';
        if (event === 'created' && instance.disks.length > 1) await attachDisk(instance.name);
        return { natIP: address, address, hostKeys: hostKeysOf(address) };
      },
    });
    mapped = overlay('mapped.yaml', {}, (address, name) => ({
      private_address: address,
      ...(/^(es|broker)-/.test(name) ? { gcp_data_disk_gb: DATA_DISK_GB } : {}),
    }));
    env = { ...labEnv, ...double.environment, HOME: join(LAB, 'home') };
    mkdirSync(join(LAB, 'home'), { recursive: true });
  });
  after(async () => {
    await (double as Double | undefined)?.close();
    const down = await play('lab', ['down'], { env: labEnv, timeoutMs: 120_000 });
    await detachDisks();
    expect(down.code, down.stderr).to.equal(0);
    rmSync(LAB, { recursive: true, force: true });
  });

  it('says what would be made of an empty project, and makes nothing', async () => {
    const checked = await report('--check');
    expect(checked.exitCode, checked.text).to.equal(2);
    expect(changesIn(checked)).to.include('es-01 instance es-01');
    expect(await double.resources(PROJECT)).to.deep.equal([]);
  });

  it('one command makes machines, network and rules, and ends with metrics of every broker on dashboards', async () => {
    const { code, stdout, stderr, ms } = await site();
    expect(code, stdout + stderr).to.equal(0);
    process.stdout.write(`      from an empty project to dashboards, on hosts of the lab: ${(ms / 1000).toFixed(0)} s\n`);
    for (const broker of ['broker-01', 'broker-02', 'broker-03']) expect(stdout).to.match(new RegExp(`^ {2}${broker} +\\d+ metrics, newest `, 'm'));
    expect(stdout).to.match(/^ {2}dashboards +.*\/app\/dashboards#\/view\//m);
  });

  it('changes nothing the second time', async () => {
    await double.forget();
    const second = await report();
    expect(second.exitCode, second.text).to.equal(0);
    expect(changesIn(second)).to.deep.equal([]);
    process.stdout.write(`      second run: ${(second.ms / 1000).toFixed(1)} s, gcloud was called for ${(await double.commands()).join(', ')}\n`);
  });

  it('has data of Elasticsearch and Kafka on disks of their own', async () => {
    for (const [name, path] of [
      ['es-01', '/var/lib/elasticsearch'],
      ['broker-01', '/var/lib/kafka'],
    ] as const) {
      const { stdout } = await play('lab', ['ssh', name, '--', 'findmnt', '--noheadings', '--output', 'SOURCE,FSTYPE', '--mountpoint', path], { env: labEnv });
      expect(stdout.trim(), name).to.match(/^\/dev\/loop\d+ +ext4$/);
    }
  });

  it('pinned the keys that Google vouches for, and none on first sight', () => {
    const pinned = readFileSync(join(LAB, 'home/.ssh/google_compute_known_hosts'), 'utf8');
    for (const address of ADDRESSES.values())
      for (const key of hostKeysOf(address)) expect(pinned).to.match(new RegExp(`^compute\\.\\d+ ${key.replaceAll('+', '\\+')}`, 'm'));
  });

  it('names the field that somebody opened by hand, and closes it again', async () => {
    const rule = (await double.resources(PROJECT)).find(({ kind, name }) => kind === 'compute#firewall' && name.includes('kibana'));
    expect(rule?.name).to.be.a('string');
    await double.edit(`projects/${PROJECT}/global/firewalls/${rule?.name ?? ''}`, { sourceRanges: ['0.0.0.0/0'] });
    const checked = await report('--check', '--role', 'gcp-instances,firewall-gcloud');
    expect(checked.exitCode, checked.text).to.equal(2);
    const fields = Object.values(checked.hosts).flatMap(({ roles }) => Object.values(roles).flatMap(({ changes }) => changes));
    expect(fields.map(({ resource, field }) => `${resource}: ${field}`)).to.deep.equal([`firewall rule ${PROJECT}/${rule?.name ?? ''}: sourceRanges`]);
    const repaired = await site('--role', 'firewall-gcloud');
    expect(repaired.code, repaired.stdout + repaired.stderr).to.equal(0);
    expect((await report('--check', '--role', 'firewall-gcloud')).exitCode).to.equal(0);
  });
});
