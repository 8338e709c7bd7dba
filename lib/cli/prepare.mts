import { join } from 'node:path';
import { distance } from 'fastest-levenshtein';
import { fail } from '../errors.mts';
import { artifacts, takesArchive } from '../inventory/artifacts.mts';
import type { Host, Inventory } from '../inventory/model.mts';
import { sshConfig } from '../inventory/ssh-config.mts';
import type { HostName } from '../names.mts';
import type { AnyRole, Playbook } from '../plan/model.mts';
import { Controller } from '../run/controller.mts';
import { isAbout, stagesOf, type StagePlan } from '../run/engine.mts';
import { RunRecords } from '../run/records.mts';
import type { CommandLine } from './args.mts';
import { discoverInventory } from './discover.mts';
import { gcloudSecret } from './gcloud-secret.mts';
import { askSecret } from './prompt.mts';

export const rolesOf = ({ stages }: Playbook): readonly AnyRole[] => [...new Set(stages.flatMap(({ roles }) => roles))];

export interface Prepared {
  readonly inventory: Inventory;
  readonly stages: readonly StagePlan[];
  readonly within: ReadonlySet<HostName>;
  readonly roles: ReadonlySet<string> | undefined;
  readonly hosts: readonly Host[];
  /** What a cloud was asked for already is not asked again. */
  readonly controller: Controller;
}

/** Everything that can be wrong before any host is contacted; `controller` is asked where a cloud is the source of hosts. */
export async function prepare(playbook: Playbook, commandLine: CommandLine, controller = new Controller(new AbortController().signal)): Promise<Prepared> {
  if (commandLine.inventory.length === 0)
    fail('usage', 'no inventory given', { hint: `for example: npx zx playbooks/${playbook.name}.mts -i inventory/lab.yaml` });
  const roles = chosenRoles(playbook, commandLine.roles);
  // Who installs nothing from it is not held up by it.
  if (rolesOf(playbook).some(({ name, contract }) => (roles === undefined || roles.has(name)) && takesArchive(contract))) artifacts();
  const becomePassword = commandLine.askBecomePass ? await askSecret('sudo password') : undefined;
  const inventory = await discoverInventory(
    {
      files: commandLine.inventory,
      extraVars: commandLine.extraVars,
      contracts: playbook.catalogue.map(({ contract }) => contract),
      overrides: {
        ...(commandLine.user === undefined ? {} : { user: commandLine.user }),
        ...(commandLine.privateKey === undefined ? {} : { privateKeyFile: commandLine.privateKey }),
        ...(becomePassword === undefined ? {} : { becomePassword }),
      },
      sshConfig: sshConfig({ environment: process.env }),
      gcloudSecret,
    },
    controller,
  );
  const limited = commandLine.limit === undefined ? [...inventory.hosts.values()] : inventory.select(commandLine.limit);
  const within = retryOnly(playbook, commandLine, inventory, new Set(limited.map(({ name }) => name)));
  const stages = stagesOf({ playbook, inventory, within, roles });
  if (stages.length === 0)
    fail('usage', 'no host of the inventory has anything to do in this playbook', {
      hint: `stages: ${playbook.stages.map(({ hosts, roles: list }) => `${hosts} (${list.map(({ name }) => name).join(', ')})`).join('; ')}`,
    });
  const chosen = new Set(stages.flatMap(({ hosts }) => hosts));
  const hosts = [...inventory.hosts.values()].filter((host) => chosen.has(host));
  for (const stage of stages) for (const role of stage.roles) for (const host of stage.hosts) if (isAbout(role, host)) host.vars(role.contract);
  return { inventory, stages, within, roles, hosts, controller };
}

function chosenRoles(playbook: Playbook, names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (names === undefined) return undefined;
  const known = rolesOf(playbook).map(({ name }): string => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return new Set(names);
  const nearest = known.toSorted((a, b) => distance(unknown, a) - distance(unknown, b))[0];
  return fail(
    'usage',
    `no role ${JSON.stringify(unknown)} in ${playbook.name}${nearest !== undefined && distance(unknown, nearest) <= 3 ? `; did you mean ${nearest}?` : ''}`,
    { hint: `roles: ${known.join(', ')}` },
  );
}

export const runsDirectory = (): string => process.env['RUNS_DIR'] ?? join(process.cwd(), '.runs');

function retryOnly(playbook: Playbook, { retryFailed }: CommandLine, inventory: Inventory, within: ReadonlySet<HostName>): ReadonlySet<HostName> {
  if (!retryFailed) return within;
  const record = new RunRecords(runsDirectory()).last(playbook.name, inventory.files);
  if (record === undefined)
    return fail('usage', '--retry-failed: there is no earlier run of this playbook with this inventory', { hint: 'run it without --retry-failed first' });
  const left = new Set([...within].filter((name) => record.unfinished.includes(name)));
  return left.size > 0 ? left : fail('usage', `--retry-failed: run ${record.run} left no host unfinished`, { hint: 'nothing to retry' });
}
