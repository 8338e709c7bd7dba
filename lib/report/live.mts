/** The part of a terminal that is drawn again and again: a line a host, or counts and what is busy where hosts outnumber lines. */
import { assertNever } from '../errors.mts';
import { count, duration, elapsed } from './format.mts';
import { hostOutcome, type HostOutcome } from './outcome.mts';
import { activityText, headerLine } from './plain.mts';
import { countsOf, symbolOf } from './recap.mts';
import type { HostState, RunState } from './run-state.mts';
import { fit, pad, symbol, widest, type Line, type Look } from './style.mts';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
}

/** Lines to show now, never more than the screen holds nor wider than it is. */
export function liveLines(state: RunState, screen: Screen, look: Look, now: number): readonly Line[] {
  const hosts = [...state.hosts.values()];
  const room = Math.max(1, screen.rows - 2);
  const width = widest(
    hosts.map((host) => host.name),
    Math.floor(screen.columns / 3),
  );
  const header: Line = [...headerLine(state), `  ${elapsed(now - state.startedAt)}`];
  const rows = hosts.length <= room ? hosts : foremost(hosts, room - 1);
  const counts = hosts.length <= room ? [] : [countLine(hosts, state)];
  return [header, ...counts, ...rows.map((host) => hostLine(host, state, width, look, now))]
    .slice(0, screen.rows - 1)
    .map((line) => fit(line, screen.columns - 1, look));
}

const isFailed = (host: HostState): boolean => host.error !== undefined || [...host.roles.values()].some((role) => role.error !== undefined);

/** Failed hosts before busy ones, each in inventory order; at least half of the lines are for busy ones. */
function foremost(hosts: readonly HostState[], room: number): readonly HostState[] {
  const busy = hosts.filter((host) => host.activity !== undefined && !isFailed(host));
  const failed = hosts.filter(isFailed).slice(0, Math.max(Math.ceil(room / 2), room - busy.length));
  return [...failed, ...busy.slice(0, Math.max(0, room - failed.length))];
}

function countLine(hosts: readonly HostState[], state: RunState): Line {
  const busy = hosts.filter((host) => host.activity !== undefined).length;
  const failed = hosts.filter(isFailed).length;
  const done = hosts.filter((host) => host.activity === undefined && host.endedAt !== undefined && !isFailed(host));
  const changed = done.filter((host) => ['changed', 'pending'].includes(hostOutcome(host, state))).length;
  return [
    `${String(done.length)}/${String(hosts.length)} done, ${String(changed)} ${state.mode === 'apply' ? 'changed' : 'differing'}, ${String(busy)} busy, `,
    failed === 0 ? '0 failed' : ['red', `${String(failed)} failed`],
  ];
}

function hostLine(host: HostState, state: RunState, width: number, look: Look, now: number): Line {
  const name = pad(host.name, width);
  const { activity } = host;
  if (activity !== undefined && !isFailed(host)) {
    return [
      symbol('running', look),
      ' ',
      name,
      '  ',
      ...(activity.role === undefined ? [] : [['bold', activity.role] as const, '  ']),
      activityText(activity, now),
    ];
  }
  if (host.startedAt === undefined) return [symbol('waiting', look), ' ', ['dim', name]];
  const outcome = hostOutcome(host, state);
  const took = host.endedAt === undefined ? '' : `  ${duration(host.endedAt - host.startedAt)}`;
  return [symbol(symbolOf(outcome), look), ' ', name, '  ', told(host, outcome), ['dim', took]];
}

function told(host: HostState, outcome: HostOutcome): string {
  const counts = countsOf(host, outcome);
  const failedRole = [...host.roles].find(([, role]) => role.error !== undefined);
  switch (outcome) {
    case 'converged':
      return counts.ok === 0 ? '' : `${String(counts.ok)} ok`;
    case 'changed':
      return `${count(counts.changed, 'change')}, ${String(counts.ok)} ok`;
    case 'pending':
      return `${String(counts.pending + counts.unknown)} pending, ${String(counts.ok)} ok`;
    case 'failed':
    case 'unreachable':
    case 'refused':
    case 'locked':
      return [failedRole?.[0], host.error?.short ?? failedRole?.[1].error?.short ?? outcome].filter((part) => part !== undefined).join('  ');
    case 'interrupted':
      return 'interrupted';
    case 'not-attempted':
      return host.skipped ?? 'not attempted';
    default:
      return assertNever(outcome);
  }
}
