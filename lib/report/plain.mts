/** Off a terminal: a line for every event that matters, a sign of life every 10 seconds, and no control characters. */
import type { Reporter, RunEvent } from './events.mts';
import { finalLines, type Told } from './finale.mts';
import { count, duration, elapsed, listed, progress } from './format.mts';
import { isReadOnly } from './outcome.mts';
import type { Clock, Writer } from './output.mts';
import { newRunState, record, type Activity, type RunState } from './run-state.mts';
import { pad, paintAll, symbol, widest, type Line, type Span, type Symbol } from './style.mts';

const HEARTBEAT_MS = 10_000;

/** The lines one event gives; `state` already holds it. */
export function plainLines(event: RunEvent, state: RunState, told: Told): readonly Line[] {
  const { look, verbosity } = told;
  const row = (mark: Symbol | undefined, host: string, role: string, ...what: Span[]): readonly Line[] => [
    [
      mark === undefined ? (look.unicode ? ' ' : '  ') : symbol(mark, look),
      ' ',
      pad(host, widest(state.hosts.keys())),
      '  ',
      pad(role, widest(state.roles)),
      role === '' && state.roles.length === 0 ? '' : '  ',
      ...what,
    ],
  ];
  const when = (level: number, lines: () => readonly Line[]): readonly Line[] => (verbosity >= level ? lines() : []);
  switch (event.kind) {
    case 'run.start':
      return when(0, () => [headerLine(state)]);
    case 'notice':
      return when(0, () => [[['dim', `note: ${event.text}`]]]);
    case 'stage.start':
      return when(1, () => [[['bold', `stage ${String(event.index + 1)}: ${event.roles.join(', ')} on ${count(event.hosts.length, 'host')}`]]]);
    case 'host.connected':
      return when(1, () => row(undefined, event.host, '', `connected in ${duration(event.ms)}`));
    case 'role.start':
      return when(2, () => row('running', event.host, event.role, 'checking'));
    case 'resource.verdict':
      switch (event.verdict.kind) {
        case 'converged':
          return when(2, () => row('ok', event.host, event.role, event.resource));
        case 'pending':
          return when(isReadOnly(state.mode) ? 0 : 2, () =>
            row('pending', event.host, event.role, `${state.mode === 'drift' ? 'differs' : 'would change'}: ${event.resource}`),
          );
        case 'changed':
          return when(0, () => row('changed', event.host, event.role, `changed: ${event.resource}`));
        case 'unknown': {
          const { because } = event.verdict;
          return when(1, () => row('unknown', event.host, event.role, `unknown: ${event.resource} (waits for ${because})`));
        }
        case 'failed':
          return row('failed', event.host, event.role, `failed: ${event.resource}: ${event.verdict.error.short}`);
      }
    case 'step.start':
      return when(1, () => row('running', event.host, event.role, event.resource));
    case 'step.end':
      if (!event.ok) return row('failed', event.host, event.role, `${event.resource} failed after ${duration(event.ms)}`);
      return when(event.ms >= HEARTBEAT_MS ? 0 : 1, () => row(undefined, event.host, event.role, `${event.resource} done in ${duration(event.ms)}`));
    case 'waiting':
      return when(event.attempt <= 1 ? 0 : 2, () =>
        row('running', event.host, event.role, `${state.hosts.get(event.host)?.activity?.what ?? event.check}: ${event.found}`),
      );
    case 'check.result':
      switch (event.outcome.kind) {
        case 'pass': {
          const { found } = event.outcome;
          return when(2, () => row('ok', event.host, event.role, `${event.check}: ${found}`));
        }
        case 'fail':
          return row('failed', event.host, event.role, `${event.check}: expected ${event.outcome.expected}, found ${event.outcome.found}`);
        case 'skipped':
        case 'unknown': {
          const { kind, because } = event.outcome;
          return when(kind === 'skipped' ? 1 : 0, () => row('unknown', event.host, event.role, `${event.check}: ${kind}, ${because}`));
        }
      }
    case 'role.end':
      if (event.verdict === 'converged') return when(1, () => row('ok', event.host, event.role, `in order (${duration(event.ms)})`));
      return event.verdict === 'changed' ? when(0, () => row('changed', event.host, event.role, `done (${duration(event.ms)})`)) : [];
    case 'role.failed':
      return row('failed', event.host, event.role, `failed: ${event.error.short}`);
    case 'host.failed':
      return row('failed', event.host, '', `${event.error.kind}: ${event.error.short}`);
    case 'host.end':
      return when(2, () =>
        row(
          undefined,
          event.host,
          '',
          `${count(event.roundTrips, 'round trip')}, ${progress(event.bytesSent)} sent, ${progress(event.bytesReceived)} received`,
        ),
      );
    case 'host.connecting':
    case 'step.progress':
    case 'diagnosis':
    case 'stand-in':
    case 'run.failed':
    case 'run.end':
      return [];
  }
}

export function headerLine(state: RunState): Line {
  const dry: Line = isReadOnly(state.mode) ? [['yellow', 'DRY RUN'], '  '] : [];
  return [
    ...dry,
    ['bold', `${state.mode} ${state.playbook}`],
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

export function plainReporter(writer: Writer, told: Told, clock: Clock): Reporter {
  const state = newRunState();
  const beats = new Map<string, () => void>();
  const print = (lines: readonly Line[]): void => {
    writer.write(paintAll(lines, told.look));
  };

  /** One timer a busy host, set anew whenever it turns to something else. */
  const watch = (host: string, activity: Activity | undefined): void => {
    beats.get(host)?.();
    beats.delete(host);
    if (activity === undefined || told.verbosity < 0) return;
    const beat = (): void => {
      const now = state.hosts.get(host as never)?.activity ?? activity;
      print([
        [
          symbol('running', told.look),
          ' ',
          pad(host, widest(state.hosts.keys())),
          '  ',
          pad(now.role ?? '', widest(state.roles)),
          '  ',
          activityText(now, clock.now()),
        ],
      ]);
      beats.set(host, clock.after(HEARTBEAT_MS, beat));
    };
    beats.set(host, clock.after(HEARTBEAT_MS, beat));
  };

  return {
    accept(event) {
      const before = 'host' in event ? state.hosts.get(event.host)?.activity : undefined;
      record(state, event);
      print(plainLines(event, state, told));
      if ('host' in event) {
        const after = state.hosts.get(event.host)?.activity;
        if (before?.what !== after?.what || before?.role !== after?.role) watch(event.host, after);
      }
    },
    async close() {
      for (const stop of beats.values()) stop();
      beats.clear();
      print(finalLines(state, told));
      await writer.flush();
    },
  };
}
