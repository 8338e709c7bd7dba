/** What a run or a host came to, and its exit code (docs: the table of exit codes): pure functions of the state. */
import { exitCodeOf, highestExit, type ExitCode } from '../errors.mts';
import type { Mode } from './events.mts';
import type { HostState, RoleState, RunState } from './run-state.mts';

export type Outcome = 'converged' | 'changed' | 'drift' | 'failed' | 'unreachable' | 'refused' | 'locked' | 'interrupted';
export type HostOutcome = Exclude<Outcome, 'drift'> | 'pending' | 'not-attempted';

export const exitMeaning: Readonly<Record<ExitCode, string>> = {
  0: 'nothing left to say',
  1: 'a host failed a step or a verification',
  2: 'something differs or would change',
  3: 'a host could not be reached or read: the result is incomplete',
  4: 'usage, inventory or configuration error: nothing was contacted',
  5: 'refused by a safety rule',
  6: 'locked by another run',
  70: 'a bug in this program',
  130: 'interrupted',
  143: 'terminated',
};

/** Modes that promise to change nothing. */
export const isReadOnly = (mode: Mode): boolean => mode !== 'apply';
/** Modes in which a difference is the finding. */
export const reportsDifference = (mode: Mode): boolean => mode === 'check' || mode === 'drift';

const isOpen = (kind: string | undefined): boolean => kind === 'pending' || kind === 'unknown';
const hasOpen = (role: RoleState): boolean => isOpen(role.verdict) || [...role.resources.values()].some((resource) => isOpen(resource.verdict.kind));

function* codesOfRole(role: RoleState, mode: Mode, isHostOpen: boolean): Iterable<ExitCode> {
  if (role.error !== undefined) yield exitCodeOf[role.error.kind];
  else if (role.verdict === 'failed') yield 1;
  if (reportsDifference(mode) && hasOpen(role)) yield 2;
  for (const { verdict } of role.resources.values()) if (verdict.kind === 'failed') yield exitCodeOf[verdict.error.kind];
  for (const outcome of role.checks.values()) {
    if (outcome.kind === 'fail') yield 1;
    // Unknown because something is pending says no more than that; unknown because it could not be read makes the result incomplete.
    if (outcome.kind === 'unknown') yield isHostOpen && mode !== 'verify' ? (reportsDifference(mode) ? 2 : 0) : 3;
  }
}

function* codesOfHost(host: HostState, mode: Mode): Iterable<ExitCode> {
  if (host.error !== undefined) yield exitCodeOf[host.error.kind];
  const roles = [...host.roles.values()];
  const isHostOpen = roles.some(hasOpen);
  for (const role of roles) yield* codesOfRole(role, mode, isHostOpen);
}

/** The exit code that the events so far ask for. */
export function exitCodeFor(state: RunState, mode: Mode = state.mode): ExitCode {
  const codes = state.errors.map((error) => exitCodeOf[error.kind]);
  for (const host of state.hosts.values()) codes.push(...codesOfHost(host, mode));
  return highestExit(codes);
}

function named(code: ExitCode): Exclude<Outcome, 'converged' | 'changed'> | undefined {
  switch (code) {
    case 130:
    case 143:
      return 'interrupted';
    case 70:
    case 4:
    case 1:
      return 'failed';
    case 5:
      return 'refused';
    case 6:
      return 'locked';
    case 3:
      return 'unreachable';
    case 2:
      return 'drift';
    case 0:
      return undefined;
  }
}

const hasChanged = (host: HostState): boolean =>
  [...host.roles.values()].some(
    (role) => role.verdict === 'changed' || [...role.resources.values()].some(({ verdict, applied }) => verdict.kind === 'changed' || applied),
  );

export function outcomeOf(state: RunState): Outcome {
  return named(state.end?.exitCode ?? exitCodeFor(state)) ?? ([...state.hosts.values()].some(hasChanged) ? 'changed' : 'converged');
}

export function hostOutcome(host: HostState, state: RunState): HostOutcome {
  const byCode = named(highestExit(codesOfHost(host, state.mode)));
  if (byCode !== undefined) return byCode === 'drift' ? 'pending' : byCode;
  if (host.skipped !== undefined || state.end?.notAttempted.includes(host.name) === true) return 'not-attempted';
  const roles = [...host.roles.values()];
  const wasCut = roles.length === 0 || roles.some((role) => role.started && role.verdict === undefined);
  if (wasCut && state.errors.some((error) => error.kind === 'interrupted')) return roles.length === 0 ? 'not-attempted' : 'interrupted';
  // A run that ended early (locked, refused, a bug) says nothing about hosts it never came to.
  if (roles.length === 0 && state.errors.length > 0) return 'not-attempted';
  if (roles.some(hasOpen)) return 'pending';
  return hasChanged(host) ? 'changed' : 'converged';
}

/** Hosts by outcome (they add up to `hosts`), resources and checks by verdict. */
export interface Summary {
  readonly hosts: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly pending: number;
  readonly failed: number;
  readonly unreachable: number;
  readonly notAttempted: number;
  readonly resources: { readonly converged: number; readonly changed: number; readonly pending: number; readonly unknown: number; readonly failed: number };
  readonly checks: { readonly pass: number; readonly fail: number; readonly skipped: number; readonly unknown: number };
}

export function summaryOf(state: RunState): Summary {
  const hosts = { changed: 0, unchanged: 0, pending: 0, failed: 0, unreachable: 0, notAttempted: 0 };
  const resources = { converged: 0, changed: 0, pending: 0, unknown: 0, failed: 0 };
  const checks = { pass: 0, fail: 0, skipped: 0, unknown: 0 };
  for (const host of state.hosts.values()) {
    hosts[counted(hostOutcome(host, state))] += 1;
    for (const role of host.roles.values()) {
      for (const { verdict } of role.resources.values()) resources[verdict.kind] += 1;
      for (const { kind } of role.checks.values()) checks[kind] += 1;
    }
  }
  return { hosts: state.hosts.size, ...hosts, resources, checks };
}

function counted(outcome: HostOutcome): 'changed' | 'unchanged' | 'pending' | 'failed' | 'unreachable' | 'notAttempted' {
  switch (outcome) {
    case 'converged':
      return 'unchanged';
    case 'changed':
    case 'pending':
    case 'unreachable':
      return outcome;
    case 'not-attempted':
      return 'notAttempted';
    case 'failed':
    case 'refused':
    case 'locked':
    case 'interrupted':
      return 'failed';
  }
}
