/**
 * The table of faults: each row is a test, and says what was done, what is expected and what was seen.
 *
 *     row(21, { fault: 'a host that is down', done: 'a port that nobody serves', expected: 'exit 3, the others are looked at' }, async () => { …; return seen; });
 *
 * A row has several cases where a fault has several forms; each is a line of its own. `npm run test:faults` prints the lines in their order.
 */
import { appendFileSync } from 'node:fs';

export interface Case {
  readonly fault: string;
  readonly done: string;
  readonly expected: string;
}

export interface Line extends Case {
  readonly row: number;
  readonly verdict: 'ok' | 'FAILED' | 'skipped';
  /** What was observed, the failed assertion, or why the case cannot be tried here. */
  readonly seen: string;
}

/** Thrown by a case that this machine cannot try: it is told in the table and counts as neither passed nor failed. */
export class CannotTry extends Error {}

/** Lines go to the file that the runner names; without one the rows are tests like others. */
function keep(line: Line): void {
  const file = process.env['FAULTS_LINES'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** A test whose answer is what it saw: an exit code and the line that tells, taken from the output. */
export function row(number: number, what: Case, run: () => Promise<string> | string): void {
  it(`${number.toString()}: ${what.fault}: ${what.done}`, async function () {
    try {
      keep({ row: number, ...what, verdict: 'ok', seen: await run() });
    } catch (error) {
      const seen = error instanceof Error ? error.message : String(error);
      keep({ row: number, ...what, verdict: error instanceof CannotTry ? 'skipped' : 'FAILED', seen });
      if (error instanceof CannotTry) this.skip();
      throw error;
    }
  });
}
