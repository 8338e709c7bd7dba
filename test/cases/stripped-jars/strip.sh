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
under='/opt/x/current' entry='org/a/Jndi.class'
[ -d "$under" ] || { say "$under is no directory"; exit 1; }
command -v zip >/dev/null 2>&1 || { say "zip is not installed"; exit 1; }
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' HUP INT TERM
# What a killed run left behind.
find "$under/" -type d -name '.stripped-??????' -prune -exec rm -rf -- {} +
strip() {
  scratch=$(mktemp -d -- "${1%/*}/.stripped-XXXXXX")
  copy=$scratch/copy.zip status=0
  cp -p -- "$1" "$copy" || { say "$1 could not be copied"; exit 1; }
  zip -q -d "$copy" "$entry" || status=$?
  case $status in 0 | 12) ;; *) say "zip ended with $status: $1 is as it was"; exit 1 ;; esac
  if grep -qF -e "$entry" "$copy"; then say "$1 holds $entry in a way that zip cannot remove: it is as it was"; exit 1; fi
  chown -- "$(stat -c %u:%g -- "$1")" "$copy"
  chmod -- "$(stat -c %a -- "$1")" "$copy"
  sync -- "$copy" 2>/dev/null || sync
  mv -fT -- "$copy" "$1"
  rm -rf -- "$scratch"
  scratch=
  if command -v restorecon >/dev/null 2>&1; then restorecon -- "$1"; fi
}
jars=$(cd -- "$under" && find . -type f -name '*.jar' -exec grep -lF -e "$entry" {} +) || :
set -f
IFS='
'
for jar in $jars; do strip "$under/${jar#./}"; done
)
