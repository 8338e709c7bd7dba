/** From the start of a process to its first connection attempt, seen by the socket that is connected to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import type { Farm } from './farm.mts';
import { median } from './measure.mts';

const ROOT = join(import.meta.dirname, '../..');

export interface Startup {
  /** Median milliseconds, by `node playbooks/site.mts` and by zx. */
  readonly node: number;
  readonly zx: number;
}

export async function firstConnection(farm: Farm, rounds: number): Promise<Startup> {
  const zx = join(ROOT, 'node_modules/zx/build/cli.js');
  const [node, throughZx]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    node.push(await untilConnected(farm, []));
    throughZx.push(await untilConnected(farm, [zx]));
  }
  return { node: Math.round(median(node)), zx: Math.round(median(throughZx)) };
}

/** The host takes the connection and hangs up at once. */
async function untilConnected(farm: Farm, through: readonly string[]): Promise<number> {
  const server = net.createServer().listen(0, '127.80.255.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const inventory = join(farm.directory, 'startup.yaml');
  const host = `{ansible_host: 127.80.255.1, ansible_port: ${port.toString()}, ansible_ssh_private_key_file: ${farm.key}}`;
  writeFileSync(inventory, `all:\n  children:\n    es_masters:\n      hosts:\n        one: ${host}\n`);
  const started = performance.now();
  const child = spawn(process.execPath, [...through, join(ROOT, 'playbooks/site.mts'), '-i', inventory, '--role', 'os-limits', '--check'], { stdio: 'ignore' });
  try {
    const [socket] = (await Promise.race([
      once(server, 'connection'),
      once(child, 'exit').then(() => Promise.reject(new Error('the playbook ended without connecting'))),
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
