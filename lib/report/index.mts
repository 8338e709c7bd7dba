/** Which renderers a run has: chosen from the command line and from what the streams are. */
import type { Reporter, RunEvent } from './events.mts';
import { documentReporter } from './document.mts';
import type { Told, Verbosity } from './finale.mts';
import { eventsFileReporter, eventsReporter } from './jsonl.mts';
import { profileReporter, type Beginning } from './profile.mts';
import { systemClock, writerOf, type Clock, type Output } from './output.mts';
import { plainReporter } from './plain.mts';
import type { Look } from './style.mts';
import { terminalReporter } from './terminal.mts';

export type { Reporter, RunEvent } from './events.mts';
export type { Verbosity } from './finale.mts';
export type { Clock, Output } from './output.mts';
export type { Beginning } from './profile.mts';
export { exitCodeFor, exitMeaning, hostOutcome, outcomeOf, summaryOf, type HostOutcome, type Outcome, type Summary } from './outcome.mts';
export { newRunState, record, stateOf, type RunState } from './run-state.mts';

export interface ReportOptions {
  readonly diff: boolean;
  /** `-q` is -1, `-v` 1, `-vv` 2. */
  readonly verbosity: Verbosity;
  /** One document on stdout; people read stderr. */
  readonly json: boolean;
  /** A path, or `-` for stdout (not together with `json`: the command line refuses that). */
  readonly eventsFile?: string;
  /** Says where the time went, given when it began. */
  readonly profile?: Beginning;
  /** `false` for `--no-color`; otherwise the environment decides. */
  readonly color?: boolean;
  readonly stdout?: Output;
  readonly stderr?: Output;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

/** Everything the options ask for, as one reporter. Throws a `usage` failure when the events file cannot be opened. */
export function createReporters(options: ReportOptions): Reporter {
  const { json, eventsFile, stdout = process.stdout, stderr = process.stderr, env = process.env, clock = systemClock } = options;
  const people = json || eventsFile === '-' ? stderr : stdout;
  const told: Told = { look: lookOf(people, env, options.color), diff: options.diff, verbosity: options.verbosity };
  const reporters: Reporter[] = [];
  const warn = (text: string): void => {
    stderr.write(`warning: ${text}\n`);
  };
  if (eventsFile !== undefined) reporters.push(eventsFile === '-' ? eventsReporter(writerOf(stdout)) : eventsFileReporter(eventsFile, warn));
  reporters.push(isAnimated(people, env) ? terminalReporter(people, told, clock) : plainReporter(writerOf(people), told, clock));
  if (options.profile !== undefined) reporters.push(profileReporter(writerOf(people), options.profile, told.look, clock));
  if (json) reporters.push(documentReporter(writerOf(stdout)));
  return composite(reporters);
}

function composite(reporters: readonly Reporter[]): Reporter {
  return {
    accept(event: RunEvent) {
      for (const reporter of reporters) reporter.accept(event);
    },
    async close() {
      // In order: on one terminal the document follows the text.
      for (const reporter of reporters) await reporter.close();
    },
  };
}

type Environment = Readonly<Record<string, string | undefined>>;
const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

/** Redrawing needs a terminal that can; build servers keep logs, in which every redraw would stay. */
const isAnimated = (output: Output, env: Environment): boolean => output.isTTY === true && env['TERM'] !== 'dumb' && !isSet(env['CI']);

/** NO_COLOR and `--no-color` win; FORCE_COLOR colours pipes too; UTF-8 symbols only where the locale says so. */
export function lookOf(output: Output, env: Environment, color?: boolean): Look {
  const isForbidden = color === false || isSet(env['NO_COLOR']);
  const isForced = color === true || (isSet(env['FORCE_COLOR']) && env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false');
  const isAble = output.isTTY === true && env['TERM'] !== 'dumb';
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(isSet) ?? '';
  return {
    colour: !isForbidden && (isForced || isAble),
    unicode: /utf-?8/i.test(locale),
    ...(output.isTTY === true && output.columns !== undefined && output.columns > 0 ? { width: output.columns } : {}),
  };
}
