/**
 * Identity-Aware Proxy for TCP: the relay that `gcloud compute start-iap-tunnel` talks to over a websocket. It reaches an instance only through the
 * firewall rules of its network, like the real one, from 35.235.240.0/20. A connection that is lost can be taken up again with its session's id.
 */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { address } from './addresses.mts';
import { noteOf, projectOf } from './api.mts';
import type { Cloud } from './cloud.mts';
import { errorOf } from './faults.mts';
import { admits } from './firewalls.mts';
import { WebSocket } from './websocket.mts';

const PROTOCOL = 'relay.tunnel.cloudproxy.app';
const CONNECT_SUCCESS_SID = 1;
const RECONNECT_SUCCESS_ACK = 2;
const DATA = 4;
const ACK = 7;
const MOST_DATA = 16_384;
/** So much may be on its way unconfirmed before the instance is left waiting. */
const MOST_UNCONFIRMED = 2 ** 20;
const RELAY = address('35.235.240.1') ?? 0;
/** How long a lost connection may be taken up again. */
const GRACE_MS = 20_000;

class Session {
  readonly id = randomUUID();
  readonly #remote: Socket;
  #websocket: WebSocket | undefined;
  #received = 0;
  #confirmed = 0;
  #unconfirmed = Buffer.alloc(0);
  #ending: NodeJS.Timeout | undefined;

  constructor(remote: Socket, websocket: WebSocket, ended: () => void) {
    this.#remote = remote;
    this.#websocket = websocket;
    websocket.send(frame(CONNECT_SUCCESS_SID, Buffer.from(this.id)));
    remote.on('data', (data) => {
      this.#unconfirmed = Buffer.concat([this.#unconfirmed, data]);
      this.#sendData(data);
      if (this.#unconfirmed.length > MOST_UNCONFIRMED) remote.pause();
    });
    remote.on('close', () => {
      this.#websocket?.close(1000, '');
      clearTimeout(this.#ending);
      ended();
    });
  }

  /** A message of the client: data for the instance, or how much it has of ours. */
  take(message: Buffer): void {
    const tag = message.readUInt16BE();
    if (tag === DATA) {
      const data = message.subarray(6, 6 + message.readUInt32BE(2));
      this.#received += data.length;
      this.#remote.write(data);
      this.#websocket?.send(number(ACK, this.#received));
    } else if (tag === ACK) {
      this.#confirm(Number(message.readBigUInt64BE(2)));
    }
  }

  /** The client came back over another connection, and has so much of ours. */
  resume(websocket: WebSocket, has: number): void {
    clearTimeout(this.#ending);
    this.#confirm(has);
    this.#websocket = websocket;
    websocket.send(number(RECONNECT_SUCCESS_ACK, this.#received));
    this.#sendData(this.#unconfirmed);
  }

  /** An orderly goodbye ends the session; a lost connection may be followed by another. */
  lost(orderly: boolean): void {
    this.#websocket = undefined;
    if (orderly) this.#remote.end();
    else this.#ending = setTimeout(() => this.#remote.destroy(), GRACE_MS);
  }

  cut(): void {
    this.#websocket?.cut();
  }

  #confirm(has: number): void {
    this.#unconfirmed = this.#unconfirmed.subarray(has - this.#confirmed);
    this.#confirmed = has;
    if (this.#unconfirmed.length <= MOST_UNCONFIRMED) this.#remote.resume();
  }

  #sendData(data: Buffer): void {
    for (let from = 0; from < data.length; from += MOST_DATA) this.#websocket?.send(frame(DATA, data.subarray(from, from + MOST_DATA)));
  }
}

function frame(tag: number, data: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(tag);
  head.writeUInt32BE(data.length, 2);
  return Buffer.concat([head, data]);
}

function number(tag: number, value: number): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16BE(tag);
  bytes.writeBigUInt64BE(BigInt(value), 2);
  return bytes;
}

export class Relay {
  readonly #cloud: Cloud;
  readonly #sessions = new Map<string, Session>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  /** Ends every connection as a network does; clients come back. */
  cut(): void {
    for (const session of this.#sessions.values()) session.cut();
  }

  /** Takes over the connection of a request that wants to become a websocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
    const path = pathname.slice(1);
    const fault = this.#cloud.faults.take('GET', path);
    const error = fault && errorOf(fault, projectOf(this.#cloud, query.get('project') ?? 'no-project'));
    const status = error?.code ?? (request.headers.authorization?.startsWith('Bearer ') === true ? 101 : 401);
    this.#cloud.noted.push(noteOf({ method: 'GET', path, query, body: undefined, userAgent: request.headers['user-agent'] ?? '' }, status));
    if (status !== 101) socket.end(`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    else if (path === 'v4/reconnect') this.#reconnect(request, socket, head, query);
    else this.#connect(request, socket, head, query);
  }

  #connect(request: IncomingMessage, socket: Duplex, head: Buffer, query: URLSearchParams): void {
    let session: Session | undefined;
    const websocket = new WebSocket(request, socket, head, PROTOCOL, {
      message: (data) => session?.take(data),
      closed: (orderly) => session?.lost(orderly),
    });
    const target = this.#target(query);
    if ('code' in target) {
      websocket.close(target.code, target.reason);
      return;
    }
    const remote = connect(target.port, target.host);
    const refused = () => {
      websocket.close(4003, 'failed to connect to backend');
    };
    remote.once('error', refused);
    remote.once('connect', () => {
      remote.off('error', refused).on('error', () => remote.destroy());
      const opened = new Session(remote, websocket, () => this.#sessions.delete(opened.id));
      session = opened;
      this.#sessions.set(opened.id, opened);
    });
  }

  #reconnect(request: IncomingMessage, socket: Duplex, head: Buffer, query: URLSearchParams): void {
    const session = this.#sessions.get(query.get('sid') ?? '');
    const websocket = new WebSocket(request, socket, head, PROTOCOL, {
      message: (data) => session?.take(data),
      closed: (orderly) => session?.lost(orderly),
    });
    if (session === undefined) websocket.close(4037, 'reconnect: unknown session');
    else session.resume(websocket, Number(query.get('ack')));
  }

  /** Where the tunnel leads, or how the relay closes it. */
  #target(query: URLSearchParams): { readonly host: string; readonly port: number } | { readonly code: number; readonly reason: string } {
    const [project = '', zone = '', name = ''] = ['project', 'zone', 'instance'].map((key) => query.get(key) ?? '');
    const path = this.#cloud.instances.path(project, `zones/${zone}`, name);
    const instance = this.#cloud.instances.get(path);
    if (instance === undefined) return { code: 4047, reason: 'failed to lookup instance' };
    const port = Number(query.get('port'));
    const host = this.#cloud.guests.get(path)?.address;
    if (host === undefined || !admits(this.#cloud, project, instance, RELAY, port)) return { code: 4003, reason: 'failed to connect to backend' };
    return { host, port };
  }
}
