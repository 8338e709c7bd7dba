/** The `--json` document, made from the state when a run is over. */
import type { ExitCode, RunError } from '../errors.mts';
import type { Change, CheckOutcome, Shown } from '../plan/model.mts';
import type { ReportDocument } from './document-schema.mts';
import type { Reporter } from './events.mts';
import { exitCodeFor, hostOutcome, outcomeOf, summaryOf } from './outcome.mts';
import type { Writer } from './output.mts';
import { newRunState, record, slowestOf, type HostState, type ResourceState, type RoleState, type RunState } from './run-state.mts';
import { safeData, safeText } from './sanitize.mts';

type HostEntry = ReportDocument['hosts'][string];
type RoleEntry = HostEntry['roles'][string];
type ErrorEntry = ReportDocument['errors'][number];

/** Longest `from` and `to` of a change. */
const LONGEST_VALUE = 4_096;
const LONGEST_TEXT = 16_384;
const OURS = new Set(['schema', 'run', 'mode', 'outcome', 'kind', 'verdict', 'state', 'host', 'role', 'startedAt', 'notAttempted']);

/** Every string of it is safe to print and free of known secrets. */
export function documentOf(state: RunState): ReportDocument {
  const summary = summaryOf(state);
  // A run without an end crashed: that must never read as success.
  const exitCode: ExitCode = state.end?.exitCode ?? (exitCodeFor(state) || 70);
  const raw: ReportDocument = {
    schema: '1',
    run: state.run,
    playbook: state.playbook,
    mode: state.mode,
    outcome: state.end === undefined && exitCode === 70 ? 'failed' : outcomeOf(state),
    exitCode,
    inventory: [...state.inventory],
    startedAt: state.startedAt === 0 ? null : new Date(state.startedAt).toISOString(),
    summary: { ...summary, resources: { ...summary.resources }, checks: { ...summary.checks } },
    hosts: Object.fromEntries([...state.hosts.values()].map((host) => [host.name, hostEntry(host, state)])),
    errors: state.errors.map((error) => errorEntry(error)),
    standIns: state.standIns.map((standIn) => ({ ...standIn })),
    timings: { totalMs: state.end?.ms ?? Math.max(0, state.lastAt - state.startedAt), slowest: slowestOf(state).map((step) => ({ ...step })) },
    notAttempted: [...(state.end?.notAttempted ?? [])],
    notices: [...state.notices],
    ...(state.end?.retry === undefined ? {} : { retry: state.end.retry }),
  };
  return safeData(raw, LONGEST_TEXT, OURS) as ReportDocument;
}

function hostEntry(host: HostState, state: RunState): HostEntry {
  const roles = [...host.roles];
  const failed = roles.find(([, role]) => role.error !== undefined);
  const error = host.error === undefined ? failed && errorOfRole(...failed) : errorEntry(host.error);
  return {
    outcome: hostOutcome(host, state),
    connectMs: host.connectMs ?? null,
    roundTrips: host.roundTrips ?? null,
    bytesSent: host.bytesSent ?? null,
    bytesReceived: host.bytesReceived ?? null,
    roles: Object.fromEntries(roles.map(([name, role]) => [name, roleEntry(name, role)])),
    ...(error === undefined ? {} : { error }),
    ...(host.skipped === undefined ? {} : { skipped: host.skipped }),
  };
}

const errorEntry = (error: RunError, more: Partial<ErrorEntry> = {}): ErrorEntry => ({
  kind: error.kind,
  message: error.message,
  ...(error.hint === undefined ? {} : { hint: error.hint }),
  ...more,
});

function errorOfRole(name: string, role: RoleState): ErrorEntry | undefined {
  if (role.error === undefined) return undefined;
  return errorEntry(role.error, {
    role: name,
    ...(role.failedStep === undefined ? {} : { resource: role.failedStep }),
    ...(role.tail === undefined ? {} : { tail: role.tail }),
  });
}

function roleEntry(name: string, role: RoleState): RoleEntry {
  const resources = [...role.resources];
  const own = errorOfRole(name, role);
  const errors = resources.flatMap(([id, { verdict }]) => (verdict.kind === 'failed' ? [errorEntry(verdict.error, { role: name, resource: id })] : []));
  return {
    verdict: role.verdict ?? 'unknown',
    ...(role.ms === undefined ? {} : { ms: role.ms }),
    changes: resources.flatMap(([id, resource]) => resource.changes.map((change) => changeEntry(id, resource, change))),
    checks: [...role.checks].map(([id, outcome]) => checkEntry(id, outcome)),
    unknown: resources.flatMap(([id, { verdict }]) => (verdict.kind === 'unknown' ? [{ resource: id, because: verdict.because }] : [])),
    errors: own === undefined ? errors : [own, ...errors],
    diagnoses: role.diagnoses.map((diagnosis) => ({ ...diagnosis })),
  };
}

function changeEntry(id: string, { verdict, because }: ResourceState, change: Change): RoleEntry['changes'][number] {
  return {
    resource: id,
    field: change.field,
    from: valueOf(change.from),
    to: valueOf(change.to),
    ...(change.cosmetic === true ? { cosmetic: true } : {}),
    state: verdict.kind === 'converged' ? 'changed' : verdict.kind,
    ...(because === undefined ? {} : { because: { variable: because.variable, ...because.source } }),
  };
}

function valueOf(shown: Shown): string | null {
  if (shown.kind === 'absent') return null;
  return shown.kind === 'hidden' ? '(hidden)' : safeText(shown.text, LONGEST_VALUE);
}

function checkEntry(id: string, outcome: CheckOutcome): RoleEntry['checks'][number] {
  const { kind, ...rest } = outcome;
  return { id, outcome: kind, ...rest };
}

/** Writes the document when the run is over, and nothing before. */
export function documentReporter(writer: Writer): Reporter {
  const state = newRunState();
  return {
    accept(event) {
      record(state, event);
    },
    async close() {
      writer.write(`${JSON.stringify(documentOf(state), null, 2)}\n`);
      await writer.flush();
    },
  };
}
