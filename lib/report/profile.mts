/**
 * `--profile`: where the time of a run went. Hosts go their own way, so phases overlap: a phase lasted while at least one host was in it, and
 * `of all hosts` adds up what each of them spent there.
 */
import type { HostName } from '../names.mts';
import type { Reporter, RunEvent } from './events.mts';
import { count, duration } from './format.mts';
import type { Clock, Writer } from './output.mts';
import { pad, paintAll, widest, type Line, type Look } from './style.mts';

export const PHASES = ['start-up', 'inventory', 'connect', 'ask', 'apply', 'verify', 'close', 'report'] as const;
export type Phase = (typeof PHASES)[number];
type HostPhase = 'connect' | 'ask' | 'apply' | 'verify';

/** Times are milliseconds since the epoch. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly host?: HostName;
  /** What took the time, where that has a name. */
  readonly what?: string;
}

/** What no event can tell, since there is none yet. */
export interface Beginning {
  /** When the process began. */
  readonly process: number;
  /** When it had been loaded and turned to the inventory. */
  readonly inventory: number;
  /** What the process has used so far. */
  usage(): { readonly cpuMs: number; readonly peakBytes: number };
}

export class Profile {
  readonly #spans: Readonly<Record<Phase, Span[]>> = { 'start-up': [], inventory: [], connect: [], ask: [], apply: [], verify: [], close: [], report: [] };
  /** What a host has begun and not ended. */
  readonly #open = new Map<HostName, { readonly phase: HostPhase; readonly since: number; readonly what?: string }>();
  readonly #beginning: Beginning;
  #started: number | undefined;
  #closing: number | undefined;
  #ended: number | undefined;

  constructor(beginning: Beginning) {
    this.#beginning = beginning;
  }

  note(event: RunEvent): void {
    const at = Date.parse(event.at);
    switch (event.kind) {
      case 'run.start':
        this.#add('start-up', { from: this.#beginning.process, to: this.#beginning.inventory });
        this.#add('inventory', { from: this.#beginning.inventory, to: at });
        this.#started = at;
        return;
      case 'stage.start':
        // Keys are read and the transport is loaded before the first.
        if (this.#started !== undefined) this.#add('start-up', { from: this.#started, to: at });
        this.#started = undefined;
        return;
      case 'host.connecting':
        this.#begin(event.host, 'connect', at);
        return;
      case 'host.asked': {
        // While a check is waited for, asking again is a part of it.
        if (this.#open.get(event.host)?.phase !== 'verify')
          this.#add('ask', { from: at - event.ms, to: at, host: event.host, what: count(event.questions, 'question') });
        return;
      }
      case 'step.start':
        this.#begin(event.host, 'apply', at, event.resource);
        return;
      case 'step.progress':
        return;
      case 'waiting':
        if (this.#open.get(event.host)?.what !== event.check) this.#begin(event.host, 'verify', at, event.check);
        return;
      case 'host.end':
        this.#end(event.host, at);
        this.#closing ??= at;
        return;
      case 'run.end':
        if (this.#closing !== undefined) this.#add('close', { from: this.#closing, to: at });
        this.#ended = at;
        return;
      default:
        if ('host' in event) this.#end(event.host, at);
    }
  }

  #begin(host: HostName, phase: HostPhase, since: number, what?: string): void {
    this.#end(host, since);
    this.#open.set(host, { phase, since, ...(what === undefined ? {} : { what }) });
  }

  #end(host: HostName, to: number): void {
    const open = this.#open.get(host);
    this.#open.delete(host);
    if (open !== undefined) this.#add(open.phase, { from: open.since, to, host, ...(open.what === undefined ? {} : { what: open.what }) });
  }

  #add(phase: Phase, span: Span): void {
    this.#spans[phase].push(span);
  }

  /** Called once, when everything else has been said. */
  finish(now: number): readonly Line[] {
    if (this.#ended !== undefined) this.#add('report', { from: this.#ended, to: now });
    const { cpuMs, peakBytes } = this.#beginning.usage();
    const whole = `${duration(now - this.#beginning.process)}, ${duration(cpuMs)} of it computing, ${String(Math.round(peakBytes / 1e6))} MB at most`;
    return [[], [['bold', 'PROFILE'], `  ${whole}`], ...PHASES.flatMap((phase) => this.#phaseLine(phase)), ...this.#hostLines()];
  }

  #phaseLine(phase: Phase): readonly Line[] {
    const spans = this.#spans[phase];
    if (spans.length === 0) return [];
    const line = `  ${pad(phase, 9)}  ${duration(together(spans)).padStart(7)}`;
    const [slowest] = this.#hostsIn(phase);
    if (slowest === undefined) return [[line]];
    const all = `${duration(sum(spans)).padStart(7)} of all hosts`;
    return [[`${line}  ${all}, slowest ${slowest.host} ${duration(slowest.ms)}${slowest.what === undefined ? '' : ` (${slowest.what})`}`]];
  }

  /** Hosts of a phase, slowest first, each with what took it longest there. */
  #hostsIn(phase: Phase): readonly { readonly host: HostName; readonly ms: number; readonly what?: string }[] {
    const byHost = Map.groupBy(this.#spans[phase], ({ host }) => host);
    return [...byHost]
      .flatMap(([host, spans]) => {
        const longest = spans.toSorted((one, other) => lengthOf(other) - lengthOf(one))[0];
        return host === undefined ? [] : [{ host, ms: sum(spans), ...(longest?.what === undefined ? {} : { what: longest.what }) }];
      })
      .sort((one, other) => other.ms - one.ms);
  }

  /** The hosts that took longest over all. */
  #hostLines(): readonly Line[] {
    const phases: readonly HostPhase[] = ['connect', 'ask', 'apply', 'verify'];
    const spent = new Map<HostName, { readonly phase: HostPhase; readonly ms: number }[]>();
    for (const phase of phases) for (const { host, ms } of this.#hostsIn(phase)) spent.set(host, [...(spent.get(host) ?? []), { phase, ms }]);
    const total = (parts: readonly { readonly ms: number }[]): number => parts.reduce((all, { ms }) => all + ms, 0);
    const slowest = [...spent].sort(([, one], [, other]) => total(other) - total(one)).slice(0, MOST_HOSTS);
    if (slowest.length === 0) return [];
    const width = widest(slowest.map(([host]) => host));
    const told = (parts: readonly { readonly phase: HostPhase; readonly ms: number }[]): string =>
      parts.map(({ phase, ms }) => `${phase} ${duration(ms)}`).join(', ');
    return [
      [['dim', '  slowest hosts']],
      ...slowest.map(([host, parts]): Line => [`  ${pad(host, width)}  ${duration(total(parts)).padStart(7)}  ${told(parts)}`]),
    ];
  }
}

const MOST_HOSTS = 5;

const lengthOf = ({ from, to }: Span): number => Math.max(0, to - from);
const sum = (spans: readonly Span[]): number => spans.reduce((all, span) => all + lengthOf(span), 0);

/** How long at least one of them lasted. */
function together(spans: readonly Span[]): number {
  let [ms, until] = [0, -Infinity];
  for (const { from, to } of spans.toSorted((one, other) => one.from - other.from)) {
    ms += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return ms;
}

/** To be closed after the reporters whose work it is to show as `report`. */
export function profileReporter(writer: Writer, beginning: Beginning, look: Look, clock: Clock): Reporter {
  const profile = new Profile(beginning);
  return {
    accept(event) {
      profile.note(event);
    },
    async close() {
      writer.write(paintAll(profile.finish(clock.now()), look));
      await writer.flush();
    },
  };
}
