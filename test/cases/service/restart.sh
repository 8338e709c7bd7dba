# at=host deadline=300s payloads=0
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
unit='a.service'
if [ "$(systemctl show --property=NeedDaemonReload --value -- "$unit")" = yes ]; then systemctl daemon-reload; fi
systemctl reset-failed -- "$unit" 2>/dev/null || :
failed=
systemctl 'restart' -- "$unit" || failed=1
# A simple service counts as started before it has read its configuration: one that fails at once is seen here.
if [ -z "$failed" ]; then
  sleep 1
  case $(systemctl show --property=ActiveState,SubState --value -- "$unit") in *failed*|*auto-restart*) failed=1 ;; esac
fi
if [ -n "$failed" ]; then
  journalctl --unit="$unit" --lines=15 --no-pager --output=cat 2>/dev/null || :
  say "$unit did not stay up: $(systemctl show --property=Result --value -- "$unit"), exit status $(systemctl show --property=ExecMainStatus --value -- "$unit")"
  exit 1
fi
)
