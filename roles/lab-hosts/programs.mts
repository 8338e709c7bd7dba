import { join } from 'node:path';
import { labDirectory } from '../../lib/index.mts';

type Program = 'lab-archive' | 'lab-host' | 'lab-image' | 'lab-preflight';
type Argv = readonly [string, ...string[]];

/** One of the lab's programs on this lab. They are POSIX sh, and become root themselves where they must. */
export const program = (name: Program, ...words: readonly string[]): Argv => ['sh', join(import.meta.dirname, 'bin', `${name}.sh`), labDirectory(), ...words];
