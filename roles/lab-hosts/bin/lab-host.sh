#!/bin/sh
# Hosts of the lab: containers with systemd and sshd on one address each of the loopback network, on a shared base image.
# usage: lab-host.sh LAB up NAME ADDRESS PORT NEIGHBOURS   makes what is missing and ends when the host lets the login user in
#                                                         (NEIGHBOURS: name=address,… of every host of the lab)
#        lab-host.sh LAB status                           one JSON document; changes nothing and needs no root
#        lab-host.sh LAB down [--keep] [--purge] [NAME…]  ends hosts and removes what they left; --keep leaves their disks,
#                                                         --purge takes images and archives too
#
# LAB/hosts/NAME: host (name address port image, in one line), upper (its disk), root (where it is mounted), lock, console.log
set -eu
. "$(dirname "$0")/lab-common.sh"
BIN=$(cd "$(dirname "$0")" && pwd)
# What was changed on the machine lives as long as the change itself: until the machine reboots.
MACHINE=/run/kafka-elastic-lab
# Set by the systemd of every container that boots, and by the roles that are tried out in it.
SHARED_SYSCTLS='fs.file-max net.unix.max_dgram_qlen vm.max_map_count'
STOP_SECONDS=30
BOOT_SECONDS=60

main() {
  command=$2
  case $command in
    up | down) become_root "$@" ;;
  esac
  enter_lab "$1"
  shift 2
  case $command in
    up) up "$@" ;;
    down) down "$@" ;;
    status) status ;;
    *) die "unknown command '$command'" ;;
  esac
}

# ---- up ----------------------------------------------------------------------------------------------------------

up() {
  NAME=$1 ADDRESS=$2 PORT=$3 NEIGHBOURS=$4
  checked_name "$NAME"
  checked_address "$ADDRESS"
  checked_port "$PORT"
  make_lab
  HOST=$LAB/hosts/$NAME
  # Two runs at once must not both make the host; the lock goes with this process.
  exec 7>"$LAB/locks/$NAME"
  flock --wait 120 7 || die "$NAME: another run is busy with it"
  remember_sysctls
  settled || stop_host
  [ -f "$HOST/host" ] || make_host
  configure_host
  running || start_host
  neighbours
  wait_for_login
}

# Runs as wanted: under its supervisor, at the wanted address.
settled() {
  running && supervised && [ "$(cut -d ' ' -f 1-3 "$HOST/host")" = "$NAME $ADDRESS $PORT" ] && listens "$ADDRESS" "$PORT"
}
running() { held "$HOST/lock"; }
supervised() { systemd_here || held "$HOST/supervisor.lock"; }

# Made beside its place and moved there whole: what was half made is never taken for a host.
make_host() {
  [ -f "$LAB/images/$IMAGE/.complete" ] || die "$NAME: the base image is not there: the role lab-image makes it"
  new=$LAB/hosts/.$NAME.new
  rm -rf "$new" "$HOST"
  etc=$new/upper/etc
  mkdir -p "$etc/ssh/sshd_config.d" "$new/upper/home/$LAB_USER/.ssh" "$new/work" "$new/root"
  chmod 755 "$new/upper"
  ssh-keygen -q -t ed25519 -N '' -C "root@$NAME" -f "$etc/ssh/ssh_host_ed25519_key"
  tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
  chmod 444 "$etc/machine-id"
  say "$NAME" >"$etc/hostname"
  printf '127.0.0.1 localhost\n' >"$etc/hosts"
  cp "$LAB/id_ed25519.pub" "$new/upper/home/$LAB_USER/.ssh/authorized_keys"
  chown -R "$(awk -F: -v user="$LAB_USER" '$1 == user { print $3 ":" $4 }' "$LAB/images/$IMAGE/etc/passwd")" "$new/upper/home/$LAB_USER"
  chmod 700 "$new/upper/home/$LAB_USER" "$new/upper/home/$LAB_USER/.ssh"
  chmod 600 "$new/upper/home/$LAB_USER/.ssh/authorized_keys"
  say "$NAME $ADDRESS $PORT $IMAGE" >"$new/host"
  mv "$new" "$HOST"
}

# What depends on the inventory or on the machine's network, written while the host is down or into the running host's own view.
configure_host() {
  read -r _ address port image <"$HOST/host"
  [ -f "$LAB/images/$image/.complete" ] || die "$NAME: its base image $image is gone: lab down $NAME, then run again"
  if [ "$address $port" != "$ADDRESS $PORT" ]; then
    say "$NAME $ADDRESS $PORT $image" >"$HOST/host.new"
    mv "$HOST/host.new" "$HOST/host"
  fi
  mkdir -p "$HOST/root" "$HOST/work"
  if ! mountpoint -q "$HOST/root"; then
    # Relative paths: the options of mount have no way to write a comma or a colon in one.
    (cd "$LAB" && mount -t overlay "$SCOPE-$NAME" -o "lowerdir=images/$image,upperdir=hosts/$NAME/upper,workdir=hosts/$NAME/work" "hosts/$NAME/root") ||
      die "$NAME: $LAB is on a file system that cannot hold the upper layer of an overlay: set LAB_DIR to a directory on another one"
  fi
  printf 'Port %s\nListenAddress %s\n' "$PORT" "$ADDRESS" >"$HOST/root/etc/ssh/sshd_config.d/01-address.conf"
  if [ -e /etc/resolv.conf ]; then cat /etc/resolv.conf >"$HOST/root/etc/resolv.conf"; fi
  say "[$ADDRESS]:$PORT $(cut -d ' ' -f 1-2 "$HOST/root/etc/ssh/ssh_host_ed25519_key.pub")" >"$HOST/known_host"
  collect_known_hosts
}

collect_known_hosts() {
  (
    flock 6
    cat "$LAB"/hosts/*/known_host >"$LAB/known_hosts.new" 2>/dev/null || true
    chown "$(owner)" "$LAB/known_hosts.new"
    mv "$LAB/known_hosts.new" "$LAB/known_hosts"
  ) 6>"$LAB/locks/.known_hosts"
}

start_host() {
  if listens "$ADDRESS" "$PORT"; then die "$NAME: something else listens on $ADDRESS:$PORT: $(ss -ltnpH "src $ADDRESS:$PORT" 2>/dev/null)"; fi
  # What a running kernel left of an earlier life of the host.
  rm -f "$HOST/.#root.lck"
  if systemd_here; then
    systemctl reset-failed "$SCOPE-$NAME.service" 2>/dev/null || true
    systemd-run --quiet --unit="$SCOPE-$NAME" --collect -p Type=notify -p Delegate=yes -p KillMode=mixed -p RestartForceExitStatus=133 \
      -p SuccessExitStatus=133 -p TasksMax=16384 -p TimeoutStopSec="$STOP_SECONDS" \
      flock --no-fork --wait 5 "$HOST/lock" sh "$BIN/lab-nspawn.sh" "$LAB" "$NAME"
  else
    # A session of its own and no stream of ours: whoever called must not wait for it.
    setsid sh "$BIN/lab-supervise.sh" "$LAB" "$NAME" </dev/null >>"$HOST/console.log" 2>&1 7>&- &
  fi
}

# The block of /etc/hosts that names the lab's hosts; every other line belongs to somebody else. Written in place: in a running host the
# file may be open, and a file moved over it would be another.
neighbours() {
  file=$HOST/root/etc/hosts
  block=$(say "$NEIGHBOURS" | tr ',' '\n' | awk -F= 'BEGIN { print "# BEGIN lab" } { print $2, $1 } END { print "# END lab" }')
  rest=$(awk '/^# BEGIN lab$/ { skip = 1 } !skip { print } /^# END lab$/ { skip = 0 }' "$file")
  printf '%s\n%s\n' "$rest" "$block" >"$HOST/hosts.new"
  cmp -s "$HOST/hosts.new" "$file" || cat "$HOST/hosts.new" >"$file"
  rm -f "$HOST/hosts.new"
}

# sshd listens before the host is ready for logins; only a login shows that it is.
wait_for_login() {
  deadline=$(($(date +%s) + BOOT_SECONDS))
  until listens "$ADDRESS" "$PORT"; do
    [ "$(date +%s)" -lt "$deadline" ] || not_up 'does not listen for ssh'
    sleep 0.05
  done
  until problem=$(ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=5 -o LogLevel=ERROR \
    -o UserKnownHostsFile="$LAB/known_hosts" -o GlobalKnownHostsFile=/dev/null -i "$LAB/id_ed25519" -p "$PORT" "$LAB_USER@$ADDRESS" true 2>&1 </dev/null); do
    [ "$(date +%s)" -lt "$deadline" ] || not_up "does not let $LAB_USER in ($problem)"
    sleep 0.2
  done
}
not_up() {
  tail -n 15 "$HOST/console.log" >&2 2>/dev/null || true
  die "$NAME: $1 after $BOOT_SECONDS s; its console: $HOST/console.log"
}

# ---- down --------------------------------------------------------------------------------------------------------

down() {
  keep='' purge='' names=''
  for word in "$@"; do
    case $word in
      --keep) keep=1 ;;
      --purge) purge=1 ;;
      *) checked_name "$word"; names="$names $word" ;;
    esac
  done
  [ -d "$LAB" ] || { say 'there is no lab'; return 0; }
  make_lab
  failed=''
  [ -n "$names" ] || names=$(cd "$LAB/hosts" && for host in *; do [ ! -d "$host" ] || say "$host"; done)
  for name in $names; do
    [ -d "$LAB/hosts/$name" ] || { say "$name: there is no such host in the lab" >&2; failed=1; continue; }
    # Each ends on its own time; together they take as long as the slowest.
    (end_one "$name") &
    waiting="${waiting:-} $!"
  done
  for pid in ${waiting:-}; do wait "$pid" || failed=1; done
  collect_known_hosts
  still_running || { forget_sysctls; [ -n "$keep" ] || forget_lab; }
  [ -z "$failed" ]
}

end_one() {
  NAME=$1 HOST=$LAB/hosts/$1
  exec 7>"$LAB/locks/$NAME"
  flock --wait 120 7 || die "$NAME: another run is busy with it"
  stop_host
  if [ -n "$keep" ]; then say "$NAME: stopped"; else
    rm -rf --one-file-system "$HOST"
    say "$NAME: removed"
  fi
}

still_running() {
  for host in "$LAB"/hosts/*/; do
    [ -d "$host" ] && held "${host}lock" && return 0
  done
  return 1
}

# Images and archives stay, since they cost minutes and belong to no host; so does what somebody else put here.
forget_lab() {
  for host in "$LAB"/hosts/*/; do [ ! -d "$host" ] || return 0; done
  rm -rf "$LAB/hosts" "$LAB/locks" "$LAB/known_hosts" "$LAB/known_hosts.new" "$LAB/id_ed25519" "$LAB/id_ed25519.pub"
  if [ -n "$purge" ]; then
    for image in "$LAB"/images/* "$LAB"/images/.[!.]*; do [ ! -d "$image" ] || remove_tree "$image"; done
    rm -rf "$LAB/images" "$LAB/artifacts"
  fi
  rmdir "$LAB/images" "$LAB" 2>/dev/null || true
}

# ---- stop --------------------------------------------------------------------------------------------------------

# Powers the host off, ends by force what does not go, and leaves no mount, cgroup or unit of it.
stop_host() {
  [ -d "$HOST" ] || return 0
  if systemd_here; then systemctl stop "$SCOPE-$NAME.service" 2>/dev/null || true; else ask_to_stop; fi
  if running || [ -n "$(processes_of "$NAME")" ]; then kill_host; fi
  if mountpoint -q "$HOST/root"; then umount "$HOST/root" || umount --lazy "$HOST/root"; fi
  for root in $(cgroup_roots); do
    [ ! -d "$root/$SCOPE-$NAME" ] || find "$root/$SCOPE-$NAME" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  rmdir "/run/systemd/nspawn/propagate/$SCOPE-$NAME" 2>/dev/null || true
  rm -f "$HOST/.#root.lck" "$HOST/supervisor.pid"
}

# The supervisor's id counts only while its lock is held and its command line is this host's: ids are given out again.
ask_to_stop() {
  if held "$HOST/supervisor.lock"; then asked=$(cat "$HOST/supervisor.pid" 2>/dev/null || true); else asked=$(nspawn_of "$NAME"); fi
  [ -n "$asked" ] || return 0
  { tr '\0' '\n' <"/proc/$asked/cmdline"; } 2>/dev/null | grep -qxF -e "$NAME" -e "--machine=$SCOPE-$NAME" || return 0
  kill -TERM "$asked" 2>/dev/null || return 0
  ticks=$((STOP_SECONDS * 10))
  while running && [ "$ticks" -gt 0 ]; do
    sleep 0.1
    ticks=$((ticks - 1))
  done
}
nspawn_of() {
  grep -lsaF -e "--machine=$SCOPE-$1" /proc/[0-9]*/cmdline 2>/dev/null | while IFS= read -r file; do
    pid=${file#/proc/}
    pid=${pid%/cmdline}
    if { tr '\0' '\n' <"$file"; } 2>/dev/null | grep -qx 'systemd-nspawn'; then say "$pid"; fi
  done | head -n 1
}

kill_host() {
  say "$NAME: does not stop by itself and is killed" >&2
  ticks=100
  while [ "$ticks" -gt 0 ]; do
    for root in $(cgroup_roots); do
      if [ -f "$root/$SCOPE-$NAME/cgroup.kill" ]; then (say 1 >"$root/$SCOPE-$NAME/cgroup.kill") 2>/dev/null || true; fi
    done
    # The supervisor first, or it would start the host again.
    for pid in $(supervisor_of "$NAME") $(nspawn_of "$NAME") $(processes_of "$NAME"); do kill -KILL "$pid" 2>/dev/null || true; done
    running || [ -n "$(processes_of "$NAME")" ] || return 0
    sleep 0.1
    ticks=$((ticks - 1))
  done
  die "$NAME: its processes cannot be killed"
}
supervisor_of() {
  held "$HOST/supervisor.lock" || return 0
  pid=$(cat "$HOST/supervisor.pid" 2>/dev/null) || return 0
  if tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -e "$1"; then say "$pid"; fi
}

# ---- kernel settings, which all hosts share with the machine -----------------------------------------------------

remember_sysctls() {
  mkdir -p "$MACHINE"
  (
    flock 6
    if [ ! -f "$MACHINE/sysctl" ]; then
      for key in $SHARED_SYSCTLS; do
        path=/proc/sys/$(say "$key" | tr . /)
        [ ! -r "$path" ] || say "$path $(cat "$path")"
      done >"$MACHINE/sysctl.new"
      mv "$MACHINE/sysctl.new" "$MACHINE/sysctl"
    fi
    : >"$MACHINE/$SCOPE"
  ) 6>"$MACHINE/lock"
}

# Put back by the last lab of the machine.
forget_sysctls() {
  [ -d "$MACHINE" ] || return 0
  (
    flock 6
    rm -f "$MACHINE/$SCOPE"
    for other in "$MACHINE"/lab-*; do [ ! -e "$other" ] || exit 0; done
    [ ! -f "$MACHINE/sysctl" ] || while read -r path value; do
      [ "$(cat "$path")" = "$value" ] || say "$value" >"$path"
    done <"$MACHINE/sysctl"
    rm -f "$MACHINE/sysctl"
  ) 6>"$MACHINE/lock"
  [ -f "$MACHINE/sysctl" ] || rm -rf "$MACHINE"
}

# ---- status ------------------------------------------------------------------------------------------------------

# Asked at every run, so hardly anything is started: the tables are read once.
status() {
  separator=''
  sockets=$(cat /proc/net/tcp 2>/dev/null || true)
  if systemd_here; then under=systemd; else under=lab; fi
  printf '{"user":"%s","supervisor":"%s","openFiles":%s,"hosts":[' "$LAB_USER" "$under" "$(open_files)"
  for host in "$LAB"/hosts/*/; do
    [ -f "${host}host" ] || continue
    read -r name address port image <"${host}host"
    state=stopped listening=false
    if held "${host}lock"; then
      state=running
      systemd_here || held "${host}supervisor.lock" || state=unsupervised
    fi
    case $sockets in *" $(tcp_key "$address" "$port") 00000000:0000 0A "*) listening=true ;; esac
    printf '%s{"name":"%s","address":"%s","port":%s,"image":"%s","state":"%s","listening":%s,"neighbours":"%s"}' \
      "$separator" "$name" "$address" "$port" "$image" "$state" "$listening" "$(neighbours_in "${host}upper/etc/hosts")"
    separator=,
  done
  printf ']}\n'
}

# What a process of a host can have at most: systemd-nspawn asks for 524288, and the kernel grants no more than the machine's own hard limit
# where nobody has CAP_SYS_RESOURCE (bit 24).
open_files() {
  # shellcheck disable=SC3045 # dash, bash and busybox all have it
  hard=$(ulimit -Hn)
  bits=$(sed -n 's/^CapBnd:[[:space:]]*\([0-9a-f]*\)......$/\1/p' /proc/self/status 2>/dev/null || true)
  case $bits in *[13579bdf]) hard=524288 ;; esac
  case $hard in unlimited) hard=524288 ;; esac
  printf %s "$hard"
}

neighbours_in() {
  found='' inside=''
  while read -r address name; do
    case "$address $name" in
      '# BEGIN lab') inside=1 found='' ;;
      '# END lab') inside='' ;;
      *[!a-z0-9.\ -]*) ;;
      *) [ -z "$inside" ] || found="$found${found:+,}$name=$address" ;;
    esac
  done 2>/dev/null <"$1"
  printf %s "$found"
}

main "$@"
