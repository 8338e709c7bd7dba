/** Servers on loopback beside this thread, which waits for shells. */
import { existsSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

const PROXY = `
const { login, log } = workerData;
const http = require('node:http');
const net = require('node:net');
const wanted = login === undefined ? undefined : 'Basic ' + Buffer.from(login).toString('base64');
const said = (line) => require('node:fs').appendFileSync(log, line + '\\n');
const isLet = ({ headers }) => wanted === undefined || headers['proxy-authorization'] === wanted;
const server = http.createServer((request, response) => {
  if (!isLet(request)) {
    said('407 ' + request.url);
    response.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="test"', 'Content-Length': '0' });
    response.end();
    return;
  }
  said(request.method + ' ' + request.url);
  const { 'proxy-authorization': _, ...headers } = request.headers;
  http.get(request.url, { headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  }).on('error', () => { response.writeHead(502); response.end(); });
});
server.on('connect', (request, socket, head) => {
  socket.on('error', () => {});
  const refuse = (line) => socket.end('HTTP/1.1 ' + line + '\\r\\nProxy-Authenticate: Basic realm="test"\\r\\nContent-Length: 0\\r\\n\\r\\n');
  if (!isLet(request)) {
    said('407 ' + request.url);
    refuse('407 Proxy Authentication Required');
    return;
  }
  said('CONNECT ' + request.url);
  const [host, port] = request.url.split(':');
  const other = net.connect(Number(port), host, () => {
    socket.write('HTTP/1.1 200 Connection established\\r\\n\\r\\n');
    other.write(head);
    other.pipe(socket);
    socket.pipe(other);
  });
  other.on('error', () => refuse('502 Bad Gateway'));
});
`;

const FILES = `
const { key, cert, directory } = workerData;
const fs = require('node:fs');
const answer = (request, response) => {
  const path = require('node:path').join(directory, request.url);
  if (!fs.existsSync(path) || fs.statSync(path).isDirectory()) { response.writeHead(404); response.end(); return; }
  response.writeHead(200, { 'content-length': fs.statSync(path).size });
  fs.createReadStream(path).pipe(response);
};
const server = key === undefined ? require('node:http').createServer(answer)
  : require('node:https').createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, answer);
`;

interface Server extends AsyncDisposable {
  readonly url: string;
}

async function serve(program: string, protocol: 'http' | 'https', workerData: unknown): Promise<Server> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');${program}server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData },
  );
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    url: `${protocol}://127.0.0.1:${port.toString()}`,
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

export interface ForwardProxy extends Server {
  /** What it was asked: `GET ADDRESS`, `CONNECT HOST:PORT`, or `407 …` where the login was missing or wrong. */
  asked(): readonly string[];
}

/** GET of whole addresses and CONNECT; `login` is `name:password`, `log` the path of a file that need not exist. */
export async function forwardProxy(login: string | undefined, log: string): Promise<ForwardProxy> {
  const server = await serve(PROXY, 'http', { login, log });
  return { ...server, asked: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []) };
}

/** The files of a directory; by https where a key and its certificate are given. */
export const fileServer = (directory: string, tls?: { readonly key: string; readonly cert: string }): Promise<Server> =>
  serve(FILES, tls === undefined ? 'http' : 'https', { directory, ...tls });
