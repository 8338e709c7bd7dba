import { all, change, command, http, type Change, type Context, type Question, type Resource } from '../../lib/index.mts';
import { nodeUrl, type ElasticsearchVars } from './contract.mts';
import { nodeState, type NodeState } from './node.mts';
import { PID_FILE, UNIT } from './paths.mts';

type Here = Context<ElasticsearchVars, NodeState>;

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
