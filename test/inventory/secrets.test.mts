import { readFileSync, statSync } from 'node:fs';
import { inspect } from 'node:util';
import { join } from 'node:path';
import { expect } from 'chai';
import { hostName } from '../../lib/names.mts';
import { reveal } from '../../lib/secret.mts';
import { store } from '../support/contracts.mts';
import { InventoryFiles } from '../support/inventory-files.mts';
import type { InventoryOptions } from '../../lib/inventory/load.mts';
import type { SecretReader } from '../../lib/inventory/secrets.mts';

const withPassword = (reference: string): InventoryFiles =>
  new InventoryFiles({ 'inventory.yaml': `all:\n  hosts: {es-01: , es-02: }\n  vars:\n    store_password: {secret: "${reference}"}\n` });
const password = (files: InventoryFiles, options: Partial<InventoryOptions> = {}, name = 'es-01'): string =>
  reveal(files.load(options).hosts.get(hostName(name))!.vars(store).password!);

describe('secrets of an inventory', () => {
  it('from the environment, only when a role asks', () => {
    using files = withPassword('env:STORE');
    expect(password(files, { environment: { STORE: 'from-environment' } })).to.equal('from-environment');
    const inventory = files.load({ environment: {} });
    expect(() => inventory.hosts.get(hostName('es-01'))!.vars(store)).to.throw(
      /inventory\.yaml:4:21 {2}error {2}store_password: environment variable STORE is not set/,
    );
    expect(() =>
      files
        .load({ environment: { STORE: '' } })
        .hosts.get(hostName('es-01'))!
        .vars(store),
    ).to.throw(/is empty/);
  });

  it('from a file that nobody else reads', () => {
    using files = withPassword('file:secrets/store');
    expect(() => password(files)).to.throw(/no such file/);
    files.write('secrets/store', 'from-file\n', 0o600);
    expect(password(files)).to.equal('from-file');
    using open = withPassword('file:store');
    open.write('store', 'from-file\n', 0o640);
    expect(() => password(open)).to.throw(/can be read by others \(mode 0640\)/);
    using empty = withPassword('file:store');
    empty.write('store', '\n', 0o600);
    expect(() => password(empty)).to.throw(/is empty/);
  });

  it('made once, kept out of git, the same for every host and run', () => {
    using files = withPassword('generate:store-password');
    const made = password(files);
    expect(made).to.match(/^[\w-]{32}$/);
    expect(password(files, {}, 'es-02')).to.equal(made);
    const directory = join(files.directory, '.secrets');
    expect(statSync(directory).mode & 0o777).to.equal(0o700);
    expect(statSync(join(directory, 'store-password')).mode & 0o777).to.equal(0o600);
    expect(readFileSync(join(directory, '.gitignore'), 'utf8')).to.equal('*\n');
    expect(password(files, { secretsDirectory: join(files.directory, 'other') })).not.to.equal(made);
  });

  describe('from Google Cloud', () => {
    const asked: string[] = [];
    const gcloudSecret: SecretReader = ({ project, name }) => {
      asked.push(`${project}/${name}`);
      return name === 'missing' ? { problem: `no ${name} in ${project}`, hint: 'make it' } : `value of ${name}`;
    };
    beforeEach(() => asked.splice(0));

    it('of the project that it names, once for all hosts, and only when a role asks', () => {
      using files = withPassword('gcloud:p-one/store');
      files.load({ gcloudSecret });
      expect(asked).to.deep.equal([]);
      const inventory = files.load({ gcloudSecret });
      for (const host of inventory.hosts.values()) expect(reveal(host.vars(store).password!)).to.equal('value of store');
      expect(asked).to.deep.equal(['p-one/store']);
    });

    it('of the project of the host, as gcp_project says it', () => {
      using files = new InventoryFiles({
        'inventory.yaml':
          'all: {vars: {store_password: {secret: "gcloud:store"}, gcp_project: p-all}, hosts: {a: , b: {gcp_project: p-b}, c: {store_password: {secret: "gcloud:example.com:p-c/own"}}}}',
      });
      for (const host of files.load({ gcloudSecret }).hosts.values()) host.vars(store);
      expect(asked).to.deep.equal(['p-all/store', 'p-b/store', 'example.com:p-c/own']);
    });

    it('is refused with what to do: no project, no such secret, nobody who could read it', () => {
      using files = withPassword('gcloud:store');
      expect(() => password(files, { gcloudSecret })).to.throw(
        /store_password: gcloud:store names no project — write gcloud:PROJECT\/store, or set gcp_project/,
      );
      using missing = withPassword('gcloud:p-one/missing');
      expect(() => password(missing, { gcloudSecret })).to.throw(/store_password: no missing in p-one — make it/);
      expect(() => password(missing)).to.throw(/gcloud:p-one\/missing cannot be read here/);
      expect(asked).to.deep.equal(['p-one/missing']);
    });
  });

  it('are shown by their label alone', () => {
    using files = withPassword('env:STORE');
    const inventory = files.load({ environment: { STORE: 'plain-to-see' } });
    const host = inventory.hosts.get(hostName('es-01'))!;
    const everything = [
      inspect(host.vars(store)),
      JSON.stringify(host.vars(store)),
      inspect(inventory, { depth: 9 }),
      JSON.stringify(inventory.explainAll(host.name)),
    ].join('\n');
    expect(everything).to.contain('[secret env:STORE]').and.not.to.contain('plain-to-see');
  });

  it('a variable that sounds like one is not shown either', () => {
    using files = new InventoryFiles({ 'inventory.yaml': 'all: {hosts: {es-01: {mysql_password: hunter2}}}' });
    expect(String(files.load().explain(hostName('es-01'), 'mysql_password')?.value)).to.equal('[secret value not shown]');
  });
});
