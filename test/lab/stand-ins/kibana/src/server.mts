/** The one listener: 503 until there is an application, then its routes behind the checks that all requests pass. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from './config.mts';
import { isPassing, ResponseError } from './elasticsearch.mts';
import { Fatal } from './fatal.mts';
import { HttpError, match, Request, type Reply, type Route } from './http.mts';
import type { Log } from './log.mts';
import { VERSION } from './product.mts';

export class Kibana {
  readonly #config: Config;
  readonly #log: Log;
  readonly #server: Server;
  #routes: readonly Route[] | undefined;
  readonly requests = { total: 0, disconnects: 0, statusCodes: new Map<number, number>(), maxMilliseconds: 0 };

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#server = createServer((message, response) => void this.#answer(message, response));
  }

  async listen(): Promise<void> {
    const { host, port } = this.#config;
    await new Promise<void>((done, failed) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        failed(
          error.code === 'EADDRINUSE'
            ? new Fatal(`Port ${String(port)} is already in use. Another instance of Kibana may be running!`)
            : new Fatal(error.message),
        );
      });
      this.#server.listen(port, host, done);
    });
  }

  serve(routes: readonly Route[]): void {
    this.#routes = routes;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${this.#config.host}:${String(port)}`;
  }

  get connections(): Promise<number> {
    return new Promise((done) => {
      this.#server.getConnections((_, count) => {
        done(count);
      });
    });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const reply = await this.#reply(message).catch((error: unknown) => this.#failed(error));
    const status = reply.status ?? 200;
    const isText = typeof reply.body === 'string';
    const body = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    response.writeHead(status, {
      'kbn-name': this.#config.name,
      'cache-control': 'private, no-cache, no-store, must-revalidate',
      'content-type': isText ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      ...reply.headers,
    });
    response.end(message.method === 'HEAD' ? undefined : body);
    this.#count(message, status, performance.now() - started, Buffer.byteLength(body));
  }

  async #reply(message: IncomingMessage): Promise<Reply> {
    if (this.#routes === undefined)
      return { status: 503, headers: { 'retry-after': '30', 'content-type': 'text/html; charset=utf-8' }, body: 'Kibana server is not ready yet' };
    const request = new Request(message, this.#url(message));
    const found = match(this.#routes, request);
    if (found === undefined) throw new HttpError(404, 'Not Found');
    const { 'kbn-xsrf': xsrf, 'kbn-version': version } = request.headers;
    if (this.#config.xsrfProtection && !['GET', 'HEAD'].includes(request.method) && xsrf === undefined && version === undefined)
      throw new HttpError(400, 'Request must contain a kbn-xsrf header.');
    if (version !== undefined && version !== VERSION) {
      const told = `("kbn-version" header was "${String(version)}" but should be "${VERSION}")`;
      throw new HttpError(400, `Browser client is out of date, please refresh the page ${told}`, { expected: VERSION, got: String(version) });
    }
    return found.handler(request, found.parameters);
  }

  /** Without the base path where it is ours to take away; what does not begin with it is nobody's. */
  #url(message: IncomingMessage): URL {
    const { basePath, rewriteBasePath } = this.#config;
    const url = new URL(message.url ?? '/', 'http://localhost');
    if (!rewriteBasePath) return url;
    if (url.pathname !== basePath && !url.pathname.startsWith(`${basePath}/`)) throw new HttpError(404, 'Not Found');
    url.pathname = url.pathname.slice(basePath.length) || '/';
    return url;
  }

  #failed(error: unknown): Reply {
    const known = asHttpError(error);
    if (known !== undefined) return { status: known.status, body: known.body() };
    this.#log.error('http', error instanceof Error ? (error.stack ?? error.message) : String(error));
    return { status: 500, body: new HttpError(500, 'An internal server error occurred.').body() };
  }

  #count(message: IncomingMessage, status: number, milliseconds: number, contentLength: number): void {
    const { requests } = this;
    requests.total += 1;
    requests.statusCodes.set(status, (requests.statusCodes.get(status) ?? 0) + 1);
    requests.maxMilliseconds = Math.max(requests.maxMilliseconds, Math.round(milliseconds));
    const method = message.method ?? 'GET';
    const responseTime = Math.round(milliseconds);
    this.#log.response(
      {
        method: method.toLowerCase(),
        statusCode: status,
        req: { url: message.url ?? '/', method: method.toLowerCase(), remoteAddress: message.socket.remoteAddress, userAgent: message.headers['user-agent'] },
        res: { statusCode: status, responseTime, contentLength },
      },
      `${method} ${message.url ?? '/'} ${String(status)} ${String(responseTime)}ms - ${String(contentLength)}B`,
    );
  }
}

/** Elasticsearch that is away makes Kibana unavailable; what it refuses is refused. */
function asHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof ResponseError && error.status < 500) return new HttpError(error.status, `${error.reason}: ${error.message}`);
  return isPassing(error) ? new HttpError(503, error.message) : undefined;
}
