/**
 * Google's APIs as a process of its own on a loopback address, as far as gcloud asks them for this project: Compute under /compute/v1/, others under
 * /v1/. Beside them, with a certificate, listens the relay of IAP. The first line on stdout says where: {"listening":{"api":PORT,"relay":PORT}}. The
 * process ends when its stdin does, so it never outlives whoever started it.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { answer, type Request } from './api.mts';
import { joined, parts } from './batch.mts';
import { Cloud, type Options } from './cloud.mts';
import { control } from './control.mts';
import { Harness } from './harness.mts';
import { Relay } from './tunnel.mts';

interface Own {
  /** How long the harness may take to answer. */
  readonly answerMs: number;
  /** Files of the relay's certificate and its key. */
  readonly certificate: string;
  readonly key: string;
}

const DEFAULTS: Options & Own = {
  operationMs: 60,
  defaultNetwork: true,
  services: ['compute.googleapis.com', 'secretmanager.googleapis.com'],
  pageSize: 500,
  mapped: false,
  answerMs: 60_000,
  certificate: '',
  key: '',
};

const { answerMs, certificate, key, ...options } = { ...DEFAULTS, ...(JSON.parse(process.argv[2] ?? '{}') as Partial<typeof DEFAULTS>) };
const harness = new Harness(answerMs);
const cloud = new Cloud(options);
const relay = new Relay(cloud);
if (options.mapped) cloud.announce = (announcement) => harness.announce(announcement);

function requestOf(method: string, target: string, body: string, userAgent: string): Request {
  const { pathname, searchParams } = new URL(target, 'http://localhost');
  return { method, path: pathname.replace('/compute/v1/', '').replace(/^\//, ''), query: searchParams, body, userAgent };
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/', headers } = request;
  const { 'user-agent': userAgent = '', 'content-type': contentType = '' } = headers;
  const body = await text(request);
  const send = (status: number, type: string, content: string) => response.writeHead(status, { 'content-type': type }).end(content);
  if (url.startsWith('/control/')) {
    try {
      send(200, 'application/json', JSON.stringify(control({ cloud, relay }, url.slice('/control/'.length), body)));
    } catch (error) {
      send(400, 'text/plain', String(error));
    }
    return;
  }
  if (url.startsWith('/batch/compute/v1')) {
    const answers = await Promise.all(
      parts(contentType, body).map(async (part) => ({ id: part.id, response: await answer(cloud, requestOf(part.method, part.url, part.body, userAgent)) })),
    );
    const { contentType: type, body: content } = joined(answers);
    send(200, type, content);
    return;
  }
  const result = await answer(cloud, requestOf(method, url, body, userAgent));
  if (result === undefined) request.socket.destroy();
  else send(result.status, 'application/json; charset=UTF-8', JSON.stringify(result.body));
}

function port(server: Server): Promise<number> {
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      done(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}

const api = createServer((request, response) => void serve(request, response));
const tunnels = createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) }).on('upgrade', (request, socket, head: Buffer) => {
  relay.upgrade(request, socket, head);
});
harness.say({ listening: { api: await port(api), relay: await port(tunnels) } });
