import { expect } from 'chai';
import { RunFailure } from '../../lib/errors.mts';
import type { Explained, Inventory } from '../../lib/inventory/model.mts';
import { hostName } from '../../lib/names.mts';
import { firewall, osLimits, store } from '../support/contracts.mts';
import { InventoryFiles, inventoryOf } from '../support/inventory-files.mts';

const ES1 = hostName('es-01');
const host = (inventory: Inventory, name = 'es-01') => inventory.hosts.get(hostName(name))!;
const failure = (act: () => unknown): RunFailure['error'] => {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof RunFailure) return thrown.error;
    throw thrown;
  }
  throw new Error('nothing was thrown');
};

const LEVELS = `all:
  vars: {store_heap: 1g, store_delivery: controller, store_http_port: 9201, store_version: "7.1"}
  children:
    parent:
      vars: {store_heap: 2g, store_http_port: 9202, store_version: "7.2"}
      children:
        child:
          vars: {store_http_port: 9203, store_version: "7.3"}
          hosts:
            es-01: {store_version: "7.4"}
            es-02:
`;

describe('levels of variables', () => {
  it('role default < all < parent < child < host < -e', () => {
    const inventory = inventoryOf(LEVELS);
    expect(host(inventory).vars(store)).to.deep.equal({ version: '7.4', heap: '2g', http_port: 9203, managed: true, delivery: 'controller' });
    expect(host(inventory, 'es-02').vars(store).version).to.equal('7.3');
    expect(host(inventoryOf(LEVELS, { extraVars: ['store_version=7.5'] })).vars(store).version).to.equal('7.5');
  });

  it('explains each value with its level and place', () => {
    const inventory = inventoryOf(LEVELS, { extraVars: ['store_heap=4g'], overrides: { user: 'root' } });
    const of = (variable: string): Explained | undefined => inventory.explain(ES1, variable);
    expect(of('store_version')).to.deep.equal({
      variable: 'store_version',
      value: '7.4',
      level: 'host',
      source: { file: 'inventory.yaml', line: 10, column: 21 },
    });
    expect(of('store_http_port')).to.deep.include({ value: 9203, level: 'group', source: { file: 'inventory.yaml', line: 8, column: 18 } });
    expect(of('store_heap')).to.deep.include({ value: '4g', level: 'extra', source: { file: '-e', line: 1, column: 1 } });
    expect(of('store_managed')).to.deep.equal({ variable: 'store_managed', value: true, level: 'role default' });
    expect(of('ansible_user')).to.deep.equal({ variable: 'ansible_user', value: 'root', level: 'command line' });
    expect(of('nonsense')).to.equal(undefined);
    expect(inventory.explain(hostName('nobody'), 'store_heap')).to.equal(undefined);
    const all = inventory.explainAll(ES1).map(({ variable }) => variable);
    expect(all)
      .to.deep.equal([...all].sort())
      .and.to.include.members(['ansible_user', 'store_version', 'os_limits_nofile']);
  });

  it('names what ~/.ssh/config says', () => {
    const inventory = inventoryOf('all: {hosts: {es-01: {ansible_port: 2222}}}', {
      sshConfig: (name) => (name === 'bastion' ? {} : { hostName: `${name}.example.org`, user: 'deploy', identityFiles: ['/k'], proxyJump: 'bastion' }),
    });
    expect(inventory.explain(ES1, 'ansible_user')).to.deep.equal({ variable: 'ansible_user', value: 'deploy', level: 'ssh config' });
    expect(host(inventory).connection).to.deep.include({ address: 'es-01.example.org', user: 'deploy', port: 2222, identityFiles: ['/k'], jump: 'bastion' });
  });

  it('unrelated groups may disagree where the host decides', () => {
    const text = (own: string): string =>
      `all: {children: {a: {hosts: {es-01: {${own}}}, vars: {store_heap: 1g}}, b: {hosts: {es-01: }, vars: {store_heap: 2g}}}}`;
    expect(host(inventoryOf(text('store_heap: 3g'))).vars(store).heap).to.equal('3g');
    expect(host(inventoryOf(text(''), { extraVars: ['store_heap=4g'] })).vars(store).heap).to.equal('4g');
    expect(() => inventoryOf(text(''))).to.throw(/two values for hosts of both a and b/);
    expect(host(inventoryOf(text('').replace('2g', '1g'))).vars(store).heap).to.equal('1g');
  });

  it('group_vars and host_vars beside the inventory; a later -i wins', () => {
    using files = new InventoryFiles({
      'inventory.yaml': 'all: {children: {g: {hosts: {es-01: {store_delivery: host}}}}}',
      'more.yaml': 'g: {vars: {store_http_port: 9300}}',
      'group_vars/g.yml': 'store_heap: 2g\nstore_http_port: 9200\n',
      'host_vars/es-01/a.yaml': 'store_delivery: controller\n',
      'group_vars/stranger.yml': 'x: 1\n',
    });
    const inventory = files.load({ files: ['inventory.yaml', 'more.yaml'] });
    expect(host(inventory).vars(store)).to.deep.include({ heap: '2g', http_port: 9200, delivery: 'controller' });
    expect(inventory.explain(ES1, 'store_heap')?.source).to.deep.equal({ file: 'group_vars/g.yml', line: 1, column: 1 });
    expect(inventory.notices.join('\n')).to.contain('group_vars/stranger belongs to no group');
    files.write('group_vars/g.yml', 'store_heap: 5\nstore_haep: 1g\n');
    expect(files.problems().map(({ file, line }) => `${file}:${String(line)}`)).to.deep.equal(['group_vars/g.yml:1', 'group_vars/g.yml:2']);
  });
});

describe('a child in the inventory and group_vars of its parent', () => {
  it('must say the same: Ansible takes the file, this program the child', () => {
    const files = (inventory: string): InventoryFiles =>
      new InventoryFiles({ 'inventory.yaml': `all: {children: {g: {hosts: {es-01: }, vars: {${inventory}}}}}`, 'group_vars/all.yml': 'store_heap: 2g\n' });
    using other = files('store_heap: 1g');
    const [problem, ...more] = other.problems();
    expect(more).to.deep.equal([]);
    expect(problem).to.deep.include({ file: 'inventory.yaml', line: 1 });
    expect(problem?.message).to.equal('store_heap of group g differs from group_vars of all (es-01): Ansible takes the file, this program the child');
    expect(problem?.hint).to.equal('the other is at group_vars/all.yml:1:1: keep both in group_vars, or both in the inventory');
    using same = files('store_heap: 2g');
    expect(host(same.load()).vars(store).heap).to.equal('2g');
    using both = files('');
    both.write('group_vars/g.yml', 'store_heap: 1g\n');
    expect(host(both.load()).vars(store).heap, 'where both are files they agree with Ansible').to.equal('1g');
  });
});

describe("a role's variables", () => {
  it('have defaults, are frozen and made once', () => {
    const one = host(inventoryOf('all: {hosts: {es-01: {store_seeds: [a, b]}}}'));
    expect(one.vars(osLimits)).to.deep.equal({ nofile: 65535 });
    expect(one.vars(store)).to.equal(one.vars(store)).and.to.be.frozen;
    expect(one.vars(store).seeds).to.be.frozen;
    expect(one).to.be.frozen;
    expect(one.connection).to.be.frozen;
  });

  it('that are missing matter to the role that asks', () => {
    const inventory = inventoryOf('all:\n  hosts:\n    es-01: {firewall_range: 10.0.0.0/9}\n');
    const error = failure(() => host(inventory).vars(firewall));
    expect(error).to.deep.include({
      kind: 'usage',
      short: 'es-01 has no firewall_project, which role firewall needs',
      source: { file: 'inventory.yaml', line: 3, column: 5 },
    });
    expect(error.hint).to.contain('firewall_project');
  });

  it('take yes and no where a boolean is wanted, and text elsewhere', () => {
    const of = (value: string) => host(inventoryOf(`all: {hosts: {es-01: {store_managed: ${value}, note: yes}}}`)).vars(store).managed;
    expect([of('yes'), of('On'), of('no'), of('off'), of('true'), of('False')]).to.deep.equal([true, true, false, false, true, false]);
  });

  it('from -e are typed by what is wanted', () => {
    const inventory = inventoryOf('all: {hosts: {es-01: }}', {
      extraVars: [
        'store_version=7.10',
        'store_http_port=9999',
        'store_managed=no',
        '{"store_seeds": ["a"], "firewall_project": "p"}',
        'store_tls={key: /k, enabled: true}',
        'firewall_project=007',
      ],
    });
    expect(host(inventory).vars(store)).to.deep.include({ version: '7.10', http_port: 9999, managed: false, seeds: ['a'], tls: { key: '/k', enabled: true } });
    expect(host(inventory).vars(firewall).project).to.equal('007');
  });

  it('from -e @FILE, relative to where the program was started', () => {
    using files = new InventoryFiles({ 'inventory.yaml': 'all: {hosts: {es-01: }}', 'extra.yaml': 'store_heap: 3g\n' });
    const inventory = files.load({ extraVars: ['@extra.yaml'] });
    expect(inventory.explain(ES1, 'store_heap')).to.deep.include({ level: 'extra', source: { file: 'extra.yaml', line: 1, column: 1 } });
    expect(files.problems({ extraVars: ['@nope.yaml', 'nonsense', '9=1', 'a={{ b }}', 'ansible_prot=1'] })).to.have.lengthOf(5);
  });

  it('that nobody knows are allowed and listed', () => {
    const inventory = inventoryOf('all: {hosts: {es-01: {datacenter: x, ansible_python_interpreter: /usr/bin/python3}}, children: {empty: }}');
    expect(inventory.notices).to.deep.equal([
      'group empty has no hosts',
      'Ansible variables without effect here: ansible_python_interpreter',
      'variables that no role of this project uses: datacenter',
    ]);
    expect(inventory.explain(ES1, 'datacenter')?.value).to.equal('x');
  });
});
