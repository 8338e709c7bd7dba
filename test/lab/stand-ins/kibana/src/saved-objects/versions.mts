/** Whether an object is of a version that this Kibana can know. Older ones are stamped as current, not rewritten. */
import { HttpError } from '../http.mts';
import type { JsonObject } from '../json.mts';
import { typeOf } from './types.mts';

export type MigrationVersion = Readonly<Record<string, string>>;

export interface Versioned {
  readonly id: string | undefined;
  readonly type: string;
  /** Nothing: whoever wrote it made it for this version. */
  readonly migrationVersion: MigrationVersion | undefined;
}

/** What the object is stored with. Throws 422 for one of a newer Kibana, as 7.10 does. */
export function currentVersion({ id, type, migrationVersion = {} }: Versioned): JsonObject | undefined {
  // Every property that an object can have beside its type's own.
  for (const property of ['id', 'attributes', 'references', 'type', type]) {
    const has = migrationVersion[property];
    const latest = typeOf(property)?.latest;
    if (has !== undefined && (latest === undefined || isNewer(has, latest))) {
      const said = `which belongs to a more recent version of Kibana [${has}]. The last known version is [${String(latest)}]`;
      throw new HttpError(422, `Document "${String(id)}" has property "${property}" ${said}`);
    }
  }
  const latest = typeOf(type)?.latest;
  const stamped = { ...migrationVersion, ...(latest === undefined ? {} : { [type]: latest }) };
  return Object.keys(stamped).length === 0 ? undefined : stamped;
}

export function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('-')[0]?.split('.').map(Number) ?? []);
  for (let i = 0; i < 3; i += 1) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
