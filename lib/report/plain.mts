/** Off a terminal: a line for every event that matters, a sign of life every 10 seconds, and no control characters. */
import type { HostName } from '../names.mts';
import type { Reporter, RunEvent } from './events.mts';
import { finalLines, type Told } from './finale.mts';
import { count, duration, elapsed, listed, progress } from './format.mts';
import { isReadOnly } from './outcome.mts';
import type { Clock, Writer } from './output.mts';
import { newRunState, record, type Activity, type RunState } from './run-state.mts';
import { pad, paintAll, symbol, widest, type Line, type Span, type Symbol } from './style.mts';

const HEARTBEAT_MS = 10_000;

/** Host and role in columns, so that the eye finds one host's lines. */
function row(state: RunState, { look }: Told, mark: Symbol | undefined, host: string, role: string, ...what: Span[]): Line {
  const roles = widest(state.roles);
  const sign = mark === undefined ? (look.unicode ? ' ' : '  ') : symbol(mark, look);
  return [sign, ' ', pad(host, widest(state.hosts.keys())), '  ', pad(role, roles), roles === 0 ? '' : '  ', ...what];
}

/** The lines one event gives; `state` already holds it. */
export function plainLines(event: RunEvent, state: RunState, told: Told): readonly Line[] {
  const { verbosity } = told;
  const line = (mark: Symbol | undefined, host: string, role: string, ...what: Span[]): readonly Line[] => [row(state, told, mark, host, role, ...what)];
  const when = (level: number, lines: () => readonly Line[]): readonly Line[] => (verbosity >= level ? lines() : []);
  switch (event.kind) {
    case 'run.start':
      return when(0, () => [headerLine(state)]);
    case 'notice':
      return when(0, () => [[['dim', `note: ${event.text}`]]]);
    case 'stage.start':
      return when(1, () => [[['bold', `stage ${String(event.index + 1)}: ${event.roles.join(', ')} on ${count(event.hosts.length, 'host')}`]]]);
    case 'host.waiting':
      return when(event.attempt <= 1 ? 0 : 2, () => line('running', event.host, '', `new, waiting for ssh: ${event.found}`));
    case 'host.connected':
      return when(1, () => line(undefined, event.host, '', `connected in ${duration(event.ms)}`));
    case 'role.start':
      return when(2, () => line('running', event.host, event.role, 'checking'));
    case 'resource.verdict':
      switch (event.verdict.kind) {
        case 'converged':
          return when(2, () => line('ok', event.host, event.role, event.resource));
        case 'pending':
          return when(isReadOnly(state.mode) ? 0 : 2, () =>
            line('pending', event.host, event.role, `${state.mode === 'drift' ? 'differs' : 'would change'}: ${event.resource}`),
          );
        case 'changed':
          return when(0, () => line('changed', event.host, event.role, `changed: ${event.resource}`));
        case 'unknown': {
          const { because } = event.verdict;
          return when(1, () => line('unknown', event.host, event.role, `unknown: ${event.resource} (waits for ${because})`));
        }
        case 'failed':
          return line('failed', event.host, event.role, `failed: ${event.verdict.error.short}`);
      }
    case 'step.start':
      return when(1, () => line('running', event.host, event.role, event.resource));
    case 'step.end':
      // Why it failed comes with `role.failed`.
      if (!event.ok) return verbosity < 1 ? [] : line('failed', event.host, event.role, `${event.resource} failed after ${duration(event.ms)}`);
      return when(event.ms >= HEARTBEAT_MS ? 0 : 1, () => line(undefined, event.host, event.role, `${event.resource} done in ${duration(event.ms)}`));
    case 'waiting':
      return when(event.attempt <= 1 ? 0 : 2, () =>
        line('running', event.host, event.role, `${state.hosts.get(event.host)?.activity?.what ?? event.check}: ${event.found}`),
      );
    case 'check.result':
      switch (event.outcome.kind) {
        case 'pass': {
          const { found } = event.outcome;
          return when(2, () => line('ok', event.host, event.role, `${event.check}: ${found}`));
        }
        case 'fail':
          return line('failed', event.host, event.role, `${event.check}: expected ${event.outcome.expected}, found ${event.outcome.found}`);
        case 'skipped':
        case 'unknown': {
          const { kind, because } = event.outcome;
          return when(kind === 'skipped' ? 1 : 0, () => line('unknown', event.host, event.role, `${event.check}: ${kind}, ${because}`));
        }
      }
    case 'role.end':
      if (event.verdict === 'converged') return when(1, () => line('ok', event.host, event.role, `in order (${duration(event.ms)})`));
      return event.verdict === 'changed' ? when(0, () => line('changed', event.host, event.role, `done (${duration(event.ms)})`)) : [];
    case 'role.failed': {
      // Of a failed check its result has just been told.
      const checks = [...(state.hosts.get(event.host)?.roles.get(event.role)?.checks.values() ?? [])];
      if (event.error.kind === 'check-failed' && checks.some(({ kind }) => kind === 'fail')) return [];
      return line('failed', event.host, event.role, `failed: ${event.error.short}`);
    }
    case 'host.failed':
      return line('failed', event.host, '', `${event.error.kind}: ${event.error.short}`);
    case 'host.skipped':
      return when(0, () => line('waiting', event.host, '', event.because));
    case 'host.end':
      return when(2, () =>
        line(
          undefined,
          event.host,
          '',
          `${count(event.roundTrips, 'round trip')}, ${progress(event.bytesSent)} sent, ${progress(event.bytesReceived)} received`,
        ),
      );
    case 'host.connecting':
    case 'host.asked':
    case 'step.progress':
    case 'diagnosis':
    case 'stand-in':
    case 'run.failed':
    case 'run.end':
      return [];
  }
}

export function headerLine(state: RunState): Line {
  const dry: Line = state.mode === 'check' ? [['yellow', 'DRY RUN'], '  '] : [];
  const title = state.playbook === state.mode ? state.mode : `${state.mode} ${state.playbook}`;
  return [
    ...dry,
    ['bold', title],
    `  ${listed(state.inventory, 3)}  ${count(state.hosts.size, 'host')}`,
    isReadOnly(state.mode) ? '  (nothing will be changed)' : '',
  ];
}

/** `archive /opt/x 12.3/31.0 MB 40s` */
export function activityText(activity: Activity, now: number): string {
  const amount = activity.done === undefined ? [] : [progress(activity.done, activity.total)];
  const found = activity.found === undefined || activity.found === '' ? [] : [`(${activity.found})`];
  return [activity.what, ...amount, elapsed(now - activity.since), ...found].join(' ');
}

interface Heartbeats {
  /** To be told after every event. */
  note(event: RunEvent): void;
  stop(): void;
}

/** A line every 10 seconds for a host that is busy with one thing; one timer a busy host, set anew whenever it turns to something else. */
export function heartbeats(state: RunState, told: Told, clock: Clock, print: (lines: readonly Line[]) => void): Heartbeats {
  const beating = new Map<HostName, { readonly of: string; readonly cancel: () => void }>();
  const beat = (host: HostName, of: string): void => {
    const cancel = clock.after(HEARTBEAT_MS, () => {
      const activity = state.hosts.get(host)?.activity;
      if (activity !== undefined) print([row(state, told, 'running', host, activity.role ?? '', activityText(activity, clock.now()))]);
      beat(host, of);
    });
    beating.set(host, { of, cancel });
  };
  return {
    note(event) {
      if (!('host' in event) || told.verbosity < 0) return;
      const activity = state.hosts.get(event.host)?.activity;
      const of = activity === undefined ? undefined : `${activity.role ?? ''} ${activity.what}`;
      const known = beating.get(event.host);
      if (known?.of === of) return;
      known?.cancel();
      beating.delete(event.host);
      if (of !== undefined) beat(event.host, of);
    },
    stop() {
      for (const { cancel } of beating.values()) cancel();
      beating.clear();
    },
  };
}

export function plainReporter(writer: Writer, told: Told, clock: Clock): Reporter {
  const state = newRunState();
  const print = (lines: readonly Line[]): void => {
    writer.write(paintAll(lines, told.look));
  };
  const beats = heartbeats(state, told, clock, print);
  return {
    accept(event) {
      record(state, event);
      print(plainLines(event, state, told));
      beats.note(event);
    },
    async close() {
      beats.stop();
      print(finalLines(state, told));
      await writer.flush();
    },
  };
}
