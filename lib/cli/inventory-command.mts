import { fail, toRunError } from '../errors.mts';
import type { Explained, Inventory } from '../inventory/model.mts';
import { sshConfig } from '../inventory/ssh-config.mts';
import type { AnyRole } from '../plan/model.mts';
import { oneLine } from '../report/sanitize.mts';
import { Controller } from '../run/controller.mts';
import { parseCommandLine } from './args.mts';
import { discoverInventory } from './discover.mts';
import { gcloudSecret } from './gcloud-secret.mts';
import { argumentsAfter, complain, endQuietlyWithReader } from './main.mts';

const HELP = `Looks into an inventory; no host is contacted.

Usage: npx zx playbooks/inventory.mts COMMAND -i INVENTORY [options]

Commands:
  explain HOST [VARIABLE]   every value of a host, where it comes from (file:line), and which level won
  list [PATTERN]            host names, one a line
  groups                    groups and their hosts

Options: -i FILE, -l PATTERN, -e K=V as for the other playbooks; --json for explain
`;

/** `inventory explain|list|groups`: what the other playbooks will see. Sets the process's exit code. */
export async function inventoryCommand(catalogue: readonly AnyRole[]): Promise<void> {
  endQuietlyWithReader();
  try {
    process.exitCode = await main(catalogue, argumentsAfter('inventory'));
  } catch (thrown) {
    process.exitCode = complain(toRunError(thrown));
  }
}

async function main(catalogue: readonly AnyRole[], argv: readonly string[]): Promise<number> {
  const { positionals, inventory: files, extraVars, ask, json, limit } = parseCommandLine(argv, 'any');
  const [command, ...operands] = positionals;
  if (ask === 'help' || command === undefined) {
    process.stdout.write(HELP);
    return ask === 'help' ? 0 : 4;
  }
  if (files.length === 0) fail('usage', 'no inventory given', { hint: 'for example: npx zx playbooks/inventory.mts explain es-01 -i inventory/lab.yaml' });
  const inventory = await discoverInventory(
    {
      files,
      extraVars,
      contracts: catalogue.map(({ contract }) => contract),
      overrides: {},
      sshConfig: sshConfig({ environment: process.env }),
      gcloudSecret,
    },
    new Controller(new AbortController().signal),
  );
  switch (command) {
    case 'explain':
      return explain(inventory, operands, json);
    case 'list':
      for (const host of inventory.select(operands[0] ?? limit ?? 'all')) process.stdout.write(`${host.name}\n`);
      return 0;
    case 'groups':
      return groups(inventory);
    default:
      return fail('usage', `no command ${JSON.stringify(command)}`, { hint: 'commands: explain, list, groups' });
  }
}

function explain(inventory: Inventory, [name, variable]: readonly string[], json: boolean): number {
  const host = name === undefined ? undefined : inventory.select(name)[0];
  if (host === undefined) return fail('usage', 'explain which host?', { hint: `hosts: ${[...inventory.hosts.keys()].slice(0, 10).join(', ')}` });
  const all = inventory.explainAll(host.name).filter((each) => variable === undefined || each.variable === variable);
  if (all.length === 0)
    fail('usage', `${host.name} has no variable ${JSON.stringify(variable)}`, { hint: 'run explain without a variable to see all of them' });
  if (json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
  else for (const line of table(all)) process.stdout.write(`${oneLine(line)}\n`);
  return 0;
}

function table(all: readonly Explained[]): readonly string[] {
  const rows = all.map(
    ({ variable, value, level, source }) => [variable, valueText(value), level, source === undefined ? '' : `${source.file}:${source.line}`] as const,
  );
  const widths = [0, 1, 2].map((column) => Math.min(60, Math.max(...rows.map((row) => row[column]?.length ?? 0))));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function groups(inventory: Inventory): number {
  const names = new Set([...inventory.hosts.values()].flatMap((host) => [...host.groups]));
  for (const name of [...names].sort())
    process.stdout.write(
      `${name}: ${inventory
        .group(name)
        .map((host) => host.name)
        .join(', ')}\n`,
    );
  return 0;
}
