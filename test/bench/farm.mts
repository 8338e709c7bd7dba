/**
 * Loopback addresses as hosts, each with a real sshd of its own; behind every address also one sshd that serves all of them with the limits it
 * comes with, and a far end of the delay proxy. A guard process owns what must go away again: it ends with this process, however that ends,
 * since the kernel then closes its stdin.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProxy, type Proxy } from './proxy.mts';

/** near: a host's own sshd. far: the same through the delay proxy. crowd: the one sshd that all addresses share. */
export type Way = 'near' | 'far' | 'crowd';

export interface Farm extends AsyncDisposable {
  readonly directory: string;
  readonly addresses: readonly string[];
  readonly ports: Readonly<Record<Way, number>>;
  readonly user: string;
  readonly key: string;
  readonly knownHosts: string;
  readonly proxy: Proxy;
  /** What the sshds have logged so far. */
  log(): string;
  /** Resolves when no login is left over, so that one measurement does not run into the next. */
  quiet(): Promise<void>;
}

const GUARD = `
directory=$1 user=$2 made= pids=
cleanup() {
  for pid in $pids; do kill "$pid" 2>/dev/null; done
  wait
  pkill -KILL -u "$user" 2>/dev/null
  [ -z "$made" ] || userdel "$user" 2>/dev/null
  rm -rf -- "$directory"
}
trap '' INT TERM HUP
useradd -M -N -g nogroup -p '*' -s /bin/sh -d "$directory/home" "$user" && made=yes || { cleanup; exit 1; }
chown -R "$user" "$directory/home"
for config in "$directory"/sshd/*; do
  /usr/sbin/sshd -D -f "$config" -E "$directory/log" </dev/null >/dev/null 2>&1 &
  pids="$pids $!"
done
echo started
cat >/dev/null
cleanup
`;

const ALONE = 'KEM_BENCH_ALONE';

/**
 * Runs this program again in a network of its own, which has nothing but loopback: only there may an sshd listen on every address. Gives
 * whether it was that other one that did the work. Root only; anybody else goes through sudo.
 */
export function inOwnNetwork(): boolean {
  if (process.env[ALONE] === 'yes') return false;
  const script = `ip link set lo up && ${ALONE}=yes exec "$@"`;
  const root = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [command = '', ...rest] = [...root, 'unshare', '--net', 'sh', '-c', script, 'sh', process.execPath, ...process.argv.slice(1)];
  const { status } = spawnSync(command, rest, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
  return true;
}

const PORTS = { near: 22_100, far: 22_200, crowd: 22_300 } as const;

export async function startFarm(count: number, rttMs: number): Promise<Farm> {
  const directory = mkdtempSync(join(tmpdir(), 'kem-bench-'));
  const path = (name: string): string => join(directory, name);
  const user = `kembench${process.pid.toString()}`;
  chmodSync(directory, 0o755);
  for (const name of ['sshd', 'keys', 'home']) mkdirSync(path(name));
  mkdirSync('/run/sshd', { recursive: true });
  const keygen = (name: string): string => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path(name)]);
    return readFileSync(path(`${name}.pub`), 'utf8').trim();
  };
  const addresses = Array.from({ length: count }, (_, index) => `127.80.${Math.floor(index / 250).toString()}.${((index % 250) + 1).toString()}`);
  writeFileSync(path('authorized_keys'), `${keygen('user')}\n`, { mode: 0o644 });
  const crowdKey = keygen('keys/crowd');
  writeFileSync(path('sshd/crowd'), sshdConfig(`0.0.0.0:${PORTS.crowd.toString()}`, path('keys/crowd'), path));
  for (const address of addresses) {
    const key = keygen(`keys/${address}`);
    const known = (port: number, which: string): string => `[${address}]:${port.toString()} ${which}\n`;
    appendFileSync(path('known_hosts'), known(PORTS.near, key) + known(PORTS.far, key) + known(PORTS.crowd, crowdKey), { mode: 0o644 });
    writeFileSync(path(`sshd/${address}`), sshdConfig(`${address}:${PORTS.near.toString()}`, path(`keys/${address}`), path));
  }
  const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', directory, user], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const end = async (): Promise<void> => {
    guard.stdin.end();
    if (guard.exitCode === null) await once(guard, 'exit');
  };
  await Promise.race([once(guard.stdout, 'data'), once(guard, 'exit').then(() => Promise.reject(new Error('the guard of sshd did not start')))]);
  const log = (): string => readFileSync(path('log'), 'utf8');
  try {
    for (const address of addresses) await answering(address, PORTS.near, log);
    await answering('127.0.0.1', PORTS.crowd, log);
    const proxy = await startProxy({ listen: PORTS.far, to: PORTS.near, rttMs });
    return {
      ...{ directory, addresses, user, proxy, log },
      ports: PORTS,
      key: path('user'),
      knownHosts: path('known_hosts'),
      quiet: () => quiet(directory),
      [Symbol.asyncDispose]: async () => {
        await proxy[Symbol.asyncDispose]();
        await end();
      },
    };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

/** Only what must differ from the defaults; MaxStartups above all stays what it is. */
const sshdConfig = (listen: string, hostKey: string, path: (name: string) => string): string => `ListenAddress ${listen}
HostKey ${hostKey}
AuthorizedKeysFile ${path('authorized_keys')}
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
LogLevel VERBOSE
`;

async function answering(host: string, port: number, log: () => string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const socket = net.connect(port, host);
    const isUp = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
    socket.destroy();
    if (isUp) return;
    if (tries > 500) throw new Error(`sshd did not start: ${log()}`);
    await sleep(30);
  }
}

/** Every login is a child of an sshd of this farm, which names its configuration in its command line. */
async function quiet(directory: string): Promise<void> {
  const listeners = execFileSync('pgrep', ['-f', `sshd -D -f ${directory}/`], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .join(',');
  for (let tries = 0; tries < 500; tries += 1) {
    if (spawnSync('pgrep', ['-P', listeners]).status !== 0) return;
    await sleep(20);
  }
  throw new Error('logins are left over from a measurement');
}
