import { expect } from 'chai';
import type { Change, Resource } from '../../../lib/index.mts';
import { compileSteps } from '../../../lib/shell/steps.mts';
import { instanceResources } from '../../../roles/gcp-instances/role.mts';
import { hostOf } from '../support.mts';
import { answerOf, ES_01, KeyPair, link, PUBLIC_KEY, twoInstances } from './support.mts';

const [NIC] = ES_01.networkInterfaces;
const [BOOT, DATA] = ES_01.disks;
const config = (natIP?: string) => ({ name: 'External NAT', type: 'ONE_TO_ONE_NAT', ...(natIP === undefined ? {} : { natIP }) });
const metadata = (change: Readonly<Record<string, string | undefined>>) => {
  const items = { ...Object.fromEntries(ES_01.metadata.items.map(({ key, value }) => [key, value])), ...change };
  return { metadata: { items: Object.entries(items).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }])) } };
};

interface Case {
  readonly name: string;
  /** What differs from `ES_01` in the cloud; `undefined`: there is no such instance. */
  readonly now: object | undefined;
  /** What the inventory says otherwise. */
  readonly vars?: string;
  readonly disk?: number;
  /** `field: from -> to`. */
  readonly changes: readonly string[];
  /** Calls that put it right, without what all of them have; none where it is refused. */
  readonly calls?: readonly string[];
  readonly consent?: string;
  readonly refused?: RegExp;
}

const CASES: readonly Case[] = [
  { name: 'as wanted, with tags, labels and metadata of others', now: {}, changes: [] },
  { name: 'on its way', now: { status: 'STAGING' }, changes: [] },
  { name: 'stopped', now: { status: 'TERMINATED' }, changes: ['status: TERMINATED -> RUNNING'], calls: ['instances start es-01'] },
  { name: 'stopping', now: { status: 'STOPPING' }, changes: ['status: STOPPING -> RUNNING'], calls: ['instances start es-01'] },
  { name: 'suspended', now: { status: 'SUSPENDED' }, changes: ['status: SUSPENDED -> RUNNING'], calls: ['instances resume es-01'] },
  {
    name: 'another machine type',
    now: {},
    vars: ', gcp_machine_type: e2-standard-8',
    changes: ['machine type: e2-standard-4 -> e2-standard-8'],
    calls: ['instances stop es-01', 'instances set-machine-type es-01 --machine-type=e2-standard-8', 'instances start es-01'],
    consent: 'stops es-01',
  },
  {
    name: 'another machine type, left stopped by a run that was ended',
    now: { status: 'TERMINATED' },
    vars: ', gcp_machine_type: e2-standard-8',
    changes: ['status: TERMINATED -> RUNNING', 'machine type: e2-standard-4 -> e2-standard-8'],
    calls: ['instances set-machine-type es-01 --machine-type=e2-standard-8', 'instances start es-01'],
  },
  {
    name: 'another machine type, suspended',
    now: { status: 'SUSPENDED' },
    vars: ', gcp_machine_type: e2-standard-8',
    changes: ['status: SUSPENDED -> RUNNING', 'machine type: e2-standard-4 -> e2-standard-8'],
    calls: ['instances resume es-01', 'instances stop es-01', 'instances set-machine-type es-01 --machine-type=e2-standard-8', 'instances start es-01'],
    consent: 'stops es-01',
  },
  {
    name: 'a service account that nobody asked for',
    now: { serviceAccounts: [{ email: 'x@developer.gserviceaccount.com', scopes: ['https://www.googleapis.com/auth/logging.write'] }] },
    changes: ['service account: x@developer.gserviceaccount.com -> none', 'scopes: https://www.googleapis.com/auth/logging.write -> none'],
    calls: ['instances stop es-01', 'instances set-service-account es-01 --no-service-account --no-scopes', 'instances start es-01'],
    consent: 'stops es-01',
  },
  {
    name: 'scopes that gcloud has aliases for',
    now: {
      serviceAccounts: [
        {
          email: 'sa@my-project.iam.gserviceaccount.com',
          scopes: ['https://www.googleapis.com/auth/logging.write', 'https://www.googleapis.com/auth/devstorage.read_only'],
        },
      ],
    },
    vars: ', gcp_service_account: sa@my-project.iam.gserviceaccount.com, gcp_scopes: [storage-ro, logging-write]',
    changes: [],
  },
  {
    name: 'tags of ours that are missing, and that are too many',
    now: { tags: { items: ['kafka-mon-brokers', 'somebody'] } },
    changes: ['tag kafka-mon-es-masters: absent -> present', 'tag kafka-mon-brokers: present -> absent'],
    calls: ['instances add-tags es-01 --tags=kafka-mon-es-masters', 'instances remove-tags es-01 --tags=kafka-mon-brokers'],
  },
  {
    name: 'labels',
    now: {},
    vars: ', gcp_labels: {team: data, cost: "7"}',
    changes: ['label team: somebody -> data', 'label cost: absent -> 7'],
    calls: ['instances update es-01 --update-labels=team=data,cost=7'],
  },
  {
    name: 'metadata without guest attributes and with a key of somebody else only',
    now: metadata({ 'enable-guest-attributes': undefined, 'ssh-keys': 'eve:ssh-rsa AAAA eve' }),
    changes: [
      'metadata enable-guest-attributes: absent -> TRUE',
      `metadata ssh-keys: eve:ssh-rsa AAAA eve -> eve:ssh-rsa AAAA eve\nops:ssh-ed25519 ${PUBLIC_KEY} ops`,
    ],
    calls: [`instances add-metadata es-01 --metadata=enable-guest-attributes=TRUE,ssh-keys=eve:ssh-rsa AAAA eve\nops:ssh-ed25519 ${PUBLIC_KEY} ops`],
  },
  {
    name: 'OS Login wanted',
    now: {},
    vars: ', gcp_login: os-login',
    changes: ['metadata enable-oslogin: FALSE -> TRUE'],
    calls: ['instances add-metadata es-01 --metadata=enable-oslogin=TRUE'],
  },
  {
    name: 'an external address that nobody asked for',
    now: { networkInterfaces: [{ ...NIC, accessConfigs: [config('34.64.1.9')] }] },
    changes: ['external address External NAT: 34.64.1.9 -> absent'],
    calls: ['instances delete-access-config es-01 --access-config-name=External NAT'],
  },
  {
    name: 'no external address where one is wanted',
    now: {},
    vars: ', gcp_external_address: ephemeral',
    changes: ['external address external-nat: absent -> ephemeral'],
    calls: ['instances add-access-config es-01 --access-config-name=external-nat'],
  },
  {
    name: 'an ephemeral address where a reserved one is wanted',
    now: { networkInterfaces: [{ ...NIC, accessConfigs: [config('34.64.1.9')] }] },
    vars: ', gcp_external_address: 34.64.1.2',
    changes: ['external address External NAT: 34.64.1.9 -> 34.64.1.2'],
    calls: [
      'instances delete-access-config es-01 --access-config-name=External NAT',
      'instances add-access-config es-01 --access-config-name=External NAT --address=34.64.1.2',
    ],
  },
  {
    name: 'another ephemeral address after a stop',
    now: { networkInterfaces: [{ ...NIC, accessConfigs: [config('34.64.1.77')] }] },
    vars: ', gcp_external_address: ephemeral',
    changes: [],
  },
  {
    name: 'no deletion protection',
    now: { deletionProtection: undefined },
    changes: ['deletion protection: off -> on'],
    calls: ['instances update es-01 --deletion-protection'],
  },
  {
    name: 'no data disk',
    now: { disks: [BOOT] },
    changes: ['disk: absent -> 100 GB, attached as data'],
    calls: [
      'disks create es-01-data --size=100GB --type=pd-balanced --labels=managed-by=kafka-mon',
      'instances attach-disk es-01 --disk=es-01-data --device-name=data',
    ],
  },
  {
    name: 'a data disk that would go with its instance',
    now: { disks: [BOOT, { ...DATA, autoDelete: true }] },
    changes: ['auto-delete: on -> off'],
    calls: ['instances set-disk-auto-delete es-01 --no-auto-delete --disk=es-01-data'],
  },
  {
    name: 'a data disk under another device name',
    now: { disks: [BOOT, { ...DATA, deviceName: 'persistent-disk-1' }] },
    changes: ['device: persistent-disk-1 -> data'],
    refused: /another device name.*detach-disk es-01 --disk=es-01-data/,
  },
  {
    name: 'disks that are too small',
    now: {},
    vars: ', gcp_boot_disk_gb: 50',
    disk: 200,
    changes: ['size of es-01: 30 GB -> 50 GB', 'size of es-01-data: 100 GB -> 200 GB'],
    calls: ['disks resize es-01 --size=50GB', 'disks resize es-01-data --size=200GB'],
  },
  {
    name: 'a disk that is too large',
    now: {},
    disk: 50,
    changes: ['size of es-01-data: 100 GB -> 50 GB'],
    refused: /no disk becomes smaller.*set gcp_data_disk_gb: 100/,
  },
  {
    name: 'another zone',
    now: { zone: ES_01.zone.replace(/a$/, 'b') },
    changes: ['zone: asia-northeast3-b -> asia-northeast3-a'],
    refused:
      /keeps its zone for life.*disks snapshot es-01-data .*--zone=asia-northeast3-b.*gcp\.mts down -i hosts\.yaml --limit es-01 --yes --project my-project/,
  },
  {
    name: 'another network, subnet and address',
    now: {
      networkInterfaces: [
        { ...NIC, network: link('global/networks/other'), subnetwork: link('regions/asia-northeast3/subnetworks/other'), networkIP: '10.178.0.2' },
      ],
    },
    changes: ['network: other -> net', 'subnet: other -> sub', 'private address: 10.178.0.2 -> 10.20.0.11'],
    refused: /keeps its network for life/,
  },
  {
    name: 'an instance of somebody else',
    now: { labels: {}, status: 'TERMINATED', deletionProtection: false, disks: [BOOT] },
    changes: ['label managed-by: absent -> kafka-mon'],
    refused: /not made by this installation.*add-labels es-01 --labels=managed-by=kafka-mon --zone=asia-northeast3-a --project=my-project/,
  },
  {
    name: 'an instance of another installation, in another zone',
    now: { labels: { 'managed-by': 'other' }, zone: ES_01.zone.replace(/a$/, 'c') },
    changes: ['label managed-by: other -> kafka-mon'],
    refused: /es-01 in asia-northeast3-c that was not made by this installation.*name the host otherwise/,
  },
];

describe('how an instance differs', () => {
  const key = new KeyPair();
  after(() => {
    key[Symbol.dispose]();
  });

  const differing = (vars: string, list: readonly object[], disk?: number): readonly (readonly [Resource, readonly Change[]])[] => {
    const inventory = twoInstances(key, { es: vars, ...(disk === undefined ? {} : { disk }) });
    const resources = instanceResources(hostOf(inventory, 'es-01'), inventory, new Set(inventory.hosts.keys()));
    return resources.map((resource) => {
      const answer = answerOf(resource.differs, { stdout: JSON.stringify(list) });
      if (answer.kind === 'unavailable') throw new Error(answer.reason);
      return [resource, answer.value];
    });
  };
  const calls = (all: ReturnType<typeof differing>): readonly string[] =>
    all
      .flatMap(([resource, changes]) => (changes.length === 0 ? [] : compileSteps(resource, changes)))
      .map((step) => (step.at === 'controller' ? step.argv : []))
      .map((argv) => argv.filter((word) => !/^(gcloud|compute|--project=my-project|--zone=asia-northeast3-a|--format=json|--quiet)$/.test(word)).join(' '));
  const text = (shown: Change['from']): string => (shown.kind === 'text' ? shown.text : shown.kind);

  for (const { name, now, vars = '', disk, changes, calls: wanted, consent, refused } of CASES)
    it(name, () => {
      const all = differing(vars, now === undefined ? [] : [{ ...ES_01, ...now }], disk);
      const found = all.flatMap(([, some]) => some);
      expect(found.map(({ field, from, to }) => `${field}: ${text(from)} -> ${text(to)}`)).to.deep.equal(changes);
      expect(found.map((each) => each.consent).filter((each) => each !== undefined)).to.deep.equal(
        consent === undefined ? [] : found.filter(({ field }) => field !== 'status').map(() => consent),
      );
      expect(found.some((each) => each.disrupts === true)).to.equal(consent !== undefined);
      expect(found.filter((each) => each.refused !== undefined)).to.have.length(refused === undefined ? 0 : found.length);
      if (refused === undefined) expect(calls(all)).to.deep.equal(wanted ?? []);
      else expect(`${found[0]?.refused?.reason ?? ''} ${found[0]?.refused?.hint ?? ''}`).to.match(refused);
    });

  it('is made with its disk where there is none; disks and sizes are then no matter', () => {
    const all = differing('', []);
    expect(all.map(([{ id }, some]) => [id, some.map(({ field }) => field)])).to.deep.equal([
      ['instance es-01', ['instance']],
      ['disk es-01-data', []],
      ['disk sizes of es-01', []],
    ]);
    expect(calls(all).map((call) => call.split(' ').slice(0, 3).join(' '))).to.deep.equal(['disks create es-01-data', 'instances create es-01']);
  });

  it('is not put right for two at a time where it takes a stop', () => {
    const other = { ...ES_01, name: 'kibana-01', tags: { items: ['kafka-mon-monitoring'] } };
    const inventory = twoInstances(key, { vars: ', gcp_machine_type: e2-standard-8' });
    const ask = (within: readonly string[]): readonly Change[] => {
      const hosts = new Set([...inventory.hosts.keys()].filter((name) => within.includes(name)));
      const [instance] = instanceResources(hostOf(inventory, 'es-01'), inventory, hosts);
      const answer = instance === undefined ? undefined : answerOf(instance.differs, { stdout: JSON.stringify([ES_01, other]) });
      return answer?.kind === 'known' ? answer.value : [];
    };
    const [both] = ask(['es-01', 'kibana-01']);
    expect(both?.refused?.reason).to.equal('es-01, kibana-01 would be stopped at the same time');
    expect(both?.refused?.hint).to.contain('--role gcp-instances --limit es-01 --yes');
    expect(ask(['es-01']).map(({ refused, consent }) => [refused, consent])).to.deep.equal([[undefined, 'stops es-01']]);
  });
});
