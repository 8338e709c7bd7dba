/** Files of the controller that are sent to hosts. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail } from '../errors.mts';

export interface LocalFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Read once: a run sends what it compared. */
const read = new Map<string, LocalFile>();

/** `variable` names it in the failure: a relative path is one of the working directory. */
export function localFile(path: string, variable: string): LocalFile {
  const full = resolve(path);
  const known = read.get(full) ?? measured(full);
  if (known === undefined) return fail('usage', `${variable}: ${full} is no file that can be read`, { hint: 'it is a path on the machine that runs this' });
  read.set(full, known);
  return known;
}

function measured(path: string): LocalFile | undefined {
  try {
    const { size } = statSync(path);
    return { path, bytes: size, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') };
  } catch {
    return undefined;
  }
}
