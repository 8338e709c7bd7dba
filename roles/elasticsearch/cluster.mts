/** What the cluster answers over HTTP, read for checks: a silent or masterless cluster is an answer too. */
import { http, type Host, type HttpAnswer, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import { nodeUrl } from './contract.mts';

export type Reply<T> = { readonly kind: 'said'; readonly value: T } | { readonly kind: 'silent'; readonly why: string };

function get<S extends z.ZodType>(host: Host, path: string, schema: S): Question<Reply<z.output<S>>> {
  return http({ url: nodeUrl(host) + path, timeoutMs: 8000 }).map((answer) => readReply(answer, schema));
}

export function readReply<S extends z.ZodType>(answer: HttpAnswer, schema: S): Reply<z.output<S>> {
  if (answer.kind === 'refused') return { kind: 'silent', why: answer.reason };
  try {
    const body: unknown = JSON.parse(answer.body);
    const parsed = schema.safeParse(body);
    if (answer.status === 200 && parsed.success) return { kind: 'said', value: parsed.data };
    const error = failure.safeParse(body);
    return { kind: 'silent', why: `${String(answer.status)} ${error.success ? error.data.error.type : 'with an unexpected body'}` };
  } catch {
    return { kind: 'silent', why: `${String(answer.status)} without JSON` };
  }
}

const failure = z.object({ error: z.object({ type: z.string() }) });

export const rootSchema = z.object({
  name: z.string(),
  cluster_name: z.string(),
  cluster_uuid: z.string(),
  version: z.object({ number: z.string(), build_flavor: z.string() }),
});
export type Root = z.output<typeof rootSchema>;
export const askRoot = (host: Host): Question<Reply<Root>> => get(host, '/', rootSchema);

export const healthSchema = z.object({
  status: z.enum(['green', 'yellow', 'red']),
  number_of_nodes: z.int(),
  number_of_data_nodes: z.int(),
  initializing_shards: z.int(),
  relocating_shards: z.int(),
  unassigned_shards: z.int(),
  indices: z.record(z.string(), z.object({ status: z.enum(['green', 'yellow', 'red']), number_of_replicas: z.int() })),
});
export type Health = z.output<typeof healthSchema>;
export const askHealth = (host: Host): Question<Reply<Health>> => get(host, '/_cluster/health?level=indices&master_timeout=2s&timeout=2s', healthSchema);

export const settingsSchema = z.object({ persistent: z.record(z.string(), z.unknown()), transient: z.record(z.string(), z.unknown()) });
export type Settings = z.output<typeof settingsSchema>;
export const SETTINGS = '/_cluster/settings?flat_settings=true&master_timeout=2s';
export const askSettings = (host: Host): Question<Reply<Settings>> => get(host, SETTINGS, settingsSchema);
