/** The inventories that come with the program are what they say they are, for the roles that they are about. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockList } from 'node:net';
import { expect } from 'chai';
import { stages } from '../../playbooks/stages.mts';
import { catalogue, gcpDataDisk } from '../../roles/index.mts';
import { gcp, hostTags } from '../../roles/gcp-instances/contract.mts';
import { isAbout, stagesOf, type StagePlan } from '../../lib/run/engine.mts';
import { loadInventory } from '../../lib/inventory/load.mts';
import { constant, type AnyRole, type Context, type Inventory, type Refusal } from '../../lib/index.mts';
import { contractsBelow } from '../../scripts/schema-files.mts';
import { context, hostOf } from '../roles/support.mts';
import { ROOT } from '../cli/program.mts';

const GiB = 1024 ** 3;
/** What Google says the machine types have; the kernel keeps some of it. */
const MEMORY: Readonly<Record<string, number>> = { 'e2-standard-4': 16, 'e2-standard-2': 8, 'e2-medium': 4 };

const planOf = (inventory: Inventory): readonly StagePlan[] =>
  stagesOf({ playbook: { name: 'site', summary: '', stages, catalogue }, inventory, within: new Set(inventory.hosts.keys()), roles: undefined });

/** What needs no answer of anybody. */
function refusalsOf(role: AnyRole, here: Context<unknown>): readonly Refusal[] {
  const found = role.refuses?.(here) ?? [];
  if (!('asks' in found)) return found;
  const answer = found.asks.length > 0 ? constant([]).read(unasked) : found.read(unasked);
  return answer.kind === 'known' ? answer.value : [];
}
const unasked = (): never => {
  throw new Error('nothing was asked');
};

describe('inventories for Google Cloud', () => {
  const home = mkdtempSync(join(tmpdir(), 'samples-'));
  const read = async (file: string): Promise<Inventory> =>
    loadInventory({
      files: [`inventory/${file}`],
      directory: ROOT,
      contracts: await contractsBelow(join(ROOT, 'roles')),
      environment: { HOME: home, USER: 'me' },
      secretsDirectory: home,
    });
  before(() => {
    mkdirSync(join(home, '.ssh'));
    writeFileSync(join(home, '.ssh/google_compute_engine.pub'), 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO2 me\n');
  });
  after(() => {
    rmSync(home, { recursive: true });
  });

  for (const file of ['gcp.yaml', 'gcp-single.yaml'])
    describe(file, () => {
      it('has no variable that nobody knows, and no group that no stage or role knows', async () => {
        expect((await read(file)).notices).to.deep.equal([]);
      });

      it('gives every instance an address of its own in the subnet, of those that Google leaves free', async () => {
        const inventory = await read(file);
        const addresses = [...inventory.hosts.values()].map(({ privateAddress }) => privateAddress ?? 'none');
        expect(new Set(addresses).size).to.equal(inventory.hosts.size);
        for (const host of inventory.hosts.values()) {
          const [network = '', bits] = host.vars(gcp).subnet_range?.split('/') ?? [];
          const subnet = new BlockList();
          subnet.addSubnet(network, Number(bits));
          expect(subnet.check(host.privateAddress ?? ''), host.name).to.equal(true);
          expect(host.privateAddress).to.not.match(/\.(?:0|1|254|255)$/);
          expect(host.provider).to.equal('gcp');
        }
      });

      it('has nothing that a role refuses on the machines it asks for', async () => {
        const inventory = await read(file);
        let asked = 0;
        for (const { hosts, roles } of planOf(inventory))
          for (const host of hosts)
            for (const role of roles.filter((each) => isAbout(each, host))) {
              const memoryBytes = (MEMORY[host.vars(gcp).machine_type] ?? 0) * GiB * 0.97;
              const here = context(role.contract, inventory, host.name, { memoryBytes });
              // Nobody was asked here, and founding a cluster wants everybody asked.
              const reasons = refusalsOf(role, here).filter(({ reason }) => !/could not be asked/.test(reason));
              expect(reasons, `${role.name} on ${host.name}`).to.deep.equal([]);
              asked += 1;
            }
        expect(asked).to.be.greaterThan(10);
      });
    });

  it('gcp.yaml spreads masters and brokers over the zones of Seoul, and has one door', async () => {
    const inventory = await read('gcp.yaml');
    for (const group of ['es_masters', 'brokers', 'controllers'])
      expect(inventory.group(group).map((host) => host.vars(gcp).zone)).to.deep.equal(['asia-northeast3-a', 'asia-northeast3-b', 'asia-northeast3-c']);
    const outside = [...inventory.hosts.values()].filter((host) => host.vars(gcp).external_address !== 'none');
    expect(outside.map(({ name }) => name)).to.deep.equal(['kafka-monitoring']);
    for (const { name, connection } of inventory.hosts.values())
      expect(connection, name).to.deep.include({
        kind: 'ssh',
        user: 'ops',
        keyFile: join(home, '.ssh/google_compute_engine'),
        ...(name === 'kafka-monitoring' ? {} : { jump: 'kafka-monitoring' }),
      });
    expect(hostOf(inventory, 'kafka-monitoring').connection).to.not.have.property('jump');
    expect(hostTags(hostOf(inventory, 'broker-01'))).to.deep.equal(['kafka-mon-brokers', 'kafka-mon-controllers']);
    const withDisk = planOf(inventory).find(({ roles }) => roles.includes(gcpDataDisk));
    expect(withDisk?.hosts.map(({ name }) => name)).to.deep.equal(['es-01', 'es-02', 'es-03', 'broker-01', 'broker-02', 'broker-03']);
    for (const host of inventory.hosts.values()) {
      const hasData = [...inventory.group('es_data'), ...inventory.group('brokers')].includes(host);
      expect(host.vars(gcp).data_disk_gb, host.name).to.equal(hasData ? 100 : undefined);
    }
  });

  it("gcp-single.yaml is the tutorial's machine", async () => {
    const inventory = await read('gcp-single.yaml');
    const host = hostOf(inventory, 'kafka-monitoring');
    expect(inventory.hosts.size).to.equal(1);
    expect(host.vars(gcp)).to.include({ zone: 'asia-northeast3-a', machine_type: 'e2-standard-4', external_address: 'ephemeral' });
    expect(planOf(inventory).length).to.be.greaterThan(5);
    expect(planOf(inventory).flatMap(({ roles }) => roles)).to.not.include(gcpDataDisk);
    for (const { hosts } of planOf(inventory)) expect(hosts).to.deep.equal([host]);
  });
});
