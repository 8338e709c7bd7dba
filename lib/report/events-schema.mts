/** What a line of `--events` may be. Kept equal to the types of events.mts by the compiler, and published as a JSON Schema. */
import { z } from 'zod';
import { exitCodeOf, type ErrorKind } from '../errors.mts';
import type { EventBody, RunEvent } from './events.mts';

const host = z.string();
const role = z.string();
const resource = z.string();
const hosts = z.array(host);
const roles = z.array(role);
const milliseconds = z.number().nonnegative();
const bytes = z.number().nonnegative();

const source = z.object({ file: z.string(), line: z.int().positive(), column: z.int().positive() });
const error = z.object({
  kind: z.enum(Object.keys(exitCodeOf) as [ErrorKind, ...ErrorKind[]]),
  short: z.string(),
  message: z.string(),
  hint: z.string().exactOptional(),
  source: source.exactOptional(),
});
const shown = z.discriminatedUnion('kind', [z.object({ kind: z.literal('text'), text: z.string() }), z.object({ kind: z.enum(['absent', 'hidden']) })]);
const change = z.object({ field: z.string(), from: shown, to: shown, cosmetic: z.literal(true).exactOptional(), disrupts: z.literal(true).exactOptional() });
const verdict = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('converged') }),
  z.object({ kind: z.enum(['pending', 'changed']), changes: z.array(change) }),
  z.object({ kind: z.literal('unknown'), because: z.string() }),
  z.object({ kind: z.literal('failed'), error }),
]);
const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pass'), found: z.string() }),
  z.object({ kind: z.literal('fail'), expected: z.string(), found: z.string(), hint: z.string() }),
  z.object({ kind: z.enum(['skipped', 'unknown']), because: z.string() }),
]);

/** One schema a kind: a new kind of event does not compile without its own. */
const bodies = {
  'run.start': z.object({
    kind: z.literal('run.start'),
    run: z.string(),
    playbook: z.string(),
    mode: z.enum(['check', 'apply', 'verify', 'drift']),
    inventory: z.array(z.string()),
    hosts,
    roles,
  }),
  notice: z.object({ kind: z.literal('notice'), text: z.string() }),
  'stage.start': z.object({ kind: z.literal('stage.start'), index: z.int().nonnegative(), hosts, roles }),
  'host.connecting': z.object({ kind: z.literal('host.connecting'), host }),
  'host.waiting': z.object({ kind: z.literal('host.waiting'), host, attempt: z.int().positive(), found: z.string() }),
  'host.connected': z.object({ kind: z.literal('host.connected'), host, ms: milliseconds }),
  'host.asked': z.object({ kind: z.literal('host.asked'), host, questions: z.int().nonnegative(), ms: milliseconds }),
  'role.start': z.object({ kind: z.literal('role.start'), host, role }),
  'resource.verdict': z.object({
    kind: z.literal('resource.verdict'),
    host,
    role,
    resource,
    verdict,
    because: z.object({ variable: z.string(), source }).exactOptional(),
  }),
  'step.start': z.object({ kind: z.literal('step.start'), host, role, resource, uninterruptible: z.literal(true).exactOptional() }),
  'step.progress': z.object({ kind: z.literal('step.progress'), host, role, resource, done: bytes, total: bytes.exactOptional() }),
  'step.end': z.object({ kind: z.literal('step.end'), host, role, resource, ok: z.boolean(), ms: milliseconds }),
  waiting: z.object({
    kind: z.literal('waiting'),
    host,
    role,
    what: z.enum(['ready', 'gate', 'verify']),
    check: z.string(),
    attempt: z.int().nonnegative(),
    found: z.string(),
  }),
  'check.result': z.object({ kind: z.literal('check.result'), host, role, check: z.string(), outcome, headline: z.string().exactOptional() }),
  diagnosis: z.object({ kind: z.literal('diagnosis'), host, role, diagnosis: z.object({ cause: z.string(), evidence: z.string(), fix: z.string() }) }),
  'role.end': z.object({
    kind: z.literal('role.end'),
    host,
    role,
    verdict: z.enum(['converged', 'changed', 'pending', 'unknown', 'failed']),
    ms: milliseconds,
  }),
  'role.failed': z.object({ kind: z.literal('role.failed'), host, role, error, tail: z.string().exactOptional() }),
  'host.failed': z.object({ kind: z.literal('host.failed'), host, error }),
  'host.skipped': z.object({ kind: z.literal('host.skipped'), host, because: z.string() }),
  'host.end': z.object({
    kind: z.literal('host.end'),
    host,
    connectMs: milliseconds,
    roundTrips: z.int().nonnegative(),
    bytesSent: bytes,
    bytesReceived: bytes,
  }),
  'stand-in': z.object({ kind: z.literal('stand-in'), host, product: z.string(), what: z.string() }),
  'run.failed': z.object({ kind: z.literal('run.failed'), error }),
  'run.end': z.object({
    kind: z.literal('run.end'),
    exitCode: z.literal([0, 1, 2, 3, 4, 5, 6, 70, 130, 143]),
    ms: milliseconds,
    notAttempted: hosts,
    retry: z.string().exactOptional(),
  }),
} satisfies { [K in EventBody['kind']]: z.ZodType<{ kind: K }> };

const stamped = Object.values(bodies).map((body) => body.extend({ seq: z.int().positive(), at: z.iso.datetime() }));

/** The first line of the stream. Readers refuse a major version they do not know and ignore keys they do not know. */
const version = z.object({ type: z.literal('version'), schema: z.literal('1') });

export const eventLineSchema = z.union([version, ...stamped]);

/** What lib/report/events.mts promises is what is written: fails to compile when the two drift apart. */
type Written = z.infer<(typeof stamped)[number]>;
type Json<T> = T extends string | number | boolean ? T : T extends readonly (infer Item)[] ? Json<Item>[] : { -readonly [K in keyof T]: Json<T[K]> };
type Fits<Narrow extends Wide, Wide> = Narrow;
export type WrittenEvent = Fits<Json<RunEvent>, Written>;

/** The published JSON Schema (draft 2020-12) of one line. */
export const eventsJsonSchema = (): object => ({
  ...z.toJSONSchema(eventLineSchema, { target: 'draft-2020-12', io: 'input' }),
  title: 'A line of the event stream (--events)',
});
