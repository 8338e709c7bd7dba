#!/bin/sh
# Becomes the systemd-nspawn of one host, so that its process id, lock and cgroup are those of whoever started it.
# usage: lab-nspawn.sh LAB NAME
set -eu
. "$(dirname "$0")/lab-common.sh"
enter_lab "$1"
NAME=$2
checked_name "$NAME"
ROOT=$LAB/hosts/$NAME/root

# Under systemd the unit is the cgroup. Elsewhere all hosts would share the caller's, and could not tell their processes apart.
if ! systemd_here; then
  for root in $(cgroup_roots); do
    mkdir -p "$root/$SCOPE-$NAME" 2>/dev/null || continue
    (say "$$" >"$root/$SCOPE-$NAME/cgroup.procs") 2>/dev/null || true
  done
fi

# Without UNIFIED_HIERARCHY the host's systemd cannot end a unit's processes; without API_VFS_WRITABLE sysctl is read-only.
# Nothing of the caller's environment reaches the host.
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  ${NOTIFY_SOCKET:+NOTIFY_SOCKET="$NOTIFY_SOCKET"} \
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 \
  systemd-nspawn --quiet --register=no --keep-unit --directory="$ROOT" --boot --machine="$SCOPE-$NAME" --hostname="$NAME" \
  --private-users=no --resolv-conf=off --timezone=off --link-journal=no --console=pipe --kill-signal=SIGRTMIN+4
