/** The import of a file of objects: what is refused, what is in conflict, what was made. */
import { randomUUID } from 'node:crypto';
import { HttpError } from '../http.mts';
import { asText, at, isObject, object, objects, string, type Json, type JsonObject } from '../json.mts';
import { isFailed, type Key, type NewObject, type Reference, type Store } from './store.mts';
import { isPortable, typeOf } from './types.mts';
import type { MigrationVersion } from './versions.mts';

/** How one object of an earlier, failed import is to be treated. */
export interface Retry extends Key {
  readonly overwrite: boolean;
  readonly destinationId: string | undefined;
  readonly createNewCopy: boolean;
  readonly ignoreMissingReferences: boolean;
  readonly replaceReferences: readonly { readonly type: string; readonly from: string; readonly to: string }[];
}

export interface ImportOptions {
  readonly overwrite: boolean;
  readonly createNewCopies: boolean;
  readonly limit: number;
  /** Only these objects are imported. */
  readonly retries?: readonly Retry[];
}

interface Given extends Key {
  readonly attributes: JsonObject;
  readonly references: readonly Reference[];
  readonly migrationVersion: MigrationVersion;
  readonly originId: string | undefined;
}

interface Failure extends Key {
  readonly title: string | undefined;
  readonly error: JsonObject;
}

const keyOf = ({ type, id }: Key): string => `${type}:${id}`;

export async function importObjects(store: Store, text: string, options: ImportOptions): Promise<JsonObject> {
  const retries = options.retries === undefined ? undefined : new Map(options.retries.map((retry) => [keyOf(retry), retry]));
  const { given, failures: unsupported } = collect(text, options.limit, retries);
  const missing = await missingReferences(store, given, retries);
  const { failures: conflicts, overwritten } = options.createNewCopies
    ? { failures: [], overwritten: new Set<string>() }
    : await conflictsOf(store, given, options, retries);
  const before = [...unsupported, ...missing, ...conflicts];
  const { created, failures: refused } = await create(store, given, before, options, retries);
  const failures = [...before, ...refused];
  const successes = created.map(({ type, id, title, destinationId }) => ({
    type,
    id,
    meta: meta(type, title),
    ...(overwritten.has(keyOf({ type, id })) ? { overwrite: true } : {}),
    ...(destinationId === undefined ? {} : { destinationId }),
    ...(retries?.get(keyOf({ type, id }))?.createNewCopy === true ? { createNewCopy: true } : {}),
  }));
  return {
    success: failures.length === 0,
    successCount: successes.length,
    ...(successes.length === 0 ? {} : { successResults: successes }),
    ...(failures.length === 0
      ? {}
      : {
          errors: failures.map(({ type, id, title, error }) => ({
            id,
            type,
            title,
            meta: meta(type, title),
            error,
            ...(overwritten.has(keyOf({ type, id })) ? { overwrite: true } : {}),
          })),
        }),
  };
}

const meta = (type: string, title: string | undefined): JsonObject => ({ title, icon: typeOf(type)?.icon });

/** One object a line; the line that an export ends with is none. */
function collect(
  text: string,
  limit: number,
  retries: ReadonlyMap<string, Retry> | undefined,
): { readonly given: readonly Given[]; readonly failures: readonly Failure[] } {
  const all = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLine)
    .filter((one) => at(one, 'exportedCount') === undefined)
    .map(asGiven);
  if (all.length > limit) throw new HttpError(400, `Can't import more than ${String(limit)} objects: Bad Request`);
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const key of all.map(keyOf)) (seen.has(key) ? twice : seen).add(key);
  if (twice.size > 0) throw new HttpError(400, `Non-unique import objects detected: [${[...twice].join()}]: Bad Request`);
  const failures = all
    .filter(({ type }) => !isPortable(type))
    .map(({ type, id, attributes }) => ({ type, id, title: titleOf(attributes), error: { type: 'unsupported_type' } }));
  return { given: all.filter((one) => isPortable(one.type) && (retries === undefined || retries.has(keyOf(one)))), failures };
}

function parseLine(line: string): Json {
  try {
    return JSON.parse(line) as Json;
  } catch (error) {
    throw new HttpError(400, error instanceof Error ? error.message : String(error));
  }
}

function asGiven(one: Json): Given {
  const [type, id, attributes] = [string(at(one, 'type')), string(at(one, 'id')), at(one, 'attributes')];
  // 7.10 stumbles over such a line with an error of its own.
  if (type === undefined || id === undefined || !isObject(attributes))
    throw new Error(`Cannot read property 'title' of undefined: ${JSON.stringify(one).slice(0, 120)}`);
  return {
    type,
    id,
    attributes,
    references: referencesOf(at(one, 'references')),
    migrationVersion: versionsOf(at(one, 'migrationVersion')) ?? {},
    originId: string(at(one, 'originId')),
  };
}

export const referencesOf = (value: Json | undefined): readonly Reference[] =>
  objects(value).map(({ name, type, id }) => ({ name: string(name) ?? '', type: string(type) ?? '', id: string(id) ?? '' }));

export const versionsOf = (value: Json | undefined): MigrationVersion | undefined =>
  isObject(value) ? Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (typeof one === 'string' ? [[key, one]] : []))) : undefined;

const titleOf = (attributes: JsonObject): string | undefined => string(attributes['title']);

/** Only index patterns and searches must exist. */
const MUST_EXIST: readonly string[] = ['index-pattern', 'search'];

async function missingReferences(store: Store, given: readonly Given[], retries: ReadonlyMap<string, Retry> | undefined): Promise<readonly Failure[]> {
  const own = new Set(given.map(keyOf));
  const wanted = new Map<string, Key>();
  const needed = (one: Given): readonly Key[] => {
    const retry = retries?.get(keyOf(one));
    if (retry?.ignoreMissingReferences === true) return [];
    return replaced(one.references, retry).filter((reference) => MUST_EXIST.includes(reference.type) && !own.has(keyOf(reference)));
  };
  for (const one of given) for (const { type, id } of needed(one)) wanted.set(keyOf({ type, id }), { type, id });
  if (wanted.size === 0) return [];
  const absent = new Set((await store.bulkGet([...wanted.values()])).filter(isFailed).map(keyOf));
  return given.flatMap((one) => {
    const missing = needed(one).filter((reference) => absent.has(keyOf(reference)));
    if (missing.length === 0) return [];
    const references = missing.map(({ type, id }) => ({ type, id }));
    return [{ type: one.type, id: one.id, title: titleOf(one.attributes), error: { type: 'missing_references', references } }];
  });
}

const replaced = (references: readonly Reference[], retry: Retry | undefined): readonly Reference[] =>
  references.map((reference) => {
    const to = retry?.replaceReferences.find(({ type, from }) => type === reference.type && from === reference.id)?.to;
    return to === undefined ? reference : { ...reference, id: to };
  });

async function conflictsOf(store: Store, given: readonly Given[], { overwrite }: ImportOptions, retries: ReadonlyMap<string, Retry> | undefined) {
  const destined = (one: Given): Key => ({ type: one.type, id: retries?.get(keyOf(one))?.destinationId ?? one.id });
  const existing = new Set((await store.bulkGet(given.map(destined))).filter((one) => !isFailed(one)).map(keyOf));
  const found = given.filter((one) => existing.has(keyOf(destined(one))));
  const replaces = (one: Given): boolean => overwrite || retries?.get(keyOf(one))?.overwrite === true;
  return {
    failures: found.filter((one) => !replaces(one)).map(({ type, id, attributes }) => ({ type, id, title: titleOf(attributes), error: { type: 'conflict' } })),
    overwritten: new Set(found.filter(replaces).map(keyOf)),
  };
}

interface Created extends Key {
  readonly title: string | undefined;
  readonly destinationId: string | undefined;
}

/** With an error that a person can resolve nothing is written; what could be made is told all the same. */
async function create(
  store: Store,
  given: readonly Given[],
  before: readonly Failure[],
  { overwrite, createNewCopies }: ImportOptions,
  retries: ReadonlyMap<string, Retry> | undefined,
): Promise<{ readonly created: readonly Created[]; readonly failures: readonly Failure[] }> {
  const without = new Set(before.map(keyOf));
  const rest = given.filter((one) => !without.has(keyOf(one)));
  const ids = new Map(rest.map((one) => [keyOf(one), createNewCopies ? randomUUID() : (retries?.get(keyOf(one))?.destinationId ?? one.id)]));
  const isResolvable = before.some(({ error }) => ['conflict', 'missing_references'].includes(asText(error['type'])));
  const made = (one: Given): Created => {
    const id = ids.get(keyOf(one)) ?? one.id;
    return { type: one.type, id: one.id, title: titleOf(one.attributes), destinationId: id === one.id ? undefined : id };
  };
  if (isResolvable || rest.length === 0) return { created: rest.map(made), failures: [] };
  const objectsToMake = rest.map((one): NewObject => {
    const id = ids.get(keyOf(one)) ?? one.id;
    return {
      type: one.type,
      id,
      attributes: one.attributes,
      migrationVersion: one.migrationVersion,
      originId: id === one.id || createNewCopies ? one.originId : (one.originId ?? one.id),
      references: replaced(one.references, retries?.get(keyOf(one))).map((reference) => ({ ...reference, id: ids.get(keyOf(reference)) ?? reference.id })),
    };
  });
  const results = await store.bulkCreate(objectsToMake, overwrite || retries !== undefined);
  const pairs = rest.map((one, i) => ({ one, result: results[i] }));
  return {
    created: pairs.filter(({ result }) => result !== undefined && !isFailed(result)).map(({ one }) => made(one)),
    failures: pairs.flatMap(({ one, result }) => {
      if (result === undefined || !isFailed(result)) return [];
      const error = result.error['statusCode'] === 409 ? { type: 'conflict' } : { ...object(result.error), type: 'unknown' };
      return [{ type: one.type, id: one.id, title: titleOf(one.attributes), error }];
    }),
  };
}
