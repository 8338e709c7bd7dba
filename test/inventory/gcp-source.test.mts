import { expect } from 'chai';
import { z } from 'zod';
import { instanceSchema, type Instance } from '../../lib/inventory/instance.mts';
import { parseFilter, satisfies } from '../../lib/inventory/instance-filter.mts';
import { checkInventory } from '../../lib/inventory/load.mts';
import type { Host, Inventory } from '../../lib/inventory/model.mts';
import { hostName } from '../../lib/names.mts';
import { contract } from '../../lib/plan/role.mts';
import { ansible } from '../support/ansible.mts';
import { InventoryFiles } from '../support/inventory-files.mts';

const ZONES = 'https://www.googleapis.com/compute/v1/projects/p-one/zones';
const listed = (name: string, more: object = {}, zone = 'asia-northeast3-a'): object => ({
  kind: 'compute#instance',
  id: '1234',
  name,
  zone: `${ZONES}/${zone}`,
  machineType: `${ZONES}/${zone}/machineTypes/e2-standard-2`,
  status: 'RUNNING',
  networkInterfaces: [{ networkIP: `10.0.0.${String(name.length)}${name.slice(-1)}`, accessConfigs: [{ natIP: '34.64.0.1' }] }],
  tags: { fingerprint: 'x' },
  ...more,
});
const instances = (...all: readonly object[]): readonly Instance[] => z.array(instanceSchema).parse(all);

const KAFKA = instances(
  listed('broker-1', { labels: { role: 'broker', 'kafka-version': '2.8.0' }, tags: { items: ['kafka', 'Team One'] } }),
  listed('broker-2', { labels: { role: 'broker' }, tags: { items: ['kafka'] } }, 'asia-northeast3-b'),
  listed('es-1', { labels: { role: 'es', empty: '' }, status: 'TERMINATED' }),
  listed('nat-1'),
);

const gcp = contract('gcp', z.strictObject({ project: z.string(), zone: z.string(), prefix: z.string().default('x') }));

interface Loaded extends Disposable {
  readonly inventory: Inventory;
  readonly host: (name: string) => Host;
}

/** An inventory of the source alone, or of further files beside it, which finds what is in the projects. */
function load(
  source: string,
  beside: Readonly<Record<string, string>> = {},
  projects: Readonly<Record<string, readonly Instance[]>> = { 'p-one': KAFKA },
): Loaded {
  const files = new InventoryFiles({
    'found.gcp.yml': `plugin: google.cloud.gcp_compute\nprojects: [${Object.keys(projects).join(', ')}]\n${source}`,
    ...beside,
  });
  const inventory = files.load({
    files: [...Object.keys(beside).filter((name) => !name.includes('/')), 'found.gcp.yml'],
    contracts: [gcp],
    instances: new Map(Object.entries(projects)),
  });
  const host = (name: string): Host => {
    const found = inventory.hosts.get(hostName(name));
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  return {
    inventory,
    host,
    [Symbol.dispose]() {
      files[Symbol.dispose]();
    },
  };
}
const namesOf = (hosts: Iterable<Host>): readonly string[] => [...hosts].map(({ name }) => name);
const groupsOf = ({ groups }: Host): readonly string[] => [...groups].filter((name) => name !== 'all' && name !== 'ungrouped').sort();

describe('Google Cloud as a source of hosts', () => {
  it('makes hosts of instances: their names, private addresses, projects and zones', () => {
    using loaded = load('');
    expect(namesOf(loaded.inventory.hosts.values())).to.deep.equal(['broker-1', 'broker-2', 'es-1', 'nat-1']);
    const host = loaded.host('broker-2');
    expect(host.privateAddress).to.equal('10.0.0.82');
    expect(host.vars(gcp)).to.deep.equal({ project: 'p-one', zone: 'asia-northeast3-b', prefix: 'x' });
    expect(loaded.inventory.explain(host.name, 'private_address')).to.deep.equal({
      variable: 'private_address',
      value: '10.0.0.82',
      level: 'google cloud',
      source: { file: 'found.gcp.yml', line: 2, column: 1 },
    });
    expect(loaded.inventory.notices).to.deep.equal([]);
  });

  it('are located and never made, whatever a group says', () => {
    using loaded = load('', { 'hosts.yaml': 'all:\n  vars: {host_provider: gcp}\n  hosts: {broker-1: , broker-9: }\n' });
    expect(loaded.host('broker-1')).to.deep.include({ provider: 'gcp' }).and.to.not.have.property('locatedBy');
    expect(loaded.host('broker-9')).to.deep.include({ provider: 'gcp' }).and.to.not.have.property('locatedBy');
    expect(loaded.host('broker-2')).to.deep.include({ provider: undefined, locatedBy: 'gcp' });
    expect(loaded.inventory.explain(hostName('broker-2'), 'host_provider')).to.deep.include({ value: 'none', level: 'google cloud' });
    expect(loaded.inventory.explain(hostName('broker-1'), 'host_provider')).to.deep.include({ value: 'gcp', level: 'group' });
  });

  it('are merged with what is written, which wins', () => {
    using loaded = load('groups: { brokers: { labels: { role: broker } } }', {
      'hosts.yaml':
        'all:\n  children:\n    brokers: {vars: {gcp_zone: from-a-group}}\n    seen: {hosts: {broker-1: {private_address: 10.9.9.9, ansible_host: 1.2.3.4}, broker-2: }}\n',
      'group_vars/brokers.yaml': 'gcp_prefix: beside\n',
    });
    expect(groupsOf(loaded.host('broker-1'))).to.deep.equal(['brokers', 'seen']);
    expect(loaded.host('broker-1').privateAddress).to.equal('10.9.9.9');
    expect(loaded.host('broker-1').vars(gcp)).to.deep.equal({ project: 'p-one', zone: 'from-a-group', prefix: 'beside' });
    expect(loaded.host('broker-1'), 'where it is is written').to.not.have.property('locatedBy');
    expect(loaded.host('broker-2')).to.deep.include({ locatedBy: 'gcp' });
    expect(namesOf(loaded.inventory.hosts.values()), 'those that are written first').to.deep.equal(['broker-1', 'broker-2', 'es-1', 'nat-1']);
  });

  const keyed: readonly (readonly [string, Readonly<Record<string, readonly string[]>>])[] = [
    ['[{ key: labels.role, prefix: role }]', { 'broker-1': ['role_broker'], 'es-1': ['role_es'], 'nat-1': [] }],
    ['[{ key: "labels[\'role\']" }]', { 'broker-1': ['_broker'] }],
    ['[{ key: labels.role }]\nleading_separator: false', { 'broker-1': ['broker'] }],
    ['[{ key: labels, prefix: gcp, separator: "-" }]', { 'broker-1': ['gcp_kafka_version_2_8_0', 'gcp_role_broker'], 'es-1': ['gcp_empty_', 'gcp_role_es'] }],
    ['[{ key: tags.items, prefix: tag }, { key: zone, prefix: "" }]', { 'broker-1': ['_asia_northeast3_a', 'tag_Team_One', 'tag_kafka'] }],
    ['[{ key: status, prefix: "1st" }, { key: machineType, prefix: is }]', { 'nat-1': ['_st_RUNNING', 'is_e2_standard_2'] }],
    ['[{ key: name, parent_group: every }]', { 'nat-1': ['_nat_1', 'every'] }],
  ];
  for (const [given, wanted] of keyed)
    it(`groups by values as Ansible does: ${given.replace('\n', ', ')}`, () => {
      using loaded = load(`keyed_groups: ${given}`);
      for (const [name, groups] of Object.entries(wanted)) expect(groupsOf(loaded.host(name)), name).to.deep.equal(groups);
    });

  it('names groups as Ansible itself does', async function () {
    this.timeout(300_000);
    const groups = [
      '{ key: labels, prefix: gcp, separator: "-" }',
      `{ key: "tags['items']", prefix: "1" }`,
      '{ key: zone }',
      '{ key: name, prefix: a b, parent_group: every }',
    ];
    using loaded = load(`keyed_groups: [${groups.join(', ')}]`);
    using files = new InventoryFiles({
      'hosts.yml': JSON.stringify({ all: { hosts: Object.fromEntries(KAFKA.map((instance) => [instance.name, instance])) } }),
      'found.constructed.yml': `plugin: constructed\nkeyed_groups:\n${groups.map((group) => `  - ${group}\n`).join('')}`,
    });
    const said: unknown = JSON.parse(await ansible('ansible-inventory', ['-i', 'hosts.yml', '-i', 'found.constructed.yml', '--list'], files.directory));
    const theirs = z.record(z.string(), z.looseObject({ hosts: z.array(z.string()).default([]) })).parse(said);
    const names = Object.keys(theirs).filter((name) => !['_meta', 'all', 'ungrouped', 'every'].includes(name));
    expect(names).to.include.members(['gcp_kafka_version_2_8_0', 'a_b_nat_1']);
    for (const name of names) expect(namesOf(loaded.inventory.group(name)), name).to.have.members(theirs[name]?.hosts ?? []);
    expect(namesOf(loaded.inventory.group('every'))).to.have.length(KAFKA.length);
  });

  it('groups by conditions that all hold', () => {
    using loaded = load(`groups:
  brokers: { labels: { role: broker } }
  first: { labels: { role: broker }, zone: [asia-northeast3-a, asia-northeast3-c] }
  teams: { tags: [kafka, Team One], status: RUNNING }
  stopped: { status: [TERMINATED, SUSPENDED] }
  nobody: { machineType: e2-micro, name: nat-1 }
`);
    const members = (group: string): readonly string[] => namesOf(loaded.inventory.group(group));
    expect(members('brokers')).to.deep.equal(['broker-1', 'broker-2']);
    expect(members('first')).to.deep.equal(['broker-1']);
    expect(members('teams')).to.deep.equal(['broker-1']);
    expect(members('stopped')).to.deep.equal(['es-1']);
    expect(members('nobody')).to.deep.equal([]);
  });

  const filters: readonly (readonly [string, readonly string[]])[] = [
    ['labels.role = broker', ['broker-1', 'broker-2']],
    ["labels.role='broker' AND zone!=asia-northeast3-a", ['broker-2']],
    ['labels.role != broker', ['es-1', 'nat-1']],
    ['labels.role:*', ['broker-1', 'broker-2', 'es-1']],
    ['name:broker', ['broker-1', 'broker-2']],
    ['tags.items = "kafka"', ['broker-1', 'broker-2']],
    ['tags.items != kafka', ['es-1', 'nat-1']],
    ['status = RUNNING', ['broker-1', 'broker-2', 'nat-1']],
    ['machineType=e2-standard-2', ['broker-1', 'broker-2', 'es-1', 'nat-1']],
  ];
  for (const [filter, names] of filters)
    it(`filters: ${filter}`, () => {
      const parsed = parseFilter(filter);
      if ('problem' in parsed) throw new Error(parsed.problem);
      expect(KAFKA.filter((instance) => satisfies(instance, parsed)).map(({ name }) => name)).to.deep.equal(names);
    });

  it('takes only what fits all filters and the zones', () => {
    using loaded = load('filters: [labels.role = broker, status = RUNNING]\nzones: [asia-northeast3-b]\n');
    expect(namesOf(loaded.inventory.hosts.values())).to.deep.equal(['broker-2']);
  });

  it('says once what Ansible has and gcloud does not need, and where nothing fits', () => {
    using loaded = load('auth_kind: application\nscopes: [x]\nfilters: [name = nobody]\n', { 'hosts.yaml': 'all: {hosts: {here: }}\n' });
    expect(loaded.inventory.notices).to.deep.equal([
      'found.gcp.yml: options of Ansible without effect here, where gcloud logs in by itself: auth_kind, scopes',
      'found.gcp.yml: no instance of p-one fits',
    ]);
    expect(() => load('filters: [name = nobody]')).to.throw(/the inventory names no hosts — no instance fits/);
  });

  it('takes an instance that two sources find for one, and two instances of one name for a mistake', () => {
    const again = 'plugin: gcp_compute\nprojects: [p-one]\nkeyed_groups: [{ key: status, prefix: is }]\n';
    using loaded = load('filters: [name = nat-1]\nkeyed_groups: [{ key: name, prefix: "n" }]\n', { 'again.gcp.yml': again });
    expect(groupsOf(loaded.host('nat-1'))).to.deep.equal(['is_RUNNING', 'n_nat_1']);
    expect(() => load('', {}, { 'p-one': KAFKA, 'p-two': instances(listed('nat-1')) })).to.throw(
      /found.gcp.yml:2:1 {2}error {2}two instances are called nat-1 — narrow/,
    );
  });

  it('names the projects that are to be asked before it is loaded', () => {
    using files = new InventoryFiles({
      'a.yml': 'plugin: gcp_compute\nprojects: [p-one, p-two]\n',
      'b.yml': 'plugin: gcp_compute\nprojects: [p-two, p-three]\n',
    });
    expect(checkInventory(files.options({ files: ['a.yml', 'b.yml'] }))).to.deep.include({ projects: ['p-one', 'p-two', 'p-three'], problems: [] });
  });
});
