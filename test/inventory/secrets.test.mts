import { readFileSync, statSync } from 'node:fs';
import { inspect } from 'node:util';
import { join } from 'node:path';
import { expect } from 'chai';
import { hostName } from '../../lib/names.mts';
import { reveal } from '../../lib/secret.mts';
import { store } from '../support/contracts.mts';
import { InventoryFiles } from '../support/inventory-files.mts';
import type { InventoryOptions } from '../../lib/inventory/load.mts';

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

  it('from Google Cloud: not yet, and said so when a role asks', () => {
    using files = withPassword('gcloud:store');
    expect(() => password(files)).to.throw(/arrive with the support for Google Cloud/);
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
