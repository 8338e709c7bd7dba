/**
 * A link with latency, for machines whose kernel cannot delay packets: every connection to a port is handed to another port of the same
 * address, each direction half a round trip later. Run by itself it is the proxy; `startProxy` starts that as a process of its own, so that
 * its work is not counted as that of whoever is measured. It also counts what passes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';

export interface Traffic {
  readonly connections: number;
  /** How often the client spoke after it had heard something: the round trips of a protocol in which both take turns. */
  readonly turns: number;
  /** Bytes of the client and of the server, with everything that ssh itself says. */
  readonly sent: number;
  readonly received: number;
}

export interface Proxy extends AsyncDisposable {
  /** What has passed since the last call. */
  traffic(): Promise<Traffic>;
}

export async function startProxy(link: { readonly listen: number; readonly to: number; readonly rttMs: number }): Promise<Proxy> {
  const child = spawn(process.execPath, [import.meta.filename, link.listen.toString(), link.to.toString(), link.rttMs.toString()], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the proxy ended');
    return line.value;
  };
  await next();
  return {
    traffic: async () => {
      child.stdin.write('\n');
      return JSON.parse(await next()) as Traffic;
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** What is given happens after `delayMs`, but not before `notBefore`, in the same order whichever timer fires first. */
function delayed(delayMs: number, notBefore: number): (action: () => void) => void {
  const queue: (() => void)[] = [];
  return (action) => {
    queue.push(action);
    const due = Math.max(performance.now(), notBefore) + delayMs;
    setTimeout(() => queue.shift()?.(), due - performance.now());
  };
}

async function serve(listen: number, to: number, rttMs: number): Promise<void> {
  const none: Traffic = { connections: 0, turns: 0, sent: 0, received: 0 };
  let traffic = { ...none };
  const server = net.createServer({ noDelay: true }, (client) => {
    traffic.connections += 1;
    let last: 'client' | 'server' | undefined;
    // The kernel has accepted already what a far host would accept a round trip later.
    const connected = performance.now() + rttMs;
    const toServer = delayed(rttMs / 2, connected);
    const toClient = delayed(rttMs / 2, connected);
    const upstream = new net.Socket();
    toServer(() => upstream.setNoDelay().connect({ port: to, host: client.localAddress ?? '127.0.0.1' }));
    client.on('data', (bytes: Buffer) => {
      traffic.sent += bytes.length;
      if (last === 'server') traffic.turns += 1;
      last = 'client';
      toServer(() => upstream.write(bytes));
    });
    upstream.on('data', (bytes: Buffer) => {
      toClient(() => {
        if (!client.writable) return;
        client.write(bytes);
        traffic.received += bytes.length;
        last = 'server';
      });
    });
    for (const each of [client, upstream]) each.on('error', () => undefined);
    client.on('close', () => {
      toServer(() => upstream.end());
    });
    upstream.on('close', () => {
      toClient(() => client.end());
    });
  });
  server.listen(listen, '0.0.0.0', 511);
  await once(server, 'listening');
  process.stdout.write('listening\n');
  for await (const _ of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(traffic)}\n`);
    traffic = { ...none };
  }
  process.exit(0);
}

if (import.meta.main) {
  const [listen = 0, to = 0, rttMs = 0] = process.argv.slice(2).map(Number);
  await serve(listen, to, rttMs);
}
