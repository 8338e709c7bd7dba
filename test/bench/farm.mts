/**
 * One real sshd that listens on many loopback addresses, as many hosts. A guard process owns everything that must go away again: it ends
 * with this process, however that ends, since the kernel then closes its stdin.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Farm extends AsyncDisposable {
  readonly directory: string;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly user: string;
  readonly inventory: string;
  /** Arguments of OpenSSH's client for any of the hosts. */
  readonly sshOptions: readonly string[];
  /** What sshd has logged so far. */
  log(): string;
}

const GUARD = `
cleanup() {
  kill "$sshd" 2>/dev/null; wait "$sshd" 2>/dev/null
  [ -z "$made" ] || userdel "$made" 2>/dev/null
  rm -rf -- "$directory"
}
directory=$1 user=$2 make=$3 sshd= made=
trap '' INT TERM HUP
if [ "$make" = yes ]; then useradd -M -N -g nogroup -p '*' -s /bin/sh -d / "$user" && made=$user || { cleanup; exit 1; }; fi
/usr/sbin/sshd -D -f "$directory/sshd_config" -E "$directory/log" </dev/null >/dev/null 2>&1 &
sshd=$!
echo started
cat >/dev/null
cleanup
`;

/** sshd takes this many addresses; more need the wildcard, which is only used where nobody else can connect. */
const MOST_ADDRESSES = 16;
const ALONE = 'KEM_BENCH_ALONE';
const isAlone = (): boolean => process.env[ALONE] === 'yes';

/** For more hosts than sshd has sockets: runs this program again in a network of its own, which has nothing but loopback. Root only. */
export function inOwnNetwork(count: number): boolean {
  if (count <= MOST_ADDRESSES || isAlone()) return false;
  const script = `ip link set lo up && ${ALONE}=yes exec "$@"`;
  const { status } = spawnSync('unshare', ['--net', 'sh', '-c', script, 'sh', process.execPath, ...process.argv.slice(1)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
  return true;
}

/** As root a login user of its own with /bin/sh is made; anybody else logs in as himself. */
export async function startFarm(count: number): Promise<Farm> {
  const directory = mkdtempSync(join(tmpdir(), 'kem-bench-'));
  const path = (name: string): string => join(directory, name);
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? `kembench${process.pid.toString()}` : userInfo().username;
  for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path(name)]);
  chmodSync(directory, 0o755);
  if (isRoot) mkdirSync('/run/sshd', { recursive: true });
  const hosts = Array.from({ length: count }, (_, index) => `127.80.${Math.floor(index / 250).toString()}.${((index % 250) + 1).toString()}`);
  const port = 22_000 + (process.pid % 1000);
  const hostKey = readFileSync(path('host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  writeFileSync(path('known_hosts'), hosts.map((host) => `[${host}]:${port.toString()} ${hostKey}\n`).join(''));
  writeFileSync(path('authorized_keys'), readFileSync(path('user.pub')), { mode: 0o644 });
  writeFileSync(path('sshd_config'), sshdConfig(isAlone() ? ['0.0.0.0'] : hosts, port, path));
  writeFileSync(path('inventory.yaml'), inventoryText(hosts, port, user, path));
  const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', directory, user, isRoot ? 'yes' : 'no'], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  await Promise.race([once(guard.stdout, 'data'), once(guard, 'exit').then(() => Promise.reject(new Error('the guard of sshd did not start')))]);
  const last = hosts.at(-1);
  if (last !== undefined) await answering(last, port, () => readFileSync(path('log'), 'utf8'));
  return {
    directory,
    hosts,
    port,
    user,
    inventory: path('inventory.yaml'),
    sshOptions: [
      '-F',
      'none',
      '-p',
      port.toString(),
      '-l',
      user,
      '-i',
      path('user'),
      '-o',
      `UserKnownHostsFile=${path('known_hosts')}`,
      '-o',
      'IdentitiesOnly=yes',
      '-o',
      'BatchMode=yes',
    ],
    log: () => readFileSync(path('log'), 'utf8'),
    [Symbol.asyncDispose]: async () => {
      guard.stdin.end();
      if (guard.exitCode === null) await once(guard, 'exit');
    },
  };
}

/** Only what must differ from the defaults; MaxStartups above all stays what it is. */
const sshdConfig = (hosts: readonly string[], port: number, path: (name: string) => string): string =>
  `${hosts.map((host) => `ListenAddress ${host}:${port.toString()}\n`).join('')}HostKey ${path('host')}
AuthorizedKeysFile ${path('authorized_keys')}
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
LogLevel VERBOSE
`;

const inventoryText = (hosts: readonly string[], port: number, user: string, path: (name: string) => string): string =>
  `all:
  vars:
    ansible_port: ${port.toString()}
    ansible_user: ${user}
    ansible_ssh_private_key_file: ${path('user')}
    connection_known_hosts_file: ${path('known_hosts')}
  children:
    es_masters:
      hosts:
${hosts.map((host, index) => `        bench-${(index + 1).toString()}: {ansible_host: ${host}}\n`).join('')}`;

async function answering(host: string, port: number, log: () => string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const socket = net.connect(port, host);
    const isUp = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
    socket.destroy();
    if (isUp) return;
    if (tries > 200) throw new Error(`sshd did not start: ${log()}`);
    await sleep(30);
  }
}
