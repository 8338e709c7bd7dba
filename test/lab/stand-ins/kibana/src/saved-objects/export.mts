/** The export of objects, with all that they refer to if asked: one a line, those that are referred to first. */
import { HttpError } from '../http.mts';
import { stable, type JsonObject } from '../json.mts';
import { isFailed, type Failed, type Key, type SavedObject, type Store } from './store.mts';

export interface ExportOptions {
  readonly types: readonly string[];
  readonly objects: readonly Key[];
  readonly search: string | undefined;
  readonly deep: boolean;
  readonly details: boolean;
  readonly limit: number;
}

const keyOf = ({ type, id }: Key): string => `${type}:${id}`;

export async function exportObjects(store: Store, options: ExportOptions): Promise<string> {
  const roots = await rootsOf(store, options);
  const { found, missing } = options.deep ? await withReferences(store, roots) : { found: roots, missing: [] };
  const lines: JsonObject[] = ordered(found).map(({ namespaces: _namespaces, ...rest }) => rest);
  if (options.details)
    lines.push({ exportedCount: found.length, missingRefCount: missing.length, missingReferences: missing.map(({ type, id }) => ({ type, id })) });
  return lines.map((line) => stable(line)).join('\n');
}

async function rootsOf(store: Store, { types, objects, search, limit }: ExportOptions): Promise<readonly SavedObject[]> {
  if (types.length > 0 && objects.length > 0) throw new HttpError(400, `Can't specify both "types" and "objects" properties when exporting`);
  if (objects.length > 0) {
    if (search !== undefined) throw new HttpError(400, `Can't specify both "search" and "objects" properties when exporting`);
    const found = await store.bulkGet(objects);
    const failed = found.filter(isFailed);
    if (failed.length > 0) throw new HttpError(400, 'Bad Request', { objects: failed });
    return found.filter((one): one is SavedObject => !isFailed(one));
  }
  if (types.length === 0) throw new HttpError(400, 'Either `type` or `objects` are required.');
  const { total, saved_objects: found } = await store.find({ types, search, page: 1, perPage: limit });
  if (Number(total) > limit) throw new HttpError(400, `Can't export more than ${String(limit)} objects`);
  return (found as readonly (SavedObject & { score?: number })[])
    .map(({ score: _score, ...rest }) => rest as SavedObject)
    .sort((a, b) => (a.id > b.id ? 1 : -1));
}

async function withReferences(
  store: Store,
  roots: readonly SavedObject[],
): Promise<{ readonly found: readonly SavedObject[]; readonly missing: readonly Failed[] }> {
  const found = new Map<string, SavedObject>(roots.map((one) => [keyOf(one), one]));
  const missing = new Map<string, Failed>();
  for (;;) {
    const next = new Map<string, Key>();
    for (const { references } of found.values())
      for (const { type, id } of references as readonly unknown[] as readonly Key[]) {
        const key = keyOf({ type, id });
        if (!found.has(key) && !missing.has(key)) next.set(key, { type, id });
      }
    if (next.size === 0) return { found: [...found.values()], missing: [...missing.values()] };
    for (const one of await store.bulkGet([...next.values()])) {
      if (isFailed(one)) missing.set(keyOf(one), one);
      else found.set(keyOf(one), one);
    }
  }
}

/** What is referred to comes before what refers to it. */
function ordered(found: readonly SavedObject[]): readonly SavedObject[] {
  const byKey = new Map(found.map((one) => [keyOf(one), one]));
  const done = new Set<SavedObject>();
  const visit = (one: SavedObject, path: readonly SavedObject[]): void => {
    if (done.has(one) || path.includes(one)) return;
    for (const reference of one.references as readonly unknown[] as readonly Key[]) {
      const other = byKey.get(keyOf(reference));
      if (other !== undefined) visit(other, [...path, one]);
    }
    done.add(one);
  };
  for (const one of found) visit(one, []);
  return [...done];
}
