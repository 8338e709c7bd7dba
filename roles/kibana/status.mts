/** What Kibana says about itself. */
import { excerpt, http, type Host, type HttpAnswer, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import { kibanaUrl } from './contract.mts';

const state = z.object({ state: z.string() });
const schema = z.object({
  version: z.object({ number: z.string() }),
  status: z.object({ overall: state, statuses: z.array(state.extend({ id: z.string(), message: z.string().optional() })) }),
});
export type Status = z.output<typeof schema>;
export type Said = { readonly kind: 'said'; readonly status: Status } | { readonly kind: 'silent'; readonly why: string };

export const askStatus = (host: Host): Question<Said> => http({ url: `${kibanaUrl(host)}/api/status`, timeoutMs: 8000 }).map(readStatus);

/** Kibana that is not ready answers 503 with words; one whose status is red answers 503 with the status. */
export function readStatus(answer: HttpAnswer): Said {
  if (answer.kind === 'refused') return { kind: 'silent', why: answer.reason };
  try {
    const parsed = schema.safeParse(JSON.parse(answer.body));
    if (parsed.success) return { kind: 'said', status: parsed.data };
  } catch {
    // Words, told below.
  }
  return { kind: 'silent', why: `${String(answer.status)} ${excerpt(answer.body.replaceAll(/\s+/g, ' '), 100)}`.trim() };
}
