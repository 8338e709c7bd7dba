/** An ssh server inside the test that runs commands with a local sh and can be told to drop, stall, split and lie. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type ServerChannel } from 'ssh2';

export interface Faults {
  /** Drops connections before it says a word, this many. */
  dropFirst?: number;
  /** Accepts and then says nothing. */
  silent?: boolean;
  /** Ends the connection after so many bytes of the session's output. */
  cutAfter?: number;
  /** Sends one byte at a time. */
  bytewise?: boolean;
  /** Ends channels without an exit status. */
  noStatus?: boolean;
  /** Refuses every command. */
  noExec?: boolean;
  /** Never answers a request for a channel. */
  stallExec?: boolean;
  /** Answers a command by resetting the connection. */
  resetOnExec?: boolean;
  /** Never answers a request for a connection further on. */
  stallForward?: boolean;
  /** Answers a request for a connection further on by going away. */
  cutForward?: boolean;
  /** Knows no key. */
  noLogin?: boolean;
  /** Text before anything of the command. */
  noise?: string;
}

export interface FaultyServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  readonly keyFile: string;
  readonly knownHosts: string;
  /** Connections accepted so far. */
  readonly connections: number;
  readonly logins: number;
  faults: Faults;
}

export async function startServer(faults: Faults = {}): Promise<FaultyServer> {
  const directory = mkdtempSync(join(tmpdir(), 'kem-server-'));
  for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)]);
  const address = '127.0.0.1';
  const sockets = new Set<Socket>();
  const state = { address, port: 0, keyFile: join(directory, 'user'), knownHosts: join(directory, 'known_hosts'), connections: 0, logins: 0, faults };
  const server = new ssh2.Server({ hostKeys: [readFileSync(join(directory, 'host'))] });
  const tcp = (server as unknown as { _srv: { prependListener(event: 'connection', listener: (socket: Socket) => void): void } })._srv;
  tcp.prependListener('connection', (socket) => {
    state.connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    if (state.faults.silent === true) socket.write = (): boolean => true;
    if ((state.faults.dropFirst ?? 0) > 0) {
      state.faults.dropFirst = (state.faults.dropFirst ?? 0) - 1;
      socket.destroy();
    }
  });
  server.on('connection', (client, info) => {
    info;
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      if (context.method === 'publickey') {
        if (context.signature !== undefined || state.faults.noLogin === true) state.logins++;
        if (state.faults.noLogin === true) context.reject(['publickey']);
        else context.accept();
      } else context.reject(['publickey']);
    });
    client.on('tcpip', (_accept, reject) => {
      if (state.faults.cutForward === true) for (const socket of sockets) socket.destroy();
      else if (state.faults.stallForward !== true) reject();
    });
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, rejectExec, { command }) => {
        if (state.faults.noExec === true) rejectExec();
        else if (state.faults.resetOnExec === true) for (const socket of sockets) socket.resetAndDestroy();
        else if (state.faults.stallExec !== true) {
          run(acceptExec(), command, state.faults, () => {
            client.end();
            for (const socket of sockets) socket.destroy();
          });
        }
      });
    });
  });
  server.listen(0, address);
  await once(tcp as unknown as NodeJS.EventEmitter, 'listening');
  const bound = server.address();
  state.port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  writeFileSync(state.knownHosts, `[${address}]:${state.port} ${readFileSync(join(directory, 'host.pub'), 'utf8')}`);
  return Object.assign(state, {
    [Symbol.asyncDispose]: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      rmSync(directory, { recursive: true, force: true });
    },
  });
}

function run(channel: ServerChannel, command: string, faults: Faults, cut: () => void): void {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'pipe'] });
  let left = faults.cutAfter ?? Infinity;
  const send = (bytes: Buffer): void => {
    const part = bytes.subarray(0, Math.min(left, bytes.length));
    left -= part.length;
    if (faults.bytewise === true) for (const byte of part) channel.write(Buffer.of(byte));
    else channel.write(part);
    if (left <= 0) setTimeout(cut, 5);
  };
  if (faults.noise !== undefined) channel.write(faults.noise);
  channel.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  channel.pipe(child.stdin);
  channel.on('close', () => child.stdin.destroy());
  child.stdout.on('data', send);
  child.stderr.on('data', (bytes: Buffer) => channel.stderr.write(bytes));
  child.once('close', (code, signal) => {
    if (faults.noStatus !== true && !channel.destroyed) {
      if (signal === null) channel.exit(code ?? 0);
      else channel.exit(signal, false, '');
    }
    channel.end();
  });
}
