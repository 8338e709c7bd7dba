/** Figures as people read them. */

/** `950 ms`, `4.2s`, `1m04s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${String(Math.round(ms))} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)}s`;
  return elapsed(ms);
}

/** Whole seconds, for figures that tick: `4s`, `1m04s`, `2h05m`. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${String(seconds)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${String(minutes)}m${String(seconds % 60).padStart(2, '0')}s`;
  return `${String(Math.floor(minutes / 60))}h${String(minutes % 60).padStart(2, '0')}m`;
}

const UNITS = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const;

/** `12.3/31.0 MB` of a known total, `12.3 MB` of an unknown one; bytes. */
export function progress(done: number, total?: number): string {
  const largest = Math.max(done, total ?? 0);
  const [unit, size] = UNITS.find(([, bytes]) => largest >= bytes) ?? (['B', 1] as const);
  const shown = (bytes: number): string => (size === 1 ? String(Math.round(bytes)) : (bytes / size).toFixed(1));
  return total === undefined ? `${shown(done)} ${unit}` : `${shown(done)}/${shown(total)} ${unit}`;
}

export const count = (number: number, noun: string, plural = `${noun}s`): string => `${String(number)} ${number === 1 ? noun : plural}`;

/** `a, b, c + 4 more` */
export const listed = (names: readonly string[], most = 6): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} + ${String(names.length - most)} more`;
