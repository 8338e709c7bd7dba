/** As much of a websocket's server side (RFC 6455) as the relay needs: whole binary messages, pings and closes. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export interface Handlers {
  readonly message: (data: Buffer) => void;
  /** Once: `orderly` when the other side said goodbye. */
  readonly closed: (orderly: boolean) => void;
}

export class WebSocket {
  readonly #socket: Duplex;
  #closed = false;

  /** Accepts the upgrade that was asked for. */
  constructor({ headers }: IncomingMessage, socket: Duplex, head: Buffer, protocol: string, handlers: Handlers) {
    this.#socket = socket;
    const key = createHash('sha1')
      .update(`${String(headers['sec-websocket-key'])}${MAGIC}`)
      .digest('base64');
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${key}`,
      `Sec-WebSocket-Protocol: ${protocol}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    let orderly = false;
    let waiting = head;
    const take = (data: Buffer) => {
      waiting = Buffer.concat([waiting, data]);
      for (let frame = parsed(waiting); frame !== undefined; frame = parsed(waiting)) {
        waiting = waiting.subarray(frame.length);
        if (frame.opcode === BINARY) handlers.message(frame.payload);
        else if (frame.opcode === PING) this.#send(PONG, frame.payload);
        else if (frame.opcode === CLOSE) {
          orderly = true;
          this.close(1000, '');
        }
      }
    };
    socket.on('data', take);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#closed = true;
      handlers.closed(orderly);
    });
    take(Buffer.alloc(0));
  }

  send(data: Buffer): void {
    this.#send(BINARY, data);
  }

  close(code: number, reason: string): void {
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code);
    payload.write(reason, 2);
    this.#send(CLOSE, payload);
    this.#closed = true;
    this.#socket.end();
  }

  /** Ends the connection without a goodbye, as a network does. */
  cut(): void {
    this.#socket.destroy();
  }

  #send(opcode: number, payload: Buffer): void {
    if (!this.#closed) this.#socket.write(Buffer.concat([header(opcode, payload.length), payload]));
  }
}

function header(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | opcode, length]);
  const long = length > 65_535;
  const bytes = Buffer.alloc(long ? 10 : 4);
  bytes.set([0x80 | opcode, long ? 127 : 126]);
  if (long) bytes.writeBigUInt64BE(BigInt(length), 2);
  else bytes.writeUInt16BE(length, 2);
  return bytes;
}

/** The frame at the beginning, unmasked, and how long it is; undefined while it is incomplete. */
function parsed(data: Buffer): { readonly opcode: number; readonly payload: Buffer; readonly length: number } | undefined {
  const [first, second] = data;
  if (first === undefined || second === undefined) return undefined;
  const short = second & 127;
  const at = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (data.length < at + 4) return undefined;
  const size = short === 127 ? Number(data.readBigUInt64BE(2)) : short === 126 ? data.readUInt16BE(2) : short;
  const length = at + 4 + size;
  if (data.length < length) return undefined;
  const mask = data.subarray(at, at + 4);
  const payload = Buffer.from(data.subarray(at + 4, length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return { opcode: first & 15, payload, length };
}
