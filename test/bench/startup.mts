/** From the start of a process to its first connection attempt, seen by the socket that is connected to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import type { Farm } from './farm.mts';

/** Milliseconds until `argv`, given an inventory of one host, connects. The host takes the connection and hangs up at once. */
export async function firstConnection(farm: Farm, argv: (inventory: string) => readonly [string, ...string[]]): Promise<number> {
  const server = net.createServer().listen(0, '127.80.255.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const inventory = join(farm.directory, 'startup.yaml');
  writeFileSync(
    inventory,
    `all:\n  children:\n    es_masters:\n      hosts:\n        one: {ansible_host: 127.80.255.1, ansible_port: ${port.toString()}, ansible_ssh_private_key_file: ${join(farm.directory, 'user')}}\n`,
  );
  const [command, ...rest] = argv(inventory);
  const started = performance.now();
  const child = spawn(command, rest, { stdio: 'ignore' });
  try {
    const [socket] = (await Promise.race([
      once(server, 'connection'),
      once(child, 'exit').then(() => Promise.reject(new Error(`${command} ended without connecting`))),
    ])) as [net.Socket];
    const ms = performance.now() - started;
    socket.destroy();
    return ms;
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    server.close();
  }
}
