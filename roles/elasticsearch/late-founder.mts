import { all, change, command, http, type Change, type Context, type HttpAnswer, type Question, type Resource } from '../../lib/index.mts';
import { z } from 'zod';
import { nodeUrl, type ElasticsearchVars } from './contract.mts';
import { nodeState, type NodeState } from './node.mts';
import { PID_FILE, UNIT } from './paths.mts';

type Here = Context<ElasticsearchVars, NodeState>;

/** A node that runs already, waiting for a cluster, reads the founders only when it starts again. It has nothing to lose. */
export function lateFounder({ host, facts }: Here, founders: readonly string[]): Resource {
  const loaded = http({ url: `${nodeUrl(host)}/_nodes/_local/settings?flat_settings=true` }).map(loadedFounders);
  const differs: Question<readonly Change[]> = all({ state: nodeState(host), loaded }).map(({ state, loaded: found }) => {
    if (!state.running || state.clusterUuid !== undefined || found === undefined || isSame(found, founders)) return [];
    return [change('founders', found.length === 0 ? 'started without' : `started with ${found.join(', ')}`, `started with ${founders.join(', ')}`)];
  });
  return command('cluster founders', {
    differs,
    run: (steps) => {
      if (facts.init === 'systemd') steps.sh`systemctl restart -- ${UNIT}`;
      else steps.sh`kill "$(cat ${PID_FILE})"`;
    },
  });
}

const KEY = 'cluster.initial_master_nodes';
const schema = z.object({
  nodes: z.record(z.string(), z.object({ settings: z.object({ [KEY]: z.union([z.string(), z.array(z.string())]).exactOptional() }) })),
});

/** The founders that a node started with; `undefined` where it cannot say. */
export function loadedFounders(answer: HttpAnswer): readonly string[] | undefined {
  if (answer.kind === 'refused' || answer.status !== 200) return undefined;
  try {
    const [node] = Object.values(schema.parse(JSON.parse(answer.body)).nodes);
    const said = node?.settings[KEY];
    return node === undefined ? undefined : typeof said === 'string' ? said.split(',').map((one) => one.trim()) : (said ?? []);
  } catch {
    return undefined;
  }
}

const isSame = (some: readonly string[], others: readonly string[]): boolean => some.length === others.length && some.every((one) => others.includes(one));
