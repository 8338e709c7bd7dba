# at=upload deadline=1800s /home/me/tracks.csv -> /var/lib/a/.upload-tracks.csv

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
staged='/var/lib/a/.upload-tracks.csv' path='/var/lib/a/tracks.csv' digest='aa11'
found=$(sha256sum <"$staged")
[ "${found%% *}" = "$digest" ] || { rm -f -- "$staged"; say "what arrived for $path is not what was sent: it is as it was"; exit 1; }
chown -- 'logstash:logstash' "$staged"
chmod -- '0640' "$staged"
sync -- "$staged" 2>/dev/null || sync
mv -fT -- "$staged" "$path"
if command -v restorecon >/dev/null 2>&1; then restorecon -- "$path"; fi
)
