import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AnySchema } from 'ajv';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { inventoryJsonSchema } from '../../lib/inventory/json-schema.mts';
import { schemaFiles } from '../../scripts/schema-files.mts';
import { contracts } from '../support/contracts.mts';

const root = join(import.meta.dirname, '..', '..');
const ajv = new Ajv2020({ allErrors: true, strict: false, formats: { uri: true } });

describe('schemas for editors', () => {
  it('are what the validators say: `npm run schema` after a change', async () => {
    for (const [file, schema] of await schemaFiles(root))
      expect(JSON.parse(readFileSync(join(root, file), 'utf8')), file).to.deep.equal(JSON.parse(JSON.stringify(schema)));
  });

  it('accept every inventory of this repository, which all name the schema', async () => {
    const schema = (await schemaFiles(root)).get('inventory/schema/inventory.schema.json');
    const validate = ajv.compile(schema as AnySchema);
    for (const file of readdirSync(join(root, 'inventory')).filter((name) => name.endsWith('.yaml') && name !== 'artifacts.yaml')) {
      const text = readFileSync(join(root, 'inventory', file), 'utf8');
      expect(validate(load(text)), `${file}: ${ajv.errorsText(validate.errors)}`).to.equal(true);
      expect(text.split('\n')[0], file).to.equal('# yaml-language-server: $schema=schema/inventory.schema.json');
    }
  });

  const validate = ajv.compile(inventoryJsonSchema(contracts) as AnySchema);
  const hosts = (variables: object): object => ({ all: { hosts: { 'es-01': variables } } });
  for (const [name, good] of Object.entries({
    'a host without variables': { all: { hosts: { 'es-01': null, 'es-[02:05]': {} } } },
    'groups in groups': { all: { children: { es: { children: { masters: { vars: { store_heap: '1g' } } } } } } },
    'a secret': hosts({ store_password: { secret: 'env:X' }, ansible_become_password: { secret: 'generate:x' } }),
    'booleans as Ansible spells them': hosts({ store_managed: 'yes', ansible_become: true }),
    'free variables': hosts({ datacenter: 'x', ansible_python_interpreter: '/x' }),
  }))
    it(`accept ${name}`, () => expect(validate(good), ajv.errorsText(validate.errors)).to.equal(true));

  for (const [name, bad] of Object.entries({
    'an unknown section': { all: { hots: {} } },
    'hosts at the top': { hosts: { 'es-01': null } },
    'an unknown ansible variable': hosts({ ansible_prot: 22 }),
    'an unknown variable of a role': hosts({ store_haep: '1g' }),
    'a port out of range': hosts({ ansible_port: 70000 }),
    'a version that is a number': hosts({ store_version: 7.1 }),
    'a plain secret': hosts({ store_password: 'hunter2' }),
    'a host name for a shell': { all: { hosts: { 'a;rm -rf /': null } } },
    'an unknown nested key': hosts({ store_tls: { key: '/k', enabeld: true } }),
  }))
    it(`refuse ${name}`, () => expect(validate(bad)).to.equal(false));
});
