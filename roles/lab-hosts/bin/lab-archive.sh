#!/bin/sh
# Archives for machines that cannot reach the vendor's: put together from pinned parts, the same bytes every time.
# usage: lab-archive.sh LAB status FILE INPUTS      prints official, assembled, outdated or missing; asks no network
#        lab-archive.sh LAB make FILE INPUTS SOURCE URL BUILD [PART_URL PART_BYTES PART_SHA256 INTO]…
#          INPUTS names what it is made from; SOURCE auto: where the vendor's URL answers, only that is noted, and hosts fetch from there
#          BUILD finishes the tree (`sh BUILD TREE IMAGE`), `-` for none; INTO `.`: the part is a zip archive that is unpacked first
#
# LAB/artifacts/FILE with FILE.sha256 and FILE.inputs beside it, or FILE.official: the vendor's own is used.
set -eu
. "$(dirname "$0")/lab-common.sh"

main() {
  case $2 in make) become_root "$@" ;; esac
  enter_lab "$1"
  command=$2 FILE=$3 INPUTS=$4
  shift 4
  case $FILE in '' | .* | *[!A-Za-z0-9._-]*) die "'$FILE' is no file name" ;; esac
  case $command in
    status) status ;;
    make) make "$@" ;;
    *) die "unknown command '$command'" ;;
  esac
}

status() {
  if [ -f "$LAB/artifacts/$FILE" ] && [ -f "$LAB/artifacts/$FILE.sha256" ]; then
    if [ "$(cat "$LAB/artifacts/$FILE.inputs" 2>/dev/null)" = "$INPUTS" ]; then say assembled; else say outdated; fi
  elif [ -f "$LAB/artifacts/$FILE.official" ]; then say official
  else say missing; fi
}

make() {
  source=$1 url=$2 build=$3
  shift 3
  mkdir -p "$LAB/artifacts/parts"
  if [ "$source" = auto ] && reachable "$url"; then
    say "$url" >"$LAB/artifacts/$FILE.official"
    return
  fi
  rm -f "$LAB/artifacts/$FILE.official"
  work=$(mktemp -d "$LAB/artifacts/.work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  fetch "$@"
  assemble "$@"
}

reachable() { curl --silent --fail --location --head --output /dev/null --connect-timeout 5 --max-time 10 --proto '=https' --proto-redir '=https' "$1"; }

# Several at a time; each is kept only when its digest is the pinned one.
fetch() {
  total=0
  while [ $# -gt 0 ]; do
    part=$LAB/artifacts/parts/$3
    if [ ! -f "$part" ]; then
      printf 'url = "%s"\noutput = "%s"\n' "$1" "$work/part.$3" >>"$work/downloads"
      say "$3 $1" >>"$work/wanted"
      total=$((total + $2))
    fi
    shift 4
  done
  [ -f "$work/wanted" ] || return 0
  (while sleep 1; do say "progress $(cat "$work"/part.* 2>/dev/null | wc -c) $total"; done) 2>/dev/null &
  watcher=$!
  curl --silent --show-error --fail --fail-early --location --retry 3 --connect-timeout 10 --proto '=https' --proto-redir '=https' --max-filesize 400000000 \
    --parallel --parallel-max 6 --config "$work/downloads" || failed=1
  # With TERM a child of bash that has not begun would do what is to be done at the end of its mother.
  kill -KILL "$watcher" 2>/dev/null || true
  [ -z "${failed:-}" ] || die "the parts of $FILE could not be downloaded"
  while read -r digest from; do
    found=$(sha256sum "$work/part.$digest" | cut -d ' ' -f 1)
    [ "$found" = "$digest" ] || die "$from has sha256 $found, not the pinned $digest: nothing of it is kept"
    mv "$work/part.$digest" "$LAB/artifacts/parts/$digest"
  done <"$work/wanted"
}

# Fixed order, owners, modes and times: the digest is the same wherever the same tar and gzip make it. Programs for Windows are left out.
assemble() {
  mkdir "$work/tree"
  while [ $# -gt 0 ]; do
    part=$LAB/artifacts/parts/$3
    case $4 in
      .) unzip -q "$part" -d "$work/tree" ;;
      *) mkdir -p "$work/tree/$4" && cp "$part" "$work/tree/$4/${1##*/}" ;;
    esac
    shift 4
  done
  [ "$build" = - ] || sh "$build" "$work/tree" "$LAB/images/$IMAGE" >&2 || die "$build could not finish $FILE"
  find "$work/tree" -type f \( -name '*.bat' -o -name '*.exe' \) -delete
  find "$work/tree" -type d -exec chmod 0755 {} +
  find "$work/tree" -type f -exec chmod 0644 {} +
  find "$work/tree"/*/bin "$work/tree"/*/*/bin -type f -exec chmod 0755 {} + 2>/dev/null || :
  (cd "$work/tree" && LC_ALL=C TZ=UTC tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime='2021-01-13 00:00:00Z' -cf - -- *) | gzip -1n >"$work/archive"
  (cd "$work" && sha256sum archive | sed "s/ archive\$/ $FILE/") >"$work/digest"
  say "$INPUTS" >"$work/inputs"
  chmod 0644 "$work/archive" "$work/digest" "$work/inputs"
  # The digest last: with it the archive is complete.
  rm -f "$LAB/artifacts/$FILE.sha256"
  mv "$work/archive" "$LAB/artifacts/$FILE"
  mv "$work/inputs" "$LAB/artifacts/$FILE.inputs"
  mv "$work/digest" "$LAB/artifacts/$FILE.sha256"
}

main "$@"
