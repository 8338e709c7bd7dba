import { join } from 'node:path';
import { expect } from 'chai';
import { loadInventory } from '../../lib/inventory/load.mts';
import { hostName } from '../../lib/names.mts';
import { ansible, ansibleHome, ansibleHosts } from '../support/ansible.mts';

/** What Ansible itself makes of the same files is the truth about groups, variables and patterns. */
const directory = join(import.meta.dirname, '..', 'cases', 'inventory', 'oracle');
const files = ['first.yaml', 'second.yaml'];
const load = (names: readonly string[] = files): ReturnType<typeof loadInventory> => loadInventory({ files: names, directory, contracts: [], environment: {} });

const PATTERNS = [
  'all',
  '*',
  'lonely',
  'es_masters',
  'es_masters:es_data',
  'es_masters,es_data',
  'es_masters , brokers',
  'es_masters:&es_data',
  'es_masters,&es_data',
  'es:!es_data',
  'es,!es-02',
  '!es-02:es:&es_data',
  '!es',
  '&es_data',
  'all:!brokers:!es',
  'es-*',
  'es-0[!1-2]*',
  'broker-?-1',
  'broker-a-?:lonely',
  'brokers_*',
  'b*',
  '*.example.org',
  'broker-z.example.org',
  '10.0.7.7',
  '10.0.*',
  '~es-0[12]',
  '~(es|client)-01',
  '~.*-1$',
  '~es_(masters|data)',
  'es[0]',
  'es[-1]',
  'es[1:2]',
  'es[0:0]',
  'es[2:]',
  'brokers[0]',
  'brokers[1:3]',
  'es_m*[1]',
  'es:!es[0]',
  'all:&es_masters[0:1]',
  'ungrouped',
  'monitoring:clients',
  '*-0*:!clients',
];

interface Listed {
  readonly _meta: { readonly hostvars: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  readonly [group: string]: unknown;
}

describe('inventory agrees with Ansible', function () {
  this.timeout(300_000);
  before(() => ansibleHome());

  it('on the hosts of every pattern form', async () => {
    const inventory = load();
    const theirs = await ansibleHosts(files, PATTERNS, directory);
    const ours = PATTERNS.map((pattern) => inventory.select(pattern).map(({ name }): string => name));
    PATTERNS.forEach((pattern, index) => expect([...ours[index]!].sort(), pattern).to.deep.equal([...theirs[index]!].sort()));
  });

  it('on a host pattern given to the ansible program', async () => {
    const printed = await ansible('ansible', ['-i', 'first.yaml', '-i', 'second.yaml', '--list-hosts', 'es:!es_data'], directory);
    const theirs = printed
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
      .filter((line) => line !== '');
    expect(
      load()
        .select('es:!es_data')
        .map(({ name }): string => name),
    ).to.deep.equal(theirs);
  });

  it('on groups and their hosts', async () => {
    const inventory = load();
    const listed = JSON.parse(await ansible('ansible-inventory', ['-i', 'first.yaml', '-i', 'second.yaml', '--list'], directory)) as Listed;
    const groups = Object.keys(listed).filter((name) => name !== '_meta');
    const theirs = await ansibleHosts(files, groups, directory);
    groups.forEach((group, index) => {
      expect(
        inventory
          .group(group)
          .map(({ name }): string => name)
          .sort(),
        group,
      ).to.deep.equal([...theirs[index]!].sort());
    });
    expect(Object.keys(listed._meta.hostvars).sort()).to.deep.equal(
      [...inventory.hosts.keys()]
        .map(String)
        .sort()
        .filter((name) => name in listed._meta.hostvars),
    );
  });

  it('on the value of every variable of every host', async () => {
    const inventory = load();
    const { _meta } = JSON.parse(await ansible('ansible-inventory', ['-i', 'first.yaml', '-i', 'second.yaml', '--list'], directory)) as Listed;
    for (const [name, theirs] of Object.entries(_meta.hostvars)) {
      const ours = inventory
        .explainAll(hostName(name))
        .filter(({ source }) => source !== undefined)
        .map(({ variable, value }) => [variable, value] as const);
      expect(Object.fromEntries(ours), name).to.deep.equal(theirs);
    }
  });
});
