/** The last lines of a run: a line a host, slowest steps, stand-ins, one sentence, what the exit code means, how to go on. */
import { duration, count, listed } from './format.mts';
import { exitCodeFor, exitMeaning, hostOutcome, isReadOnly, reportsDifference, summaryOf, type HostOutcome } from './outcome.mts';
import { slowestOf, type HostState, type RunState } from './run-state.mts';
import { pad, prose, symbol, widest, type Line, type Look, type Style, type Symbol } from './style.mts';

/** Resources and checks of a host, counted as Ansible's recap does. */
interface Counts {
  ok: number;
  changed: number;
  pending: number;
  failed: number;
  unreachable: number;
  unknown: number;
}

export function countsOf(host: HostState, outcome: HostOutcome): Counts {
  const counts = { ok: 0, changed: 0, pending: 0, failed: 0, unreachable: outcome === 'unreachable' ? 1 : 0, unknown: 0 };
  for (const role of host.roles.values()) {
    const failedBefore = counts.failed;
    for (const { verdict } of role.resources.values()) counts[verdict.kind === 'converged' ? 'ok' : verdict.kind] += 1;
    for (const { kind } of role.checks.values()) {
      if (kind === 'pass') counts.ok += 1;
      else if (kind === 'fail') counts.failed += 1;
      else if (kind === 'unknown') counts.unknown += 1;
    }
    // What was done before an interruption is done, though nobody came to say so.
    if (outcome === 'interrupted') for (const id of role.done) if (!role.resources.has(id)) counts.changed += 1;
    // A role that failed without a failed resource or check still failed.
    if (role.verdict === 'failed' && counts.failed === failedBefore) counts.failed += 1;
  }
  if (host.error !== undefined && outcome !== 'unreachable') counts.failed += 1;
  return counts;
}

export function symbolOf(outcome: HostOutcome): Symbol {
  switch (outcome) {
    case 'converged':
      return 'ok';
    case 'changed':
    case 'pending':
      return outcome;
    case 'not-attempted':
      return 'waiting';
    case 'interrupted':
      return 'unknown';
    case 'failed':
    case 'unreachable':
    case 'refused':
    case 'locked':
      return 'failed';
  }
}

const STYLES: Readonly<Record<keyof Counts, Style>> = { ok: 'green', changed: 'yellow', pending: 'yellow', failed: 'red', unreachable: 'red', unknown: 'cyan' };

function recapLine(host: HostState, state: RunState, width: number, look: Look): Line {
  const outcome = hostOutcome(host, state);
  const counts = countsOf(host, outcome);
  const cells = (Object.keys(STYLES) as (keyof Counts)[])
    .filter((name) => name !== 'unknown' || counts.unknown > 0)
    .flatMap((name): Line => {
      const cell = `${name}=${String(counts[name])}`;
      const text = pad(cell, Math.max(name.length + 4, cell.length + 1));
      return [counts[name] === 0 ? text : [STYLES[name], text]];
    });
  const isTold = outcome === 'not-attempted' || outcome === 'interrupted' || outcome === 'refused' || outcome === 'locked';
  // What an interruption left half done.
  const during = outcome === 'interrupted' && host.activity?.role !== undefined ? ` at ${host.activity.role} ${host.activity.what}` : '';
  const because = host.skipped === undefined ? '' : `: ${host.skipped}`;
  const note = isTold ? ` ${outcome.replace('-', ' ')}${during}${because}` : '';
  return [symbol(symbolOf(outcome), look), ' ', pad(host.name, width), '  ', ...cells, note];
}

/** `quiet` keeps to hosts that something is wrong with. */
export function recapLines(state: RunState, look: Look, quiet: boolean): readonly Line[] {
  const hosts = [...state.hosts.values()].filter((host) => !quiet || !['converged', 'changed'].includes(hostOutcome(host, state)));
  const width = widest(hosts.map((host) => host.name));
  const table: Line[] = hosts.length === 0 ? [] : [[], [['bold', 'RECAP']], ...hosts.map((host) => recapLine(host, state, width, look))];
  const asides = quiet ? [] : [...slowLines(state), ...headlineLines(state, look), ...standInLines(state, look)];
  return [...table, ...asides, [], ...closingLines(state, look)];
}

function slowLines(state: RunState): readonly Line[] {
  const slow = slowestOf(state, 5, 1_000);
  if (slow.length === 0) return [];
  return [[], [['dim', 'slowest steps']], ...slow.map((step): Line => ['  ', duration(step.ms).padStart(6), `  ${step.host}  ${step.role}  ${step.resource}`])];
}

function headlineLines({ headlines }: RunState, look: Look): readonly Line[] {
  const width = widest([...headlines.keys()]);
  const lines = [...headlines].flatMap(([name, found]) => prose(`  ${pad(name, width)}  `, found, look));
  return lines.length === 0 ? [] : [[], [['bold', 'RESULT']], ...lines];
}

function standInLines(state: RunState, look: Look): readonly Line[] {
  const products = Map.groupBy(state.standIns, ({ product, what }) => JSON.stringify([product, what]));
  const lines = [...products.values()].flatMap((same) => {
    const first = same[0];
    return first === undefined ? [] : prose('stand-in: ', `${first.product} on ${listed(same.map(({ host }) => host))}: ${first.what}`, look, 'yellow');
  });
  return lines.length === 0 ? [] : [[], ...lines];
}

function closingLines(state: RunState, look: Look): readonly Line[] {
  const exitCode = state.end?.exitCode ?? exitCodeFor(state);
  const notAttempted = state.end?.notAttempted ?? [];
  return [
    // Without hosts (a wrong inventory) there is nothing to sum up.
    ...(state.hosts.size === 0 ? [] : prose('', sentence(state), look, 'bold')),
    ...(notAttempted.length === 0 ? [] : prose('not attempted: ', listed(notAttempted, 20), look)),
    ...(exitCode === 0 ? [] : prose(`exit ${String(exitCode)}: `, exitMeaning[exitCode], look)),
    // On one line whatever the width: it is there to be copied.
    ...(state.end?.retry === undefined ? [] : [[`retry: ${state.end.retry}`]]),
  ];
}

/** One sentence that says how the run went. */
export function sentence(state: RunState): string {
  const { hosts, resources, checks, ...by } = summaryOf(state);
  const took = duration(state.end?.ms ?? Math.max(0, state.lastAt - state.startedAt));
  const judged = checks.pass + checks.fail + checks.unknown;
  const parts = [
    ...(isReadOnly(state.mode) ? [] : [`${String(by.changed)} changed`]),
    ...(reportsDifference(state.mode) || by.pending > 0 ? [`${String(by.pending)} ${state.mode === 'drift' ? 'differing' : 'pending'}`] : []),
    `${String(by.unchanged)} ${isReadOnly(state.mode) ? 'in order' : 'unchanged'}`,
    ...(by.failed === 0 ? [] : [`${String(by.failed)} failed`]),
    ...(by.unreachable === 0 ? [] : [`${String(by.unreachable)} unreachable`]),
    ...(by.notAttempted === 0 ? [] : [`${String(by.notAttempted)} not attempted`]),
  ];
  const total = resources.converged + resources.changed + resources.pending + resources.unknown + resources.failed;
  const details = [...(total === 0 ? [] : [count(total, 'resource')]), ...(judged === 0 ? [] : [`${String(checks.pass)} of ${count(judged, 'check')} passed`])];
  const dry = !isReadOnly(state.mode) ? '' : state.mode === 'check' ? 'DRY RUN, nothing was changed. ' : 'Nothing was changed. ';
  return `${dry}${count(hosts, 'host')}: ${parts.join(', ')}${details.length === 0 ? '' : ` (${details.join(', ')})`} in ${took}`;
}
