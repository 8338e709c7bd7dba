import { readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { inventoryJsonSchema } from '../lib/inventory/json-schema.mts';
import type { Contract } from '../lib/inventory/model.mts';
import { publishedSchemas } from '../lib/report/schemas.mts';

/** Every published schema by the path of its file in the repository. */
export async function schemaFiles(root: string): Promise<ReadonlyMap<string, object>> {
  return new Map([...publishedSchemas(), ['inventory/schema/inventory.schema.json', inventoryJsonSchema(await contractsBelow(join(root, 'roles')))]]);
}

/** The contracts that `roles/<role>/contract.mts` export, in the order of the roles' names. */
export async function contractsBelow(directory: string): Promise<readonly Contract<unknown>[]> {
  const files = (await readdir(directory))
    .sort()
    .map((role) => join(directory, role, 'contract.mts'))
    .filter((file) => existsSync(file));
  const modules = await Promise.all(files.map(async (file) => Object.values((await import(pathToFileURL(file).href)) as Record<string, unknown>)));
  return modules.flat().filter(isContract);
}

const isContract = (value: unknown): value is Contract<unknown> =>
  typeof value === 'object' && value !== null && 'role' in value && 'schema' in value && value.schema instanceof z.ZodObject;
