/** What is asked of a host whose Elasticsearch did not come up. */
import { all, closest, listeningSockets, shellOutput, type Context, type Diagnosis, type Question } from '../../lib/index.mts';
import { grantedFiles } from '../os-limits/contract.mts';
import { candidates } from './candidates.mts';
import type { ElasticsearchVars } from './contract.mts';
import { diagnose } from './diagnose.mts';
import { nofileVariable, serviceLimits } from './limits.mts';
import type { NodeState } from './node.mts';
import { LOGS, START_LOG, UNIT } from './paths.mts';

/**
 * The journal of this invocation: the unit's own output and what systemd says about it. In a crash loop the invocation may be a second old, so
 * the one before belongs to it until it has started. Without systemd: what a failed start printed last.
 */
const JOURNAL = `id=$(systemctl show -p InvocationID --value ${UNIT} 2>/dev/null)
if [ -n "$id" ]; then
  if [ "$(systemctl show -p NRestarts --value ${UNIT})" -gt 0 ]
  then journalctl -q --no-pager -o cat -n 800 -u ${UNIT} 2>/dev/null | awk '/^Started .*Elasticsearch/ { before = last; last = ""; up = 0 } /\\] started$/ { up = 1 } { last = last $0 "\\n" } END { printf "%s%s", up ? "" : before, last }'
  else journalctl -q --no-pager -o cat -n 400 _SYSTEMD_INVOCATION_ID="$id" + INVOCATION_ID="$id" 2>/dev/null
  fi | tail -c 60000
elif [ ! -e @LOG@ ] || [ -n "$(find ${START_LOG} -newer @LOG@ 2>/dev/null)" ]; then tail -c 20000 ${START_LOG} 2>/dev/null; fi`;

export function diagnosis({ host, vars, facts, inventory }: Context<ElasticsearchVars, NodeState>): Question<readonly Diagnosis[]> {
  const log = `${LOGS}/${vars.cluster_name}.log`;
  return all({ journal: shellOutput(JOURNAL.replaceAll('@LOG@', log)), log: shellOutput(`tail -c 60000 ${log} 2>/dev/null`), sockets: listeningSockets() }).map(
    (said) =>
      diagnose({
        journal: said.journal.output,
        log: said.log.output,
        sockets: said.sockets,
        candidates: candidates(inventory, host),
        memoryBytes: facts.memoryBytes,
        nofile: serviceLimits(host, facts).nofile,
        nofileVariable: nofileVariable(host),
        grantedFiles: grantedFiles(facts),
        nearest: (text, names) => closest(text, names)[0],
      }),
  );
}
