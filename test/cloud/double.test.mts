/** The double of Google's APIs against the real gcloud, and against requests that gcloud would never send. */
import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gcloudAt, startDouble, type Double, type DoubleOptions, type GcloudResult } from './support.mts';

const PROJECT = 'projects/demo-project';
const ZONE = 'zones/asia-northeast3-a';
const REGION = 'regions/asia-northeast3';
const NAT = 'natIP';

interface Seen {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** What gcloud printed, after it ended well. */
async function json(result: Promise<GcloudResult>): Promise<Seen[]> {
  const { code, stdout, stderr } = await result;
  expect(code, stderr).to.equal(0);
  return JSON.parse(stdout) as Seen[];
}

const named = (items: readonly Seen[], name: string): Seen => {
  const found = items.find((item) => item.name === name);
  expect(found, `no ${name} among ${items.map((item) => item.name).join(' ')}`).not.to.equal(undefined);
  return found!;
};

const instance = (name: string, more: object = {}): object => ({
  name,
  machineType: `${ZONE}/machineTypes/e2-medium`,
  disks: [{ boot: true, autoDelete: true, initializeParams: { sourceImage: 'projects/debian-cloud/global/images/family/debian-12' } }],
  networkInterfaces: [{ network: `${PROJECT}/global/networks/default`, accessConfigs: [{ type: 'ONE_TO_ONE_NAT' }] }],
  ...more,
});

const externalAddress = (found: Seen): unknown => (found['networkInterfaces'] as { accessConfigs?: { natIP?: string }[] }[])[0]?.accessConfigs?.[0]?.[NAT];

describe('the double of the Compute API', () => {
  let double: Double;
  let gcloud: ReturnType<typeof gcloudAt>;
  const fresh = async (options: DoubleOptions = {}) => {
    await double.close();
    double = await startDouble(options);
    gcloud = gcloudAt(double);
  };
  before(async () => {
    double = await startDouble();
    gcloud = gcloudAt(double);
  });
  after(() => double.close());
  afterEach(async () => {
    const unknown = (await double.requests()).filter(({ status }) => status === 501);
    await double.clearFaults();
    expect(unknown, 'requests that the double does not know').to.deep.equal([]);
  });

  describe('as gcloud sees it', () => {
    it('makes a network with a subnetwork, a router and a NAT', async () => {
      await json(gcloud('compute networks create monitoring --subnet-mode=custom'));
      await Promise.all([
        json(
          gcloud('compute networks subnets create seoul --network=monitoring --region=asia-northeast3 --range=10.10.0.0/24 --enable-private-ip-google-access'),
        ),
        json(gcloud('compute routers create out --network=monitoring --region=asia-northeast3')),
      ]);
      const [made] = await Promise.all([
        gcloud('compute routers nats create nat --router=out --region=asia-northeast3 --auto-allocate-nat-external-ips --nat-all-subnet-ip-ranges'),
        json(gcloud('compute networks list')).then((networks) => named(networks, 'monitoring')['subnetworks']),
      ]);
      expect(made.code, made.stderr).to.equal(0);
      const [subnetworks, routers] = await Promise.all([json(gcloud('compute networks subnets list')), json(gcloud('compute routers list'))]);
      expect(named(subnetworks, 'seoul')).to.include({ ipCidrRange: '10.10.0.0/24', gatewayAddress: '10.10.0.1', privateIpGoogleAccess: true });
      expect(
        subnetworks.filter(({ name }) => name === 'default'),
        'the default network has one in each region',
      ).to.have.length(4);
      expect(named(routers, 'out')['nats']).to.have.nested.property('[0].natIpAllocateOption', 'AUTO_ONLY');
    });

    it('makes, changes, shows and deletes rules', async () => {
      await Promise.all([
        json(gcloud('compute firewall-rules create es --network=monitoring --allow=tcp:9200,tcp:9300 --source-tags=kafka --target-tags=es --enable-logging')),
        json(gcloud('compute firewall-rules create open --network=monitoring --action=DENY --rules=tcp --priority=900 --target-tags=es')),
      ]);
      await json(gcloud('compute firewall-rules update es --rules=tcp:9200 --source-ranges=10.0.0.0/8 --source-tags= --disabled'));
      const block = { action: 'deny', direction: 'INGRESS', priority: 10, match: { srcIpRanges: ['192.0.2.0/24'], layer4Configs: [{ ipProtocol: 'tcp' }] } };
      await double.policies(`${PROJECT}/global/networks/monitoring`, [{ name: '1', shortName: 'company', type: 'HIERARCHY', rules: [block] }]);
      const [rules, effective] = await Promise.all([
        json(gcloud('compute firewall-rules list')),
        gcloud('compute networks get-effective-firewalls monitoring').then(({ stdout }) => JSON.parse(stdout) as Record<string, { name: string }[]>),
      ]);
      const es = named(rules, 'es');
      expect(es).to.deep.include({ sourceRanges: ['10.0.0.0/8'], targetTags: ['es'], disabled: true, allowed: [{ IPProtocol: 'tcp', ports: ['9200'] }] });
      expect(es).not.to.have.property('sourceTags');
      expect(named(rules, 'open')['sourceRanges'], 'a rule without a source is open to the world').to.deep.equal(['0.0.0.0/0']);
      expect(rules.map(({ name }) => name)).to.include.members(['default-allow-icmp', 'default-allow-internal', 'default-allow-rdp', 'default-allow-ssh']);
      expect(effective['firewalls']?.map(({ name }) => name)).to.have.members(['es', 'open']);
      expect(effective['firewallPolicys'], 'gcloud leaves a policy its name and its rules').to.deep.equal([{ name: '1', type: 'HIERARCHY', rules: [block] }]);

      await json(gcloud('compute firewall-rules delete es open'));
      expect((await double.resources('demo-project')).map(({ name }) => name)).not.to.include.members(['es', 'open']);
    });

    it('makes an instance with everything that is asked for', async () => {
      await json(gcloud(`compute disks create es-01-data --zone=asia-northeast3-a --size=200GB --type=pd-ssd --labels=part=data`));
      await json(
        gcloud(
          'compute instances create es-01 --zone=asia-northeast3-a --machine-type=e2-standard-2 --image-family=debian-12 --image-project=debian-cloud ' +
            '--boot-disk-size=20GB --boot-disk-type=pd-balanced --network=monitoring --subnet=seoul --private-network-ip=10.10.0.11 --no-address ' +
            '--disk=name=es-01-data,device-name=data,auto-delete=no --tags=es,kafka --labels=part=es --metadata=enable-guest-attributes=TRUE ' +
            '--service-account=es@demo-project.iam.gserviceaccount.com --scopes=cloud-platform --deletion-protection',
        ),
      );
      const [instances, refused] = await Promise.all([
        json(gcloud('compute instances list')),
        gcloud('compute instances delete es-01 --zone=asia-northeast3-a'),
      ]);
      const es = named(instances, 'es-01');
      expect(es).to.deep.include({ status: 'RUNNING', deletionProtection: true, labels: { part: 'es' } });
      expect(es).to.have.nested.property('networkInterfaces[0].networkIP', '10.10.0.11');
      expect(es).not.to.have.nested.property('networkInterfaces[0].accessConfigs');
      expect(es).to.have.nested.property('disks[1].deviceName', 'data');
      expect(es).to.have.nested.property('disks[1].autoDelete', false);
      expect(es).to.deep.nested.include({ 'tags.items': ['es', 'kafka'], 'serviceAccounts[0].email': 'es@demo-project.iam.gserviceaccount.com' });
      expect(refused.code).to.equal(1);
      expect(refused.stderr).to.include("Resource cannot be deleted if it's protected against deletion.");
    });

    it('changes an instance field by field', async () => {
      await json(gcloud('compute instances stop es-01 --zone=asia-northeast3-a'));
      await Promise.all([
        json(gcloud('compute instances set-machine-type es-01 --zone=asia-northeast3-a --machine-type=e2-standard-4')),
        json(gcloud('compute instances set-service-account es-01 --zone=asia-northeast3-a --no-service-account --no-scopes')),
      ]);
      await json(gcloud('compute instances start es-01 --zone=asia-northeast3-a'));
      await json(gcloud('compute instances update es-01 --zone=asia-northeast3-a --update-labels=part=a,more=b --no-deletion-protection'));
      await Promise.all([
        json(gcloud('compute instances add-tags es-01 --zone=asia-northeast3-a --tags=new')),
        json(gcloud('compute instances add-metadata es-01 --zone=asia-northeast3-a --metadata=enable-oslogin=TRUE')),
      ]);
      await Promise.all([
        json(gcloud('compute instances remove-tags es-01 --zone=asia-northeast3-a --tags=kafka')),
        json(gcloud('compute instances add-access-config es-01 --zone=asia-northeast3-a')),
      ]);
      const es = (await json(gcloud('compute instances describe es-01 --zone=asia-northeast3-a'))) as unknown as Seen;
      expect(es['machineType']).to.match(/\/e2-standard-4$/);
      expect(es).to.deep.include({ status: 'RUNNING', deletionProtection: false, labels: { part: 'a', more: 'b' } });
      expect(es).to.deep.nested.include({ 'tags.items': ['es', 'new'] });
      expect(es).not.to.have.property('serviceAccounts');
      expect((es['metadata'] as { items: object[] }).items).to.deep.include({ key: 'enable-oslogin', value: 'TRUE' });
      expect(externalAddress(es)).to.match(/^34\.64\./);
    });

    it('attaches a disk, and makes it larger', async () => {
      await json(gcloud('compute disks create es-01-more --zone=asia-northeast3-a --size=200GB'));
      await json(gcloud('compute instances attach-disk es-01 --zone=asia-northeast3-a --disk=es-01-more --device-name=more'));
      await Promise.all([
        json(gcloud('compute instances set-disk-auto-delete es-01 --zone=asia-northeast3-a --auto-delete --disk=es-01-more')),
        json(gcloud('compute disks resize es-01-more --zone=asia-northeast3-a --size=300GB')),
      ]);
      const es = (await double.perform('GET', `${PROJECT}/${ZONE}/instances/es-01`)) as Seen;
      expect(es).to.have.nested.property('disks[2].autoDelete', true);
      expect(es).to.have.nested.property('disks[2].deviceName', 'more');
      const more = (await double.perform('GET', `${PROJECT}/${ZONE}/disks/es-01-more`)) as Seen;
      expect(more).to.deep.include({ sizeGb: '300', users: [es['selfLink']] });
    });

    it('deletes several instances in one call, and keeps the disks that are to be kept', async () => {
      await json(gcloud('compute instances create b-01 b-02 --zone=asia-northeast3-a --image-family=rocky-linux-9 --image-project=rocky-linux-cloud'));
      await json(gcloud('compute instances delete b-01 b-02 es-01 --zone=asia-northeast3-a'));
      const kept = await json(gcloud('compute disks list'));
      expect(kept.map(({ name }) => name)).to.deep.equal(['es-01-data']);
      expect(kept[0]).not.to.have.property('users');
    });

    it('deletes a network once nothing is in it', async () => {
      const early = await gcloud('compute networks delete monitoring');
      expect(early.stderr).to.match(/networks\/monitoring' is already being used by '[^']*(routers\/out|subnetworks\/seoul)'/);
      await Promise.all([
        json(gcloud('compute routers delete out --region=asia-northeast3')),
        json(gcloud('compute networks subnets delete seoul --region=asia-northeast3')),
      ]);
      await json(gcloud('compute networks delete monitoring'));
      expect((await double.resources('demo-project')).map(({ name }) => name)).not.to.include('monitoring');
    });

    it('lists in order of names, not of age', async () => {
      await fresh();
      const network = `${PROJECT}/global/networks/default`;
      for (const name of ['zebra', 'ant']) await double.perform('POST', `${PROJECT}/global/firewalls`, { name, network, allowed: [{ IPProtocol: 'tcp' }] });
      const listed = await json(gcloud('compute firewall-rules list'));
      expect(listed.map(({ name }) => name)).to.deep.equal([
        'ant',
        'default-allow-icmp',
        'default-allow-internal',
        'default-allow-rdp',
        'default-allow-ssh',
        'zebra',
      ]);
    });

    it('shows every page of a list', async () => {
      await fresh({ pageSize: 3 });
      const rules = await json(gcloud('compute firewall-rules list'));
      expect(rules).to.have.length(4);
      expect((await double.requests()).map(({ command, status }) => [command, status])).to.deep.equal([
        ['compute.firewall-rules.list', 200],
        ['compute.firewall-rules.list', 200],
      ]);
      expect(await double.commands()).to.deep.equal(['compute.firewall-rules.list']);
    });

    it('has services that are off until they are enabled, secrets, and a profile of who logs in', async () => {
      await fresh({ services: [] });
      const [off] = await Promise.all([gcloud('compute firewall-rules list'), json(gcloud('services enable secretmanager.googleapis.com'))]);
      expect(off.code).to.equal(1);
      expect(off.stderr).to.match(/Compute Engine API has not been used in project \d+ before or it is disabled.*SERVICE_DISABLED/s);
      await double.secret('demo-project', 'kibana', 'geheim');
      const [secret] = await Promise.all([gcloud('secrets versions access latest --secret=kibana'), json(gcloud('services enable compute.googleapis.com'))]);
      expect(Buffer.from((JSON.parse(secret.stdout) as { payload: { data: string } }).payload.data, 'base64').toString()).to.equal('geheim');
      const [profile, rules] = await Promise.all([gcloud('compute os-login describe-profile'), json(gcloud('compute firewall-rules list'))]);
      expect(JSON.parse(profile.stdout)).to.have.nested.property('posixAccounts[0].username', 'operator_example_com');
      expect(rules, 'the default network comes with the API').to.have.length(4);
    });
  });

  describe('when something goes wrong', () => {
    before(() => fresh());

    it('refuses lists, of which gcloud takes those over all zones for empty', async () => {
      await double.fault({ path: 'aggregated/instances', answer: { kind: 'error', status: 403, message: "Required 'compute.instances.list' permission" } });
      await double.fault({ path: 'global/firewalls', answer: { kind: 'error', status: 429 } });
      const [instances, rules] = await Promise.all([gcloud('compute instances list'), gcloud('compute firewall-rules list')]);
      expect(instances.code).to.equal(0);
      expect(instances.stdout.trim()).to.equal('[]');
      expect(instances.stderr).to.include("Some requests did not succeed.\n - Required 'compute.instances.list' permission");
      expect(rules.code).to.equal(1);
      expect(rules.stderr).to.include('Quota exceeded for quota metric');
    });

    it('fails an operation after it was accepted, and leaves nothing of it', async () => {
      await double.fault({ method: 'POST', path: '/instances$', answer: { kind: 'operation' } });
      const failed = await gcloud('compute instances create full --zone=asia-northeast3-a --image-family=debian-12 --image-project=debian-cloud');
      expect(failed.code).to.equal(1);
      expect(failed.stderr).to.include("Quota 'CPUS' exceeded.");
      expect((await double.resources('demo-project')).map(({ name }) => name)).not.to.include('full');
    });

    it('loses an answer, so that the next try finds the rule made', async () => {
      await double.fault({ method: 'POST', path: 'global/firewalls', answer: { kind: 'cut', when: 'after' } });
      const command = 'compute firewall-rules create kibana --allow=tcp:5601 --source-ranges=192.0.2.0/24';
      const lost = await gcloud(command);
      expect(lost.code).to.equal(1);
      expect(lost.stderr).to.include('Connection aborted.');
      const again = await gcloud(command);
      expect(again.stderr).to.include(`The resource '${PROJECT}/global/firewalls/kibana' already exists`);
    });

    it('answers late, and as many times as it is told to', async () => {
      await double.fault({ path: 'global/networks', times: 2, answer: { kind: 'error', status: 503 } });
      await double.fault({ path: 'global/networks', answer: { kind: 'stall', ms: 300 } });
      const ask = () => double.perform('GET', `${PROJECT}/global/networks`).then(() => 'answered', String);
      expect(await ask()).to.include('backendError');
      expect(await ask()).to.include('UNAVAILABLE');
      const started = performance.now();
      expect(await ask()).to.equal('answered');
      expect(performance.now() - started).to.be.greaterThan(280);
    });

    it('lets somebody edit and remove what is there', async () => {
      await double.edit(`${PROJECT}/global/firewalls/default-allow-ssh`, { sourceRanges: ['192.0.2.0/24'], description: null });
      await double.remove(`${PROJECT}/global/firewalls/default-allow-rdp`);
      const rules = await json(gcloud('compute firewall-rules list'));
      expect(named(rules, 'default-allow-ssh')['sourceRanges']).to.deep.equal(['192.0.2.0/24']);
      expect(named(rules, 'default-allow-ssh')).not.to.have.property('description');
      expect(rules.map(({ name }) => name)).not.to.include('default-allow-rdp');
    });
  });

  describe('for bodies that the API does not take', () => {
    before(async () => {
      await fresh();
      await double.perform('POST', `${PROJECT}/global/networks`, { name: 'custom', autoCreateSubnetworks: false });
      await double.perform('POST', `${PROJECT}/${ZONE}/instances`, instance('taken', { networkInterfaces: [{ networkIP: '10.178.0.9' }] }));
    });

    const rule = (more: object): object => ({ name: 'rule', network: `${PROJECT}/global/networks/default`, allowed: [{ IPProtocol: 'tcp' }], ...more });
    const nic = (more: object): object => instance('other', { networkInterfaces: [more] });
    const cases: readonly (readonly [string, string, object, RegExp])[] = [
      ['an unknown field', 'global/firewalls', rule({ ports: ['22'] }), /400.*Unknown name .*ports.* at 'resource': Cannot find field/],
      ['a wrong type', 'global/firewalls', rule({ priority: 'high' }), /400.*Invalid value at 'resource.priority'/],
      ['a bad name', 'global/firewalls', rule({ name: 'Rule_1' }), /400.*'resource.name': 'Rule_1'. Must be a match of regex/],
      ['no name', 'global/firewalls', { ...rule({}), name: undefined }, /400.*Required field 'resource.name' not specified/],
      ['neither allowed nor denied', 'global/firewalls', rule({ allowed: [] }), /400.*Must specify allowed or denied rules/],
      ['both of them', 'global/firewalls', rule({ denied: [{ IPProtocol: 'udp' }] }), /400.*Only one of allowed and denied/],
      ['tags with accounts', 'global/firewalls', rule({ sourceTags: ['a'], sourceServiceAccounts: ['a@b.c'] }), /400.*cannot be used together/],
      ['a range with host bits', 'global/firewalls', rule({ sourceRanges: ['10.0.0.1/8'] }), /400.*'resource.sourceRanges\[0\]': '10.0.0.1\/8'/],
      ['no range at all', 'global/firewalls', rule({ sourceRanges: ['somewhere'] }), /400.*Must be a valid CIDR address range/],
      ['a port beyond the last', 'global/firewalls', rule({ allowed: [{ IPProtocol: 'tcp', ports: ['9200-70000'] }] }), /400.*ports\[0\]/],
      ['an absent network', 'global/firewalls', rule({ network: `${PROJECT}/global/networks/none` }), /404.*networks\/none' was not found/],
      ['a name that is taken', 'global/firewalls', rule({ name: 'default-allow-ssh' }), /409.*alreadyExists/],
      ['an unknown zone', `zones/asia-northeast3-x/instances`, instance('other'), /400.*'asia-northeast3-x'. Unknown zone/],
      ['an unknown machine type', `${ZONE}/instances`, instance('other', { machineType: `${ZONE}/machineTypes/e9` }), /400.*'e9' does not exist in zone/],
      ['an address outside the range', `${ZONE}/instances`, nic({ networkIP: '10.1.2.3' }), /400.*outside the network\/subnetwork range/],
      ['an address that is Google’s', `${ZONE}/instances`, nic({ networkIP: '10.178.0.1' }), /400.*reserved/],
      ['an address that is taken', `${ZONE}/instances`, nic({ networkIP: '10.178.0.9' }), /IP_IN_USE_BY_ANOTHER_RESOURCE.*already being used/],
      ['a custom network without a subnetwork', `${ZONE}/instances`, nic({ network: `${PROJECT}/global/networks/custom` }), /400.*must specify a subnet/],
      ['no boot disk', `${ZONE}/instances`, instance('other', { disks: [] }), /400.*boot disk/],
      [
        'a disk that is smaller than its image',
        `${ZONE}/disks`,
        { name: 'd', sizeGb: '5', sourceImage: 'projects/debian-cloud/global/images/family/debian-12' },
        /400.*image size/,
      ],
      ['an image that does not exist', `${ZONE}/disks`, { name: 'd', sourceImage: 'projects/debian-cloud/global/images/family/debian-7' }, /404/],
      [
        'a metadata key twice',
        `${ZONE}/instances`,
        instance('other', {
          metadata: {
            items: [
              { key: 'a', value: '' },
              { key: 'a', value: '' },
            ],
          },
        }),
        /400.*duplicate key: 'a'/,
      ],
      [
        'a subnetwork that overlaps',
        `${REGION}/subnetworks`,
        { name: 's', network: `${PROJECT}/global/networks/default`, ipCidrRange: '10.178.8.0/24' },
        /400.*conflicts/,
      ],
      [
        'a subnetwork of loopback addresses',
        `${REGION}/subnetworks`,
        { name: 's', network: `${PROJECT}/global/networks/custom`, ipCidrRange: '127.0.0.0/24' },
        /400/,
      ],
      ['tags with an old fingerprint', `${ZONE}/instances/taken/setTags`, { items: ['a'], fingerprint: 'AAAAAAAAAAA=' }, /412.*conditionNotMet/],
      ['a machine type while it runs', `${ZONE}/instances/taken/setMachineType`, { machineType: `${ZONE}/machineTypes/e2-small` }, /400.*must be stopped/],
    ];
    for (const [what, path, body, expected] of cases) {
      it(`refuses ${what}`, async () => {
        const before = await double.resources('demo-project');
        const answer = await double.perform('POST', `${PROJECT}/${path}`, body).then(
          () => 'accepted',
          (error: unknown) => (error as Error).message,
        );
        expect(answer).to.match(expected);
        expect(await double.resources('demo-project')).to.deep.equal(before);
      });
    }
  });

  describe('over time', () => {
    before(() => fresh({ operationMs: 240 }));

    it('shows an operation as pending, running and done, and what it is about as not ready', async () => {
      const network = `${PROJECT}/global/networks/slow`;
      const done = double.perform('POST', `${PROJECT}/global/networks`, { name: 'slow', autoCreateSubnetworks: false });
      await sleep(30);
      const early = double.perform('POST', `${PROJECT}/global/firewalls`, { name: 'early', network, allowed: [{ IPProtocol: 'tcp' }] });
      expect(await early.then(() => 'accepted', String)).to.include('resourceNotReady');
      const states = new Set<string>();
      const watched = async () => {
        const { items } = (await double.perform('GET', `${PROJECT}/global/operations`)) as { items: { status: string }[] };
        for (const { status } of items) states.add(status);
        return states.has('DONE');
      };
      while (!(await watched())) await sleep(20);
      await done;
      expect([...states]).to.deep.equal(['PENDING', 'RUNNING', 'DONE']);
    });

    it('gives another external address at each start, unless it is reserved', async () => {
      await double.perform('POST', `${PROJECT}/${REGION}/addresses`, { name: 'fixed' });
      const fixed = ((await double.perform('GET', `${PROJECT}/${REGION}/addresses/fixed`)) as { address: string }).address;
      const path = (name: string) => `${PROJECT}/${ZONE}/instances/${name}`;
      await Promise.all([
        double.perform('POST', `${PROJECT}/${ZONE}/instances`, instance('a')),
        double.perform('POST', `${PROJECT}/${ZONE}/instances`, instance('b', { networkInterfaces: [{ accessConfigs: [{ natIP: fixed }] }] })),
      ]);
      const addresses = async () => Promise.all(['a', 'b'].map(async (name) => externalAddress((await double.perform('GET', path(name))) as Seen)));
      const [first, kept] = await addresses();
      expect([first, kept]).to.satisfy(([one, two]: unknown[]) => typeof one === 'string' && two === fixed);
      for (const verb of ['stop', 'start']) {
        await Promise.all(['a', 'b'].map((name) => double.perform('POST', `${path(name)}/${verb}`)));
        if (verb === 'stop') expect(await addresses()).to.deep.equal([undefined, fixed]);
      }
      const [second, still] = await addresses();
      expect(second)
        .to.match(/^34\.64\./)
        .and.not.to.equal(first);
      expect(still).to.equal(fixed);
    });
  });

  describe('with somebody behind its instances', () => {
    const told: string[] = [];
    const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    let port: number;
    before(async () => {
      await once(echo.listen(0, '127.0.0.1'), 'listening');
      port = (echo.address() as { port: number }).port;
      await fresh({
        onInstance: ({ event, instance: { name } }) => {
          told.push(`${event} ${name}`);
          if (name === 'broken') throw new Error('no room for another host');
          return { natIP: '127.0.0.2', address: '127.0.0.1', hostKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=='] };
        },
      });
      const metadata = { items: [{ key: 'enable-guest-attributes', value: 'TRUE' }] };
      await double.perform('POST', `${PROJECT}/${ZONE}/instances`, instance('a', { metadata, tags: { items: ['inside'] } }));
    });
    after(() => echo.close());

    it('tells them, shows their address and host keys, and fails with them', async () => {
      const failed = await double.perform('POST', `${PROJECT}/${ZONE}/instances`, instance('broken')).then(() => 'made', String);
      expect(failed).to.include('no room for another host');
      const [keys, console, instances] = await Promise.all([
        json(gcloud('compute instances get-guest-attributes a --zone=asia-northeast3-a --query-path=hostkeys/')),
        gcloud('compute instances get-serial-port-output a --zone=asia-northeast3-a'),
        double.perform('GET', `${PROJECT}/${ZONE}/instances`) as Promise<{ items: Seen[] }>,
      ]);
      expect(keys).to.deep.equal([{ namespace: 'hostkeys', key: 'ssh-ed25519', value: 'AAAAC3NzaC1lZDI1NTE5AAAAIA==' }]);
      expect(JSON.parse(console.stdout)).to.have.property('contents').that.includes('-----BEGIN SSH HOST KEY KEYS-----\r\nssh-ed25519 AAAA');
      expect(instances.items.map(({ name }) => name)).to.deep.equal(['a']);
      expect(externalAddress(named(instances.items, 'a'))).to.equal('127.0.0.2');
      expect(told).to.deep.equal(['created a', 'created broken']);
    });

    const tunnel = (): ChildProcess =>
      spawn(
        `${double.bin}/gcloud`,
        ['compute', 'start-iap-tunnel', 'a', String(port), '--listen-on-stdin', '--zone=asia-northeast3-a', '--project=demo-project'],
        {
          env: { ...process.env, ...double.environment },
          stdio: ['pipe', 'pipe', 'pipe'],
        },
      );

    it('lets no tunnel through that no rule lets through', async () => {
      const child = tunnel();
      expect(await text(child.stderr!)).to.include("4003: 'failed to connect to backend'");
    });

    it('keeps a tunnel of the real gcloud over a lost connection', async () => {
      const network = `${PROJECT}/global/networks/default`;
      const rule = { name: 'iap', network, sourceRanges: ['35.235.240.0/20'], targetTags: ['inside'], allowed: [{ IPProtocol: 'tcp', ports: [String(port)] }] };
      await double.perform('POST', `${PROJECT}/global/firewalls`, rule);
      const child = tunnel();
      let back = '';
      child.stdout!.setEncoding('latin1').on('data', (data: string) => (back += data));
      const echoed = async (sent: string) => {
        const wanted = back + sent;
        child.stdin!.write(sent, 'latin1');
        while (back.length < wanted.length && child.exitCode === null) await sleep(20);
        expect(back === wanted).to.equal(true);
      };
      await echoed('hello');
      await echoed('abcdefg'.repeat(100_000));
      await double.cutTunnels();
      await echoed('again');
      child.stdin!.end();
      await once(child, 'exit');
      const opened = (await double.requests()).filter(({ command }) => command === 'compute.start-iap-tunnel').map(({ path }) => path);
      expect(opened).to.include.members(['v4/connect', 'v4/reconnect']);
    });
  });

  it('fails an operation for which nobody answers in time', async () => {
    await using silent = await startDouble({ answerMs: 200, onInstance: () => new Promise(() => undefined) });
    const failed = await silent.perform('POST', `${PROJECT}/${ZONE}/instances`, instance('a')).then(() => 'made', String);
    expect(failed).to.include('did not answer within 200 ms');
  });

  it('ends with whoever started it', async () => {
    const other = await startDouble();
    await other.close();
    expect(
      await fetch(other.url).then(
        () => 'answers',
        () => 'gone',
      ),
    ).to.equal('gone');
  });
});
