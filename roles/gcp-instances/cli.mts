/** `playbooks/gcp.mts`: what there is in Google Cloud of an inventory, and the end of it. What makes it is the site playbook. */
import {
  all,
  allOf,
  argumentsAfter,
  askHere,
  askLine,
  complain,
  endQuietlyWithReader,
  exitCodeOf,
  parseCommandLine,
  prepare,
  run,
  toRunError,
} from '../../lib/index.mts';
import type { Answer, AnyRole, Host, Playbook, Question, Stage } from '../../lib/index.mts';
import { gcp, PROVIDER } from './contract.mts';
import { instanceOf } from './drift.mts';
import { addressesOf, instanceList } from './instance.mts';
import { instanceResources } from './role.mts';
import { teardown, type Teardown } from './teardown.mts';

const HELP = `What there is in Google Cloud of an inventory, and the end of it. npx zx playbooks/site.mts makes it.

Usage: npx zx playbooks/gcp.mts COMMAND -i INVENTORY [options]

Commands:
  status [--json]               one line an instance: state, addresses, whether it is as the inventory says
  down --yes --project NAME     deletes the instances and, with the last of them, the firewall rules of the installation. Data disks and
                                networks are kept. At a terminal the name of the project is asked for instead.
  down --disks --yes --project NAME
                                deletes the data disks as well, and with them all data, for good
  down --check                  says what would be deleted and what kept, and deletes nothing

Options: -i FILE, -l PATTERN, -e K=V, --json, -v as for site.mts

Exit codes: 0 done · 1 something could not be deleted · 2 --check: something would be deleted · 3 the state could not be read · 4 usage, gcloud ·
5 refused: no --yes, another name, an instance of somebody else · 6 another run is under way
`;

export interface CloudCommand {
  /** Stages that are about hosts in Google Cloud. */
  readonly stages: readonly Stage[];
  readonly catalogue: readonly AnyRole[];
}

/** Runs what the command line says and sets the process's exit code. */
export async function cloudCommand(given: CloudCommand): Promise<void> {
  const [command, ...words] = argumentsAfter('gcp');
  if (command === '-h' || command === '--help' || words.includes('-h') || words.includes('--help')) {
    process.stdout.write(HELP);
    return;
  }
  try {
    if (command === 'down') await down(words, given);
    else if (command === 'status') process.exitCode = await status(words, given);
    else
      process.exitCode = usage(
        command === undefined ? 'what is to be done in Google Cloud?' : `no command ${JSON.stringify(command)}`,
        'commands: status, down; --help says more',
      );
  } catch (thrown) {
    const error = toRunError(thrown);
    process.exitCode = error.kind === 'interrupted' ? exitCodeOf.interrupted : complain(error);
  }
}

const usage = (message: string, hint: string): number => complain({ kind: 'usage', short: message, message, hint });

// ---- status ------------------------------------------------------------------------------------------------------

export interface InstanceStatus {
  readonly name: string;
  /** As Google says it; `absent` where there is none. */
  readonly state: string;
  readonly inside: string;
  readonly outside: string;
  /** Fields that differ from the inventory. */
  readonly differs: readonly string[];
}

async function status(words: readonly string[], { stages, catalogue }: CloudCommand): Promise<number> {
  endQuietlyWithReader();
  const commandLine = parseCommandLine(words);
  const { inventory, within, controller } = await prepare({ name: 'gcp', summary: '', stages, catalogue }, commandLine);
  const hosts = [...within].flatMap((name) => inventory.hosts.get(name) ?? []).filter(({ provider }) => provider === PROVIDER);
  const answer: Answer<readonly InstanceStatus[]> = await askHere(allOf(hosts.map((host) => statusOf(host, inventory, within))), controller);
  if (answer.kind === 'unavailable') {
    complain({ kind: 'unreadable', short: answer.reason, message: `the instances could not be listed: ${answer.reason}` });
    return 3;
  }
  process.stdout.write(commandLine.json ? `${JSON.stringify(answer.value, undefined, 2)}\n` : statusTable(answer.value));
  return 0;
}

function statusOf(
  host: Host,
  ...[inventory, within]: [Parameters<typeof instanceResources>[1], Parameters<typeof instanceResources>[2]]
): Question<InstanceStatus> {
  const vars = host.vars(gcp);
  const changes = allOf(instanceResources(host, inventory, within).map(({ differs }) => differs));
  return all({ list: instanceList(vars), changes }).map(({ list, changes: some }) => {
    const now = instanceOf({ name: host.name, zone: vars.zone }, list);
    const { inside = '-', outside = '-' } = now === undefined ? {} : addressesOf(now);
    return { name: host.name, state: now?.status ?? 'absent', inside, outside, differs: some.flat().map(({ field }) => field) };
  });
}

/** One line an instance. */
export function statusTable(all: readonly InstanceStatus[]): string {
  const rows = [
    ['INSTANCE', 'STATE', 'ADDRESS', 'FROM OUTSIDE', 'AS IN THE INVENTORY'],
    ...all.map(({ name, state, inside, outside, differs }) => [name, state, inside, outside, differs.length === 0 ? 'yes' : `no: ${differs.join(', ')}`]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

// ---- down --------------------------------------------------------------------------------------------------------

async function down(words: readonly string[], { catalogue }: CloudCommand): Promise<void> {
  const { typed, disks, rest } = downArguments(words);
  const play = async (options: Teardown, more: readonly string[]): Promise<void> => {
    await run(playbookOf(options, catalogue), { arguments: more });
  };
  const onlyShown = rest.some((word) => word === '--check' || word === '-C');
  if (onlyShown || typed !== undefined || !process.stdin.isTTY) {
    await play({ typed, disks, onlyShown }, rest);
    return;
  }
  await play({ typed, disks, onlyShown: true }, [...rest.filter((word) => word !== '--yes'), '--check']);
  // 2: there is something to delete; everything else has been said.
  if (process.exitCode !== 2) return;
  const name = await askLine('To delete this, type the name of the project: ');
  await play({ typed: name, disks, onlyShown: false }, [...rest.filter((word) => word !== '--yes'), '--yes']);
}

const playbookOf = (options: Teardown, catalogue: readonly AnyRole[]): Playbook => ({
  name: 'gcp',
  command: 'down',
  summary: 'Deletes what the site playbook made in Google Cloud.',
  stages: teardown(options),
  catalogue,
});

/** What is of this command alone, and the rest as every playbook takes it. */
export function downArguments(words: readonly string[]): { readonly typed: string | undefined; readonly disks: boolean; readonly rest: readonly string[] } {
  const rest: string[] = [];
  let typed: string | undefined;
  let disks = false;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--disks') disks = true;
    else if (word.startsWith('--project=')) typed = word.slice('--project='.length);
    else if (word === '--project') {
      index += 1;
      typed = words[index] ?? '';
    } else rest.push(word);
  }
  return { typed, disks, rest };
}
