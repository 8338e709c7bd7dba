/** Reading JSON that somebody else wrote: whatever is missing or of another type reads as nothing. */

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
export const object = (value: unknown): JsonObject => (isObject(value) ? value : {});
export const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
export const objects = (value: unknown): readonly JsonObject[] => list(value).filter(isObject);
export const string = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
/** As a key or a label: text as it is, everything else as JSON. */
export const asText = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
export const number = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

export function at(value: unknown, ...path: readonly (string | number)[]): Json | undefined {
  let found: unknown = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found as Json | undefined;
}

/** Saved objects keep much of what they say as JSON within a string. */
export function parsed(text: unknown): Json | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** With the keys of every object in order, as exports are written. */
export function stable(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((one) => stable(one)).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}:${stable(one)}`)
    .join(',')}}`;
}
