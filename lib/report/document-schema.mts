/** The `--json` document: this schema is its definition, the JSON Schema beside it is generated from it. Keys may be added, never renamed. */
import { z } from 'zod';
import { exitCodeOf, type ErrorKind } from '../errors.mts';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();
const reason = z.strictObject({ variable: z.string(), file: z.string(), line: z.int().positive(), column: z.int().positive() });

const error = z.strictObject({
  kind: z.enum(Object.keys(exitCodeOf) as [ErrorKind, ...ErrorKind[]]),
  message: z.string(),
  hint: z.string().exactOptional(),
  /** The role in which the host failed. */
  role: z.string().exactOptional(),
  /** The resource whose step failed or that could not be read. */
  resource: z.string().exactOptional(),
  /** Last lines of the failed step's output. */
  tail: z.string().exactOptional(),
});

const change = z.strictObject({
  resource: z.string(),
  field: z.string(),
  from: z.string().nullable().describe('null: there was nothing; "(hidden)": a secret; long texts are clipped and say so'),
  to: z.string().nullable(),
  state: z.enum(['changed', 'pending', 'failed', 'unknown']).describe('what became of the change in this run'),
  because: reason.exactOptional(),
  cosmetic: z.literal(true).exactOptional().describe('only comments and blank lines differ'),
});

const check = z.strictObject({
  id: z.string(),
  outcome: z.enum(['pass', 'fail', 'skipped', 'unknown']),
  expected: z.string().exactOptional(),
  found: z.string().exactOptional(),
  hint: z.string().exactOptional(),
  because: z.string().exactOptional(),
});

const role = z.strictObject({
  verdict: z.enum(['converged', 'changed', 'pending', 'unknown', 'failed']),
  ms: milliseconds.exactOptional(),
  changes: z.array(change),
  checks: z.array(check),
  /** Resources that cannot be judged before something else is converged. */
  unknown: z.array(z.strictObject({ resource: z.string(), because: z.string() })),
  errors: z.array(error),
  diagnoses: z.array(z.strictObject({ cause: z.string(), evidence: z.string(), fix: z.string() })),
});

const host = z.strictObject({
  outcome: z.enum(['converged', 'changed', 'pending', 'failed', 'unreachable', 'refused', 'locked', 'interrupted', 'not-attempted']),
  connectMs: milliseconds.nullable(),
  roundTrips: count.nullable().describe('commands and frames; the connection is counted apart'),
  bytesSent: count.nullable(),
  bytesReceived: count.nullable(),
  roles: z.record(z.string(), role),
  error: error.exactOptional(),
  skipped: z.string().exactOptional().describe('why nothing is known of it, where that is no failure'),
});

export const reportSchema = z.strictObject({
  schema: z.literal('1'),
  run: z.string(),
  playbook: z.string(),
  mode: z.enum(['apply', 'check', 'verify', 'drift']),
  outcome: z.enum(['converged', 'changed', 'drift', 'failed', 'unreachable', 'refused', 'locked', 'interrupted']),
  exitCode: z.literal([0, 1, 2, 3, 4, 5, 6, 70, 130, 143]),
  inventory: z.array(z.string()),
  startedAt: z.iso.datetime().nullable(),
  summary: z.strictObject({
    hosts: count.describe('the sum of the six counts that follow'),
    changed: count,
    unchanged: count,
    pending: count,
    failed: count.describe('refused, locked and interrupted hosts included'),
    unreachable: count,
    notAttempted: count,
    resources: z.strictObject({ converged: count, changed: count, pending: count, unknown: count, failed: count }),
    checks: z.strictObject({ pass: count, fail: count, skipped: count, unknown: count }),
  }),
  hosts: z.record(z.string(), host),
  errors: z.array(error).describe('what failed about the run as a whole'),
  standIns: z.array(z.strictObject({ host: z.string(), product: z.string(), what: z.string() })),
  timings: z.strictObject({
    totalMs: milliseconds,
    slowest: z.array(z.strictObject({ host: z.string(), role: z.string(), resource: z.string(), ms: milliseconds })),
  }),
  notAttempted: z.array(z.string()),
  notices: z.array(z.string()),
  retry: z.string().exactOptional().describe('the command that takes the run up where it failed'),
});

export type ReportDocument = z.infer<typeof reportSchema>;

/** The published JSON Schema (draft 2020-12). */
export const reportJsonSchema = (): object => ({
  ...z.toJSONSchema(reportSchema, { target: 'draft-2020-12' }),
  title: 'Report of a run (--json)',
});
