/** Brings the generated parts of README.md up to date: `npm run docs` after a change of a contract, an option or the example role. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withGenerated } from './readme.mts';

const root = join(import.meta.dirname, '..');
const file = join(root, 'README.md');
await writeFile(file, await withGenerated(await readFile(file, 'utf8'), root));
