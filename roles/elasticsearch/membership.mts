/** Being in a cluster: what a node that runs may still lack. */
import { all, change, command, http, type Change, type Context, type Question, type Resource, type ResourceId } from '../../lib/index.mts';
import { nodeUrl, type ElasticsearchVars } from './contract.mts';
import { nodeState, STATE, type NodeState } from './node.mts';
import { PID_FILE, UNIT } from './paths.mts';

type Here = Context<ElasticsearchVars, NodeState>;

const JOIN_SECONDS = 180;

/** A node that just started, by itself after a crash or a boot, is waited for: until it is in a cluster, nothing can be said about it. */
export function membership({ host }: Here, needs: readonly ResourceId[]): Resource {
  const url = nodeUrl(host) + STATE;
  return command('cluster membership', {
    needs,
    differs: nodeState(host).map(({ clusterUuid, running }) =>
      clusterUuid === undefined ? [change('cluster', running ? 'waiting for one' : 'starting', 'joined')] : [],
    ),
    run: (steps) => {
      steps.within(JOIN_SECONDS + 20, (bounded) => {
        bounded.sh`url=${url} unit=${UNIT} left=${JOIN_SECONDS}
until curl -q -s --noproxy '*' --max-time 5 -- "$url" | grep '"cluster_uuid":"[^"]*"' | grep -qv '"cluster_uuid":"_na_"'; do
  if [ -d /run/systemd/system ] && systemctl is-failed --quiet -- "$unit"; then say "$unit failed while it was waited for"; exit 1; fi
  left=$((left - 1))
  [ "$left" -gt 0 ] || { say "not in a cluster after three minutes"; exit 1; }
  sleep 1
done`;
      });
    },
  });
}

/** A node that runs already, waiting for a cluster, reads the founders only when it starts again. It has nothing to lose. */
export function lateFounder({ host, facts }: Here): Resource {
  const loaded = http({ url: `${nodeUrl(host)}/_nodes/_local/settings?flat_settings=true` });
  const differs: Question<readonly Change[]> = all({ state: nodeState(host), loaded }).map(({ state, loaded: answer }) => {
    if (!state.running || state.clusterUuid !== undefined || answer.kind === 'refused' || answer.body.includes('"cluster.initial_master_nodes"')) return [];
    return [change('founders', 'started without', 'started with')];
  });
  return command('cluster founders', {
    differs,
    run: (steps) => {
      if (facts.init === 'systemd') steps.sh`systemctl restart -- ${UNIT}`;
      else steps.sh`kill "$(cat ${PID_FILE})"`;
    },
  });
}
