# at=host deadline=1800s uninterruptible payloads=0
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
set -- 'openjdk-17-jre-headless' 'libstdc++6'
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
