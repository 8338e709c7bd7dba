/** What keeps instances from being made: each is told with its way out. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { said, SITE, type Ended } from '../cli/program.mts';
import { PROJECT, World, ZONE } from './world.mts';

describe('instances that something stands in the way of', function () {
  this.timeout(300_000);
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
