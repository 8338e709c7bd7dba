/** Kibana's own HTTP interface, asked from its host. */
import { excerpt, http, known, refine, unavailable, type HttpAnswer, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import { key } from './exports.mts';
import type { SavedObject } from './objects/saved-object.mts';

/** Kibana refuses every request but GET without it. */
export const XSRF = { 'kbn-xsrf': 'kafka-elastic-monitoring' } as const;

const reference = z.object({ name: z.string(), type: z.string(), id: z.string() });
const found = z.object({
  type: z.string(),
  id: z.string(),
  attributes: z.record(z.string(), z.unknown()).default({}),
  references: z.array(reference).default([]),
  migrationVersion: z.record(z.string(), z.string()).exactOptional(),
  error: z.object({ statusCode: z.int(), message: z.string().default('') }).exactOptional(),
});
const bulk = z.object({ saved_objects: z.array(found) });

/** `undefined` when Kibana can be asked, else what is the matter with it. */
export const askReady = (kibana: string): Question<string | undefined> =>
  http({ url: `${kibana}/api/status` }).map((answer) => {
    if (answer.kind === 'answered' && answer.status === 200) return undefined;
    return `Kibana at ${kibana} ${answer.kind === 'refused' ? `does not answer (${answer.reason})` : `is not ready (${String(answer.status)})`}`;
  });

/** Every object that is there, by `type id`. One request, whoever asks. */
export function askObjects(kibana: string, objects: readonly SavedObject[]): Question<ReadonlyMap<string, SavedObject>> {
  const url = `${kibana}/api/saved_objects/_bulk_get`;
  const body = JSON.stringify(objects.map(({ type, id }) => ({ type, id })));
  return refine(http({ url, method: 'POST', body, headers: XSRF, timeoutMs: 10_000 }), (answer) => {
    const read = parse(answer, bulk);
    if (typeof read === 'string') return unavailable(`${url}: ${read}`);
    const broken = read.saved_objects.find(({ error }) => error !== undefined && error.statusCode !== 404);
    if (broken !== undefined) return unavailable(`${url}: ${key(broken)}: ${broken.error?.message ?? ''}`);
    return known(new Map(read.saved_objects.flatMap((each): readonly [string, SavedObject][] => (each.error === undefined ? [[key(each), each]] : []))));
  });
}

const settings = z.object({ settings: z.object({ defaultIndex: z.object({ userValue: z.string().exactOptional() }).exactOptional() }) });

/** The index pattern that Kibana opens first, if somebody chose one. */
export const askDefaultIndex = (kibana: string): Question<string | undefined> => {
  const url = `${kibana}/api/kibana/settings`;
  return refine(http({ url, headers: XSRF }), (answer) => {
    const read = parse(answer, settings);
    return typeof read === 'string' ? unavailable(`${url}: ${read}`) : known(read.settings.defaultIndex?.userValue);
  });
};

const patterns = z.object({ saved_objects: z.array(z.object({ id: z.string() })) });

/** Ids of the index patterns that there are. */
export const askIndexPatterns = (kibana: string): Question<readonly string[]> => {
  const url = `${kibana}/api/saved_objects/_find?type=index-pattern&fields=title&per_page=1000`;
  return refine(http({ url, headers: XSRF }), (answer) => {
    const read = parse(answer, patterns);
    return typeof read === 'string' ? unavailable(`${url}: ${read}`) : known(read.saved_objects.map(({ id }) => id));
  });
};

function parse<S extends z.ZodType>(answer: HttpAnswer, schema: S): z.output<S> | string {
  if (answer.kind === 'refused') return answer.reason;
  if (answer.status !== 200) return `answered ${String(answer.status)}: ${excerpt(answer.body, 200)}`;
  try {
    const read = schema.safeParse(JSON.parse(answer.body));
    return read.success ? read.data : `said something unexpected: ${read.error.issues[0]?.path.join('.') ?? ''}`;
  } catch {
    return 'did not answer in JSON';
  }
}
