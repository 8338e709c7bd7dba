/** HTTP questions: how a request is written as the key of an ask, and how an answer is written as bytes. */

export interface HttpRequest {
  readonly url: string;
  /** GET unless said. */
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: string;
  /** 5000 unless said; connecting may take at most 2 seconds of it. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export type HttpAnswer = { readonly kind: 'answered'; readonly status: number; readonly body: string } | { readonly kind: 'refused'; readonly reason: string };

/** Largest response body an HTTP question keeps; a larger one is unavailable. */
export const HTTP_LIMIT = 1024 * 1024;

const HTTP = /^https?:\/\/[^\s\u0000-\u001f\u007f]+$/;

/** The key of an HTTP ask: the request in one fixed order, so that equal requests are asked once. */
export function httpKey(request: HttpRequest): string {
  if (!HTTP.test(request.url)) throw new TypeError(`${JSON.stringify(request.url)} is no http address`);
  const method = request.method ?? (request.body === undefined ? 'GET' : 'POST');
  if (!/^[A-Z]{3,7}$/.test(method)) throw new TypeError(`${JSON.stringify(method)} is no HTTP method`);
  return JSON.stringify([request.url, method, request.body ?? null, request.timeoutMs ?? 5000, request.headers ?? {}]);
}

/** What a key says. */
export type Key = readonly [url: string, method: string, body: string | null, timeoutMs: number, headers: Readonly<Record<string, string>>];

export const readHttpKey = (key: string): Key => JSON.parse(key) as Key;

/** An answer as the bytes of a `Raw`: one line of JSON, then the body. */
export function httpRaw(head: { readonly status: number } | { readonly refused: string }, body: Uint8Array = new Uint8Array()): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

export function readHttpRaw(bytes: Uint8Array): HttpAnswer {
  const text = Buffer.from(bytes).toString('utf8');
  const end = text.indexOf('\n');
  const head = JSON.parse(text.slice(0, end)) as { readonly status: number } | { readonly refused: string };
  return 'status' in head ? { kind: 'answered', status: head.status, body: text.slice(end + 1) } : { kind: 'refused', reason: head.refused };
}
