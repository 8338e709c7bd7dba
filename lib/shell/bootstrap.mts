/**
 * The first command of a session: a settled environment, the host's facts, the lock when asked for, the questions that ride along, and
 * then a shell that reads frames. It starts three processes at most beside the questions' own: grep, uname on old kernels, flock.
 */
import type { Facts, Limit } from '../plan/model.mts';
import { LOCK_FD } from './frame.mts';
import { guard, SILENCE_SECONDS } from './lifeline.mts';
import { quote } from './quote.mts';

/** Who holds a host, as written into the lock file. */
export interface LockHolder {
  readonly run: string;
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

/** Commands whose presence becomes `facts.tools`. */
export const KNOWN_TOOLS = [
  'apt-get', 'base64', 'curl', 'dnf', 'dpkg-query', 'flock', 'getent', 'grep', 'gzip', 'java', 'openssl', 'python3', 'restorecon', 'rpm', 'setsid',
  'sha256sum', 'sha512sum', 'ss', 'stat', 'sudo', 'sysctl', 'systemctl', 'tar', 'unzip', 'useradd', 'xz', 'yum', 'zip',
] as const; // prettier-ignore

/** Without these a session can answer nothing, or not write: every Debian, Ubuntu and Enterprise Linux has them. */
export const REQUIRED_TOOLS: Readonly<Record<'read' | 'write', readonly string[]>> = {
  read: ['base64', 'grep', 'sha256sum', 'stat'],
  write: ['base64', 'flock', 'grep', 'setsid', 'sha256sum', 'stat'],
};

const ENVIRONMENT = `LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH; unset ENV BASH_ENV CDPATH LANGUAGE; umask 022; cd /`;

const FACT_LINES =
  '^(ID=|VERSION_ID=|MemTotal:|Max processes|Max open files|Max locked memory|Uid:|CapEff:|Cpus_allowed_list:|btime |[0-9]+ \\(|[0-9a-f-]+$|[a-z0-9_]+$)';
const FACT_FILES =
  '/etc/os-release /proc/meminfo /proc/self/limits /proc/self/status /proc/sys/kernel/random/boot_id /proc/sys/fs/nr_open /proc/sys/kernel/arch /proc/stat /proc/self/stat';

export interface BootstrapText {
  readonly nonce: string;
  readonly probe: string;
  /** Given: take the host's lock, and end without a shell when another run holds it. */
  readonly holder?: LockHolder;
  /** Where the lock lies; chosen by the script unless a test says so. */
  readonly lockFile?: string;
  readonly shell?: string;
  /** How long a session that holds the lock lives without a sign of life. */
  readonly silenceSeconds?: number;
}

/** Text for `sh -c`; prints a frame whose head are the facts. */
export function compileBootstrap({ nonce, probe, holder, lockFile, shell = '/bin/sh', silenceSeconds = SILENCE_SECONDS }: BootstrapText): string {
  return `${ENVIRONMENT}
printf '\\nBEGIN ${nonce}\\n'
grep -H -E '${FACT_LINES}' ${FACT_FILES} 2>/dev/null
if [ ! -r /proc/sys/kernel/arch ]; then printf 'arch:'; uname -m; fi
if [ -d /run/systemd/system ]; then echo init:systemd; fi
kem_tools=; for kem_tool in ${KNOWN_TOOLS.join(' ')}; do if command -v "$kem_tool" >/dev/null 2>&1; then kem_tools="$kem_tools $kem_tool"; fi; done
echo "tools:$kem_tools"
${holder === undefined ? '' : takeLock(nonce, holder, lockFile, silenceSeconds)}printf '\\nPROBE ${nonce}\\n'
{ :
${probe}
} </dev/null 2>/dev/null ${LOCK_FD}>&-
printf '\\nEND ${nonce} 0\\n'
exec ${shell}${holder === undefined ? '' : ' -s "$kem_guard"'}
`;
}

/** The kernel frees the lock with its last descriptor, so a dead run never leaves one behind; the JSON only names the holder. Root's is in /run: in
 * /run/lock every user of the host could make the file first, and hold it for ever. */
function takeLock(nonce: string, holder: LockHolder, lockFile: string | undefined, silenceSeconds: number): string {
  const choose =
    lockFile === undefined
      ? `for kem_dir in /tmp /var/lock /run/lock /run; do if [ -d "$kem_dir" ] && [ -w "$kem_dir" ]; then kem_lock=$kem_dir/kafka-elastic-monitoring.lock; fi; done`
      : `kem_lock=${quote(lockFile)}`;
  return `if command -v flock >/dev/null 2>&1; then
${choose}
umask 077
if [ -L "$kem_lock" ]; then echo "lock:error $kem_lock is a symbolic link"
elif ! { true >>"$kem_lock"; } 2>/dev/null; then echo "lock:error cannot open $kem_lock"
elif exec ${LOCK_FD}>>"$kem_lock" && flock -n ${LOCK_FD} 2>/dev/null; then printf '%s\\n' ${quote(JSON.stringify(holder))} >"$kem_lock"; echo lock:taken
${guard(LOCK_FD, silenceSeconds)}else printf 'lock:held '; cat "$kem_lock"; printf '\\nEND ${nonce} 0\\n'; exit 0; fi
umask 022
fi
`;
}

// ---- reading ---------------------------------------------------------------------------------------------------

export type LockState =
  | { readonly kind: 'none' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'held'; readonly holder: LockHolder | undefined }
  | { readonly kind: 'error'; readonly reason: string };

/** When the first command was sent and when it was heard, by the controller's clock, in milliseconds: the host has told its time in between. */
export interface Heard {
  readonly sent: number;
  readonly heard: number;
}

/** What the first command printed before its answers; unreadable facts are empty or zero, never guessed. */
export function parseFacts(head: string, between: Heard = { sent: 0, heard: Infinity }): { readonly facts: Facts; readonly lock: LockState } {
  const values = new Map<string, string>();
  let lock: LockState = { kind: 'none' };
  for (const line of head.split('\n')) {
    const colon = line.indexOf(':');
    const [file, text] = [line.slice(0, colon), line.slice(colon + 1)];
    if (file === 'lock') lock = parseLock(text);
    else if (file === '/proc/self/limits') values.set(text.slice(0, 26).trim(), text.slice(26));
    else if (file === '/etc/os-release' || file === '/proc/meminfo' || file === '/proc/self/status') {
      const [key = '', value = ''] = text.split(/[=:](.*)/);
      values.set(key, value.trim().replace(/^(["'])(.*)\1$/, '$2'));
    } else if (!values.has(file)) values.set(file, text);
  }
  const get = (key: string): string => values.get(key) ?? '';
  return {
    lock,
    facts: {
      os: get('ID'),
      version: get('VERSION_ID'),
      arch: get('/proc/sys/kernel/arch') || get('arch'),
      cpus: countCpus(get('Cpus_allowed_list')),
      memoryBytes: (Number.parseInt(get('MemTotal'), 10) || 0) * 1024,
      init: get('init') === 'systemd' ? 'systemd' : 'none',
      bootId: get('/proc/sys/kernel/random/boot_id'),
      uid: Number.parseInt(get('Uid').split(/\s+/)[1] ?? '-1', 10),
      tools: new Set(get('tools').split(' ').filter(Boolean)),
      limits: { nofile: parseLimit(get('Max open files')), nproc: parseLimit(get('Max processes')), memlock: parseLimit(get('Max locked memory')) },
      mayRaiseLimits: (BigInt(`0x${get('CapEff') || '0'}`) & CAP_SYS_RESOURCE) !== 0n,
      nrOpen: Number.parseInt(get('/proc/sys/fs/nr_open'), 10) || 0,
      aheadMs: aheadOf(between, timeOf(get('/proc/stat'), get('/proc/self/stat'))),
    },
  };
}

const CAP_SYS_RESOURCE = 1n << 24n;

/** What the kernel counts the age of a process in, on every machine of today. */
const MS_PER_TICK = 10;

/** The host's time when grep was started: no shell says it without a process, but the kernel has it as the time of the boot and the ticks since. */
function timeOf(boot: string, grep: string): number | undefined {
  const seconds = Number(boot.replace('btime ', ''));
  const ticks = Number(grep.slice(grep.lastIndexOf(')') + 2).split(' ')[19]);
  return seconds > 0 && ticks > 0 ? seconds * 1000 + ticks * MS_PER_TICK : undefined;
}

/** By how much at least, whenever in between it was told. */
function aheadOf({ sent, heard }: Heard, time: number | undefined): number {
  if (time === undefined) return 0;
  return Math.max(0, time - heard) + Math.min(0, time - sent);
}

/** `0-3,6` is 5; the list is what this session may run on, as `nproc` counts. */
function countCpus(list: string): number {
  let count = 0;
  for (const part of list.split(',')) {
    const [first, last] = part.split('-').map(Number);
    if (first !== undefined && Number.isInteger(first) && part !== '') count += (last ?? first) - first + 1;
  }
  return count;
}

function parseLimit(text: string): Limit {
  const [soft = '0', hard = '0'] = text.trim().split(/\s+/);
  const value = (word: string): number => (word === 'unlimited' ? Infinity : Number(word));
  return { soft: value(soft), hard: value(hard) };
}

function parseLock(text: string): LockState {
  if (text === 'taken') return { kind: 'taken' };
  if (text.startsWith('error ')) return { kind: 'error', reason: text.slice(6) };
  return { kind: 'held', holder: parseHolder(text.replace(/^held /, '')) };
}

function parseHolder(json: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return undefined;
    const { run, user, host, pid, since } = value as Partial<Record<keyof LockHolder, unknown>>;
    if (typeof run !== 'string' || typeof user !== 'string' || typeof host !== 'string' || typeof pid !== 'number' || typeof since !== 'string')
      return undefined;
    return { run, user, host, pid, since };
  } catch {
    return undefined;
  }
}
