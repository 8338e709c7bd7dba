# shellcheck shell=sh disable=SC2034
# Read by the lab's programs: where things are, and how a host is told from everything else on the machine.
# Each program is called as `sh PROGRAM LAB …`, LAB being the lab's directory.

# How a host is reached; the image and every host agree on it.
LAB_USER=ops
# Raise it when lab-image.sh makes something else than before: hosts made earlier keep the image they were made from.
IMAGE=bookworm-2

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# Runs the program again as root, unless it is root already. `sudo -n` never asks: nobody would see the question.
become_root() {
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null 2>&1 || die 'the lab needs root, and there is no sudo on this machine'
  exec sudo -n -- sh "$0" "$@"
}

# The lab belongs to whoever asked for it: the key has to be readable by the one who logs in with it.
owner() { say "${SUDO_UID:-$(id -u)}:${SUDO_GID:-$(id -g)}"; }

# Sets LAB to the absolute path and SCOPE to a name for this lab's mounts, cgroups and units: a machine may have several labs.
enter_lab() {
  case $1 in /*) LAB=$1 ;; *) die "the lab's directory must be an absolute path, not '$1'" ;; esac
  if [ -d "$LAB" ]; then LAB=$(cd "$LAB" && pwd -P); fi
  SCOPE=lab-$(printf %s "$LAB" | cksum | cut -d ' ' -f 1)
}
make_lab() {
  [ -d "$LAB" ] || { mkdir -p "$LAB" && chown "$(owner)" "$LAB"; }
  enter_lab "$LAB"
  mkdir -p "$LAB/hosts" "$LAB/images" "$LAB/locks"
}

# Names reach paths, cgroups and JSON: nothing but what a host name may hold gets through.
checked_name() { case $1 in '' | [.-]* | *[!a-z0-9.-]*) die "'$1' is no host name" ;; esac; }
checked_port() { case $1 in '' | *[!0-9]* | ??????*) die "'$1' is no port" ;; esac; }
checked_address() {
  case $1 in
    *[!0-9.]* | *..* | *. | *.*.*.*.*) die "'$1' is no IPv4 address" ;;
    127.*.*.*) ;;
    *) die "'$1' is no loopback address (127.x.y.z): the lab exposes nothing to a network" ;;
  esac
}

systemd_here() { [ -d /run/systemd/system ]; }

# Somebody holds the lock of that file: true as long as the process lives, whatever pid files say.
held() { [ -e "$1" ] && ! flock --shared --nonblock "$1" true 2>/dev/null; }

# The address as /proc/net/tcp writes it (little endian), with the port.
tcp_key() {
  _port=$2
  _ifs=$IFS; IFS=.
  # shellcheck disable=SC2086 # split at the dots
  set -- $1
  IFS=$_ifs
  printf '%02X%02X%02X%02X:%04X' "$4" "$3" "$2" "$1" "$_port"
}
listens() { grep -q " $(tcp_key "$1" "$2") 00000000:0000 0A " /proc/net/tcp; }

# Every process whose root is the overlay of host $1: finds what outlived its supervisor, even where cgroups or pid files lie.
processes_of() {
  grep -lse " $SCOPE-$1 " /proc/[0-9]*/mountinfo 2>/dev/null | while IFS= read -r file; do
    awk -v source="$SCOPE-$1" '$5 == "/" { for (i = 7; i < NF; i++) if ($i == "-") ours = ($(i + 2) == source) } END { exit !ours }' "$file" 2>/dev/null || continue
    pid=${file#/proc/}
    say "${pid%/mountinfo}"
  done
}

# The version 2 hierarchy (of a hybrid machine, or the only one), and version 1's own one for systemd.
cgroup_roots() {
  for root in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
    [ -f "$root/cgroup.procs" ] && say "$root"
  done
  return 0
}

# Unmounts everything below a directory and deletes it, and never anything that is mounted there.
remove_tree() {
  awk -v below="$1" '{ gsub(/\\040/, " ", $5) } $5 == below || index($5, below "/") == 1 { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r mounted; do
    umount "$mounted" 2>/dev/null || umount --lazy "$mounted"
  done
  rm -rf --one-file-system "$1"
}
