/** What Elasticsearch says to the collector, whichever of its nodes answers. */
import { parseJson, quote, shellOutput, type Question } from '../../lib/index.mts';
import { z } from 'zod';

export type Reply<T> = { readonly kind: 'said'; readonly value: T } | { readonly kind: 'silent'; readonly why: string };

interface Request {
  readonly path: string;
  readonly body?: unknown;
}

/** The first node that answers is asked; what is printed before is the collector's clock. */
function script(urls: readonly string[], { path, body }: Request): string {
  const data = body === undefined ? '' : ` --header 'Content-Type: application/json' --data-binary ${quote(JSON.stringify(body))}`;
  return `date +%s%3N
for url in ${urls.map(quote).join(' ')}; do
  answer=$(curl -q --silent --show-error --noproxy '*' --connect-timeout 2 --max-time 8${data} --write-out '\\n%{http_code}' -- "$url"${quote(path)} 2>&1) && { printf '%s' "$answer"; exit 0; }
done
printf '%s' "\${answer-no node is known}"
exit 1`;
}

export interface Told<T> {
  /** The collector's clock, in milliseconds. */
  readonly now: number;
  readonly reply: Reply<T>;
}

export const ask = <S extends z.ZodType>(urls: readonly string[], request: Request, schema: S): Question<Told<z.output<S>>> =>
  shellOutput(script(urls, request)).map(({ code, output }) => {
    const end = output.indexOf('\n');
    return { now: Number(output.slice(0, end)), reply: readReply(code, output.slice(end + 1), schema) };
  });

const failure = z.object({ error: z.object({ type: z.string(), reason: z.string().nullish() }) });

export function readReply<S extends z.ZodType>(code: number, printed: string, schema: S): Reply<z.output<S>> {
  const silent = (why: string): Reply<never> => ({ kind: 'silent', why });
  if (code !== 0) return silent(printed.trim().split('\n')[0] ?? '');
  const end = printed.lastIndexOf('\n');
  const status = printed.slice(end + 1).trim();
  const json = parseJson(printed.slice(0, end));
  if (json.kind === 'unavailable') return silent(`${status} without JSON`);
  const parsed = schema.safeParse(json.value);
  // 404: there is no such index or template, and that is said by its absence.
  if ((status === '200' || status === '404') && parsed.success) return { kind: 'said', value: parsed.data };
  const error = failure.safeParse(json.value);
  return silent(error.success ? `${status} ${error.data.error.type}: ${error.data.error.reason ?? ''}` : `${status} with an unexpected body`);
}
