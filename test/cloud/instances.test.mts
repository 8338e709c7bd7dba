/** Instances: the playbooks as their users start them, the real gcloud, and the double of the Compute API. */
import { expect } from 'chai';
import { DRIFT, said } from '../cli/program.mts';
import { changed, KEY, PROJECT, World, ZONE, type Kept } from './world.mts';

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
      expect({ status, labels, deletionProtection }).to.deep.equal({
        status: 'RUNNING',
        labels: { 'managed-by': 'kafka-mon', team: 'metrics' },
        deletionProtection: true,
      });
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
        labels: { ...labels, team: 'another', theirs: 'x' },
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
        'es-01 instance es-01: label team',
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
      expect(es.labels).to.deep.equal({ 'managed-by': 'kafka-mon', team: 'metrics', theirs: 'x' });
      expect(es.metadata?.items?.map(({ key }) => key)).to.have.members(['theirs', 'enable-guest-attributes', 'enable-oslogin', 'ssh-keys']);
      const after = await world.instance('kibana-01');
      const address = (each: Kept): string | undefined => each.networkInterfaces?.[0]?.accessConfigs?.[0]?.natIP;
      expect(after.status).to.equal('RUNNING');
      expect(address(after)).to.match(/^\d/);
      expect(address(after)).to.not.equal(address(before));
      expect(said(await world.site('--check'))).to.contain('2 in order');
    });

    it('what was taken away comes back: a data disk and an external address', async () => {
      const [disk] = (await world.kept('disk')).filter(({ name }) => name === 'es-01-data');
      await world.double.perform('POST', `${ZONE}/instances/es-01/detachDisk?deviceName=data`);
      const [config] = (await world.instance('kibana-01')).networkInterfaces?.[0]?.accessConfigs ?? [];
      await world.double.perform(
        'POST',
        `${ZONE}/instances/kibana-01/deleteAccessConfig?networkInterface=nic0&accessConfig=${encodeURIComponent(config?.name ?? '')}`,
      );
      const ended = await world.site('--json');
      expect(ended.code, said(ended)).to.equal(0);
      expect(changed(ended)).to.deep.equal(['es-01 disk es-01-data: disk', 'kibana-01 instance kibana-01: external address external-nat']);
      expect((await world.kept('disk')).find(({ name }) => name === 'es-01-data')?.id).to.equal(disk?.id);
      const { disks } = await world.instance('es-01');
      expect(disks?.map(({ deviceName, autoDelete }) => [deviceName, autoDelete]).slice(1)).to.deep.equal([['data', false]]);
      expect((await world.instance('kibana-01')).networkInterfaces?.[0]?.accessConfigs?.[0]?.natIP).to.match(/^34\./);
    });

    const larger = ['-e', 'gcp_machine_type=e2-standard-8', '-e', `gcp_service_account=metrics@${PROJECT}.iam.gserviceaccount.com`];

    it('what takes a stop is done for one instance at a time, and with a yes', async () => {
      const both = await world.site(...larger, '--yes');
      expect(both.code, said(both)).to.equal(5);
      expect(said(both)).to.contain('es-01, kibana-01 would be stopped at the same time').and.to.contain('--limit es-01 --yes');
      const unasked = await world.site(...larger, '--limit', 'es-01');
      expect(unasked.code, said(unasked)).to.equal(5);
      expect(said(unasked)).to.contain('stops es-01');
      const ended = await world.site(...larger, '--limit', 'es-01', '--yes', '--json');
      expect(ended.code, said(ended)).to.equal(0);
      expect(changed(ended)).to.deep.equal(['machine type', 'service account', 'scopes'].map((field) => `es-01 instance es-01: ${field}`));
      const { status, machineType, serviceAccounts } = await world.instance('es-01');
      expect([status, machineType?.split('/').at(-1)]).to.deep.equal(['RUNNING', 'e2-standard-8']);
      expect(serviceAccounts).to.deep.equal([
        { email: `metrics@${PROJECT}.iam.gserviceaccount.com`, scopes: ['https://www.googleapis.com/auth/cloud-platform'] },
      ]);
      expect((await world.instance('kibana-01')).machineType?.split('/').at(-1)).to.equal('e2-standard-4');
    });

    it('what an instance is born with is never changed: it is refused with the way out', async () => {
      const moved = world.write({ es: { gcp_zone: 'asia-northeast3-b', private_address: '10.20.0.12' } }, 'moved.yaml');
      const before = await world.double.resources(PROJECT);
      const ended = await world.start(['-i', moved, '--role', 'gcp-instances', ...larger, '--limit', 'es-01', '--yes']).ended;
      expect(ended.code, said(ended)).to.equal(5);
      expect(said(ended))
        .to.contain('the zone of es-01 is asia-northeast3-a, and an instance keeps its zone for life')
        .and.to.contain('the private address of es-01 is 10.20.0.11, and an instance keeps its private address for life')
        .and.to.contain('playbooks/gcp.mts down')
        .and.to.contain('disks snapshot es-01-data');
      expect(await world.double.resources(PROJECT)).to.deep.equal(before);
    });

    it('disks grow', async () => {
      const ended = await world.site('-e', 'gcp_data_disk_gb=40', ...larger, '--limit', 'es-01');
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
      expect(status.stdout).to.match(/^es-01 +RUNNING +10\.20\.0\.11 +- +no: machine type, service account, scopes, size of es-01-data$/m);
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
});
