/** Many instances and rules that are there already: what looking at them costs, and that a run touches those it is about and no other. */
import { expect } from 'chai';
import { said, SITE, type Ended } from '../cli/program.mts';
import type { Noted } from './double/cloud.mts';
import { changed, PROJECT, World, ZONE } from './world.mts';

const INSTANCES = 50;
const RULES = 50;

/** es-02 and so on, beside the two hosts of every world. */
const others = Array.from({ length: INSTANCES - 2 }, (_, index) => ({
  name: `es-${String(index + 2).padStart(2, '0')}`,
  address: `10.20.0.${String(index + 102)}`,
}));
const rules = Array.from({ length: RULES }, (_, index) => ({
  name: `rule-${String(index)}`,
  ports: [String(10_000 + index)],
  from: ['monitoring'],
  to: ['es_masters'],
}));

describe('a fleet in Google Cloud', function () {
  this.timeout(600_000);
  let world: World;
  let inventory: string;

  const site = (...args: readonly string[]): Promise<Ended> =>
    world.start(['-i', inventory, '--role', 'gcp-instances,firewall-gcloud', ...args], {}, SITE).ended;
  /** Requests that change something; to wait for an operation is a POST too. */
  const writes = async (): Promise<readonly Noted[]> =>
    (await world.double.requests()).filter(({ method, path }) => method !== 'GET' && !/\/operations\/[^/]+\/wait$/.test(path));
  /** Whatever in a request says where it goes and what it is about. */
  const text = ({ path, query, body }: Noted): string => JSON.stringify({ path, query, body });
  const relabel = async (name: string, change: Readonly<Record<string, string>>): Promise<void> => {
    const { labels } = await world.instance(name);
    await world.double.edit(`${ZONE}/instances/${name}`, { labels: { ...labels, ...change } });
  };

  before(async () => {
    world = await World.begin({ defaultNetwork: false });
    inventory = world.write(
      {
        vars: { firewall_gcloud_operators: ['203.0.113.7/32'], firewall_gcloud_extra: rules },
        more: Object.fromEntries(others.map(({ name, address }) => [name, { private_address: address, gcp_data_disk_gb: 20 }])),
      },
      'fleet.yaml',
    );
  });
  after(() => world[Symbol.asyncDispose]());

  it('begins with one run, which makes two instances and every rule of all', async () => {
    const ended = await site('--limit', 'es-01,kibana-01');
    expect(ended.code, said(ended)).to.equal(0);
    expect((await world.kept('instance')).map(({ name }) => name).sort()).to.deep.equal(['es-01', 'kibana-01']);
    expect((await world.kept('firewall')).length).to.be.at.least(RULES);
  });

  it('is in order for four lists, with all its instances there as the run makes them', async () => {
    const made = (await writes()).flatMap(({ method, path, body }) => {
      const [kind = ''] = /[a-z]+$/.exec(path) ?? [];
      return method === 'POST' && /^es-01(-data)?$/.test((body as { readonly name?: string } | null)?.name ?? '') ? [{ kind, text: JSON.stringify(body) }] : [];
    });
    expect(made.map(({ kind }) => kind)).to.deep.equal(['disks', 'instances']);
    await Promise.all(
      others.map(async ({ name, address }) => {
        for (const { kind, text: body } of made)
          await world.double.perform(
            'POST',
            `${ZONE}/${kind}`,
            JSON.parse(body.replaceAll('es-01', name).replaceAll('"10.20.0.11"', JSON.stringify(address))) as object,
          );
      }),
    );
    expect(await world.kept('instance')).to.have.length(INSTANCES);
    await world.double.forget();
    const ended = await site('--check', '--json');
    expect(ended.code, said(ended)).to.equal(0);
    expect(changed(ended)).to.deep.equal([]);
    expect(await writes()).to.deep.equal([]);
    const commands = await world.double.commands();
    expect(commands.length, commands.join()).to.be.at.most(4);
    process.stdout.write(
      `      ${String(INSTANCES)} instances and ${String((await world.kept('firewall')).length)} rules checked in ${(ended.ms / 1000).toFixed(1)} s\n`,
    );
  });

  it('a run for one host leaves the drift of another alone', async () => {
    await relabel('es-07', { team: 'another' });
    await relabel('es-08', { team: 'another' });
    await world.double.forget();
    const ended = await site('--limit', 'es-07', '--json');
    expect(ended.code, said(ended)).to.equal(0);
    expect(changed(ended)).to.deep.equal(['es-07 instance es-07: label team']);
    const sent = await writes();
    expect(sent).to.not.deep.equal([]);
    expect(sent.filter((each) => !text(each).includes('/es-07'))).to.deep.equal([]);
    expect((await world.instance('es-07')).labels).to.include({ team: 'metrics' });
    expect((await world.instance('es-08')).labels).to.include({ team: 'another' });
    const checked = await site('--check', '--json');
    expect(checked.code, said(checked)).to.equal(2);
    expect(changed(checked)).to.deep.equal(['es-08 instance es-08: label team']);
    await relabel('es-08', { team: 'metrics' });
  });

  it('instances of strangers in the project are neither touched nor told as its own', async () => {
    const { tags, labels } = await world.instance('es-01');
    const stranger = (name: string, more: object): Promise<object> =>
      world.double.perform('POST', `${ZONE}/instances`, {
        name,
        machineType: `${ZONE}/machineTypes/e2-small`,
        disks: [{ boot: true, initializeParams: { sourceImage: 'projects/debian-cloud/global/images/family/debian-12' } }],
        networkInterfaces: [{ network: `projects/${PROJECT}/global/networks/net`, subnetwork: `projects/${PROJECT}/regions/asia-northeast3/subnetworks/sub` }],
        ...more,
      });
    await stranger('batch-01', {});
    // It looks like one of ours, but no inventory names it.
    await stranger('es-99', { tags: { items: tags?.items }, labels });
    const before = [await world.instance('batch-01'), await world.instance('es-99')];
    await world.double.forget();
    const ended = await site('--limit', 'es-01', '--json');
    expect(ended.code, said(ended)).to.equal(0);
    const checked = await site('--check', '--json');
    expect(checked.code, said(checked)).to.equal(0);
    const status = await world.gcp('status', '-i', inventory);
    expect(status.code, said(status)).to.equal(0);
    expect(status.stdout).to.match(/^es-01 /m);
    for (const output of [ended, checked, status].map(said)) expect(output).to.not.match(/batch-01|es-99/);
    expect(await writes()).to.deep.equal([]);
    expect([await world.instance('batch-01'), await world.instance('es-99')]).to.deep.equal(before);
  });

  it('strangers are still there when the last of a fleet is not', async () => {
    const small = world.write({}, 'small.yaml');
    await world.double.forget();
    const ended = await world.gcp('down', '-i', small, '--yes', '--project', PROJECT);
    expect(ended.code, said(ended)).to.equal(0);
    const left = (await world.kept('instance')).map(({ name }) => name).sort();
    expect(left).to.deep.equal(['batch-01', 'es-99', ...others.map(({ name }) => name)].sort());
  });
});
