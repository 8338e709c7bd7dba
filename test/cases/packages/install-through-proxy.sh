# at=host deadline=1800s uninterruptible payloads=1
set -eu
LC_ALL=C
export LC_ALL
umask 022
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' HUP INT TERM
say() { printf '%s\n' "$*" >&2; }
refuse() { say "$@"; exit 86; }
put() {
  if [ -h "$1" ]; then say "$1 is a symbolic link: not written through it"; return 1; fi
  if [ -e "$1" ] && [ ! -f "$1" ]; then say "$1 is no regular file: not replaced"; return 1; fi
  for stale in "${1%/*}/.${1##*/}".new-??????; do [ ! -f "$stale" ] || rm -f -- "$stale"; done
  scratch=$(mktemp -- "${1%/*}/.${1##*/}.new-XXXXXX")
  if [ $# -gt 2 ]; then chown -- "$4:$5" "$scratch"; chmod -- "$3" "$scratch"
  elif [ -e "$1" ]; then chown -- "$(stat -c %u:%g -- "$1")" "$scratch"; chmod -- "$(stat -c %a -- "$1")" "$scratch"
  else chmod -- 0644 "$scratch"; fi
  payload "$2" >"$scratch"
  sync -- "$scratch" 2>/dev/null || sync
  mv -fT -- "$scratch" "$1"
  scratch=
  if command -v restorecon >/dev/null 2>&1; then restorecon -- "$1"; fi
}
put '/run/kafka-elastic-monitoring.proxy' 0 '0600' 'root' 'root'
(
set -- 'zip'
proxy=
if [ -f /run/kafka-elastic-monitoring.proxy ]; then read -r proxy </run/kafka-elastic-monitoring.proxy || :; rm -f -- /run/kafka-elastic-monitoring.proxy; fi
if [ -n "$proxy" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf -- "$scratch"' EXIT
  if command -v apt-get >/dev/null 2>&1; then
    printf 'Acquire::http::Proxy "%s";
Acquire::https::Proxy "%s";
' "$proxy" "$proxy" >"$scratch/apt.conf"
    APT_CONFIG=$scratch/apt.conf
    export APT_CONFIG
  elif [ -f /etc/dnf/dnf.conf ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      case $line in proxy*=*) ;; *) printf '%s
' "$line" ;; esac
      case $line in '[main]'*) printf 'proxy=%s
' "$proxy" ;; esac
    done </etc/dnf/dnf.conf >"$scratch/dnf.conf"
    dnf() { command dnf --config "$scratch/dnf.conf" "$@"; }
  fi
fi
if command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a
  apt() { apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
  update() {
    left=40
    until said=$(apt update 2>&1); do
      case $said in *'Could not get lock'*) left=$((left - 1)) ;; *) left=0 ;; esac
      [ "$left" -gt 0 ] || { say "$said"; return 1; }
      sleep 3
    done
  }
  repair() {
    code=0
    dpkg --configure -a || code=$?
    [ "$code" != 1 ] || say "packages are there half, which keeps apt from others: put right what stands above, and finish them: dpkg --configure -a"
    return "$code"
  }
  stale=
  for name do case $(apt-cache policy -- "$name" 2>/dev/null) in ''|*'Candidate: (none)'*) stale=1 ;; esac; done
  if [ -n "$stale" ]; then update; fi
  apt install --no-install-recommends -- "$@" || { repair; update; apt install --no-install-recommends -- "$@"; }
elif command -v dnf >/dev/null 2>&1; then
  dnf -q -y install -- "$@"
else
  say "neither apt-get nor dnf is installed"
  exit 1
fi
)
