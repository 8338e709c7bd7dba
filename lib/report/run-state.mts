/** What is known about a run so far, folded from its events: no I/O, no clock. Every renderer and the exit code read this. */
import { assertNever, type ExitCode, type RunError } from '../errors.mts';
import type { HostName, ResourceId, RoleName } from '../names.mts';
import type { Change, CheckOutcome, Diagnosis, Verdict } from '../plan/model.mts';
import type { Mode, Reason, RoleVerdict, RunEvent } from './events.mts';

export interface ResourceState {
  verdict: Verdict;
  /** Everything this run changed or would change about it, one entry a field. */
  changes: readonly Change[];
  because?: Reason;
  /** A step of it ended well in this run. */
  applied: boolean;
}

export interface RoleState {
  readonly resources: Map<ResourceId, ResourceState>;
  readonly checks: Map<string, CheckOutcome>;
  /** What a step of ended well; a run that is cut short may never come to its verdict. */
  readonly done: Set<ResourceId>;
  readonly diagnoses: Diagnosis[];
  started: boolean;
  verdict?: RoleVerdict;
  ms?: number;
  error?: RunError;
  /** Last output of the failed step. */
  tail?: string;
  failedStep?: ResourceId;
}

/** What a host is busy with; times are milliseconds since the epoch, `done` and `total` are bytes. */
export interface Activity {
  readonly role?: RoleName;
  readonly what: string;
  readonly since: number;
  /** A step that is not stopped half way. */
  readonly uninterruptible?: true;
  readonly done?: number;
  readonly total?: number;
  /** What a waited-for check last found. */
  readonly found?: string;
  readonly attempt?: number;
}

export interface HostState {
  readonly name: HostName;
  readonly roles: Map<RoleName, RoleState>;
  activity?: Activity;
  startedAt?: number;
  endedAt?: number;
  connectMs?: number;
  roundTrips?: number;
  bytesSent?: number;
  bytesReceived?: number;
  error?: RunError;
  /** Why nothing is known of it, where that is no failure. */
  skipped?: string;
}

export interface StepTime {
  readonly host: HostName;
  readonly role: RoleName;
  readonly resource: ResourceId;
  readonly ms: number;
}

export interface StandIn {
  readonly host: HostName;
  readonly product: string;
  readonly what: string;
}

export interface RunState {
  run: string;
  playbook: string;
  mode: Mode;
  inventory: readonly string[];
  roles: readonly RoleName[];
  startedAt: number;
  /** When the latest event happened. */
  lastAt: number;
  /** In inventory order. */
  readonly hosts: Map<HostName, HostState>;
  readonly notices: string[];
  readonly standIns: StandIn[];
  /** What people run the program for: what was found, by its name. */
  readonly headlines: Map<string, string>;
  readonly errors: RunError[];
  readonly steps: StepTime[];
  end?: { readonly exitCode: ExitCode; readonly ms: number; readonly notAttempted: readonly HostName[]; readonly retry?: string };
}

export const newRunState = (): RunState => ({
  run: '',
  playbook: '',
  mode: 'check',
  inventory: [],
  roles: [],
  startedAt: 0,
  lastAt: 0,
  hosts: new Map(),
  notices: [],
  standIns: [],
  headlines: new Map(),
  errors: [],
  steps: [],
});

export function stateOf(events: Iterable<RunEvent>): RunState {
  const state = newRunState();
  for (const event of events) record(state, event);
  return state;
}

function hostOf(state: RunState, name: HostName): HostState {
  const known = state.hosts.get(name);
  if (known !== undefined) return known;
  const made: HostState = { name, roles: new Map() };
  state.hosts.set(name, made);
  return made;
}

function roleOf(host: HostState, name: RoleName): RoleState {
  const known = host.roles.get(name);
  if (known !== undefined) return known;
  const made: RoleState = { resources: new Map(), checks: new Map(), done: new Set(), diagnoses: [], started: false };
  host.roles.set(name, made);
  return made;
}

/** Later changes of a field continue earlier ones: `1 -> 2` and `2 -> 3` are `1 -> 3`. */
function merged(earlier: readonly Change[], later: readonly Change[]): readonly Change[] {
  const fields = new Map(earlier.map((change) => [change.field, change]));
  for (const change of later) fields.set(change.field, { ...change, from: fields.get(change.field)?.from ?? change.from });
  return [...fields.values()];
}

function recordVerdict(role: RoleState, id: ResourceId, verdict: Verdict, because: Reason | undefined): void {
  const before = role.resources.get(id);
  const reason = because ?? before?.because;
  const reasoned = reason === undefined ? {} : { because: reason };
  const was = before?.verdict.kind;
  const applied = before?.applied ?? false;
  // Asked again after its change, a resource is converged: for this run it has changed.
  if (verdict.kind === 'converged' && before !== undefined && (was === 'changed' || (was === 'pending' && applied))) {
    role.resources.set(id, { ...before, verdict: { kind: 'changed', changes: before.changes } });
    return;
  }
  const isDifferent = verdict.kind === 'pending' || verdict.kind === 'changed';
  const earlier = was === 'changed' || (was === 'pending' && applied) ? (before?.changes ?? []) : [];
  role.resources.set(id, { verdict, changes: isDifferent ? merged(earlier, verdict.changes) : earlier, applied, ...reasoned });
}

function roleVerdict(before: RoleVerdict | undefined, now: RoleVerdict): RoleVerdict {
  if (before === 'failed') return before;
  return before === 'changed' && now === 'converged' ? before : now;
}

/** Takes one event into the state. */
export function record(state: RunState, event: RunEvent): void {
  const at = Date.parse(event.at);
  state.lastAt = at;
  switch (event.kind) {
    case 'run.start':
      Object.assign(state, { run: event.run, playbook: event.playbook, mode: event.mode, inventory: event.inventory, roles: event.roles, startedAt: at });
      for (const name of event.hosts) hostOf(state, name);
      return;
    case 'notice':
      state.notices.push(event.text);
      return;
    case 'stage.start':
      for (const name of event.hosts) hostOf(state, name);
      return;
    case 'stand-in':
      state.standIns.push({ host: event.host, product: event.product, what: event.what });
      return;
    case 'run.failed':
      state.errors.push(event.error);
      return;
    case 'run.end':
      state.end = { exitCode: event.exitCode, ms: event.ms, notAttempted: event.notAttempted, ...(event.retry === undefined ? {} : { retry: event.retry }) };
      return;
    case 'host.asked':
      return;
    case 'host.connecting':
    case 'host.waiting':
    case 'host.connected':
    case 'host.end':
      // Peers outside the limit are only asked: the run says nothing about them.
      if (state.hosts.has(event.host)) recordOfHost(state, hostOf(state, event.host), event, at);
      return;
    default:
      recordOfHost(state, hostOf(state, event.host), event, at);
  }
}

type HostEvent = Exclude<RunEvent, { kind: 'host.asked' | 'run.start' | 'notice' | 'stage.start' | 'stand-in' | 'run.failed' | 'run.end' }>;

function recordOfHost(state: RunState, host: HostState, event: HostEvent, at: number): void {
  host.startedAt ??= at;
  switch (event.kind) {
    case 'host.connecting':
      host.activity = { what: 'connecting', since: at };
      return;
    case 'host.waiting': {
      const what = 'waiting for ssh';
      const since = host.activity?.what === what ? host.activity.since : at;
      host.activity = { what, since, found: event.found, attempt: event.attempt };
      return;
    }
    case 'host.connected':
      host.connectMs = event.ms;
      delete host.activity;
      return;
    case 'host.failed':
      host.error = event.error;
      host.endedAt = at;
      delete host.activity;
      return;
    case 'host.skipped':
      host.skipped = event.because;
      host.endedAt = at;
      delete host.activity;
      return;
    case 'host.end':
      host.endedAt = at;
      Object.assign(host, { connectMs: event.connectMs, roundTrips: event.roundTrips, bytesSent: event.bytesSent, bytesReceived: event.bytesReceived });
      delete host.activity;
      return;
    default:
      recordOfRole(state, host, roleOf(host, event.role), event, at);
  }
}

type RoleEvent = Extract<HostEvent, { role: RoleName }>;

function recordOfRole(state: RunState, host: HostState, role: RoleState, event: RoleEvent, at: number): void {
  switch (event.kind) {
    case 'role.start':
      role.started = true;
      delete host.endedAt;
      host.activity = { role: event.role, what: 'checking', since: at };
      return;
    case 'resource.verdict':
      recordVerdict(role, event.resource, event.verdict, event.because);
      return;
    case 'step.start':
      host.activity = { role: event.role, what: event.resource, since: at, ...(event.uninterruptible === undefined ? {} : { uninterruptible: true }) };
      return;
    case 'step.progress':
      host.activity = {
        role: event.role,
        what: event.resource,
        since: host.activity?.what === event.resource ? host.activity.since : at,
        ...(host.activity?.what === event.resource && host.activity.uninterruptible === true ? { uninterruptible: true } : {}),
        done: event.done,
        ...(event.total === undefined ? {} : { total: event.total }),
      };
      return;
    case 'step.end': {
      state.steps.push({ host: event.host, role: event.role, resource: event.resource, ms: event.ms });
      if (event.ok) role.done.add(event.resource);
      else role.failedStep = event.resource;
      const resource = role.resources.get(event.resource);
      if (resource !== undefined && event.ok) resource.applied = true;
      host.activity = { role: event.role, what: 'checking', since: at };
      return;
    }
    case 'waiting': {
      const what = `${event.what === 'ready' ? 'waiting for' : event.what} ${event.check}`;
      host.activity = { role: event.role, what, since: host.activity?.what === what ? host.activity.since : at, found: event.found, attempt: event.attempt };
      return;
    }
    case 'check.result':
      role.checks.set(event.check, event.outcome);
      if (event.headline !== undefined && event.outcome.kind === 'pass') state.headlines.set(event.headline, event.outcome.found);
      return;
    case 'diagnosis':
      role.diagnoses.push(event.diagnosis);
      return;
    case 'role.failed':
      role.error = event.error;
      role.verdict = 'failed';
      if (event.tail !== undefined) role.tail = event.tail;
      delete host.activity;
      return;
    case 'role.end':
      role.verdict = roleVerdict(role.verdict, event.verdict);
      role.ms = (role.ms ?? 0) + event.ms;
      host.endedAt = at;
      delete host.activity;
      return;
    default:
      assertNever(event);
  }
}

/** What took longest, all steps of a resource together, at least `leastMs` each, slowest first. */
export function slowestOf(state: RunState, most = 5, leastMs = 0): readonly StepTime[] {
  const together = new Map<string, StepTime>();
  for (const step of state.steps) {
    const key = `${step.host} ${step.role} ${step.resource}`;
    together.set(key, { ...step, ms: step.ms + (together.get(key)?.ms ?? 0) });
  }
  return [...together.values()]
    .filter((step) => step.ms >= leastMs)
    .sort((one, other) => other.ms - one.ms)
    .slice(0, most);
}
