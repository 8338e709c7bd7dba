import { basename, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { exitCodeOf, fail, toRunError, type ExitCode, type RunError } from '../errors.mts';
import type { Inventory, SshConnection } from '../inventory/model.mts';
import { isHostName, type HostName } from '../names.mts';
import type { Playbook } from '../plan/model.mts';
import type { EventBody, Mode } from '../report/events.mts';
import { createReporters, exitCodeFor, hostOutcome, newRunState, type Beginning, type RunState } from '../report/index.mts';
import type { HostState } from '../report/run-state.mts';
import { Controller } from '../run/controller.mts';
import { Emitter } from '../run/emitter.mts';
import { execute, type Leftovers } from '../run/engine.mts';
import { Journal, Leftover } from '../run/journal.mts';
import { lockInventory } from '../run/lock.mts';
import { RunRecords, type RunRecord } from '../run/records.mts';
import { quote } from '../shell/quote.mts';
import type { LockHolder } from '../transport/session.mts';
import { parseCommandLine, type CommandLine } from './args.mts';
import { helpText } from './help.mts';
import { tellLeftover } from './leftover.mts';
import { prepare, rolesOf, runsDirectory, type Prepared } from './prepare.mts';
import { watchInterrupts, watchPauses } from './signals.mts';

export interface RunOptions {
  /** `drift`: check and verify, with no way to write. */
  readonly readOnly?: boolean;
  /** Instead of those of the process, for a playbook with commands of its own. */
  readonly arguments?: readonly string[];
}

/** Runs a playbook as the command line says and sets the process's exit code; the last thing a playbook file does. */
export async function run(playbook: Playbook, options: RunOptions = {}): Promise<void> {
  endQuietlyWithReader();
  process.exitCode = await main(playbook, options, options.arguments ?? argumentsAfter(playbook.name));
}

/** A reader that has seen enough, as `head` has, is no error. A full disk is: what was to be said is lost, and nobody may take that for success. */
export function endQuietlyWithReader(): void {
  let isTold = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || isTold) return;
      isTold = true;
      process.on('exit', (code) => {
        if (code === 0) process.exitCode = 1;
      });
      if (stream === process.stdout) process.stderr.write(`error: what this run says cannot be written to stdout: ${error.message}\n`);
    });
  }
}

/** The arguments of the playbook, however it was started: `zx playbooks/site.mts …` or `node playbooks/site.mts …`. */
export function argumentsAfter(name: string): readonly string[] {
  const at = process.argv.findIndex((argument, index) => index > 0 && basename(argument) === `${name}.mts`);
  return process.argv.slice(at === -1 ? 2 : at + 1);
}

async function main(playbook: Playbook, options: RunOptions, argv: readonly string[]): Promise<ExitCode> {
  let commandLine: CommandLine;
  try {
    commandLine = parseCommandLine(argv);
    if (options.readOnly === true) refuseWriting(commandLine, playbook);
  } catch (thrown) {
    return complain(toRunError(thrown));
  }
  switch (commandLine.ask) {
    case 'help':
      process.stdout.write(helpText(playbook, options.readOnly === true));
      return 0;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return 0;
    case 'list-roles':
      for (const role of rolesOf(playbook)) process.stdout.write(`${role.name}\t${role.summary}\n`);
      return 0;
    case 'list-hosts':
    case 'syntax-check':
      return describe(playbook, commandLine);
    case 'run':
      return runPlaybook(playbook, options, commandLine);
  }
}

function refuseWriting({ noRestart, check, verifyOnly, serial, yes }: CommandLine, { name }: Playbook): void {
  const given = [noRestart && '--no-restart', check && '--check', verifyOnly && '--verify-only', serial !== undefined && '--serial', yes && '--yes'].find(
    (option) => option !== false,
  );
  if (given !== undefined)
    fail('usage', `${given} means nothing to ${name}, which only reads`, { hint: 'use playbooks/site.mts for changes, --check and --verify-only' });
}

const version = (): string => (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** One clear message on stderr, for what goes wrong before there is a run to report on. */
export function complain({ kind, message, hint }: RunError): ExitCode {
  process.stderr.write(`${kind === 'bug' ? 'bug' : 'error'}: ${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`);
  return exitCodeOf[kind];
}

async function describe(playbook: Playbook, commandLine: CommandLine): Promise<ExitCode> {
  try {
    const { hosts } = await prepare(playbook, commandLine);
    process.stdout.write(
      commandLine.ask === 'list-hosts'
        ? hosts.map(({ name }) => `${name}\n`).join('')
        : `${playbook.name}: ${hosts.length.toString()} hosts, inventory is valid\n`,
    );
    return 0;
  } catch (thrown) {
    return complain(toRunError(thrown));
  }
}

const modeOf = ({ check, verifyOnly }: CommandLine, { readOnly }: RunOptions): Mode =>
  readOnly === true ? 'drift' : check ? 'check' : verifyOnly ? 'verify' : 'apply';

async function runPlaybook(playbook: Playbook, options: RunOptions, commandLine: CommandLine): Promise<ExitCode> {
  const mode = modeOf(commandLine, options);
  const started = performance.now();
  // To the millisecond: runs are told apart, and put in order, by their names.
  const runId = `${new Date().toISOString().replace(/[-:.]/g, '')}-${playbook.name}-${randomBytes(2).toString('hex')}`;
  const state = newRunState();
  let emitter: Emitter;
  try {
    if (commandLine.json && commandLine.events === '-') fail('usage', '--json and --events - both want stdout', { hint: 'give --events a file' });
    const { diff, verbosity, json, color, events, profile } = commandLine;
    emitter = new Emitter(
      createReporters({
        diff,
        verbosity,
        json,
        ...(color ? {} : { color }),
        ...(events === undefined ? {} : { eventsFile: events }),
        ...(profile ? { profile: beginning() } : {}),
      }),
      state,
    );
  } catch (thrown) {
    return complain(toRunError(thrown));
  }
  const { emit } = emitter;
  using interrupts = watchInterrupts({
    say: (text) => {
      emit({ kind: 'notice', text });
    },
    uninterruptible: () => uninterruptibleIn(state),
  });
  using _pauses = watchPauses((text) => {
    emit({ kind: 'notice', text });
  });
  using _crashes = watchCrashes(emit);
  let prepared: Prepared | undefined;
  let left: Leftovers = { notAttempted: [], cut: [] };
  try {
    prepared = await prepare(playbook, commandLine, new Controller(interrupts.signal));
    emitStart(emit, runId, playbook, mode, prepared);
    left = await work({
      playbook,
      commandLine,
      mode,
      runId,
      prepared,
      emit,
      interrupts,
      isWell: () => (interrupts.exitCode() ?? exitCodeFor(state)) === 0,
    });
  } catch (thrown) {
    if (prepared === undefined) emit({ kind: 'run.start', run: runId, playbook: playbook.name, mode, inventory: commandLine.inventory, hosts: [], roles: [] });
    emit({ kind: 'run.failed', error: toRunError(thrown) });
  }
  const exitCode = interrupts.exitCode() ?? exitCodeFor(state);
  const unfinished = unfinishedHosts(state, left, mode === 'apply' && !commandLine.noRestart);
  const retry = retryCommand(playbook, commandLine, exitCode, unfinished, prepared);
  emit({ kind: 'run.end', exitCode, ms: Math.round(performance.now() - started), notAttempted: left.notAttempted, ...(retry === undefined ? {} : { retry }) });
  await emitter.close();
  if (mode === 'apply' && prepared !== undefined) {
    keepRecord({ schema: '1', run: runId, playbook: playbook.name, inventory: [...prepared.inventory.files], exitCode, unfinished: [...unfinished] });
  }
  return exitCode;
}

const beginning = (): Beginning => ({
  process: performance.timeOrigin,
  inventory: Date.now(),
  usage: () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    return { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: maxRSS * 1024 };
  },
});

/** The run is over and said: a record that cannot be kept takes `--retry-failed` away, and nothing else. */
function keepRecord(record: RunRecord): void {
  try {
    new RunRecords(runsDirectory()).write(record);
  } catch (thrown) {
    process.stderr.write(`warning: this run is not remembered for --retry-failed: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  }
}

/** What nobody caught is a bug, and is said like one. */
function watchCrashes(emit: (event: EventBody) => void): Disposable {
  const crash = (thrown: unknown): void => {
    emit({ kind: 'run.failed', error: { ...toRunError(thrown instanceof Error ? new Error(thrown.message, { cause: thrown }) : thrown), kind: 'bug' } });
  };
  process.on('uncaughtException', crash).on('unhandledRejection', crash);
  return {
    [Symbol.dispose]() {
      process.off('uncaughtException', crash).off('unhandledRejection', crash);
    },
  };
}

/** What must not be cut off, as far as it is under way. */
const uninterruptibleIn = ({ hosts }: RunState): readonly string[] =>
  [...hosts.values()].flatMap(({ name, activity }) => (activity?.uninterruptible === true ? [`${activity.what} on ${name}`] : []));

const DONE: ReadonlySet<string> = new Set(['converged', 'changed', 'pending']);

/** Hosts that failed, could not be reached, or were not come to. What is pending is left over only from a run that was to do it. */
function unfinishedHosts(state: RunState, { notAttempted, cut }: Leftovers, isPendingLeft: boolean): readonly HostName[] {
  const isDone = (host: HostState): boolean => {
    const outcome = hostOutcome(host, state);
    return DONE.has(outcome) && !(isPendingLeft && outcome === 'pending');
  };
  const open = [...state.hosts.values()].filter((host) => !isDone(host)).map(({ name }) => name);
  return [...new Set([...open, ...notAttempted, ...cut])];
}

function emitStart(emit: (event: EventBody) => void, runId: string, playbook: Playbook, mode: Mode, { inventory, stages, hosts }: Prepared): void {
  const roles = [...new Set(stages.flatMap((stage) => stage.roles.map(({ name }) => name)))];
  emit({ kind: 'run.start', run: runId, playbook: playbook.name, mode, inventory: inventory.files, hosts: hosts.map(({ name }) => name), roles });
  for (const text of inventory.notices) emit({ kind: 'notice', text });
}

/** A jump host may be a host of the inventory. */
function sshConnection({ hosts }: Inventory, name: string): SshConnection | undefined {
  const connection = isHostName(name) ? hosts.get(name)?.connection : undefined;
  return connection?.kind === 'ssh' ? connection : undefined;
}

const MANY_HOSTS = 50;

interface Work {
  readonly playbook: Playbook;
  readonly commandLine: CommandLine;
  readonly mode: Mode;
  readonly runId: string;
  readonly prepared: Prepared;
  readonly emit: (event: EventBody) => void;
  readonly interrupts: ReturnType<typeof watchInterrupts>;
  readonly isWell: () => boolean;
}

async function work({ playbook, commandLine, mode, runId, prepared, emit, interrupts, isWell }: Work): Promise<Leftovers> {
  const { inventory, within, roles, hosts, controller } = prepared;
  const holder: LockHolder = { run: runId, user: userInfo().username, host: hostname(), pid: process.pid, since: new Date().toISOString() };
  await using resources = new AsyncDisposableStack();
  const isWriter = mode === 'apply';
  if (isWriter) resources.use(await lockInventory(join(runsDirectory(), 'locks'), inventory.files, holder));
  const leftover = new Leftover(runsDirectory(), inventory.files, isWriter);
  const tell = tellLeftover(leftover, new Set(hosts.map(({ name }) => name)), emit);
  const journal = isWriter
    ? resources.use(
        new Journal(runsDirectory(), inventory.files, holder, (reason) => {
          emit({ kind: 'notice', text: `what this run is in the middle of can no longer be noted: ${reason}` });
        }),
      )
    : undefined;
  // Logins leave much behind that is short-lived: a nursery that grows with it would cost 60 MB for 200 hosts, and save next to no time.
  if (hosts.length >= MANY_HOSTS) setFlagsFromString('--semi-space-growth-factor=1');
  const { openTransport } = await import('../transport/index.mts');
  const transport = resources.use(openTransport({ hostConnection: (name) => sshConnection(inventory, name) }));
  // What cannot work for reasons on this machine is said before anything is contacted; hosts to be made bring their keys with them.
  await transport.prepare(hosts.filter(({ provider }) => provider === undefined));
  // Awaited here: what is used by the run must not be released before its end.
  const left = await execute({
    playbook,
    inventory,
    mode,
    within,
    roles,
    holder,
    transport,
    controller,
    ...(journal === undefined ? {} : { journal }),
    emit: tell,
    signal: interrupts.signal,
    stopping: () => interrupts.stopping(),
    forks: commandLine.forks,
    maxFailures: commandLine.maxFailures ?? Number.POSITIVE_INFINITY,
    noRestart: commandLine.noRestart,
    yes: commandLine.yes,
    ...serialFor(commandLine, hosts.length),
  });
  if (isWriter) leftover.forget(isWell(), inventory.hosts);
  return left;
}

function serialFor({ serial }: CommandLine, hosts: number): { readonly serial?: number } {
  if (serial === undefined) return {};
  return { serial: 'hosts' in serial ? serial.hosts : Math.max(1, Math.floor((hosts * serial.percent) / 100)) };
}

/** The command that takes the run up where it failed, with all that decides what it does; a yes has to be given anew. */
function retryCommand(
  playbook: Playbook,
  commandLine: CommandLine,
  exitCode: ExitCode,
  unfinished: readonly HostName[],
  prepared: Prepared | undefined,
): string | undefined {
  if (unfinished.length === 0 || prepared === undefined || exitCode === 0) return undefined;
  const { roles, extraVars, user, privateKey, serial, maxFailures, askBecomePass, check, verifyOnly, noRestart } = commandLine;
  const words = [
    'npx',
    'zx',
    `playbooks/${playbook.name}.mts`,
    ...(playbook.command === undefined ? [] : [playbook.command]),
    ...commandLine.inventory.flatMap((file) => ['-i', file]),
    '--limit',
    unfinished.join(','),
    ...(roles === undefined ? [] : ['--role', roles.join(',')]),
    ...extraVars.flatMap((vars) => ['-e', vars]),
    ...(user === undefined ? [] : ['-u', user]),
    ...(privateKey === undefined ? [] : ['--private-key', privateKey]),
    ...(serial === undefined ? [] : ['--serial', 'hosts' in serial ? serial.hosts.toString() : `${serial.percent.toString()}%`]),
    ...(maxFailures === undefined ? [] : ['--max-failures', maxFailures.toString()]),
    ...(askBecomePass ? ['-K'] : []),
    ...(check ? ['--check'] : []),
    ...(verifyOnly ? ['--verify-only'] : []),
    ...(noRestart ? ['--no-restart'] : []),
  ];
  return words.map((word) => (/^[\w./:,%@=+-]+$/.test(word) ? word : quote(word))).join(' ');
}
