#!/bin/sh
# A host with a kernel of its own: Debian under user-mode-linux. To be called inside of test/kernel/alone, which ends all that is made here.
# usage: host.sh LAB NAME ADDRESS GATEWAY make   its disk, from the lab's base image, in memory; its network, a tap at GATEWAY
#        host.sh LAB NAME ADDRESS GATEWAY run    becomes its kernel; a reboot from inside boots it again
#
# LAB/host: disk, changes (what the host wrote to it), known_hosts
set -eu
LAB=$1 NAME=$2 ADDRESS=$3 GATEWAY=$4
PROGRAMS=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=roles/lab-hosts/bin/lab-common.sh
. "$PROGRAMS/../../roles/lab-hosts/bin/lab-common.sh"
HERE=$LAB/host
TAP=kernel0
NIC=vec0

make() {
  mkdir -p "$HERE"
  mount -t tmpfs -o size=6g,mode=0755 own-kernel "$HERE"
  mkdir "$HERE/upper" "$HERE/work" "$HERE/root"
  (cd "$LAB" && mount -t overlay own-kernel -o "lowerdir=images/$IMAGE,upperdir=host/upper,workdir=host/work" host/root)
  configure "$HERE/root"
  mkfs.ext4 -q -d "$HERE/root" "$HERE/disk" 4G
  umount "$HERE/root"
  ip link set lo up
  ip tuntap add dev "$TAP" mode tap
  ip address add "$GATEWAY/30" dev "$TAP"
  ip link set "$TAP" up
}

configure() {
  etc=$1/etc
  ssh-keygen -q -t ed25519 -N '' -C "root@$NAME" -f "$etc/ssh/ssh_host_ed25519_key"
  say "$ADDRESS $(cut -d ' ' -f 1-2 "$etc/ssh/ssh_host_ed25519_key.pub")" >"$HERE/known_hosts"
  mkdir -m 700 "$1/home/$LAB_USER/.ssh"
  cp "$LAB/id_ed25519.pub" "$1/home/$LAB_USER/.ssh/authorized_keys"
  chroot "$1" chown -R "$LAB_USER:$LAB_USER" "/home/$LAB_USER"
  say "$NAME" >"$etc/hostname"
  say "$ADDRESS $NAME" >>"$etc/hosts"
  # The base image leaves kernel settings alone, since containers share them; here they are the host's own.
  rm "$etc/systemd/system/systemd-sysctl.service"
  # What the kernel gives a process is 4096. systemd raises that since version 240; the one of the tutorial did not.
  printf '[Manager]\nDefaultLimitNOFILE=1024:4096\n' >"$etc/systemd/system.conf.d/00-kernel.conf"
  printf '%s soft nofile 1024\n%s hard nofile 4096\n' '*' '*' root root >"$etc/security/limits.d/00-kernel.conf"
  # A program in this kernel is slow to start, and Java starts sooner with the first of its two compilers alone.
  printf '[Manager]\nDefaultEnvironment=JDK_JAVA_OPTIONS=-XX:TieredStopAtLevel=1\n' >"$etc/systemd/system.conf.d/10-java.conf"
  cat >"$etc/systemd/system/address.service" <<UNIT
[Unit]
DefaultDependencies=no
Before=network.target
Wants=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip link set lo up
ExecStart=ip address replace $ADDRESS/30 dev $NIC
ExecStart=ip link set $NIC up
ExecStart=ip route replace default via $GATEWAY
UNIT
  mkdir -p "$etc/systemd/system/sysinit.target.wants"
  ln -s ../address.service "$etc/systemd/system/sysinit.target.wants/"
}

# The kernel keeps its memory in a file of TMPDIR, which has to be memory itself.
run() {
  cd "$HERE"
  TMPDIR=$HERE exec "$PROGRAMS/kernel" mem=1536M ubda=changes,disk root=/dev/ubda rw "$NIC:transport=tap,ifname=$TAP,depth=128,gro=1" \
    con=null con0=null,fd:1 ssl=null
}

case $5 in
  make) make ;;
  run) run ;;
  *) die "unknown command '$5'" ;;
esac
