/** Everything that is told when a run is over, in the order in which it is read: most important last. */
import { changeLines } from './changes.mts';
import { failureLines } from './failures.mts';
import { recapLines } from './recap.mts';
import type { RunState } from './run-state.mts';
import type { Line, Look } from './style.mts';

/** -1 failures and recap only, 0 what changed, 1 also what is in order, 2 everything. */
export type Verbosity = -1 | 0 | 1 | 2;

export interface Told {
  readonly look: Look;
  readonly diff: boolean;
  readonly verbosity: Verbosity;
}

export function finalLines(state: RunState, { look, diff, verbosity }: Told): readonly Line[] {
  const quiet = verbosity < 0;
  // Asked for by name, a diff is shown even where the rest is quiet.
  return [...(quiet && !diff ? [] : changeLines(state, look, diff)), ...failureLines(state, look), ...recapLines(state, look, quiet)];
}
