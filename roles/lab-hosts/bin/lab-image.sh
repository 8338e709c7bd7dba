#!/bin/sh
# What the hosts of the lab are made from: programs of this machine, the base image, the key to log in with.
# usage: lab-image.sh LAB status            one JSON document; changes nothing and needs no root
#        lab-image.sh LAB packages          installs the missing programs with apt-get; no service is started by it
#        lab-image.sh LAB build MIRROR      makes the base image: Debian 12 with systemd, sshd, sudo, curl and a Java runtime
#        lab-image.sh LAB key               makes the key
set -eu
. "$(dirname "$0")/lab-common.sh"
# What the image grows to while it is made, for the progress that is shown.
EXPECTED_BYTES=675000000
CONTENT=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,sudo,curl,ca-certificates,iproute2,procps,zip,openjdk-17-jre-headless

main() {
  command=$2
  case $command in
    packages | build | key) become_root "$@" ;;
  esac
  enter_lab "$1"
  shift 2
  case $command in
    packages) packages ;;
    build) build "$1" ;;
    key) key ;;
    status) status ;;
    *) die "unknown command '$command'" ;;
  esac
}

# ---- programs of this machine ------------------------------------------------------------------------------------

# `command package`, one a line; either of the two bootstrap programs is enough, the first takes half the time.
missing() {
  while read -r program package; do
    command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || [ -x "/sbin/$program" ] || say "$package"
  done <<'END'
systemd-nspawn systemd-container
ssh openssh-client
ssh-keygen openssh-client
ss iproute2
curl curl
unzip unzip
flock util-linux
END
  bootstrap_program >/dev/null || say mmdebstrap
}
bootstrap_program() { command -v mmdebstrap || command -v debootstrap || { [ -x /usr/sbin/debootstrap ] && say /usr/sbin/debootstrap; }; }

packages() {
  wanted=$(missing | sort -u)
  [ -n "$wanted" ] || return 0
  command -v apt-get >/dev/null 2>&1 || die "missing here, and there is no apt-get to install it: $(say "$wanted" | tr '\n' ' ')"
  # An installed package must start no service on this machine; a policy that is already there stays.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  install_packages "$wanted" || { apt update && install_packages "$wanted"; } ||
    install_packages "$(say "$wanted" | sed 's/^mmdebstrap$/debootstrap/')" || die "apt-get could not install: $(say "$wanted" | tr '\n' ' ')"
}
apt() { DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null >&2; }
install_packages() {
  # The image is Debian's, and its signatures are checked; Ubuntu has the keys in a package.
  [ -f /usr/share/keyrings/debian-archive-keyring.gpg ] || set -- "$1 debian-archive-keyring"
  # shellcheck disable=SC2046 # one word a package
  apt install --yes --no-install-recommends $(say "$1")
}

# ---- the image ---------------------------------------------------------------------------------------------------

build() {
  mirror=$1
  case $mirror in
    http://* | https://*) ;;
    *) die "'$mirror' is no mirror: http://… or https://…" ;;
  esac
  make_lab
  exec 7>"$LAB/locks/.image"
  flock --wait 600 7 || die 'another run is making the base image'
  target=$LAB/images/$IMAGE
  [ ! -f "$target/.complete" ] || return 0
  # Made beside its place and moved there whole: a half-made image is never used, and the next run sweeps it away.
  for left in "$LAB"/images/.new.* "$target"; do [ ! -d "$left" ] || remove_tree "$left"; done
  new=$LAB/images/.new.$$
  trap 'stop_watch; remove_tree "$new"' EXIT
  trap 'exit 130' INT TERM
  watch_size "$new" &
  watcher=$!
  bootstrap "$new" "$mirror" >&2 || die "the base image could not be made from $mirror: see above; lab_image_mirror names another"
  configure "$new" "$mirror"
  stop_watch
  : >"$new/.complete"
  sync -f "$new/.complete" 2>/dev/null || sync
  mv "$new" "$target"
  trap - EXIT
}

# Shows the largest size so far: packages that were unpacked are deleted on the way.
watch_size() {
  largest=0
  while sleep 2; do
    size=$(du -sxB1 "$1" 2>/dev/null | cut -f 1)
    [ "${size:-0}" -le "$largest" ] || largest=$size
    say "progress $largest $EXPECTED_BYTES"
  done
}
stop_watch() {
  [ -n "${watcher:-}" ] || return 0
  # With TERM a child of bash that has not begun would do what is to be done at the end of its mother.
  kill -KILL "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  watcher=
}

bootstrap() {
  program=$(bootstrap_program) || die 'neither mmdebstrap nor debootstrap is installed'
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -f "$keyring" ] || keyring=
  case $program in
    *mmdebstrap) LC_ALL=C.UTF-8 "$program" --quiet --variant=minbase ${keyring:+--keyring="$keyring"} --include="$CONTENT" bookworm "$1" "$2" ;;
    *) LC_ALL=C.UTF-8 "$program" --variant=minbase ${keyring:+--keyring="$keyring"} --include="$CONTENT" bookworm "$1" "$2" && rm -rf "$1"/var/cache/apt/archives/*.deb ;;
  esac
}

# What is the same on every host; what is not is made with the host.
configure() {
  base=$1
  rm -f "$base"/etc/ssh/ssh_host_* "$base/etc/hostname" "$base/etc/resolv.conf"
  : >"$base/etc/machine-id"
  printf '127.0.0.1 localhost\n' >"$base/etc/hosts"
  printf 'LANG=C.UTF-8\n' >"$base/etc/default/locale"
  ln -sf /usr/share/zoneinfo/UTC "$base/etc/localtime"
  printf 'deb %s bookworm main\ndeb %s bookworm-updates main\n' "$2" "$2" >"$base/etc/apt/sources.list"
  case $2 in
    *://deb.debian.org/debian) say "deb $2-security bookworm-security main" >>"$base/etc/apt/sources.list" ;;
  esac
  chroot "$base" useradd --create-home --user-group --shell /bin/sh "$LAB_USER"
  # No password at all, and not locked either: sshd would refuse a locked account even its key.
  chroot "$base" usermod --password '*' "$LAB_USER"
  say "$LAB_USER ALL=(ALL) NOPASSWD: ALL" >"$base/etc/sudoers.d/$LAB_USER"
  chmod 0440 "$base/etc/sudoers.d/$LAB_USER"
  cat >"$base/etc/ssh/sshd_config.d/00-lab.conf" <<'END'
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
UseDNS no
X11Forwarding no
AcceptEnv LANG LC_*
MaxStartups 50:30:100
MaxSessions 50
END
  mkdir -p "$base/etc/systemd/journald.conf.d" "$base/etc/systemd/system.conf.d" "$base/var/log/journal"
  cat >"$base/etc/systemd/journald.conf.d/lab.conf" <<'END'
[Journal]
Storage=persistent
SystemMaxUse=64M
RateLimitBurst=0
ForwardToSyslog=no
ForwardToWall=no
Audit=no
ReadKMsg=no
END
  printf '[Manager]\nDefaultTimeoutStopSec=20s\nLogColor=no\n' >"$base/etc/systemd/system.conf.d/lab.conf"
  mask "$base/etc/systemd/system"
  ln -sfn /lib/systemd/system/multi-user.target "$base/etc/systemd/system/default.target"
}

# What would reach for the machine under the hosts (kernel settings, devices, clock, network), consoles nobody sees, and timers that would
# make tests depend on the hour. systemd-sysctl among them: kernel settings are the machine's own, and a host must not set them at boot.
mask() {
  while read -r units; do
    for unit in $units; do ln -sfn /dev/null "$1/$unit"; done
  done <<'END'
systemd-sysctl.service systemd-binfmt.service systemd-modules-load.service systemd-random-seed.service systemd-hwdb-update.service
systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket kmod-static-nodes.service
systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service systemd-networkd-persistent-storage.service
systemd-timesyncd.service systemd-resolved.service systemd-pstore.service systemd-firstboot.service systemd-remount-fs.service
systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-ask-password-wall.path systemd-ask-password-console.path
getty.target console-getty.service container-getty@.service getty@.service serial-getty@.service ssh.socket
sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount
proc-sys-fs-binfmt_misc.automount systemd-tmpfiles-clean.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
apt-daily.timer apt-daily-upgrade.timer apt-daily.service apt-daily-upgrade.service
END
}

# ---- the key -----------------------------------------------------------------------------------------------------

key() {
  make_lab
  exec 7>"$LAB/locks/.key"
  flock --wait 60 7 || die 'another run is making the key'
  [ ! -f "$LAB/id_ed25519.pub" ] || return 0
  rm -f "$LAB/id_ed25519" "$LAB"/.key "$LAB"/.key.pub
  ssh-keygen -q -t ed25519 -N '' -C lab -f "$LAB/.key"
  chown "$(owner)" "$LAB/.key" "$LAB/.key.pub"
  mv "$LAB/.key" "$LAB/id_ed25519"
  mv "$LAB/.key.pub" "$LAB/id_ed25519.pub"
}

# ---- status ------------------------------------------------------------------------------------------------------

status() {
  has_image=false has_key=false
  if [ -f "$LAB/images/$IMAGE/.complete" ]; then has_image=true; fi
  if [ -f "$LAB/id_ed25519" ] && [ -f "$LAB/id_ed25519.pub" ]; then has_key=true; fi
  printf '{"image":"%s","hasImage":%s,"hasKey":%s,"missingPackages":"%s"}\n' "$IMAGE" "$has_image" "$has_key" "$(missing | sort -u | tr '\n' ' ' | sed 's/ $//')"
}

main "$@"
