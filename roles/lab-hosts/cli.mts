/** `playbooks/lab.mts`: the lab alone. `up` is the lab's stage of the site playbook; the rest looks at and ends what is there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { argumentsAfter, closest, complain, labDirectory, quote, run, type ControllerOutput, type Playbook } from '../../lib/index.mts';
import { program } from './programs.mts';
import { isUp, openFilesNote, place, readLabStatus, type LabStatus, type MadeHost } from './status.mts';

const HELP = `The lab alone: hosts of their own on this machine, each on a loopback address.

Usage: npx zx playbooks/lab.mts COMMAND [options]

Commands:
  up [-i INVENTORY] [options]   makes the hosts of the inventory (inventory/lab.yaml) that host_provider: lab marks; options as for site.mts
  down [HOST…] [--keep]         ends the hosts and removes everything of them; --keep leaves their disks for the next up
  down --purge                  removes the base image and the archives too
  status [--json]               hosts, addresses, whether they run
  ssh HOST [-- COMMAND…]        a shell on a host, or one command: its words reach it as they are

LAB_DIR moves the lab from .lab to another directory.

Exit codes: 0 done · 1 a host failed · 3 the host does not run · 4 usage · ssh: that of the command
`;

const DEFAULT_INVENTORY = relative(process.cwd(), join(import.meta.dirname, '../../inventory/lab.yaml'));

/** Runs what the command line says and sets the process's exit code. */
export async function labCommand(playbook: Playbook): Promise<void> {
  const [command, ...words] = argumentsAfter(playbook.name);
  switch (command) {
    case 'up':
      await run(playbook, { arguments: hasInventory(words) ? words : ['-i', DEFAULT_INVENTORY, ...words] });
      return;
    case 'down':
      process.exitCode = await down(words);
      return;
    case 'status':
      process.exitCode = await status(words);
      return;
    case 'ssh':
      process.exitCode = await ssh(words);
      return;
    case '-h':
    case '--help':
      process.stdout.write(HELP);
      return;
    default:
      // The command that a failed `up` names for a retry begins with its options.
      if (command?.startsWith('-') === true) {
        await run(playbook, { arguments: [command, ...words] });
        return;
      }
      process.exitCode = usage(
        command === undefined ? 'what is to be done with the lab?' : `no command ${JSON.stringify(command)}`,
        'commands: up, down, status, ssh; --help says more',
      );
  }
}

const usage = (message: string, hint: string): number => complain({ kind: 'usage', short: message, message, hint });

const hasInventory = (words: readonly string[]): boolean =>
  words.some((word) => word.startsWith('-i') || word === '--inventory' || word.startsWith('--inventory='));

async function down(words: readonly string[]): Promise<number> {
  const unknown = words.find((word) => word.startsWith('-') && word !== '--keep' && word !== '--purge');
  if (unknown !== undefined) return usage(`unknown option ${JSON.stringify(unknown)}`, 'down takes host names, --keep and --purge');
  if (words.includes('--keep') && words.includes('--purge'))
    return usage('--keep and --purge contradict each other', 'disks of hosts mean nothing without their base image');
  return attached(program('lab-host', 'down', ...words));
}

async function status(words: readonly string[]): Promise<number> {
  const other = words.find((word) => word !== '--json');
  if (other !== undefined) return usage(`unexpected argument ${JSON.stringify(other)}`, 'status takes --json only');
  const found = await readStatus();
  if (typeof found === 'number') return found;
  process.stdout.write(words.length > 0 ? `${JSON.stringify(found, undefined, 2)}\n` : statusTable(found));
  return 0;
}

/** One line a host. */
export function statusTable({ hosts, openFiles }: LabStatus): string {
  if (hosts.length === 0) return 'there is no lab; npx zx playbooks/lab.mts up makes one\n';
  const rows = [['HOST', 'ADDRESS', 'STATE'], ...hosts.map((host) => [host.name, place(host), stateOf(host)])];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  const note = openFilesNote(openFiles);
  return [...lines, ...(note === undefined ? [] : [note]), ''].join('\n');
}

const stateOf = (host: MadeHost): string =>
  isUp(host) || host.state === 'stopped' ? host.state : host.listening ? `${host.state}: would not come back from a reboot` : `${host.state}, does not answer`;

async function ssh(words: readonly string[]): Promise<number> {
  const [name, separator, ...command] = words;
  if (name === undefined || name.startsWith('-')) return usage('ssh to which host?', 'npx zx playbooks/lab.mts ssh es-01 [-- COMMAND…]');
  if (separator !== undefined && separator !== '--')
    return usage(`unexpected argument ${JSON.stringify(separator)}`, `a command comes after --: ssh ${name} -- ${[separator, ...command].join(' ')}`);
  if (separator === '--' && command.length === 0) return usage('there is no command after --', `leave -- out for a shell: ssh ${name}`);
  const found = await readStatus();
  if (typeof found === 'number') return found;
  const host = found.hosts.find((one) => one.name === name);
  if (host === undefined) return unknownHost(name, found);
  if (!host.listening) {
    complain({ kind: 'unreachable', short: `${name} does not run`, message: `${name} does not run`, hint: 'npx zx playbooks/lab.mts up starts it' });
    return 3;
  }
  return attached(sshArgv(found.user, host, labDirectory(), command));
}

function unknownHost(name: string, { hosts }: LabStatus): number {
  const names = hosts.map((host) => host.name);
  const [meant] = closest(name, names);
  return usage(
    `there is no host ${JSON.stringify(name)} in the lab`,
    meant === undefined ? `hosts: ${names.join(', ') || 'none; npx zx playbooks/lab.mts up makes them'}` : `did you mean ${meant}?`,
  );
}

/** The words of the command are quoted, since ssh joins what it is given with blanks for the shell of the other side. */
export function sshArgv(user: string, { address, port }: MadeHost, directory: string, command: readonly string[]): readonly [string, ...string[]] {
  const options = [
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    'GlobalKnownHostsFile=/dev/null',
    `UserKnownHostsFile="${join(directory, 'known_hosts')}"`,
    'LogLevel=ERROR',
  ];
  const key = join(directory, 'id_ed25519');
  return [
    'ssh',
    '-F',
    'none',
    ...options.flatMap((option) => ['-o', option]),
    '-i',
    key,
    '-p',
    port.toString(),
    `${user}@${address}`,
    ...(command.length === 0 ? [] : ['--', command.map(quote).join(' ')]),
  ];
}

async function readStatus(): Promise<LabStatus | number> {
  const answer = readLabStatus(await captured(program('lab-host', 'status')));
  if (answer.kind === 'known') return answer.value;
  complain({ kind: 'unreadable', short: 'the lab does not say how it is', message: `the lab does not say how it is: ${answer.reason}` });
  return 1;
}

async function captured([file, ...words]: readonly [string, ...string[]]): Promise<ControllerOutput> {
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 1, stdout: Buffer.concat(chunks).toString('utf8'), stderr: '' };
}

/** Runs with this terminal, and ends as the command ended. Ctrl-C is for the command: it decides when this program ends. */
async function attached([file, ...words]: readonly [string, ...string[]]): Promise<number> {
  const child = spawn(file, words, { stdio: 'inherit' });
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal ?? 'SIGTERM'];
  } finally {
    process.off('SIGINT', ignore);
  }
}
