/** Runs that end in the middle, and two that work on the same instances. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { said, type Started } from '../cli/program.mts';
import { PROJECT, World } from './world.mts';

describe('instances of a run that is ended, and of two at once', function () {
  this.timeout(300_000);
  let world: World;
  before(async () => {
    world = await World.begin({ operationMs: 5000 });
    // A network that is there, so that the run begins with the disk.
    const subnetwork = { name: 'sub', network: `projects/${PROJECT}/global/networks/default`, ipCidrRange: '10.20.0.0/24' };
    await world.double.perform('POST', `projects/${PROJECT}/regions/asia-northeast3/subnetworks`, subnetwork);
    world.write({
      vars: { gcp_network: 'default', gcp_nat: false },
      more: {
        'es-02': { private_address: '10.20.0.12', gcp_data_disk_gb: 20 },
        'es-03': { private_address: '10.20.0.13', gcp_data_disk_gb: 20 },
      },
    });
  });
  after(() => world[Symbol.asyncDispose]());

  const run = (limit: string, env: Readonly<Record<string, string>> = {}): Started =>
    world.start(['-i', world.inventory, '--role', 'gcp-instances', '--limit', limit], env);
  const isThere = async (kind: string, wanted: string): Promise<boolean> => (await world.kept(kind)).some(({ name }) => name === wanted);
  const expectComplete = async (name: string): Promise<void> => {
    const { status, disks } = await world.instance(name);
    expect(status).to.equal('RUNNING');
    expect(disks?.map(({ source }) => source?.split('/').at(-1))).to.deep.equal([name, `${name}-data`]);
  };

  it('killed between the disk and the instance, then between create and done: the next run completes it', async () => {
    const first = run('es-01');
    await world.until('the disk', () => isThere('disk', 'es-01-data'));
    first.child.kill('SIGKILL');
    await first.ended;
    expect(await world.kept('instance')).to.deep.equal([]);
    const [disk] = await world.kept('disk');
    const next = run('es-01');
    await world.until('the instance', () => isThere('instance', 'es-01'));

    const other = await run('all').ended;
    expect(other.code, said(other)).to.equal(6);
    expect(said(other)).to.contain('another run is changing the hosts of this inventory');

    // Between create and done, now.
    next.child.kill('SIGKILL');
    await next.ended;
    const ended = await run('es-01').ended;
    expect(ended.code, said(ended)).to.equal(0);
    await expectComplete('es-01');
    expect((await world.kept('disk')).find(({ name }) => name === 'es-01-data')?.id).to.equal(disk?.id);
  });

  it('Ctrl-C while the disk is made: what is begun is finished, and the next run does the rest', async () => {
    const first = run('es-02');
    await world.until('the disk', () => isThere('disk', 'es-02-data'));
    first.child.kill('SIGINT');
    const stopped = await first.ended;
    expect(stopped.code, said(stopped)).to.equal(130);
    expect(await isThere('disk', 'es-02-data')).to.equal(true);
    const ended = await run('es-02').ended;
    expect(ended.code, said(ended)).to.equal(0);
    await expectComplete('es-02');
  });

  it('Ctrl-C twice between create and done: the run ends at once, and the next one completes it', async () => {
    const first = run('es-03');
    await world.until('the instance', () => isThere('instance', 'es-03'));
    expect((await world.instance('es-03')).status).to.not.equal('RUNNING');
    first.child.kill('SIGINT');
    await sleep(200);
    first.child.kill('SIGINT');
    const stopped = await first.ended;
    expect(stopped.code, said(stopped)).to.equal(130);
    expect(said(stopped)).to.contain('instance es-03');
    const ended = await run('es-03').ended;
    expect(ended.code, said(ended)).to.equal(0);
    await expectComplete('es-03');
  });

  it('two at once from two machines, which know nothing of each other: each instance is made once', async () => {
    const all = await Promise.all(['here', 'there'].map((name) => run('kibana-01', { RUNS_DIR: world.program.path(name) }).ended));
    for (const ended of all) expect(ended.code, said(ended)).to.equal(0);
    expect((await world.kept('instance')).filter(({ name }) => name === 'kibana-01').map(({ status }) => status)).to.deep.equal(['RUNNING']);
  });
});
