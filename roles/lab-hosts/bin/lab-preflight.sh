#!/bin/sh
# What this machine is and has, as one JSON document: whether a lab can be made here is judged by who reads it.
# usage: lab-preflight.sh LAB   (changes nothing; sees the owners of listeners only as root)
set -eu
. "$(dirname "$0")/lab-common.sh"

if [ "$(uname -s)" != Linux ]; then
  printf '{"system":"%s"}\n' "$(uname -s | tr -cd 'A-Za-z0-9')"
  exit 0
fi
if [ "$(id -u)" -ne 0 ] && sudo -n true 2>/dev/null; then become_root "$@"; fi
enter_lab "$1"

yes_no() { if "$@" >/dev/null 2>&1; then printf true; else printf false; fi; }
is_root() { [ "$(id -u)" -eq 0 ]; }
# Tried in a mount namespace that ends with the command: nobody sees the mount.
may_mount() { unshare --mount mount -t tmpfs tmpfs /tmp; }
has_overlay() { grep -qw overlay /proc/filesystems || modprobe --quiet --dry-run overlay; }
has_cgroups() { [ -w /sys/fs/cgroup ] && grep -q ' cgroup2 ' /proc/self/mounts; }

there=$LAB
until [ -d "$there" ]; do there=$(dirname "$there"); done

printf '{"system":"Linux","root":%s,"mayMount":%s,"overlay":%s,"cgroups":%s,"memoryKib":%s,"diskKib":%s,"fileSystem":"%s","listeners":[' \
  "$(yes_no is_root)" "$(yes_no may_mount)" "$(yes_no has_overlay)" "$(yes_no has_cgroups)" \
  "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" "$(df -Pk "$there" | awk 'NR == 2 { print $4 }')" \
  "$(stat -f -c %T "$there" | tr -cd 'A-Za-z0-9/_.-')"

separator=
{ ss -ltnpH 2>/dev/null || true; } | while read -r _ _ _ socket _ owner; do
  address=${socket%:*}
  port=${socket##*:}
  process='' pid=0 lab_host=''
  case $owner in
    *'(("'*'",pid='*)
      process=${owner#*'(("'}
      process=${process%%'"'*}
      pid=${owner#*,pid=}
      pid=${pid%%,*}
      lab_host=$(awk -v scope="$SCOPE-" '$5 == "/" { for (i = 7; i < NF; i++) if ($i == "-" && index($(i + 2), scope) == 1) print substr($(i + 2), length(scope) + 1) }' "/proc/$pid/mountinfo" 2>/dev/null || true)
      ;;
  esac
  printf '%s{"address":"%s","port":%s,"process":"%s","pid":%s,"labHost":"%s"}' "$separator" "$(say "$address" | tr -cd '0-9a-fA-F.:*')" "$port" \
    "$(say "$process" | tr -cd 'A-Za-z0-9._:@ -')" "$pid" "$lab_host"
  separator=,
done
printf ']}\n'
