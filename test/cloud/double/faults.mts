/** What a test wants to go wrong. A fault answers the next requests that fit it, and is used up. */
import { z } from 'zod';
import type { Project } from './cloud.mts';
import { ApiError, OperationError, serviceDisabled } from './errors.mts';

export const faultShape = z.strictObject({
  /** Of the requests that are hit; any unless told. */
  method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']).optional(),
  /** A regular expression for their path. */
  path: z.string().default(''),
  times: z.int().positive().default(1),
  answer: z.discriminatedUnion('kind', [
    /** The API answers with that status, and with the reason and the message that go with it unless told. */
    z.strictObject({ kind: z.literal('error'), status: z.int(), reason: z.string().optional(), message: z.string().optional() }),
    /** The service is not enabled in the project. */
    z.strictObject({ kind: z.literal('disabled'), service: z.string().default('compute.googleapis.com') }),
    /** The answer comes that much later. */
    z.strictObject({ kind: z.literal('stall'), ms: z.int() }),
    /** The connection ends without an answer: before the request took effect, or after. */
    z.strictObject({ kind: z.literal('cut'), when: z.enum(['before', 'after']) }),
    /** The request is accepted, and its operation fails. */
    z.strictObject({
      kind: z.literal('operation'),
      code: z.string().default('QUOTA_EXCEEDED'),
      status: z.int().default(403),
      message: z.string().default("Quota 'CPUS' exceeded.  Limit: 24.0 in region asia-northeast3."),
    }),
  ]),
});
export type Fault = z.output<typeof faultShape>;

/** The usual reason and message of a status. */
const USUAL: Readonly<Record<number, readonly [string, string, string]>> = {
  401: ['authError', 'Request had invalid authentication credentials.', 'global'],
  403: ['forbidden', 'Required permission is missing.', 'global'],
  429: ['rateLimitExceeded', "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'compute.googleapis.com'.", 'usageLimits'],
  500: ['internalError', 'Internal error. Please try again or contact Google Support.', 'global'],
  503: ['backendError', 'Backend Error', 'global'],
};

/** The API's error of a fault, where it has one. */
export function errorOf(answer: Fault['answer'], project: Project): ApiError | undefined {
  if (answer.kind === 'disabled') return serviceDisabled(answer.service, project.number);
  if (answer.kind !== 'error') return undefined;
  const [reason, message, domain] = USUAL[answer.status] ?? ['badRequest', 'Bad request.', 'global'];
  return new ApiError(answer.status, answer.reason ?? reason, answer.message ?? message, domain);
}

export class Faults {
  #waiting: { readonly fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The oldest fault that fits, once less to come. */
  take(method: string, path: string): Fault['answer'] | undefined {
    const hit = this.#waiting.find(({ fault }) => (fault.method ?? method) === method && new RegExp(fault.path).test(path));
    if (hit === undefined) return undefined;
    hit.left -= 1;
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    return hit.fault.answer;
  }
}

export const operationError = ({ code, status, message }: Extract<Fault['answer'], { kind: 'operation' }>): OperationError =>
  new OperationError(code, status, message);
