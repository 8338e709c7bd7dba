# at=host deadline=120s payloads=1
set -eu
LC_ALL=C
export LC_ALL
umask 022
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' HUP INT TERM
say() { printf '%s\n' "$*" >&2; }
refuse() { say "$@"; exit 86; }
put() {
  if [ -h "$1" ]; then say "$1 is a symbolic link: not written through it"; return 1; fi
  if [ -e "$1" ] && [ ! -f "$1" ]; then say "$1 is no regular file: not replaced"; return 1; fi
  for stale in "${1%/*}/.${1##*/}".new-??????; do [ ! -f "$stale" ] || rm -f -- "$stale"; done
  scratch=$(mktemp -- "${1%/*}/.${1##*/}.new-XXXXXX")
  if [ $# -gt 2 ]; then chown -- "$4:$5" "$scratch"; chmod -- "$3" "$scratch"
  elif [ -e "$1" ]; then chown -- "$(stat -c %u:%g -- "$1")" "$scratch"; chmod -- "$(stat -c %a -- "$1")" "$scratch"
  else chmod -- 0644 "$scratch"; fi
  payload "$2" >"$scratch"
  sync -- "$scratch" 2>/dev/null || sync
  mv -fT -- "$scratch" "$1"
  scratch=
  if command -v restorecon >/dev/null 2>&1; then restorecon -- "$1"; fi
}
put '/etc/logstash-jmx/.staged-a.conf' 0 '0640' 'root' 'logstash'
(
mv -fT -- '/etc/logstash-jmx/.staged-a.conf' '/etc/logstash-jmx/conf.d/a.conf'
if command -v restorecon >/dev/null 2>&1; then restorecon -- '/etc/logstash-jmx/conf.d/a.conf'; fi
)
