/** A real sshd on a loopback address of its own, with its own keys; everything it needs is in one temporary directory. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Sshd extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  readonly directory: string;
  /** A key that may log in as anyone. */
  readonly keyFile: string;
  /** Names the server with its real key. */
  readonly knownHosts: string;
  /** `type base64` of the host key. */
  readonly hostKey: string;
  log(): string;
}

let next = 1;
const ISOLATED = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** `configure` may add files to the directory and lines to the configuration. `isolated` (root only): with processes and a /run of its own, as another host has; whatever it ran ends with it. */
export async function startSshd(configure: (directory: string) => string = () => '', isolated = false): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'kem-sshd-'));
  const path = (name: string): string => join(directory, name);
  mkdirSync('/run/sshd', { recursive: true });
  for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path(name)]);
  const address = `127.78.${process.pid % 250}.${next++}`;
  const port = await freePort(address);
  writeFileSync(path('authorized_keys'), readFileSync(path('user.pub')), { mode: 0o644 });
  execFileSync('chmod', ['755', directory]);
  const hostKey = readFileSync(path('host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  writeFileSync(path('known_hosts'), `[${address}]:${port} ${hostKey}\n`);
  writeFileSync(
    path('sshd_config'),
    `ListenAddress ${address}:${port}
HostKey ${path('host')}
AuthorizedKeysFile ${path('authorized_keys')}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel VERBOSE
PidFile none
${configure(directory)}
`,
  );
  const argv = ['/usr/sbin/sshd', '-D', '-f', path('sshd_config'), '-E', path('log')];
  const child: ChildProcess = isolated
    ? spawn('unshare', [...ISOLATED, 'sh', '-c', 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && "$@"', 'sh', ...argv], { stdio: 'ignore' })
    : spawn('/usr/sbin/sshd', argv.slice(1), { stdio: 'ignore' });
  for (let tries = 0; ; tries++) {
    const sock = net.connect(port, address);
    const up = await Promise.race([once(sock, 'connect').then(() => true), once(sock, 'error').then(() => false)]).catch(() => false);
    sock.destroy();
    if (up) break;
    if (tries > 100) throw new Error(`sshd did not start: ${readFileSync(path('log'), 'utf8')}`);
    await sleep(30);
  }
  // A test that counts connections must not count this one.
  while (!readFileSync(path('log'), 'utf8').includes('Connection from')) await sleep(10);
  return {
    address,
    port,
    directory,
    keyFile: path('user'),
    knownHosts: path('known_hosts'),
    hostKey,
    log: () => readFileSync(path('log'), 'utf8'),
    [Symbol.asyncDispose]: async () => {
      // unshare lets nothing less through, and takes everything with it.
      child.kill(isolated ? 'SIGKILL' : 'SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function freePort(address: string): Promise<number> {
  const server = net.createServer().listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}
