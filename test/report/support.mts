import type { HostName, ResourceId, RoleName } from '../../lib/names.mts';
import type { EventBody, Reporter, RunEvent } from '../../lib/report/events.mts';
import type { Clock, Output } from '../../lib/report/output.mts';

/** 2026-01-05 03:00:00 UTC: where recorded runs begin. */
export const START = Date.UTC(2026, 0, 5, 3);

/** Bodies as they are recorded: names are plain strings, `after` is the milliseconds since the event before. */
export type Recorded = Plain<EventBody> & { readonly after?: number };
type Plain<T> = T extends HostName | RoleName | ResourceId ? string : T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;

/** Stamps bodies as the engine does: 10 ms between two events unless said otherwise. */
export function stamped(bodies: readonly Recorded[]): readonly RunEvent[] {
  let at = START;
  return bodies.map(({ after = 10, ...body }, index) => {
    at += index === 0 ? 0 : after;
    return { seq: index + 1, at: new Date(at).toISOString(), ...body } as RunEvent;
  });
}

export class FakeOutput implements Output {
  text = '';
  writes = 0;
  isTTY: boolean;
  columns: number;
  rows: number;
  readonly #listeners = new Map<string, Set<() => void>>();
  constructor({ isTTY = false, columns = 80, rows = 24 }: { isTTY?: boolean; columns?: number; rows?: number } = {}) {
    this.isTTY = isTTY;
    this.columns = columns;
    this.rows = rows;
  }
  write(text: string, done?: (error?: Error | null) => void): boolean {
    if (text !== '') this.writes += 1;
    this.text += text;
    done?.();
    return true;
  }
  on(event: string, listener: () => void): this {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
    return this;
  }
  off(event: string, listener: () => void): this {
    this.#listeners.get(event)?.delete(listener);
    return this;
  }
  emit(event: string): void {
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }
  listeners(event: string): number {
    return this.#listeners.get(event)?.size ?? 0;
  }
}

/** Time that passes only when told to. */
export class FakeClock implements Clock {
  #now = START;
  #timers: { readonly due: number; readonly action: () => void }[] = [];
  now(): number {
    return this.#now;
  }
  after(ms: number, action: () => void): () => void {
    const timer = { due: this.#now + ms, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ due }) => due <= until).sort((one, other) => one.due - other.due)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.due);
      next.action();
    }
    this.#now = until;
  }
  get pending(): number {
    return this.#timers.length;
  }
}

/** Plays events to a reporter at the times they carry, and ends it. */
export async function play(reporter: Reporter, events: readonly RunEvent[], clock?: FakeClock): Promise<void> {
  for (const event of events) {
    clock?.advance(Math.max(0, Date.parse(event.at) - clock.now()));
    reporter.accept(event);
  }
  await reporter.close();
}

/** What stands on a terminal's screen and in its scrollback after `text`: understands only what the renderer may use. */
export function screenOf(text: string): readonly string[] {
  const lines: string[] = [''];
  let row = 0;

  for (const part of text.split(/(\x1b\[\d*[A-Za-z]|\r|\n)/)) {
    if (part === '\n') {
      row += 1;
      lines[row] ??= '';
    } else if (part === '\r' || part === '' || part.endsWith('m')) continue;
    else if (part === '\x1b[J') lines.splice(row, Infinity, '');
    else if (part.startsWith('\x1b[') && part.endsWith('A')) row = Math.max(0, row - Number(part.slice(2, -1)));
    else lines[row] = part;
  }
  return lines;
}
