/** What is asked of a host whose instance does not do its work. */
import {
  addressOf,
  all,
  listeningSockets,
  playing,
  quote,
  shellOutput,
  type Context,
  type Diagnosis,
  type Question,
  type ShellOutput,
} from '../../lib/index.mts';
import { diagnose } from './diagnose.mts';
import type { Instance } from './instance.mts';
import { placesOf, type Places } from './paths.mts';

/** The unit's last start and what systemd says about it; in a crash loop, the start before too. */
const journal = ({ unit }: Places): string => `id=$(systemctl show -p InvocationID --value ${unit} 2>/dev/null)
if [ -n "$id" ] && [ "$(systemctl show -p NRestarts --value ${unit})" = 0 ]
then journalctl -q --no-pager -o cat -n 300 _SYSTEMD_INVOCATION_ID="$id" + INVOCATION_ID="$id" 2>/dev/null
else journalctl -q --no-pager -o cat -n 150 -u ${unit} 2>/dev/null
fi | tail -c 40000
:`;

export const askLog = ({ log }: Places): Question<ShellOutput> => shellOutput(`tail -c 60000 ${log} 2>/dev/null\n:`);

/** Other processes that name the data directory in a file they hold open: the lock of Logstash is one. */
const others = ({ unit, data }: Places): string => `own=$(systemctl show -p MainPID --value ${unit} 2>/dev/null)
for lock in /proc/[0-9]*/fd/*; do
  [ "$(readlink -- "$lock" 2>/dev/null)" = ${quote(`${data}/.lock`)} ] || continue
  pid=\${lock#/proc/}; pid=\${pid%%/*}
  [ "$pid" = "$own" ] || { printf 'pid %s' "$pid"; ps -o user=,unit= -p "$pid" 2>/dev/null | { read -r user unit && printf ' of user %s in %s' "$user" "$unit"; }; break; }
done
:`;

export function instanceDiagnosis(
  { host, inventory }: Pick<Context<unknown>, 'host' | 'inventory'>,
  role: string,
  { name, apiPort, jmx }: Pick<Instance, 'name' | 'apiPort' | 'jmx'>,
): Question<readonly Diagnosis[]> {
  const places = placesOf(name);
  return all({ journal: shellOutput(journal(places)), log: askLog(places), others: shellOutput(others(places)), sockets: listeningSockets() }).map((found) =>
    diagnose({
      journal: found.journal.output,
      log: found.log.output,
      others: found.others.output.trim(),
      sockets: found.sockets,
      places,
      api: { address: addressOf(host), port: apiPort },
      ...(jmx === undefined ? {} : { jmx: { address: jmx.address, port: jmx.port } }),
      again: `${playing({ inventory }, role)} --limit ${host.name}`,
    }),
  );
}
