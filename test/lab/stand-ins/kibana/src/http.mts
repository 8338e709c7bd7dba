/** Requests, responses and routes: what every route of Kibana has in common. */
import { STATUS_CODES, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { asText, isObject, type Json, type JsonObject } from './json.mts';
import { parseMultipart, type Part } from './multipart.mts';

/** Becomes `{statusCode, error, message}`. */
export class HttpError extends Error {
  readonly status: number;
  readonly attributes: JsonObject | undefined;

  constructor(status: number, message: string, attributes?: JsonObject) {
    super(message);
    this.status = status;
    this.attributes = attributes;
  }

  body(): JsonObject {
    return {
      statusCode: this.status,
      error: STATUS_CODES[this.status] ?? 'Unknown',
      message: this.message,
      ...(this.attributes === undefined ? {} : { attributes: this.attributes }),
    };
  }
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is; everything else as JSON. */
  readonly body: string | Json;
}

export class Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage, url: URL) {
    this.method = message.method ?? 'GET';
    this.path = url.pathname;
    this.query = url.searchParams;
    this.headers = message.headers;
    this.#message = message;
  }

  async bytes(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.#message as AsyncIterable<Buffer>) {
      size += chunk.length;
      // Read to its end all the same: who still sends would miss the answer.
      if (size <= limit) chunks.push(chunk);
    }
    if (size > limit) throw new HttpError(413, `Payload content length greater than maximum allowed: ${String(limit)}`);
    return Buffer.concat(chunks);
  }

  async json(limit: number): Promise<Json> {
    const text = (await this.bytes(limit)).toString('utf8');
    if (text === '') return null;
    try {
      return JSON.parse(text) as Json;
    } catch {
      throw new HttpError(400, 'Invalid request payload JSON format');
    }
  }

  async object(limit: number): Promise<JsonObject> {
    const body = await this.json(limit);
    if (!isObject(body)) throw new HttpError(400, `[request body]: expected a plain object value, but found [${asText(body)}] instead.`);
    return body;
  }

  async form(limit: number): Promise<ReadonlyMap<string, Part>> {
    const type = this.headers['content-type'] ?? '';
    if (!type.startsWith('multipart/form-data')) throw new HttpError(415, 'Unsupported Media Type');
    const parts = parseMultipart(await this.bytes(limit), type);
    if (parts === undefined) throw new HttpError(400, 'Invalid multipart payload format');
    return parts;
  }

  flag(name: string): boolean {
    const value = this.query.get(name);
    if (value !== null && value !== 'true' && value !== 'false')
      throw new HttpError(400, `[request query.${name}]: expected value of type [boolean] but got [string]`);
    return value === 'true';
  }

  count(name: string, fallback: number): number {
    const value = this.query.get(name);
    if (value === null) return fallback;
    const found = Number(value);
    if (Number.isNaN(found)) throw new HttpError(400, `[request query.${name}]: expected value of type [number] but got [string]`);
    if (found < 0) throw new HttpError(400, `[request query.${name}]: Value must be equal to or greater than [0].`);
    return found;
  }

  /** A parameter that may be given several times, or as a JSON list. */
  several(name: string): readonly string[] {
    return this.query.getAll(name).flatMap((value) => {
      if (!value.startsWith('[')) return [value];
      const values = JSON.parse(value) as Json;
      return Array.isArray(values) ? values.map(String) : [value];
    });
  }
}

export type Handler = (request: Request, parameters: Readonly<Record<string, string>>) => Promise<Reply> | Reply;
export type Route = readonly [method: string, pattern: string, handler: Handler];

/** `:name` in a pattern is one part of the path. The first that fits is taken. */
export function match(
  routes: readonly Route[],
  request: Request,
): { readonly handler: Handler; readonly parameters: Readonly<Record<string, string>> } | undefined {
  const parts = request.path.split('/');
  for (const [method, pattern, handler] of routes) {
    const wanted = pattern.split('/');
    if ((method !== request.method && !(method === 'GET' && request.method === 'HEAD')) || wanted.length !== parts.length) continue;
    const parameters: Record<string, string> = {};
    const fits = wanted.every((want, i) => {
      const part = parts[i] ?? '';
      if (!want.startsWith(':')) return want === part;
      parameters[want.slice(1)] = decoded(part);
      return part !== '';
    });
    if (fits) return { handler, parameters };
  }
  return undefined;
}

export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpError(400, 'Bad Request');
  }
}
