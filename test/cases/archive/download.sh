# at=host deadline=3600s payloads=0
set -eu
LC_ALL=C
export LC_ALL
umask 022
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' HUP INT TERM
say() { printf '%s\n' "$*" >&2; }
refuse() { say "$@"; exit 86; }
(
into='/opt/elasticsearch' needed='563651'
mkdir -p -- "$into"
for left in "$into"/.archive-* "$into"/.unpack-* "$into"/.old-*; do if [ -e "$left" ] || [ -h "$left" ]; then rm -rf -- "$left"; fi; done
free=$(df -Pk -- "$into" | { read -r _; read -r _ _ _ free _; echo "$free"; })
if [ "$free" -lt "$needed" ]; then
  say "$into has $((free / 1024)) MiB free, but" 'elasticsearch 7.10.2' "needs $((needed / 1024)) MiB while it is unpacked"
  exit 1
fi
)
(
archive='/opt/elasticsearch/.archive-f6decc407d83cc22' url='https://artifacts.example/a.tar.gz' size='230871344'
( while sleep 1; do progress "$(stat -c %s -- "$archive" 2>/dev/null || echo 0)" "$size"; done ) &
printer=$!
failed=
said=$(curl -q --fail --location --proto '=https' --proto-redir '=https' --retry 3 --retry-delay 2 --connect-timeout 15   --speed-limit 1024 --speed-time 60 --silent --show-error --output "$archive" -- "$url" 2>&1) || failed=1
# Only KILL keeps a child of bash that has not begun from doing what its mother is to do at her end: the archive would be gone.
kill -KILL "$printer" 2>/dev/null || :
wait "$printer" 2>/dev/null || :
if [ -n "$failed" ]; then
  rm -f -- "$archive"
  say "$said"
  say "$url could not be downloaded"
  case $said in *'not yet valid'*|*'not yet activated'*|*'expired'*) say "by the clock of this host, which shows $(date -u '+%Y-%m-%d %H:%M UTC'): is that right? chronyc tracking or timedatectl says it" ;; esac
  exit 1
fi
progress "$(stat -c %s -- "$archive")" "$size"
)
(
into='/opt/elasticsearch' version='7.10.2' archive='/opt/elasticsearch/.archive-f6decc407d83cc22' digest='f6decc407d83cc2277887b73f518d2a08864a73be73f69b3c1292464da4092b8' size='230871344' owner='root' what='elasticsearch 7.10.2'
tree=
trap 'rm -rf -- "$archive" ${tree:+"$tree"}' EXIT
trap 'exit 143' HUP INT TERM
found=$(stat -c %s -- "$archive")
[ -z "$size" ] || [ "$found" = "$size" ] || { say "the archive of $what has $found bytes, not $size: nothing was unpacked"; exit 1; }
found=$(sha256sum <"$archive")
[ "${found%% *}" = "$digest" ] || refuse "the archive of $what has the sha256 ${found%% *}, not $digest: nothing was unpacked"
tree=$(mktemp -d -- "$into/.unpack-XXXXXX")
tar -tvPzf "$archive" --numeric-owner >"$tree/.entries" 2>/dev/null || { say "the archive of $what cannot be read"; exit 1; }
# A name comes after mode, owner, size, date and time.
meta='^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ '
leaving='(/|(.*/)?\.\.(/|$))'
has() {
  entry=$(grep -E -m 1 -- "$1" "$tree/.entries" | sed -E "s/$meta//")
  [ -n "$entry" ]
}
if has '^[^-dlh]'; then refuse "the archive of $what has an entry that is neither a file nor a folder nor a link: $entry"; fi
# Of a symbolic link that goes up it shows only later whether it leaves the tree.
if has "^l.* -> /|^h.* link to $leaving"; then refuse "the archive of $what has a link that leaves it: ${entry%% -> *}"; fi
sed -i -E '/^l/s/(.*) -> .*/\1/' "$tree/.entries"
if has "$meta$leaving"; then refuse "the archive of $what has an entry that leaves it: $entry"; fi
rm -f -- "$tree/.entries"
tar -xzf "$archive" -C "$tree" --no-same-owner --strip-components=1 || { say "the archive of $what cannot be unpacked"; exit 1; }
# A link may go up first and then down: going up from where it really is counts folders, and what follows is another link's concern.
find "$tree" -type l -exec sh -c 'tree=$1; shift
for link do
  target=$(readlink -- "$link"); rest=${link#"$tree"/}; bad=
  while [ -z "$bad" ]; do
    case $target in
      /*) bad=1 ;;
      ./*) target=${target#./} ;;
      ..|../*) case $rest in */*) rest=${rest%/*} ;; *) bad=1 ;; esac; target=${target#..}; target=${target#/} ;;
      *) break ;;
    esac
  done
  case /$target/ in */../*) bad=1 ;; esac
  [ -z "$bad" ] || printf "%s\n" "${link#"$tree"/}"
done' sh "$tree" {} + >"$into/.archive-links"
if IFS= read -r name <"$into/.archive-links"; then
  rm -f -- "$into/.archive-links"
  refuse "the archive of $what has a link that leaves it: $name"
fi
rm -f -- "$into/.archive-links"
chown -R -h -- "$owner:$(id -gn -- "$owner")" "$tree"
chmod -R u+rwX,a+rX,go-w,ug-s -- "$tree"
printf '%s\n' 'sha256:f6decc407d83cc2277887b73f518d2a08864a73be73f69b3c1292464da4092b8' >"$tree/.archive-digest"
sync -f -- "$tree" 2>/dev/null || sync
# What has this version's name but another content is replaced: programs only, data is elsewhere.
if [ -e "$into/$version" ] || [ -h "$into/$version" ]; then mv -T -- "$into/$version" "$into/.old-$version"; fi
mv -T -- "$tree" "$into/$version"
tree=
rm -rf -- "$into/.old-$version"
if command -v restorecon >/dev/null 2>&1; then restorecon -R -- "$into/$version"; fi
)

# at=host deadline=120s payloads=0
set -eu
LC_ALL=C
export LC_ALL
umask 022
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' HUP INT TERM
say() { printf '%s\n' "$*" >&2; }
refuse() { say "$@"; exit 86; }
(
into='/opt/elasticsearch' version='7.10.2'
rm -f -- "$into/.current.new"
ln -s -- "$version" "$into/.current.new"
mv -fT -- "$into/.current.new" "$into/current"
)
