/**
 * All questions to a host as one POSIX sh script: one command for each kind of question, however many are asked.
 * Sections are raw bytes between lines that carry the frame's nonce, so no file content, link target or HTTP body can look like the end of
 * its own section. In a frame the nonce is never an argument of a process, and nobody on the host can know it; the first command of a
 * session is itself an argument, so another user of the host who watches the process list could forge the answers that ride in it.
 */
import type { Ask, HostAskKind, Raw } from '../plan/model.mts';
import { quote } from './quote.mts';
import { markers, parsers, sysctlPath, TEXT_LIMIT, type Section } from './probe-answers.mts';
import { httpConfig } from './probe-http.mts';

export type HostAsk = Extract<Ask, { at: 'host' }>;

/** systemd properties a unit question reads, in no particular order. */
export const UNIT_PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'MainPID',
  'InvocationID',
  'NRestarts',
  'NeedDaemonReload',
  'Result',
  'ExecMainStatus',
] as const;

/** The keys of each kind, each once, in the order of their first ask. */
function keysByKind(asks: readonly HostAsk[]): ReadonlyMap<HostAskKind, readonly string[]> {
  const keys = new Map<HostAskKind, Set<string>>();
  for (const ask of asks) keys.set(ask.kind, (keys.get(ask.kind) ?? new Set<string>()).add(ask.key));
  return new Map([...keys].map(([kind, set]) => [kind, [...set]]));
}

const words = (keys: readonly string[]): string => keys.map(quote).join(' ');

/** Contents are only read of what `stat` was asked about too: its errno tells absent from unreadable. */
function statKeys(keys: ReadonlyMap<HostAskKind, readonly string[]>): readonly string[] {
  return [...new Set([...(keys.get('stat') ?? []), ...(keys.get('sha256') ?? []), ...(keys.get('text') ?? [])])];
}

// A fifo or a device would block or never end, so only regular files are opened; the letters say what became of the others.
const READABLE = `readable() { letters=; for path do
  if [ -f "$path" ]; then if [ -r "$path" ]; then letters=\${letters}r; else letters=\${letters}u; fi
  elif [ -e "$path" ]; then letters=\${letters}o; elif [ -h "$path" ]; then letters=\${letters}l; else letters=\${letters}m; fi
done; printf '%s\\n' "$letters"; }`;

/** Positional parameters become the readable ones of `keys`, each preceded by `before`. */
const keepReadable = (keys: readonly string[], before: string): string =>
  `readable ${words(keys)}; set --; for path in ${words(keys)}; do case $letters in r*) set -- "$@"${before} "$path" ;; esac; letters=\${letters#?}; done`;

function sectionOf(kind: HostAskKind, keys: readonly string[], nonce: string): string {
  switch (kind) {
    case 'stat':
      // QUOTING_STYLE=c: a link's target is hostile text and stays one line.
      return `run stat stat -c '%f:%s:%u:%g:%U:%G:%N' -- ${words(keys)}`;
    case 'sha256':
      return `start sha256\n${keepReadable(keys, '')}\n[ $# -eq 0 ] && skip || finish sha256sum -- "$@"`;
    case 'text':
      // One process for all files: /proc/self/environ of that process holds the nonce and nothing else, and is read again before each file.
      return (
        `start text\n${keepReadable(keys, ' /proc/self/environ')}\n` +
        `[ $# -eq 0 ] && skip || finish env -i KEM=${nonce} head -q -c ${(TEXT_LIMIT + 1).toString()} -- "$@"`
      );
    case 'sysctl':
      // Never the shell's read: dash and busybox get one character from /proc/sys.
      return `run sysctl grep -H '' ${words(keys.map(sysctlPath))}`;
    case 'unit':
      return `run unit systemctl --no-pager show --property=${UNIT_PROPERTIES.join(',')} -- ${words(keys)}`;
    case 'passwd':
      return `run passwd getent passwd -- ${words(keys)}`;
    case 'group':
      return `run group getent group -- ${words(keys)}`;
    case 'package':
      return (
        `if command -v dpkg-query >/dev/null 2>&1; then run package dpkg-query -W -f='\${Package}\\t\${db:Status-Abbrev}\\t\${Version}\\n' -- ${words(keys)}\n` +
        `else run package rpm -q --qf '%{NAME}\\tii\\t%{VERSION}-%{RELEASE}\\n' -- ${words(keys)}; fi`
      );
    case 'listeners':
      return 'run listeners ss -ltnpH';
    case 'http':
      // The whole request is configuration on stdin: no address or body is seen in the process list. -q ignores a user's .curlrc.
      return `run http curl -q --config - <<'KEM-${nonce}'\n${httpConfig(keys, nonce)}KEM-${nonce}`;
    case 'shell':
      // Its `ls` must print names as they are.
      return keys.map((key) => `start shell\n( unset QUOTING_STYLE; eval ${quote(key)} ) 2>&1\nstatus=$?; error=; ended`).join('\n');
  }
}

const ORDER: readonly HostAskKind[] = ['stat', 'sha256', 'text', 'sysctl', 'unit', 'passwd', 'group', 'package', 'listeners', 'http', 'shell'];

/** POSIX sh text that asks everything at once and changes nothing, neither on the host nor in the shell that runs it. */
export function compileProbe(asks: readonly HostAsk[], nonce: string): string {
  if (!/^[A-Za-z0-9]{8,64}$/.test(nonce)) throw new TypeError('a nonce is 8 to 64 letters and digits');
  const keys = new Map(keysByKind(asks));
  const looked = statKeys(keys);
  if (looked.length > 0) keys.set('stat', looked);
  const sections = ORDER.flatMap((kind) => {
    const wanted = keys.get(kind);
    return wanted === undefined ? [] : [sectionOf(kind, wanted, nonce)];
  });
  const reads = keys.has('sha256') || keys.has('text') ? `${READABLE}\n` : '';
  return `(
set +e +u
LC_ALL=C QUOTING_STYLE=c
export LC_ALL QUOTING_STYLE
start() { printf '\\n${nonce} %s\\n' "$1"; }
ended() { printf '\\n${nonce} status %s\\n%s' "$status" "$error"; }
finish() { { error=$("$@" 2>&1 >&3 3>&-); status=$?; } 3>&1; ended; }
skip() { status=0; error=; ended; }
run() { start "$1"; shift; finish "$@"; }
${reads}${sections.join('\n')}
printf '\\n${nonce} end\\n'
) </dev/null
`;
}

/** What each ask was answered. A kind whose section is missing or cut off is unavailable, never absent. */
export function parseProbe(output: Uint8Array, asks: readonly HostAsk[], nonce: string): ReadonlyMap<Ask, Raw> {
  const sections = markers(output, nonce);
  const keys = new Map(keysByKind(asks));
  const looked = statKeys(keys);
  if (looked.length > 0) keys.set('stat', looked);
  const answered = new Map<HostAskKind, ReadonlyMap<string, Raw>>();
  for (const kind of ORDER) {
    const wanted = keys.get(kind);
    if (wanted === undefined) continue;
    const found: readonly Section[] = sections.get(kind) ?? [];
    const stats = answered.get('stat') ?? new Map<string, Raw>();
    answered.set(kind, found.length === 0 ? all(wanted, 'the host gave no answer') : parsers[kind]({ keys: wanted, sections: found, nonce, stats }));
  }
  return new Map(asks.map((ask) => [ask, answered.get(ask.kind)?.get(ask.key) ?? { kind: 'unavailable', reason: 'the host gave no answer' }]));
}

const all = (keys: readonly string[], reason: string): ReadonlyMap<string, Raw> => new Map(keys.map((key) => [key, { kind: 'unavailable', reason }]));
