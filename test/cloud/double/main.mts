/**
 * Google's Compute API as a process of its own on a loopback address. Its first line on stdout says where: {"listening":PORT}. It ends when its
 * stdin does, so it never outlives whoever started it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { compute } from './api.mts';
import { Cloud, type Options } from './cloud.mts';

const DEFAULTS: Options = { operationMs: 60, defaultNetwork: true, services: ['compute.googleapis.com'], pageSize: 500 };

const cloud = new Cloud({ ...DEFAULTS, ...(JSON.parse(process.argv[2] ?? '{}') as Partial<Options>) });

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const { status, body } = await compute(cloud, {
    method: request.method ?? 'GET',
    path: url.pathname.replace('/compute/v1/', ''),
    query: url.searchParams,
    body: await text(request),
  });
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body));
}

const server = createServer((request, response) => void serve(request, response));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ listening: typeof address === 'object' ? address?.port : undefined })}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
