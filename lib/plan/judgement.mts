/** The two ends of a judgement. */
import type { Judgement } from './model.mts';

export const pass = (found: string): Judgement => ({ kind: 'pass', found });

/** `final`: asking again cannot help. */
export const wrong = (expected: string, found: string, hint: string, final?: true): Judgement => ({
  kind: 'fail',
  expected,
  found,
  hint,
  ...(final === undefined ? {} : { final }),
});
