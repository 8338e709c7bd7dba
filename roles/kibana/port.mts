/** Who has Kibana's port, and how somebody else gives it back: cleanly, or not at all. */
import { change, command, known, quote, refine, shellOutput, unavailable, type Change, type Question, type Resource } from '../../lib/index.mts';
import type { Listener } from '../../lib/index.mts';
import { UNIT } from './paths.mts';

export interface Owner {
  /** `undefined` where the process is not to be seen: another user's, or one outside of this container. */
  readonly process?: { readonly pid: number; readonly user: string; readonly command: string };
  /** Its service, when systemd started it. */
  readonly unit?: string;
}

/** `owner`: a line of `pid user unit command` for each socket that keeps others from the address and port; `-` is unknown. */
const ownerFunction = ({ address, port }: Pick<Listener, 'address' | 'port'>): string => `owner() {
  ss -Hltnp "sport = :${String(port)}" 2>/dev/null | while read -r _ _ _ local _ users; do
    case $local in ${[address, `[${address}]`, `[::ffff:${address}]`, '0.0.0.0', '[::]', '*'].map((each) => quote(`${each}:${String(port)}`)).join('|')}) ;; *) continue ;; esac
    pid=\${users#*pid=}; pid=\${pid%%,*}
    case $pid in ''|*[!0-9]*) echo '- - - -'; continue ;; esac
    user=$(stat -c %U "/proc/$pid" 2>/dev/null) || user=-
    unit=$(sed -n 's,^.*/system\\.slice/\\([^/]*\\.service\\).*$,\\1,p' "/proc/$pid/cgroup" 2>/dev/null | head -n 1)
    echo "$pid $user \${unit:--} $(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c 1-200)"
  done | sort -u
}
`;

/** The first that is not Kibana's own unit; `undefined` when the port is free or Kibana's. */
export function foreignOwner(listener: Pick<Listener, 'address' | 'port'>): Question<Owner | undefined> {
  return refine(shellOutput(`${ownerFunction(listener)}owner`), ({ code, output }) =>
    code === 0
      ? known(readOwners(output).find(({ unit }) => unit !== UNIT))
      : unavailable(`who has port ${String(listener.port)} could not be seen: ${output}`),
  );
}

export function readOwners(output: string): readonly Owner[] {
  return output.split('\n').flatMap((line): readonly Owner[] => {
    const [, pid, user, unit, command] = /^(\S+) (\S+) (\S+) (.*)$/.exec(line) ?? [];
    if (pid === undefined || user === undefined || command === undefined) return [];
    return [
      {
        ...(pid === '-' ? {} : { process: { pid: Number(pid), user, command: command.trim() } }),
        ...(unit === undefined || unit === '-' ? {} : { unit }),
      },
    ];
  });
}

export function showOwner({ process, unit }: Owner): string {
  if (process === undefined) return 'a process that this host cannot see';
  const name = process.command.split(' ')[0]?.split('/').at(-1);
  return `${name === undefined || name === '' ? 'a process' : name} (pid ${String(process.pid)}, user ${process.user}${unit === undefined ? '' : `, ${unit}`})`;
}

/** Asked to end, never made to: SIGTERM through its service or to itself, and 30 seconds. */
export function takenOver(listener: Pick<Listener, 'address' | 'port'>): Resource {
  const port = String(listener.port);
  return command(`port ${port}`, {
    because: ['kibana_take_over_port'],
    differs: foreignOwner(listener).map((owner): readonly Change[] =>
      owner === undefined ? [] : [change('owner', showOwner(owner), 'Kibana', { disrupts: true })],
    ),
    run: (steps) => {
      // What is stopped is looked up again: what was seen a moment ago may have ended, and its number may be somebody else's.
      const script = `${ownerFunction(listener)}owner | while read -r pid user unit _; do
  [ "$unit" != ${UNIT} ] || continue
  [ "$pid" != - ] || { echo "port ${port} belongs to a process that this host cannot see: stop it where it runs" >&2; exit 1; }
  if [ "$unit" != - ]; then systemctl stop -- "$unit"; continue; fi
  kill "$pid" 2>/dev/null || continue
  left=30
  while owner | grep -q "^$pid "; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "process $pid of $user still has port ${port} 30 seconds after SIGTERM: it is not killed, end it by hand" >&2; exit 1; }
    sleep 1
  done
done`;
      steps.sh`sh -c ${script}`;
    },
  });
}
