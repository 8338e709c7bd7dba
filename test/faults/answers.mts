/** A server that answers as Elasticsearch does, or as nobody expects, and members of a cluster that run a process in its place. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { at, hostsOf } from './support.mts';
import { CannotTry } from './table.mts';

/** Runs that process and is rolled out as Elasticsearch is. */
export const SERVICES = join(import.meta.dirname, 'playbooks/services.mts');
export const ADDRESS = `127.78.${String(process.pid % 250)}.200`;

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;
export const json =
  (status: number, body: unknown): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
export const text =
  (status: number, body: string): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'text/html', 'content-length': Buffer.byteLength(body) }).end(body);

/** Answers on a loopback address for as long as it is in scope. */
export class Answering implements AsyncDisposable {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async with(answer: Answer): Promise<Answering> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
    const address = server.address();
    return new Answering(server, typeof address === 'object' && address !== null ? address.port : 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface Cluster {
  readonly version: string;
  readonly status: 'green' | 'yellow' | 'red';
  readonly nodes: readonly string[];
  /** What is set of the allocation of shards, and every value that was put. */
  readonly allocation?: { value: string | null; readonly put: (string | null)[] };
}

/** What a cluster answers to the questions of the role, with the first of its nodes as master. */
export const cluster =
  (now: () => Cluster): Answer =>
  (request, response) => {
    const { version, status, nodes, allocation } = now();
    const path = request.url?.split('?')[0];
    const uuid = 'GkWqDdC5TO6cUV1Pm1uKtg';
    if (path === '/')
      json(200, { name: nodes[0], cluster_name: 'kafka-monitoring', cluster_uuid: uuid, version: { number: version, build_flavor: 'oss' } })(request, response);
    else if (path === '/_cluster/state/master_node,nodes')
      json(200, { cluster_uuid: uuid, master_node: 'id-0', nodes: Object.fromEntries(nodes.map((name, at) => [`id-${String(at)}`, { name }])) })(
        request,
        response,
      );
    else if (path === '/_cluster/health')
      json(200, {
        status,
        number_of_nodes: nodes.length,
        number_of_data_nodes: nodes.length,
        initializing_shards: 0,
        relocating_shards: 0,
        unassigned_shards: status === 'green' ? 0 : 3,
        indices: status === 'green' ? {} : { 'kafka-metrics-1': { status, number_of_replicas: 0 } },
      })(request, response);
    else if (path === '/_cluster/settings') {
      const settings = (): void => {
        const value = allocation?.value ?? null;
        json(200, { persistent: value === null ? {} : { 'cluster.routing.allocation.enable': value }, transient: {} })(request, response);
      };
      if (request.method !== 'PUT') {
        settings();
        return;
      }
      let body = '';
      request.on('data', (bytes: Buffer) => (body += bytes.toString()));
      request.on('end', () => {
        const { persistent } = JSON.parse(body) as { persistent: Record<string, string | null> };
        const value = persistent['cluster.routing.allocation.enable'] ?? null;
        if (allocation !== undefined) {
          allocation.value = value;
          allocation.put.push(value);
        }
        settings();
      });
    } else json(404, { error: { type: 'not_found' } })(request, response);
  };

/** A server of its own, as another host has; every host of a run needs one, since they are locked one by one. */
export const isolated = (): Promise<Sshd> => {
  if (process.getuid?.() !== 0) throw new CannotTry('hosts with a /run of their own need root');
  return startSshd(() => '', true);
};

/** Members behind real servers whose processes and /run are their own; what each runs is a script in place of Elasticsearch. */
export const members = (servers: readonly Sshd[], port: number, script: string, vars: Readonly<Record<string, unknown>> = {}): string =>
  hostsOf(
    Object.fromEntries(
      servers.map((server, index) => [
        `es-0${String(index + 1)}`,
        at(server, { private_address: ADDRESS, elasticsearch_http_port: port, service_script: script, ...vars }),
      ]),
    ),
    'es_masters',
  );
