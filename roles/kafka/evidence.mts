/** What is asked of a host whose Kafka did not come up. */
import { all, allOf, listeningSockets, shellOutput, unitState, type Diagnosis, type Question } from '../../lib/index.mts';
import { controllersWith, isBroker, isController, isZookeeper, listeners } from './contract.mts';
import { diagnose, stopped } from './diagnose.mts';
import type { Here } from './host.mts';
import { SERVER_LOG, UNIT, ZOOKEEPER_LOGS, ZOOKEEPER_UNIT } from './paths.mts';

/**
 * The journal of this start, and the lines of the server's own log since then, or since it was up: warnings are in both, and what others kept a
 * start waiting with means nothing afterwards. In a crash loop the start may be a second old and has said nothing yet, so the one before belongs to it.
 */
const since = (unit: string, log: string): string => `id=$(systemctl show -p InvocationID --value ${unit} 2>/dev/null)
loops=$(systemctl show -p NRestarts --value ${unit} 2>/dev/null)
if [ "\${loops:-0}" -gt 0 ]; then journalctl -q --no-pager -o cat -n 200 -u ${unit} 2>/dev/null
elif [ -n "$id" ]; then journalctl -q --no-pager -o cat -n 400 _SYSTEMD_INVOCATION_ID="$id" + INVOCATION_ID="$id" 2>/dev/null; fi | grep -v '^\\[[^]]*\\] WARN ' | tail -c 60000
started=$(systemctl show -p ExecMainStartTimestamp --value ${unit} 2>/dev/null)
[ -n "$started" ] && [ -f ${log} ] || exit 0
[ "\${loops:-0}" -eq 0 ] || started="$started - 15 seconds"
from=$(date -d "$started" '+[%Y-%m-%d %H:%M:%S') || exit 0
tail -c 400000 ${log} | awk -v from="$from" '
substr($0, 1, 1) == "[" { on = substr($0, 1, 20) >= from }
/Kafka Server started|started \\(kafka.server.KafkaServer\\)/ { text = "" }
on { text = text $0 "\\n" }
END { printf "%s", text }' | tail -c 100000`;

export function diagnosis({ host, vars, facts, inventory }: Here): Question<readonly Diagnosis[]> {
  const isServer = isBroker(host) || isController(host);
  const logs = [...(isZookeeper(host) ? [since(ZOOKEEPER_UNIT, `${ZOOKEEPER_LOGS}/server.log`)] : []), ...(isServer ? [since(UNIT, SERVER_LOG)] : [])];
  const units = [...(isZookeeper(host) ? [ZOOKEEPER_UNIT] : []), ...(isServer ? [UNIT] : [])];
  const asked = { logs: allOf(logs.map(shellOutput)), sockets: listeningSockets(), states: allOf(units.map((unit) => unitState(unit))) };
  return all(asked).map(({ logs: texts, sockets, states }) => [
    ...states.flatMap((state, at) => stopped(state, units[at] ?? UNIT, host.name)),
    ...diagnose({
      log: texts.map(({ output }) => output).join('\n'),
      sockets,
      ports: listeners(host),
      heap: vars.heap,
      memoryBytes: facts.memoryBytes,
      controllers: controllersWith(inventory, host).map(({ name }) => name),
    }),
  ]);
}
