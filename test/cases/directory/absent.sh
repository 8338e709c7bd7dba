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
mkdir -p -- '/var/lib/elasticsearch'
)
(
if command -v restorecon >/dev/null 2>&1; then restorecon -- '/var/lib/elasticsearch'; fi
)
(
chown -h -- 'elasticsearch:elasticsearch' '/var/lib/elasticsearch'; chmod -- '0750' '/var/lib/elasticsearch'
)
