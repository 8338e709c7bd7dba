import type { Proxy, Resource } from '../plan/model.mts';
import { allOf, packageVersion } from '../plan/questions.mts';
import { quoteAll, runScript } from '../shell/steps.mts';
import { putProxy, takeProxy } from './proxy.mts';
import { absentShown, change, resource, type Common } from './resource.mts';

export interface PackagesOptions extends Common {
  readonly proxy?: Proxy;
}

/** A package manager that is killed half way leaves a broken system, so it gets its time. */
const DEADLINE_SECONDS = 1800;

// A package index is fetched only when a name is unknown without it, or what it says can no longer be downloaded.
// DPkg::Lock::Timeout is not for the lock of the lists, which a new machine's own daily update holds for a while.
const INSTALL = `if command -v apt-get >/dev/null 2>&1; then
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
fi`;

const PROXY = '/run/kafka-elastic-monitoring.proxy';

// The directory is root's alone, so what is in it needs no umask, which the manager would keep.
// Both managers read the proxy from a configuration of theirs, that of dnf being all of its own with one line more.
const THROUGH_PROXY = `${takeProxy(PROXY)}if [ -n "$proxy" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf -- "$scratch"' EXIT
  if command -v apt-get >/dev/null 2>&1; then
    printf 'Acquire::http::Proxy "%s";\nAcquire::https::Proxy "%s";\n' "$proxy" "$proxy" >"$scratch/apt.conf"
    APT_CONFIG=$scratch/apt.conf
    export APT_CONFIG
  elif [ -f /etc/dnf/dnf.conf ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      case $line in proxy*=*) ;; *) printf '%s\n' "$line" ;; esac
      case $line in '[main]'*) printf 'proxy=%s\n' "$proxy" ;; esac
    done </etc/dnf/dnf.conf >"$scratch/dnf.conf"
    dnf() { command dnf --config "$scratch/dnf.conf" "$@"; }
  fi
fi
`;

/** Installed packages, of any version. */
export function packages(names: readonly string[], options: PackagesOptions = {}): Resource {
  const { proxy } = options;
  return resource(`packages ${names.join(' ')}`, options, {
    wanted: names,
    fetches: { kind: 'packages', names, ...(proxy === undefined ? {} : { proxy }) },
    differs: allOf(names.map((name) => packageVersion(name).map((version) => ({ name, version })))).map((now) =>
      now.flatMap(({ name, version }) => (version === undefined ? [change(name, absentShown, 'installed')] : [])),
    ),
    apply(changes, steps) {
      steps.within(DEADLINE_SECONDS, (bounded) => {
        bounded.uninterruptible((whole) => {
          putProxy(whole, proxy, PROXY);
          runScript(whole, `set -- ${quoteAll(changes.map(({ field }) => field))}\n${proxy === undefined ? '' : THROUGH_PROXY}${INSTALL}`);
        });
      });
    },
  });
}
