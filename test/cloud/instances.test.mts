/** Networks and instances: the playbooks as their users start them, the real gcloud, and the double of the Compute API. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { DRIFT, Program, ROOT, said, SITE, type Ended, type Started } from '../cli/program.mts';
import { startDouble, type Double, type DoubleOptions } from './support.mts';

const GCP = join(ROOT, 'playbooks/gcp.mts');
const PROJECT = 'demo-project';
const ZONE = `projects/${PROJECT}/zones/asia-northeast3-a`;
const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIOUPoqhKMY96loP4CUGHr/DNIs1oXC2CvwVa1yaqbRpE';

/** A resource as the double keeps it: only what is looked at here. */
interface Kept {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly status?: string;
  readonly machineType?: string;
  readonly deletionProtection?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tags?: { readonly items?: readonly string[] };
  readonly metadata?: { readonly items?: readonly { readonly key: string; readonly value: string }[] };
  readonly networkInterfaces?: readonly { readonly networkIP?: string; readonly accessConfigs?: readonly { readonly natIP?: string }[] }[];
  readonly disks?: readonly { readonly source?: string; readonly deviceName?: string; readonly autoDelete?: boolean }[];
  readonly nats?: readonly { readonly name: string }[];
  readonly ipCidrRange?: string;
  readonly sizeGb?: string;
}

interface Report {
  readonly exitCode: number;
  readonly hosts: Readonly<
    Record<string, { readonly roles: Readonly<Record<string, { readonly changes: readonly { readonly resource: string; readonly field: string }[] }>> }>
  >;
}

/** A double and a directory to start playbooks in. */
class World implements AsyncDisposable {
  readonly program = new Program();
  readonly double: Double;
  readonly inventory: string;

  private constructor(double: Double) {
    this.double = double;
    mkdirSync(this.program.path('.ssh'));
    this.program.write('.ssh/key.pub', `ssh-ed25519 ${KEY} me@here\n`);
    this.inventory = this.write();
  }

  static async begin(options: DoubleOptions = {}): Promise<World> {
    return new World(await startDouble(options));
  }

  /** es-01 with a data disk, and kibana-01 with an external address; `vars` are for both, `es` for the first. */
  write({ vars = {}, es = {} }: { readonly vars?: object; readonly es?: object } = {}, name = 'cloud.yaml'): string {
    const common = {
      host_provider: 'gcp',
      gcp_project: PROJECT,
      gcp_zone: 'asia-northeast3-a',
      gcp_network: 'net',
      gcp_subnet: 'sub',
      gcp_subnet_range: '10.20.0.0/24',
      gcp_network_managed: true,
      ansible_user: 'ops',
      ansible_ssh_private_key_file: this.program.path('.ssh/key'),
      ...vars,
    };
    const children = {
      es_masters: { hosts: { 'es-01': { private_address: '10.20.0.11', gcp_data_disk_gb: 20, ...es } } },
      monitoring: { hosts: { 'kibana-01': { private_address: '10.20.0.31', gcp_external_address: 'ephemeral' } } },
    };
    return this.program.write(name, JSON.stringify({ all: { vars: common, children } }));
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}, playbook = SITE): Started {
    return this.program.start(playbook, args, { env: { ...this.double.environment, ...env } });
  }
  /** The site playbook for instances alone. */
  site(...args: readonly string[]): Promise<Ended> {
    return this.start(['-i', this.inventory, '--role', 'gcp-instances', ...args]).ended;
  }
  gcp(...args: readonly string[]): Promise<Ended> {
    return this.start(args, {}, GCP).ended;
  }

  async kept(kind: string): Promise<readonly Kept[]> {
    return ((await this.double.resources(PROJECT)) as unknown as readonly Kept[]).filter((each) => each.kind === `compute#${kind}`);
  }
  async instance(name: string): Promise<Kept> {
    const found = (await this.kept('instance')).find((each) => each.name === name);
    if (found === undefined) throw new Error(`no instance ${name}`);
    return found;
  }
  /** Waits until something is there; the double works on operations for a while. */
  async until(what: string, is: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (await is()) return;
      await sleep(100);
    }
    throw new Error(`${what} did not come`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.double.close();
    this.program[Symbol.dispose]();
  }
}

const changed = ({ stdout }: Ended): readonly string[] =>
  Object.entries((JSON.parse(stdout) as Report).hosts).flatMap(([host, { roles }]) =>
    Object.values(roles).flatMap(({ changes }) => changes.map(({ resource, field }) => `${host} ${resource}: ${field}`)),
  );

describe('instances in Google Cloud', function () {
  this.timeout(300_000);

  describe('from an empty project to its end', () => {
    let world: World;
    before(async () => {
      world = await World.begin({ defaultNetwork: false, services: [] });
    });
    after(() => world[Symbol.asyncDispose]());

    it('a check says what would be made, and makes nothing, not even with the API off', async () => {
      const ended = await world.site('--check', '--json');
      expect(ended.code, said(ended)).to.equal(2);
      expect(changed(ended)).to.deep.equal([
        `es-01 API compute.googleapis.com of ${PROJECT}: API`,
        `es-01 subnet ${PROJECT}/asia-northeast3/sub: network`,
        `es-01 subnet ${PROJECT}/asia-northeast3/sub: subnet`,
        `es-01 NAT ${PROJECT}/asia-northeast3/net: NAT`,
        'es-01 instance es-01: instance',
        'kibana-01 instance kibana-01: instance',
      ]);
      expect(await world.double.resources(PROJECT)).to.deep.equal([]);
      expect((await world.double.commands()).sort()).to.deep.equal(['compute.instances.list', 'compute.networks.subnets.list', 'compute.routers.list']);
    });

    it('a run makes everything', async () => {
      const ended = await world.site();
      expect(ended.code, said(ended)).to.equal(0);
      expect((await world.kept('subnetwork')).map(({ name, ipCidrRange }) => [name, ipCidrRange])).to.deep.equal([['sub', '10.20.0.0/24']]);
      expect((await world.kept('router')).map(({ nats }) => nats?.map(({ name }) => name))).to.deep.equal([['kafka-mon-asia-northeast3']]);
      const { status, labels, tags, metadata, deletionProtection, networkInterfaces, disks } = await world.instance('es-01');
      expect({ status, labels, deletionProtection }).to.deep.equal({ status: 'RUNNING', labels: { 'managed-by': 'kafka-mon' }, deletionProtection: true });
      expect(tags?.items).to.deep.equal(['kafka-mon-es-masters']);
      expect(metadata?.items).to.deep.equal([
        { key: 'enable-guest-attributes', value: 'TRUE' },
        { key: 'enable-oslogin', value: 'FALSE' },
        { key: 'ssh-keys', value: `ops:ssh-ed25519 ${KEY} ops` },
      ]);
      expect(networkInterfaces?.map(({ networkIP, accessConfigs }) => [networkIP, accessConfigs])).to.deep.equal([['10.20.0.11', undefined]]);
      expect(disks?.map(({ source, deviceName, autoDelete }) => [source?.split('/').at(-1), deviceName, autoDelete]).slice(1)).to.deep.equal([
        ['es-01-data', 'data', false],
      ]);
    });

    it('a second run changes nothing, with one list of each kind', async () => {
      await world.double.forget();
      const ended = await world.site('--json');
      expect(ended.code, said(ended)).to.equal(0);
      expect(changed(ended)).to.deep.equal([]);
      expect((await world.double.commands()).sort()).to.deep.equal(['compute.instances.list', 'compute.networks.subnets.list', 'compute.routers.list']);
    });

    it('what others change is told field by field, and put right; what is theirs stays', async () => {
      const before = await world.instance('kibana-01');
      const { tags, labels, disks } = await world.instance('es-01');
      await world.double.edit(`${ZONE}/instances/es-01`, {
        tags: { ...tags, items: ['kafka-mon-brokers', 'theirs'] },
        labels: { ...labels, theirs: 'x' },
        metadata: { fingerprint: 'AAAAAAAAAAA=', items: [{ key: 'theirs', value: 'x' }] },
        deletionProtection: false,
        disks: disks?.map((disk) => ({ ...disk, autoDelete: true })),
      });
      await world.double.perform('POST', `${ZONE}/instances/kibana-01/stop`);
      const check = await world.site('--check', '--diff', '--json');
      expect(check.code, said(check)).to.equal(2);
      const fields = [
        'es-01 instance es-01: tag kafka-mon-es-masters',
        'es-01 instance es-01: tag kafka-mon-brokers',
        'es-01 instance es-01: metadata enable-guest-attributes',
        'es-01 instance es-01: metadata enable-oslogin',
        'es-01 instance es-01: metadata ssh-keys',
        'es-01 instance es-01: deletion protection',
        'es-01 disk es-01-data: auto-delete',
        'kibana-01 instance kibana-01: status',
      ];
      expect(changed(check)).to.deep.equal(fields);

      const ended = await world.site('--json');
      expect(ended.code, said(ended)).to.equal(0);
      expect(changed(ended)).to.deep.equal(fields);
      const es = await world.instance('es-01');
      expect(es.tags?.items).to.have.members(['kafka-mon-es-masters', 'theirs']);
      expect(es.labels).to.deep.equal({ 'managed-by': 'kafka-mon', theirs: 'x' });
      expect(es.metadata?.items?.map(({ key }) => key)).to.have.members(['theirs', 'enable-guest-attributes', 'enable-oslogin', 'ssh-keys']);
      const after = await world.instance('kibana-01');
      const address = (each: Kept): string | undefined => each.networkInterfaces?.[0]?.accessConfigs?.[0]?.natIP;
      expect(after.status).to.equal('RUNNING');
      expect(address(after)).to.match(/^\d/);
      expect(address(after)).to.not.equal(address(before));
      expect(said(await world.site('--check'))).to.contain('2 in order');
    });

    it('what takes a stop is done for one instance at a time, and with a yes', async () => {
      const larger = ['-e', 'gcp_machine_type=e2-standard-8'];
      const both = await world.site(...larger, '--yes');
      expect(both.code, said(both)).to.equal(5);
      expect(said(both)).to.contain('es-01, kibana-01 would be stopped at the same time').and.to.contain('--limit es-01 --yes');
      const unasked = await world.site(...larger, '--limit', 'es-01');
      expect(unasked.code, said(unasked)).to.equal(5);
      expect(said(unasked)).to.contain('stops es-01');
      const ended = await world.site(...larger, '--limit', 'es-01', '--yes');
      expect(ended.code, said(ended)).to.equal(0);
      const { status, machineType } = await world.instance('es-01');
      expect([status, machineType?.split('/').at(-1)]).to.deep.equal(['RUNNING', 'e2-standard-8']);
      expect((await world.instance('kibana-01')).machineType?.split('/').at(-1)).to.equal('e2-standard-4');
    });

    it('what an instance is born with is never changed: it is refused with the way out', async () => {
      const ended = await world.site('-e', 'gcp_machine_type=e2-standard-8', '--limit', 'es-01', '-e', 'gcp_zone=asia-northeast3-b', '--yes');
      expect(ended.code, said(ended)).to.equal(5);
      expect(said(ended)).to.contain('keeps its zone for life').and.to.contain('playbooks/gcp.mts down').and.to.contain('disks snapshot es-01-data');
    });

    it('disks grow', async () => {
      const ended = await world.site('-e', 'gcp_data_disk_gb=40', '-e', 'gcp_machine_type=e2-standard-8', '--limit', 'es-01');
      expect(ended.code, said(ended)).to.equal(0);
      expect((await world.kept('disk')).find(({ name }) => name === 'es-01-data')?.sizeGb).to.equal('40');
    });

    it('an address that was written down and is somebody else’s by now fails the verification', async () => {
      const stale = world.write({ vars: { kibana_base_url: 'http://34.1.1.1:5601' } }, 'stale.yaml');
      const ended = await world.start(['-i', stale, '--limit', 'kibana-01', '--role', 'gcp-instances', '--verify-only']).ended;
      expect(ended.code, said(ended)).to.equal(1);
      expect(said(ended)).to.contain('kibana_base_url naming an address of the instance').and.to.contain('gcloud compute addresses create');
    });

    it('drift only reads, and status has a line each', async () => {
      const drift = await world.start(['-i', world.inventory, '--role', 'gcp-instances'], {}, DRIFT).ended;
      expect(drift.code, said(drift)).to.equal(2);
      expect(said(drift)).to.contain('machine type').and.to.contain('size of es-01-data');
      const status = await world.gcp('status', '-i', world.inventory);
      expect(status.code, said(status)).to.equal(0);
      expect(status.stdout).to.match(/^es-01 +RUNNING +10\.20\.0\.11 +- +no: machine type, size of es-01-data$/m);
      expect(status.stdout).to.match(/^kibana-01 +RUNNING +10\.20\.0\.31 +34\.[\d.]+ +yes$/m);
    });

    it('nothing is deleted without a yes and the name; then data disks and the network are kept', async () => {
      const down = ['down', '-i', world.inventory];
      for (const [args, why] of [
        [[], 'nothing of project demo-project is deleted'],
        [['--yes'], 'nothing of project demo-project is deleted'],
        [['--yes', '--project', 'another'], 'the name that was typed is another'],
        [['--project', PROJECT], 'needs a yes'],
      ] as const) {
        const refused = await world.gcp(...down, ...args);
        expect(refused.code, said(refused)).to.equal(5);
        expect(said(refused)).to.contain(why);
      }
      expect(await world.kept('instance')).to.have.length(2);
      const ended = await world.gcp(...down, '--yes', '--project', PROJECT);
      expect(ended.code, said(ended)).to.equal(0);
      expect(await world.kept('instance')).to.deep.equal([]);
      expect((await world.kept('disk')).map(({ name }) => name)).to.deep.equal(['es-01-data']);
      expect(await world.kept('subnetwork')).to.have.length(1);
      expect(said(ended)).to.contain('disk es-01-data, 40 GB');
    });

    it('the disk of an earlier life is what the new instance gets, and grows to what is wanted', async () => {
      const [disk] = await world.kept('disk');
      const ended = await world.site('--limit', 'es-01', '-e', 'gcp_data_disk_gb=50');
      expect(ended.code, said(ended)).to.equal(0);
      const data = (await world.kept('disk')).find(({ name }) => name === 'es-01-data');
      expect(data).to.include({ id: disk?.id, sizeGb: '50' });
      const last = await world.gcp('down', '-i', world.inventory, '--yes', '--project', PROJECT, '--disks');
      expect(last.code, said(last)).to.equal(0);
      expect(await world.kept('disk')).to.deep.equal([]);
    });
  });

  describe('a run that is ended, and two at once', () => {
    let world: World;
    before(async () => {
      world = await World.begin({ operationMs: 5000 });
      // A network that is there, so that the run begins with the disk.
      const subnetwork = { name: 'sub', network: `projects/${PROJECT}/global/networks/default`, ipCidrRange: '10.20.0.0/24' };
      await world.double.perform('POST', `projects/${PROJECT}/regions/asia-northeast3/subnetworks`, subnetwork);
      world.write({ vars: { gcp_network: 'default', gcp_nat: false } });
    });
    after(() => world[Symbol.asyncDispose]());

    it('between the disk and the instance: the next run completes it', async () => {
      const run = world.start(['-i', world.inventory, '--role', 'gcp-instances', '--limit', 'es-01']);
      await world.until('the disk', async () => (await world.kept('disk')).some(({ name }) => name === 'es-01-data'));
      run.child.kill('SIGKILL');
      await run.ended;
      expect(await world.kept('instance')).to.deep.equal([]);
      const [disk] = await world.kept('disk');
      const next = world.start(['-i', world.inventory, '--role', 'gcp-instances', '--limit', 'es-01']);
      await world.until('the instance', async () => (await world.kept('instance')).length > 0);

      const other = await world.start(['-i', world.inventory, '--role', 'gcp-instances']).ended;
      expect(other.code, said(other)).to.equal(6);
      expect(said(other)).to.contain('another run is changing the hosts of this inventory');

      // Between create and done, now.
      next.child.kill('SIGKILL');
      await next.ended;
      const ended = await world.start(['-i', world.inventory, '--role', 'gcp-instances', '--limit', 'es-01']).ended;
      expect(ended.code, said(ended)).to.equal(0);
      const { status, disks } = await world.instance('es-01');
      expect(status).to.equal('RUNNING');
      expect(disks?.map(({ source }) => source?.split('/').at(-1))).to.deep.equal(['es-01', 'es-01-data']);
      expect((await world.kept('disk')).find(({ name }) => name === 'es-01-data')?.id).to.equal(disk?.id);
    });
  });

  describe('what stands in the way', () => {
    let world: World;
    before(async () => {
      world = await World.begin();
      world.write({ vars: { gcp_network: 'default', gcp_subnet: 'default', gcp_subnet_range: '10.178.0.0/20', private_address: null }, es: {} }, 'unused.yaml');
    });
    after(() => world[Symbol.asyncDispose]());
    afterEach(() => world.double.clearFaults());

    const unmanaged = (): string => world.write({ vars: { gcp_network_managed: false } }, 'unmanaged.yaml');
    const run = (inventory: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
      world.start(['-i', inventory, '--role', 'gcp-instances', '--check'], env).ended;
    const expectUsage = (ended: Ended, ...texts: readonly string[]): void => {
      expect(ended.code, said(ended)).to.equal(4);
      for (const text of texts) expect(said(ended)).to.contain(text);
    };

    it('a network that nobody made is told with the commands that make it', async () => {
      expectUsage(
        await run(unmanaged()),
        'there is no subnet sub in asia-northeast3',
        'gcloud compute networks create net --subnet-mode=custom --project=demo-project && gcloud compute networks subnets create sub --network=net',
      );
    });

    it('an API that is off and is not to be switched on', async () => {
      await world.double.fault({ times: 20, answer: { kind: 'disabled' } });
      expectUsage(await run(unmanaged()), 'the API compute.googleapis.com is off in project demo-project', 'gcloud services enable compute.googleapis.com');
    });

    it('an account that may not', async () => {
      const message = "Required 'compute.subnetworks.list' permission for 'projects/demo-project'";
      await world.double.fault({ times: 20, answer: { kind: 'error', status: 403, message } });
      expectUsage(await run(unmanaged()), "gcloud's account may not do this in project demo-project", '--role=roles/compute.networkAdmin');
    });

    it('nobody who is logged in', async () => {
      const { CLOUDSDK_AUTH_DISABLE_CREDENTIALS: _, CLOUDSDK_CORE_ACCOUNT: __, ...rest } = world.double.environment;
      const ended = await world.program.start(SITE, ['-i', unmanaged(), '--role', 'gcp-instances', '--check'], { env: rest }).ended;
      expectUsage(ended, 'gcloud is not logged in', 'gcloud auth login');
    });

    it('a machine without gcloud', async () => {
      const bin = world.program.path('bin');
      mkdirSync(bin);
      const bash = execFileSync('sh', ['-c', 'command -v bash'], { encoding: 'utf8' }).trim();
      symlinkSync(bash, join(bin, 'bash'));
      expectUsage(
        await run(unmanaged(), { PATH: bin }),
        'gcloud, the command line of Google Cloud, is not installed',
        'https://cloud.google.com/sdk/docs/install',
      );
    });

    it('a quota that is used up: what was made is kept for the next run', async () => {
      await world.double.fault({ method: 'POST', path: '/instances$', times: 2, answer: { kind: 'operation' } });
      const ended = await world.site('--limit', 'es-01');
      expectUsage(ended, 'the quota CPUS of project demo-project in region asia-northeast3 is used up', 'https://console.cloud.google.com/iam-admin/quotas');
      expect((await world.kept('disk')).map(({ name }) => name)).to.deep.equal(['es-01-data']);
    });

    it('an instance that somebody else made has its name: it is left alone, and can be adopted', async () => {
      await world.double.clearFaults();
      const first = await world.site('--limit', 'es-01');
      expect(first.code, said(first)).to.equal(0);
      await world.double.edit(`${ZONE}/instances/es-01`, { labels: {}, deletionProtection: false });
      const ended = await world.site('--limit', 'es-01');
      expect(ended.code, said(ended)).to.equal(5);
      expect(said(ended))
        .to.contain('was not made by this installation')
        .and.to.contain('gcloud compute instances add-labels es-01 --labels=managed-by=kafka-mon');
      expect((await world.instance('es-01')).deletionProtection).to.equal(false);
      const down = await world.gcp('down', '-i', world.inventory, '--limit', 'es-01', '--yes', '--project', PROJECT);
      expect(down.code, said(down)).to.equal(5);
      expect(await world.kept('instance')).to.have.length(1);
    });

    it('what the inventory alone shows to be wrong is told before any call', async () => {
      await world.double.forget();
      writeFileSync(
        world.program.path('bad.yaml'),
        JSON.stringify({ all: { hosts: { 'es-01': { host_provider: 'gcp', gcp_project: PROJECT, gcp_zone: 'asia-northeast3-a' } } } }),
      );
      expectUsage(await run(world.program.path('bad.yaml')), 'es-01 has no private_address', 'es-01 has no ansible_user');
      expect(await world.double.requests()).to.deep.equal([]);
    });
  });
});
