import type { Change, Fetch, Proxy, Resource, Steps } from '../plan/model.mts';
import { all, checkedPath, known, refine, stat, text, unavailable } from '../plan/questions.mts';
import { quote, sh } from '../shell/quote.mts';
import { runScript } from '../shell/steps.mts';
import { NOT_VALID_NOW } from './certificate.mts';
import { putProxy, takeProxy } from './proxy.mts';
import { absentShown, change, has, resource, shown, type Common } from './resource.mts';

type Digest = { readonly sha256: string } | { readonly sha512: string };

/** Where an archive comes from; `size` in bytes, where the vendor's listing says it. */
export type ArchiveOrigin = Digest & { readonly size?: number } & (
    { readonly from: 'host'; readonly url: string; readonly proxy?: Proxy } | { readonly from: 'controller'; readonly localPath: string }
  );

export interface ArchiveOptions extends Common {
  /** How reports and errors call it. */
  readonly name: string;
  readonly version: string;
  readonly source: ArchiveOrigin;
  /** Gets a folder for each version and the link `current`. */
  readonly into: string;
  /** Owner and group of everything in it; root unless said. */
  readonly owner?: string;
  /** Drops the one top folder of the archive; `true` unless said. */
  readonly stripTop?: boolean;
}

const digestOf = (source: Digest): readonly ['sha256' | 'sha512', string] => ('sha256' in source ? ['sha256', source.sha256] : ['sha512', source.sha512]);

/** https only; plain http is for servers of tests on the same machine. */
export function protocolOf(url: string): 'https' | 'http' {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return 'https';
  if (protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname)) return 'http';
  throw new TypeError(`${url}: archives are downloaded by https only`);
}

const MEBIBYTE = 1024 * 1024;
const DEADLINE_SECONDS = 3600;
/** What is kept free for an archive whose size nobody said: the largest of the stack's. */
const UNKNOWN_SIZE = 400 * MEBIBYTE;

/** Downloaded or uploaded here, in the directory it is unpacked in: one filesystem, and the next run finds what a broken one left. */
const archivePath = (options: ArchiveOptions): string => `${options.into}/.archive-${digestOf(options.source)[1].slice(0, 16)}`;

const proxyPath = (into: string): string => `${into}/.archive-proxy`;

/** Room for the archive and what is in it. Kilobytes keep the numbers within every shell's. */
function prepare(options: ArchiveOptions): string {
  const needed = Math.ceil(((options.source.size ?? UNKNOWN_SIZE) * 2.5) / 1024);
  return sh`into=${options.into} needed=${needed}
mkdir -p -- "$into"
for left in "$into"/.archive-* "$into"/.unpack-* "$into"/.old-*; do if [ -e "$left" ] || [ -h "$left" ]; then rm -rf -- "$left"; fi; done
free=$(df -Pk -- "$into" | { read -r _; read -r _ _ _ free _; echo "$free"; })
if [ "$free" -lt "$needed" ]; then
  say "$into has $((free / 1024)) MiB free, but" ${`${options.name} ${options.version}`} "needs $((needed / 1024)) MiB while it is unpacked"
  exit 1
fi`;
}

function download(options: ArchiveOptions, { url, proxy }: { readonly url: string; readonly proxy?: Proxy }): string {
  const protocol = protocolOf(url);
  const curl = proxy === undefined ? 'curl -q' : `printf 'proxy = "%s"\\n' "$proxy" | curl -q --config -`;
  return `${sh`archive=${archivePath(options)} url=${url} size=${options.source.size ?? ''}`}
${proxy === undefined ? '' : takeProxy(quote(proxyPath(options.into)))}( while sleep 1; do progress "$(stat -c %s -- "$archive" 2>/dev/null || echo 0)" "$size"; done ) &
printer=$!
failed=
said=$(${curl} --fail --location --proto '=${protocol}' --proto-redir '=${protocol}' --retry 3 --retry-delay 2 --connect-timeout 15 \
  --speed-limit 1024 --speed-time 60 --silent --show-error --output "$archive" -- "$url" 2>&1) || failed=1
# Only KILL keeps a child of bash that has not begun from doing what its mother is to do at her end: the archive would be gone.
kill -KILL "$printer" 2>/dev/null || :
wait "$printer" 2>/dev/null || :
if [ -n "$failed" ]; then
  rm -f -- "$archive"
  say "$said"
  say "$url could not be downloaded"${proxy === undefined ? '' : sh` through ${proxy.url}`}
  case $said in ${NOT_VALID_NOW}) say "by the clock of this host, which shows $(date -u '+%Y-%m-%d %H:%M UTC'): is that right? chronyc tracking or timedatectl says it" ;; esac
  exit 1
fi
progress "$(stat -c %s -- "$archive")" "$size"`;
}

/** Verified before anything is unpacked; whatever fails, neither the archive nor a half-unpacked tree stays. */
function unpack(options: ArchiveOptions): string {
  const [kind, digest] = digestOf(options.source);
  const strip = (options.stripTop ?? true) ? '--strip-components=1' : '';
  const owner = options.owner ?? 'root';
  return `${sh`into=${options.into} version=${options.version} archive=${archivePath(options)} digest=${digest} size=${options.source.size ?? ''} owner=${owner} what=${`${options.name} ${options.version}`}`}
tree=
trap 'rm -rf -- "$archive" \${tree:+"$tree"}' EXIT
trap 'exit 143' HUP INT TERM
found=$(stat -c %s -- "$archive")
[ -z "$size" ] || [ "$found" = "$size" ] || { say "the archive of $what has $found bytes, not $size: nothing was unpacked"; exit 1; }
found=$(${kind}sum <"$archive")
[ "\${found%% *}" = "$digest" ] || refuse "the archive of $what has the ${kind} \${found%% *}, not $digest: nothing was unpacked"
tree=$(mktemp -d -- "$into/.unpack-XXXXXX")
tar -tvPzf "$archive" --numeric-owner >"$tree/.entries" 2>/dev/null || { say "the archive of $what cannot be read"; exit 1; }
# A name comes after mode, owner, size, date and time.
meta='^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ '
leaving='(/|(.*/)?\\.\\.(/|$))'
has() {
  entry=$(grep -E -m 1 -- "$1" "$tree/.entries" | sed -E "s/$meta//")
  [ -n "$entry" ]
}
if has '^[^-dlh]'; then refuse "the archive of $what has an entry that is neither a file nor a folder nor a link: $entry"; fi
# Of a symbolic link that goes up it shows only later whether it leaves the tree.
if has "^l.* -> /|^h.* link to $leaving"; then refuse "the archive of $what has a link that leaves it: \${entry%% -> *}"; fi
sed -i -E '/^l/s/(.*) -> .*/\\1/' "$tree/.entries"
if has "$meta$leaving"; then refuse "the archive of $what has an entry that leaves it: $entry"; fi
rm -f -- "$tree/.entries"
tar -xzf "$archive" -C "$tree" --no-same-owner ${strip} || { say "the archive of $what cannot be unpacked"; exit 1; }
# A link may go up first and then down: going up from where it really is counts folders, and what follows is another link's concern.
find "$tree" -type l -exec sh -c 'tree=$1; shift
for link do
  target=$(readlink -- "$link"); rest=\${link#"$tree"/}; bad=
  while [ -z "$bad" ]; do
    case $target in
      /*) bad=1 ;;
      ./*) target=\${target#./} ;;
      ..|../*) case $rest in */*) rest=\${rest%/*} ;; *) bad=1 ;; esac; target=\${target#..}; target=\${target#/} ;;
      *) break ;;
    esac
  done
  case /$target/ in */../*) bad=1 ;; esac
  [ -z "$bad" ] || printf "%s\\n" "\${link#"$tree"/}"
done' sh "$tree" {} + >"$into/.archive-links"
if IFS= read -r name <"$into/.archive-links"; then
  rm -f -- "$into/.archive-links"
  refuse "the archive of $what has a link that leaves it: $name"
fi
rm -f -- "$into/.archive-links"
chown -R -h -- "$owner:$(id -gn -- "$owner")" "$tree"
chmod -R u+rwX,a+rX,go-w,ug-s -- "$tree"
printf '%s\\n' ${sh`${`${kind}:${digest}`}`} >"$tree/.archive-digest"
sync -f -- "$tree" 2>/dev/null || sync
# What has this version's name but another content is replaced: programs only, data is elsewhere.
if [ -e "$into/$version" ] || [ -h "$into/$version" ]; then mv -T -- "$into/$version" "$into/.old-$version"; fi
mv -T -- "$tree" "$into/$version"
tree=
rm -rf -- "$into/.old-$version"
if command -v restorecon >/dev/null 2>&1; then restorecon -R -- "$into/$version"; fi`;
}

const link = (options: ArchiveOptions): string =>
  sh`into=${options.into} version=${options.version}
rm -f -- "$into/.current.new"
ln -s -- "$version" "$into/.current.new"
mv -fT -- "$into/.current.new" "$into/current"`;

function fetch(options: ArchiveOptions, steps: Steps): void {
  runScript(steps, prepare(options));
  const { source } = options;
  if (source.from === 'host') {
    putProxy(steps, source.proxy, proxyPath(options.into));
    runScript(steps, download(options, source));
  } else steps.upload(source.localPath, archivePath(options));
  runScript(steps, unpack(options));
}

const stampPath = ({ into, version }: ArchiveOptions): string => `${into}/${version}/.archive-digest`;

function fetchOf(options: ArchiveOptions, line: string): { readonly fetches?: Fetch } {
  const { source } = options;
  if (source.from === 'controller') return {};
  const proxy = source.proxy === undefined ? {} : { proxy: source.proxy };
  return { fetches: { kind: 'archive', url: source.url, ...proxy, stamp: { path: stampPath(options), line } } };
}

/** A version of a product unpacked from its verified archive, and `current` pointing to it. Earlier versions stay. */
export function archive(options: ArchiveOptions): Resource {
  checkedPath(options.into);
  if (!/^[A-Za-z0-9][A-Za-z0-9.+_-]*$/.test(options.version)) throw new TypeError(`${JSON.stringify(options.version)} is no version`);
  const [kind, digest] = digestOf(options.source);
  if (!(kind === 'sha256' ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{128}$/).test(digest)) throw new TypeError(`${options.name}: ${JSON.stringify(digest)} is no ${kind}`);
  if (options.source.from === 'host') protocolOf(options.source.url);
  const stamp = `${kind}:${digest}`;
  const short = (text: string): string => text.trim().slice(0, 'sha256:'.length + 12);
  return resource(`archive ${options.name}`, options, {
    wanted: [options.version, stamp, options.owner ?? 'root'],
    ...fetchOf(options, stamp),
    differs: refine(all({ stamp: text(stampPath(options)), current: stat(`${options.into}/current`) }), (now) => {
      if (now.current.kind === 'there' && now.current.type !== 'link')
        return unavailable(`${options.into}/current is a ${now.current.type}, not a link: it is left alone`);
      const target = now.current.kind === 'there' ? now.current.target : undefined;
      const unpacked = now.stamp?.trim() === stamp;
      const bytes = options.source.size === undefined ? '' : `, ${Math.ceil(options.source.size / MEBIBYTE).toString()} MiB`;
      const size = `${options.version} (${short(stamp)}${bytes})`;
      const pointing = target === options.version || target === `${options.into}/${options.version}`;
      return known<readonly Change[]>([
        ...(unpacked ? [] : [change('unpacked', now.stamp === undefined ? absentShown : short(now.stamp), size)]),
        ...(pointing
          ? []
          : [
              change(
                'current',
                target === undefined ? absentShown : shown(target),
                options.version,
                target === undefined ? {} : { consent: 'another version' },
              ),
            ]),
      ]);
    }),
    apply(changes, steps) {
      if (has(changes, 'unpacked')) {
        steps.within(DEADLINE_SECONDS, (bounded) => {
          fetch(options, bounded);
        });
      }
      if (has(changes, 'current')) runScript(steps, link(options));
    },
  });
}
