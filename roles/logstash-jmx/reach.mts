/**
 * How each JVM answers the collector, asked as the plugin asks: a connection, the words by which Java's remote calls begin, and a look into its
 * registry, whose answer names the address that clients are sent to.
 */
import { quote, shellOutput, type Question } from '../../lib/index.mts';
import type { Target } from './targets.mts';

export type Reach =
  | { readonly kind: 'refused' }
  /** Nobody answers: no host there, or somebody drops what is sent. */
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unresolved' }
  | { readonly kind: 'no-route' }
  /** The connection stands and nothing is said. */
  | { readonly kind: 'silent' }
  /** What answers does not speak Java's remote calls. */
  | { readonly kind: 'other'; readonly tls: boolean }
  /** `hostname`: where the registry sends its clients. */
  | { readonly kind: 'jmx'; readonly hostname?: string };

export interface Reached {
  readonly jmx: Reach;
  /** Whether the process itself serves its other port. */
  readonly alive: boolean;
}

/** `JRMI`, version 2, stream protocol; an empty endpoint; a call of the registry's `lookup("jmxrmi")`. In octal, for printf. */
const octal = (bytes: readonly number[]): string => bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
const ascii = (text: string): readonly number[] => [...Buffer.from(text, 'latin1')];
const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);
const LOOKUP = octal([
  ...[...ascii('JRMI'), 0, 2, 0x4b],
  ...zeros(6),
  ...[0x50, 0xac, 0xed, 0, 5, 0x77, 34],
  ...zeros(22),
  ...[0, 0, 0, 2, 0x44, 0x15, 0x4d, 0xc9, 0xd4, 0xe6, 0x3b, 0xdf],
  ...[0x74, 0, 6, ...ascii('jmxrmi')],
]);

/** All at once, each within four seconds. Prints `NUMBER alive|gone EXIT BASE64 WORDS`. */
function script(all: readonly Target[]): string {
  const lines = all.map((target, index) => `look ${String(index)} ${quote(target.jmx.address)} ${String(target.jmx.port)} ${String(target.alive)} &`);
  return `look() {
  alive=gone
  timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$2" "$4" 2>/dev/null && alive=alive
  said=$(timeout 4 bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 7; printf "$2" >&3; timeout 1.5 cat <&3 | base64 -w 0; printf ":%s" "\${PIPESTATUS[0]}"' "$2" "$3" '${LOOKUP}' 2>&1)
  printf '%s %s %s\\n' "$1" "$alive" "$(printf '%s' "$said" | tr '\\n' ' ')"
}
command -v bash >/dev/null 2>&1 || exit 0
${lines.join('\n')}
wait`;
}

export const askReach = (all: readonly Target[]): Question<ReadonlyMap<string, Reached>> =>
  shellOutput(script(all)).map(
    ({ output }) =>
      new Map(
        output.split('\n').flatMap((line): [string, Reached][] => {
          const [, index, alive, words = ''] = /^(\d+) (alive|gone) ?(.*)$/.exec(line) ?? [];
          const target = all[Number(index)];
          return index === undefined || target === undefined ? [] : [[target.alias, { alive: alive === 'alive', jmx: readReach(words) }]];
        }),
      ),
  );

export function readReach(words: string): Reach {
  const [, encoded, status] = /([A-Za-z0-9+/=]*):(\d+)\s*$/.exec(words) ?? [];
  if (encoded === undefined) {
    if (/Connection refused/.test(words)) return { kind: 'refused' };
    if (/No route to host|Network is unreachable/.test(words)) return { kind: 'no-route' };
    if (/Name or service not known|Temporary failure in name resolution|No address associated/.test(words)) return { kind: 'unresolved' };
    return { kind: 'timeout' };
  }
  const bytes = Buffer.from(encoded, 'base64');
  // 124: it was waited for in vain; otherwise the connection was closed.
  if (bytes.length === 0) return status === '124' ? { kind: 'silent' } : { kind: 'other', tls: false };
  if (bytes[0] !== ACKNOWLEDGED) return { kind: 'other', tls: bytes[0] === TLS_ALERT };
  const hostname = hostnameIn(bytes);
  return { kind: 'jmx', ...(hostname === undefined ? {} : { hostname }) };
}

const ACKNOWLEDGED = 0x4e;
const TLS_ALERT = 0x15;

/** The reference in a stub: its kind, where its second form has a byte, then the host as text with its length before it. */
function hostnameIn(bytes: Buffer): string | undefined {
  const found = /UnicastRef(2\u0000)?/.exec(bytes.toString('latin1'));
  if (found === null) return undefined;
  const at = found.index + found[0].length;
  if (at + 2 > bytes.length) return undefined;
  const length = bytes.readUInt16BE(at);
  const text = bytes.subarray(at + 2, at + 2 + length).toString('latin1');
  return /^[\w.:-]{1,255}$/.test(text) ? text : undefined;
}
