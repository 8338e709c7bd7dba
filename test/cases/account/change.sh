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
getent group 'messaging' >/dev/null || groupadd --system -- 'messaging'
)
(
usermod --home '/var/lib/kafka' -- 'kafka'
)
(
usermod --shell '/usr/sbin/nologin' -- 'kafka'
)
(
usermod --gid 'messaging' -- 'kafka'
)
