/** The client of Elasticsearch: requests, how they fail, and whether the nodes are of a version that fits. */
import type { Config } from './config.mts';
import { at, isObject, object, string, type Json, type JsonObject } from './json.mts';

export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
  readonly status: number;
  readonly body: Json | undefined;

  constructor(status: number, body: Json | undefined) {
    super(string(at(body, 'error', 'type')) ?? 'Response Error');
    this.status = status;
    this.body = body;
  }

  get reason(): string {
    return string(at(this.body, 'error', 'reason')) ?? this.message;
  }
}

/** That asking again later may help. */
export const isPassing = (error: unknown): error is Error =>
  error instanceof ConnectionError || error instanceof TimeoutError || (error instanceof ResponseError && [401, 403, 408, 410, 503].includes(error.status));

export interface Call {
  /** An object is sent as JSON, a list as one JSON a line. */
  readonly body?: JsonObject | readonly JsonObject[];
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Statuses that are an answer as well. */
  readonly accept?: readonly number[];
}

export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

export class Elasticsearch {
  readonly #config: Config['elasticsearch'];
  #first = 0;

  constructor(config: Config['elasticsearch']) {
    this.#config = config;
  }

  /** The hosts take turns; one that refuses is passed over. */
  async request(method: Method, path: string, call: Call = {}): Promise<Answer> {
    const { hosts } = this.#config;
    this.#first += 1;
    let refused: unknown;
    for (let turn = 0; turn < hosts.length; turn += 1) {
      const host = hosts[(this.#first + turn) % hosts.length] ?? '';
      try {
        return await this.#send(host, method, path, call);
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        refused = error;
      }
    }
    throw refused;
  }

  async #send(host: string, method: Method, path: string, { body, query = {}, accept = [] }: Call): Promise<Answer> {
    const url = new URL(`${host.replace(/\/$/, '')}${path}`);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
    const { username, password = '', requestTimeout } = this.#config;
    const lines = Array.isArray(body);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': lines ? 'application/x-ndjson' : 'application/json' }),
          ...(username === undefined ? {} : { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }),
        },
        ...(body === undefined ? {} : { body: lines ? body.map((one) => `${JSON.stringify(one)}\n`).join('') : JSON.stringify(body) }),
        signal: AbortSignal.timeout(requestTimeout),
      });
      text = await response.text();
    } catch (error) {
      throw failure(error, url.host);
    }
    const answer = parse(text);
    if (!response.ok && !accept.includes(response.status)) throw new ResponseError(response.status, answer);
    return { status: response.status, body: object(answer) };
  }
}

function failure(error: unknown, host: string): Error {
  if (error instanceof Error && error.name === 'TimeoutError') return new TimeoutError('Request Timeout');
  const cause = error instanceof Error ? error.cause : undefined;
  const code = at(cause, 'code');
  if (code === 'ECONNREFUSED') return new ConnectionError(`connect ECONNREFUSED ${host}`);
  return new ConnectionError(cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error));
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

export interface Compatibility {
  readonly fits: boolean;
  readonly message: string | undefined;
}

/** Another major version, or a minor one below ours, is refused; every other difference is only said. */
export function compatibility(nodes: Json | undefined, ours: string, ignoreMismatch: boolean): Compatibility {
  const all = Object.entries(object(nodes))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, node]) => (isObject(node) ? [node] : []));
  const [major = 0, minor = 0] = ours.split('.').map(Number);
  const version = (node: JsonObject): string => string(node['version']) ?? '';
  const named = (some: readonly JsonObject[]): string =>
    some.map((node) => `v${version(node)} @ ${string(at(node, 'http', 'publish_address')) ?? 'undefined'} (${string(node['ip']) ?? 'undefined'})`).join(', ');
  const refused = all.filter((node) => {
    const [theirMajor = 0, theirMinor = 0] = version(node).split('.').map(Number);
    return theirMajor !== major || theirMinor < minor;
  });
  if (refused.length > 0) {
    return ignoreMismatch
      ? { fits: true, message: `Ignoring version incompatibility between Kibana v${ours} and the following Elasticsearch nodes: ${named(refused)}` }
      : { fits: false, message: `This version of Kibana (v${ours}) is incompatible with the following Elasticsearch nodes in your cluster: ${named(refused)}` };
  }
  const others = all.filter((node) => version(node).split('-')[0] !== ours);
  return {
    fits: true,
    message:
      others.length === 0
        ? undefined
        : `You're running Kibana ${ours} with some different versions of Elasticsearch. ` +
          `Update Kibana or Elasticsearch to the same version to prevent compatibility issues: ${named(others)}`,
  };
}

export const NO_VERSIONS = 'Unable to retrieve version information from Elasticsearch nodes.';
