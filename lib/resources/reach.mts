/** Whether a host reaches what its resources will fetch. Nothing is contacted where everything is there already. */
import type { Fetch, Proxy, Question } from '../plan/model.mts';
import { constant, shellOutput } from '../plan/questions.mts';
import { quote } from '../shell/quote.mts';
import { quoteAll } from '../shell/steps.mts';
import { protocolOf } from './archive.mts';

/** What could not be fetched, and why, in the words of who tried. */
export interface Unreached {
  readonly kind: Fetch['kind'];
  /** The archive, or where the host's package manager looks. */
  readonly url: string;
  readonly reason: string;
  /** Through which it was tried. */
  readonly proxy?: string;
  /** What else there is than to reach it. */
  readonly instead?: string;
}

/** Longest wait for one of them; they are tried side by side. */
const SECONDS = 20;

/**
 * Tries the beginning of each archive that is not unpacked, as it will be downloaded, and where packages are missing the servers that the
 * host's package manager would ask. `[]` when everything is there or can be had.
 */
export function unreached(fetches: readonly Fetch[]): Question<readonly Unreached[]> {
  const archives = new Map(fetches.flatMap((fetch) => (fetch.kind === 'archive' ? [[fetch.url, fetch] as const] : [])));
  const wanted = fetches.filter((fetch) => fetch.kind === 'packages');
  if (archives.size === 0 && wanted.length === 0) return constant([]);
  const proxy = wanted[0]?.proxy;
  const names = [...new Set(wanted.flatMap((fetch) => fetch.names))];
  const script = [TOOLS, ...[...archives.values()].map(tryArchive), ...(names.length === 0 ? [] : [tryPackages(names, proxy)]), 'wait'].join('\n');
  return shellOutput(script).map(({ output }) => {
    const tried = output.split('\n').flatMap((line) => triedIn(line, (kind, url) => (kind === 'archive' ? archives.get(url) : { proxy })));
    // Where packages can be had from one server it does not matter that another is away.
    const hasPackages = tried.some(({ isReached, what }) => isReached && what.kind === 'packages');
    return tried
      .filter(({ isReached, what }) => !isReached && !(what.kind === 'packages' && hasPackages))
      .map(({ what }) => what)
      .sort((one, other) => (one.url < other.url ? -1 : 1));
  });
}

interface Tried {
  readonly isReached: boolean;
  readonly what: Unreached;
}

interface Way {
  readonly proxy?: Proxy | undefined;
  readonly instead?: string;
}

function triedIn(line: string, wayTo: (kind: Fetch['kind'], url: string) => Way | undefined): readonly Tried[] {
  const [kind, verdict, url, reason = ''] = line.split('\t');
  if ((kind !== 'archive' && kind !== 'packages') || url === undefined) return [];
  const { proxy, instead } = wayTo(kind, url) ?? {};
  const way = { ...(proxy === undefined ? {} : { proxy: proxy.url }), ...(instead === undefined ? {} : { instead }) };
  return [{ isReached: verdict === 'reached', what: { kind, url, reason, ...way } }];
}

/** tell KIND URL CODE SAID. Of an answer only the beginning is wanted: 63 is curl's word for a file that would be longer. A proxy that wants a
 * password is asked with it at the download, since no question may hold one. */
const TOOLS = `tell() {
  verdict=missed
  case $3 in 0|63) verdict=reached ;; esac
  said=$(printf %s "$4" | tr '\\n\\t' '  ' | cut -c 1-300)
  printf '%s\\t%s\\t%s\\t%s\\n' "$1" "$verdict" "$2" "\${said#curl: }"
}
peek() {
  said=$(curl -q --fail --location --silent --show-error --range 0-0 --max-filesize 4096 --connect-timeout 10 --max-time ${SECONDS.toString()} \\
    --proto "=$3" --proto-redir "=$3" \${4:+--proxy "$4"} --output /dev/null -- "$2" 2>&1)
  code=$?
  case "$5 $said " in 'login '*' 407 '*) code=0 ;; esac
  tell "$1" "$2" "$code" "$said"
}`;

/** The proxy, and `login` where it will be given a password. */
const through = (proxy: Proxy | undefined): string => quoteAll([proxy?.url ?? '', proxy?.password === undefined ? '' : 'login']);

const tryArchive = ({ url, proxy, stamp }: Extract<Fetch, { kind: 'archive' }>): string =>
  `if [ "$(head -n 1 -- ${quote(stamp.path)} 2>/dev/null)" != ${quote(stamp.line)} ]; then peek archive ${quote(url)} ${protocolOf(url)} ${through(proxy)} & fi`;

/**
 * apt itself is asked where it would look, and to look there: its configuration says how. dnf has no such words, so its repositories are read
 * as it reads them. One address of each server is enough.
 */
const tryPackages = (names: readonly string[], proxy: Proxy | undefined): string => `lacking() {
  for name do
    if command -v dpkg-query >/dev/null 2>&1; then [ "$(dpkg-query -W -f='\${db:Status-Status}' -- "$name" 2>/dev/null)" = installed ] || printf '%s\\n' "$name"
    else rpm -q -- "$name" >/dev/null 2>&1 || printf '%s\\n' "$name"; fi
  done
}
server() { printf '%s\\n' "$1" | cut -d / -f 1-3; }
apt_look() {
  said=$(timeout ${(SECONDS + 5).toString()} /usr/lib/apt/apt-helper -q -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 \\
    \${2:+-o "Acquire::http::Proxy=$2" -o "Acquire::https::Proxy=$2"} download-file "$1" "$4/$5" 2>&1)
  code=$?
  # Whoever answers that there is no such file was reached.
  case $said in *' 404 '*) code=0 ;; esac
  case "$3 $said " in 'login '*' 407 '*) code=0 ;; esac
  [ "$code" != 124 ] || said="E: Failed to fetch $1 no answer within ${(SECONDS + 5).toString()} s"
  tell packages "$1" "$code" "$(printf '%s\\n' "$said" | sed -n 's/^E: Failed to fetch [^ ]* *//p' | head -n 1)"
}
apt_places() {
  for server in $(apt-get -qq --print-uris --no-install-recommends -y install -- "$@" 2>/dev/null | sed -n "s/^'\\(http[^']*\\)'.*/\\1/p" | cut -d / -f 1-3 | sort -u); do
    printf '%s\\n' "$all" | grep -F -m 1 "$server/"
  done
}
dnf_places() {
  release=$(sed -n 's/^VERSION_ID="*\\([0-9]*\\).*/\\1/p' /etc/os-release)
  awk 'function out() { if (place ~ /^http/ && !off) print place }
    /^[[]/ { out(); place = ""; off = 0 }
    /^enabled *= *0/ { off = 1 }
    /^(baseurl|mirrorlist|metalink) *=/ { if (place == "") { sub(/^[^=]*= */, ""); split($0, words, /[ ,]/); place = words[1] } }
    END { out() }' /etc/yum.repos.d/*.repo 2>/dev/null | sed 's/[$]{\\([A-Za-z_]*\\)}/$\\1/g' | while IFS= read -r place; do
    for file in /etc/dnf/vars/* /etc/yum/vars/*; do
      if [ -f "$file" ]; then place=$(printf '%s\\n' "$place" | sed "s|[$]\${file##*/}|$(head -n 1 "$file")|g"); fi
    done
    printf '%s\\n' "$place" | sed "s|[$]releasever|$release|g; s|[$]basearch|$(uname -m)|g; s|[$][A-Za-z_]*||g"
  done
}
look_for_packages() {
  proxy=$1 login=$2
  shift 2
  if [ -x /usr/lib/apt/apt-helper ]; then
    all=$(apt-get --print-uris update 2>/dev/null | sed -n "s/^'\\(http[^']*InRelease\\)'.*/\\1/p")
    places=$(apt_places "$@")
    place_dir=$(mktemp -d)
    trap 'rm -rf -- "$place_dir"' EXIT
    for place in \${places:-$all}; do printf '%s %s\\n' "$(server "$place")" "$place"; done | sort -u -k 1,1 | {
      count=0
      while read -r _ place; do
        count=$((count + 1))
        apt_look "$place" "$proxy" "$login" "$place_dir" "$count" &
      done
      wait
    }
  elif command -v dnf >/dev/null 2>&1; then
    [ -n "$proxy" ] || proxy=$(sed -n 's/^proxy *= *\\(http.*\\)/\\1/p' /etc/dnf/dnf.conf 2>/dev/null | head -n 1)
    for place in $(dnf_places); do printf '%s %s\\n' "$(server "$place")" "$place"; done | sort -u -k 1,1 | {
      while read -r _ place; do peek packages "$place" http,https "$proxy" "$login" & done
      wait
    }
  fi
}
lacking=$(lacking ${quoteAll(names)})
[ -z "$lacking" ] || ( look_for_packages ${through(proxy)} $lacking ) &`;
