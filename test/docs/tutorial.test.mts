/** The table from the tutorial to this program is true: what it names exists in the role it names. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadInventory } from '../../lib/inventory/load.mts';
import type { Check, Host, Inventory, Resource } from '../../lib/index.mts';
import { catalogue } from '../../roles/index.mts';
import { TUTORIAL, tutorialTable, type Proof } from '../../scripts/tutorial.mts';
import { FACTS } from '../roles/support.mts';
import { ROOT } from '../cli/program.mts';

const inventories: readonly Inventory[] = ['inventory/lab.yaml', 'inventory/gcp.yaml'].map((file) =>
  loadInventory({ files: [file], directory: ROOT, contracts: catalogue.map(({ contract }) => contract), environment: process.env }),
);

function roleNamed(name: string): (typeof catalogue)[number] {
  const role = catalogue.find((one) => one.name === name);
  if (role === undefined) throw new Error(`no role ${name}`);
  return role;
}

/** What a role has on any host of the inventories; hosts that are not its own have nothing. */
function onHosts<T>(list: (host: Host, inventory: Inventory) => readonly T[]): readonly T[] {
  return inventories.flatMap((inventory) =>
    [...inventory.hosts.values()].flatMap((host) => {
      try {
        return list(host, inventory);
      } catch {
        return [];
      }
    }),
  );
}

function contextOf(name: string, host: Host, inventory: Inventory) {
  const role = roleNamed(name);
  const vars: unknown = host.vars(role.contract);
  const within = new Set(inventory.hosts.keys());
  return { role, context: { host, vars, facts: FACTS, inventory, peers: new Map<never, never>(), within, upcoming: () => [] } };
}
const checks = (name: string): readonly Check[] =>
  onHosts((host, inventory) => {
    const { role, context } = contextOf(name, host, inventory);
    return role.verify?.(context) ?? [];
  });
const resources = (name: string): readonly Resource[] =>
  onHosts((host, inventory) => {
    const { role, context } = contextOf(name, host, inventory);
    return role.resources(context);
  });
/** The role's own text, and that of a role whose parts it is made of. */
const sources = (name: string): string =>
  globSync(`roles/{${name},logstash}/*.mts`, { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');

const exists: Readonly<Record<Proof['kind'], (role: string, name: string) => boolean>> = {
  check: (role, name) => checks(role).some(({ id }) => id === name),
  resource: (role, name) => resources(role).some(({ id }) => id.startsWith(name)),
  diagnosis: (role, name) => sources(role).includes(name),
  refusal: (role, name) => sources(role).includes(name),
};

describe('the table from the tutorial', () => {
  for (const { en, role, proof } of TUTORIAL) {
    const name = 'text' in proof ? proof.text : proof.id;
    it(`${en}: ${role} has the ${proof.kind} ${JSON.stringify(name)}`, () => {
      expect(roleNamed(role).name).to.equal(role);
      expect(exists[proof.kind](role, name)).to.equal(true);
    });
  }

  it('has each row in both languages', () => {
    const [english, korean] = (['en', 'ko'] as const).map((language) => tutorialTable(language).split('\n'));
    expect(english).to.have.length(TUTORIAL.length + 2);
    expect(korean).to.have.length(TUTORIAL.length + 2);
    for (const line of korean?.slice(2) ?? []) expect(line).to.match(/[가-힣]/);
  });
});
