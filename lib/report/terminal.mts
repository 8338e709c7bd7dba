/** On a terminal: the live part is redrawn in place at most 10 times a second; what was said once stays above it. */
import type { Reporter, RunEvent } from './events.mts';
import { finalLines, type Told } from './finale.mts';
import { liveLines } from './live.mts';
import { writerOf, type Clock, type Output } from './output.mts';
import { headerLine, heartbeats, plainLines } from './plain.mts';
import { newRunState, record } from './run-state.mts';
import { columnsOf, paint, paintAll, type Line } from './style.mts';

const REDRAW_MS = 100;
/** Elapsed times tick even when nothing happens. */
const TICK_MS = 1_000;
/** Below this a live line says too little: lines are printed as they come. */
export const NARROWEST = 60;

/** Codes of colour take no columns. */

const COLOUR = /\x1b\[\d+m/g;

export function terminalReporter(output: Output, told: Told, clock: Clock): Reporter {
  const state = newRunState();
  const writer = writerOf(output);
  /** Widths of the lines that stand on the screen: a narrower window has wrapped them. */
  let drawn: readonly number[] = [];
  let lastDraw = -Infinity;

  const columns = (): number => (output.columns === undefined || output.columns === 0 ? 80 : output.columns);
  const rows = (): number => (output.rows === undefined || output.rows === 0 ? 24 : output.rows);
  const isLive = (): boolean => columns() >= NARROWEST && told.verbosity >= 0;

  const erasure = (): string => {
    const height = drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns())), 0);
    drawn = [];
    return height === 0 ? '' : `\r\x1b[${String(Math.min(height, rows() - 1))}A\x1b[J`;
  };

  /** Lines that are to stay, written with the next redraw. */
  let above: Line[] = [];

  const draw = (): void => {
    const before = erasure() + paintAll(above, told.look);
    above = [];
    lastDraw = clock.now();
    if (!isLive() || state.hosts.size === 0) {
      writer.write(before);
      return;
    }
    const lines = liveLines(state, { columns: columns(), rows: rows() }, told.look, clock.now()).map((line) => paint(line, told.look));
    drawn = lines.map((line) => columnsOf(line.replace(COLOUR, '')));
    writer.write(before + lines.map((line) => `${line}\n`).join(''));
  };

  let isDue = false;
  let stopTimer = (): void => undefined;
  const schedule = (ms: number): void => {
    stopTimer();
    stopTimer = clock.after(ms, () => {
      isDue = false;
      draw();
      schedule(TICK_MS);
    });
  };
  const soon = (): void => {
    if (isDue) return;
    isDue = true;
    schedule(Math.max(0, lastDraw + REDRAW_MS - clock.now()));
  };

  const beats = heartbeats(state, told, clock, (lines) => {
    if (!isLive()) writer.write(paintAll(lines, told.look));
  });
  output.on('resize', soon);

  return {
    accept(event) {
      record(state, event);
      beats.note(event);
      if (isLive()) {
        if (isLasting(event, told.verbosity)) above.push(...plainLines(event, state, told));
        soon();
      } else {
        above.push(...plainLines(event, state, told));
        writer.write(erasure() + paintAll(above, told.look));
        above = [];
      }
    },
    async close() {
      stopTimer();
      beats.stop();
      output.off('resize', soon);
      // The live part goes, its first line stays: what was run, and whether it was a dry run.
      if (isLive() && state.run !== '') above.push(headerLine(state));
      writer.write(erasure() + paintAll([...above, ...finalLines(state, { ...told, look: { ...told.look, width: columns() } })], told.look));
      await writer.flush();
    },
  };
}

/** Whether an event leaves a line above the live part: what the live part shows anyway does not. */
const isLasting = (event: RunEvent, verbosity: number): boolean => event.kind !== 'run.start' && (event.kind === 'notice' || verbosity >= 1);
