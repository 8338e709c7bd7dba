/** The small values of the API: links, ids, times, fingerprints, and the rules for names. */
import { createHash, randomBytes } from 'node:crypto';
import { ApiError, invalid, invalidField } from './errors.mts';

/** The address that the real API writes into every link, whatever address it was asked at. */
export const LINKS = 'https://www.googleapis.com/compute/v1/';

/** Ids are numbers of 64 bits, written as strings. */
export const newId = (): string => String((randomBytes(8).readBigUInt64BE() >> 2n) | (1n << 61n));

/** The time as the API writes it, with the offset of its own clock. */
export const timestamp = (): string => new Date(Date.now() - 7 * 3_600_000).toISOString().replace('Z', '-07:00');

/** The path in a link: a full one, a partial one, or one of the endpoint that gcloud was pointed at. */
export function pathOf(link: string): string {
  const at = link.search(/projects\/[^/]+\//);
  return at < 0 ? link : link.slice(at);
}

export const lastPart = (link: string): string => link.split('/').at(-1) ?? '';

/** Changes whenever the value does; what the API asks to see again before it lets the value be replaced. gcloud writes bytes in the alphabet of URLs. */
export const fingerprintOf = (value: unknown): string => `${createHash('sha256').update(JSON.stringify(value)).digest().subarray(0, 8).toString('base64url')}=`;

const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const MUST_MATCH = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";

/** @throws the API's error for a name that is missing or that it does not take. */
export function checkName(name: string | undefined, field = 'name'): string {
  const given = required(name, field);
  if (!NAME.test(given)) throw invalidField(field, given, MUST_MATCH);
  return given;
}

/** @throws the API's error for a field that has to be there. */
export function required<Value>(value: Value | undefined, field: string): Value {
  if (value === undefined) throw new ApiError(400, 'required', `Required field 'resource.${field}' not specified`);
  return value;
}

/** Labels as they are kept: none is no field. */
export function labelled(labels: Readonly<Record<string, string>> | undefined): {
  readonly labels?: Readonly<Record<string, string>>;
  readonly labelFingerprint: string;
} {
  const given = labels ?? {};
  for (const [key, value] of Object.entries(given)) {
    if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key)) throw invalidField('labels', '', `Label key '${key}' violates format constraints.`);
    if (!/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value)) throw invalidField('labels', '', `Label value '${value}' violates format constraints.`);
  }
  return { ...(Object.keys(given).length > 0 && { labels: given }), labelFingerprint: fingerprintOf(given) };
}

/** @throws the API's error for tags that it does not take. */
export function checkTags(field: string, tags: readonly string[]): void {
  tags.forEach((tag, index) => {
    if (!NAME.test(tag)) throw invalidField(`${field}[${String(index)}]`, tag, MUST_MATCH);
  });
  if (new Set(tags).size < tags.length) throw invalid(`Invalid value for field 'resource.${field}': ''. Duplicate tags are not allowed.`);
  if (tags.length > 64) throw invalid(`Invalid value for field 'resource.${field}': ''. The number of tags exceeds the maximum of 64.`);
}

/** Without the fields that are undefined or an empty list: the API never shows those. */
export function present<Fields extends object>(fields: Fields): { [Key in keyof Fields]: Exclude<Fields[Key], undefined> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(kept) as { [Key in keyof Fields]: Exclude<Fields[Key], undefined> };
}
