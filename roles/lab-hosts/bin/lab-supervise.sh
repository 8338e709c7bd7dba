#!/bin/sh
# Keeps one host running where PID 1 is no systemd: starts it, and starts it again when it reboots.
# usage: lab-supervise.sh LAB NAME   (in a session of its own, with all three streams redirected)
#
# Two locks say who lives: `lock` is inherited by systemd-nspawn and held while either of the two lives, `supervisor.lock` is ours alone.
set -u
. "$(dirname "$0")/lab-common.sh"
enter_lab "$1"
NAME=$2
checked_name "$NAME"
HOST=$LAB/hosts/$NAME

exec 8>>"$HOST/supervisor.lock" 9>>"$HOST/lock"
flock --wait 5 8 || exit 75
flock --wait 5 9 || exit 75
say "$$" >"$HOST/supervisor.pid"

child=
stop=
trap 'stop=1; [ -z "$child" ] || kill -TERM "$child"' TERM INT

while [ -z "$stop" ]; do
  sh "$(dirname "$0")/lab-nspawn.sh" "$LAB" "$NAME" </dev/null 8>&- &
  child=$!
  wait "$child"
  rc=$?
  # A signal of ours ends the wait, not the host.
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    rc=$?
  done
  say "$(date -u +%FT%TZ) $NAME ended with $rc"
  # With --keep-unit systemd-nspawn leaves a reboot to whoever started it, and says so by this code.
  [ "$rc" -eq 133 ] || break
done
rm -f "$HOST/supervisor.pid"
