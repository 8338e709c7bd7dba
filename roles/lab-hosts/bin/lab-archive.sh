#!/bin/sh
# Archives for machines that cannot reach the vendor's: put together from pinned parts, the same bytes every time.
# usage: lab-archive.sh LAB status FILE                                       prints official, assembled or missing; asks no network
#        lab-archive.sh LAB make FILE SOURCE URL PART_URL PART_BYTES PART_SHA256
#          SOURCE auto: where the vendor's URL answers, only that is noted, and hosts fetch from there
#
# LAB/artifacts/FILE with FILE.sha256 beside it, or FILE.official: the vendor's own is used.
set -eu
. "$(dirname "$0")/lab-common.sh"

main() {
  enter_lab "$1"
  command=$2 FILE=$3
  shift 3
  case $FILE in '' | .* | *[!A-Za-z0-9._-]*) die "'$FILE' is no file name" ;; esac
  case $command in
    status) status ;;
    make) make "$@" ;;
    *) die "unknown command '$command'" ;;
  esac
}

status() {
  if [ -f "$LAB/artifacts/$FILE" ] && [ -f "$LAB/artifacts/$FILE.sha256" ]; then say assembled
  elif [ -f "$LAB/artifacts/$FILE.official" ]; then say official
  else say missing; fi
}

make() {
  source=$1 url=$2 part_url=$3 part_bytes=$4 part_sha256=$5
  mkdir -p "$LAB/artifacts/parts"
  if [ "$source" = auto ] && reachable "$url"; then
    say "$url" >"$LAB/artifacts/$FILE.official"
    return
  fi
  rm -f "$LAB/artifacts/$FILE.official"
  part=$LAB/artifacts/parts/$part_sha256
  fetch "$part_url" "$part_bytes" "$part_sha256" "$part"
  assemble "$part"
}

reachable() { curl --silent --fail --location --head --output /dev/null --connect-timeout 5 --max-time 10 --proto '=https' --proto-redir '=https' "$1"; }

# Kept only when its digest is the pinned one.
fetch() {
  [ ! -f "$4" ] || return 0
  new=$4.new.$$
  trap 'rm -f "$new"' EXIT
  trap 'exit 130' INT TERM
  (while sleep 1; do if [ -f "$new" ]; then say "progress $(stat -c %s "$new") $2"; fi; done) 2>/dev/null &
  watcher=$!
  curl --silent --show-error --fail --location --retry 3 --connect-timeout 10 --proto '=https' --proto-redir '=https' --max-filesize "$2" --output "$new" "$1" || failed=1
  kill "$watcher" 2>/dev/null || true
  [ -z "${failed:-}" ] || die "$1 could not be downloaded"
  found=$(sha256sum "$new" | cut -d ' ' -f 1)
  [ "$found" = "$3" ] || die "$1 has sha256 $found, not the pinned $3: nothing of it is kept"
  mv "$new" "$4"
  trap - EXIT
}

# Fixed order, owners, modes and times: the digest is the same wherever the same tar and gzip make it. Programs for Windows are left out.
assemble() {
  work=$(mktemp -d "$LAB/artifacts/.work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  unzip -q "$1" -d "$work/tree"
  find "$work/tree" -type f \( -name '*.bat' -o -name '*.exe' \) -delete
  find "$work/tree" -type d -exec chmod 0755 {} +
  find "$work/tree" -type f -exec chmod 0644 {} +
  find "$work/tree"/*/bin -type f -exec chmod 0755 {} +
  (cd "$work/tree" && LC_ALL=C TZ=UTC tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime='2021-01-13 00:00:00Z' -cf - -- *) | gzip -9n >"$work/archive"
  (cd "$work" && sha256sum archive | sed "s/ archive\$/ $FILE/") >"$work/digest"
  chmod 0644 "$work/archive" "$work/digest"
  # The digest last: with it the archive is complete.
  rm -f "$LAB/artifacts/$FILE.sha256"
  mv "$work/archive" "$LAB/artifacts/$FILE"
  mv "$work/digest" "$LAB/artifacts/$FILE.sha256"
}

main "$@"
