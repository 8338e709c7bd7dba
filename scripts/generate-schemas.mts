/** Writes the JSON Schemas that the repository publishes: `npm run schema` after a change of a contract, an event or the report. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { schemaFiles } from './schema-files.mts';

const root = join(import.meta.dirname, '..');
for (const [file, schema] of await schemaFiles(root)) {
  const path = join(root, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(schema, null, 2)}\n`);
}
