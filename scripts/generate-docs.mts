/** Brings the generated parts of the READMEs up to date: `npm run docs` after a change of a contract, an option, the tutorial's table or the example role. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PAGES, withGenerated } from './readme.mts';

const root = join(import.meta.dirname, '..');
for (const page of PAGES) {
  const file = join(root, page);
  await writeFile(file, await withGenerated(page, await readFile(file, 'utf8'), root));
}
