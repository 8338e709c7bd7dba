/** `--events FILE`: every event as one line of JSON, written as it happens, so that a crash leaves a readable prefix. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { fail } from '../errors.mts';
import type { Reporter, RunEvent } from './events.mts';
import type { Writer } from './output.mts';
import { safeData } from './sanitize.mts';

/** Longest string of an event; contents of files are the long ones. */
const LONGEST_TEXT = 65_536;
const OURS = new Set(['kind', 'run', 'mode', 'host', 'hosts', 'role', 'roles', 'at', 'what', 'notAttempted']);

export const versionLine = '{"type":"version","schema":"1"}\n';

/** One line; readers ignore keys they do not know. */
export const eventLine = (event: RunEvent): string => `${JSON.stringify(safeData(event, LONGEST_TEXT, oursOf(event)))}\n`;

// `what` is an enum of `waiting` and free text of `stand-in`; a verdict's or outcome's `kind` is ours everywhere.
const OURS_OF_STAND_IN = new Set([...OURS].filter((key) => key !== 'what'));
const oursOf = (event: RunEvent): ReadonlySet<string> => (event.kind === 'stand-in' ? OURS_OF_STAND_IN : OURS);

/** Throws a `usage` failure when the file cannot be written; later faults are told to `warn` once and do not end the run. */
export function eventsFileReporter(path: string, warn: (text: string) => void): Reporter {
  let file: number | undefined = opened(path);
  const guarded = (work: (file: number) => void): void => {
    if (file === undefined) return;
    try {
      work(file);
    } catch (thrown) {
      file = undefined;
      warn(`events are no longer written to ${path}: ${messageOf(thrown)}`);
    }
  };
  guarded((open) => {
    writeAll(open, versionLine);
  });
  return {
    accept(event) {
      guarded((open) => {
        writeAll(open, eventLine(event));
        if (event.kind === 'host.end' || event.kind === 'run.end') synced(open);
      });
    },
    close() {
      guarded((open) => {
        closeSync(open);
      });
      file = undefined;
      return Promise.resolve();
    },
  };
}

function opened(path: string): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (thrown) {
    return fail('usage', `cannot write events to ${path}: ${messageOf(thrown)}`, {
      cause: thrown,
      hint: 'name a file in a directory that exists and is writable',
    });
  }
}

/** A write may be taken in part (a pipe that is nearly full). */
function writeAll(file: number, text: string): void {
  let rest = Buffer.from(text, 'utf8');
  while (rest.length > 0) rest = rest.subarray(writeSync(file, rest));
}

/** Pipes and devices have nothing to sync. */
function synced(file: number): void {
  try {
    fsyncSync(file);
  } catch (thrown) {
    if (!['EINVAL', 'ENOTSUP', 'EROFS'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown;
  }
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** `--events -` */
export function eventsReporter(writer: Writer): Reporter {
  writer.write(versionLine);
  return {
    accept(event) {
      writer.write(eventLine(event));
    },
    close: () => writer.flush(),
  };
}
