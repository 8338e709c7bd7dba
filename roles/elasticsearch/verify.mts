import { all, exposure, listening, listeningSockets, log4shell, unitState, type Check, type Context, type Judgement, type Question } from '../../lib/index.mts';
import { judgeLimits, pidOf, serviceProcess } from '../os-limits/contract.mts';
import { askHealth, askRoot, askSettings } from './cluster.mts';
import { listeners, members, nodeName, type ElasticsearchVars } from './contract.mts';
import * as judge from './judge.mts';
import { nodeState, type NodeState } from './node.mts';
import { CURRENT, PID_FILE, UNIT } from './paths.mts';
import { serviceLimits } from './limits.mts';

type Here = Pick<Context<ElasticsearchVars, NodeState>, 'host' | 'vars' | 'facts' | 'inventory'>;

const SECONDS = 1000;
const check = <T,>(id: string, needs: readonly string[], ask: Question<T>, judgement: (now: T, first: T) => Judgement, deadline = 60): Check<T> => ({
  id,
  needs,
  ask,
  judge: judgement,
  retry: { everyMs: 2 * SECONDS, deadlineMs: deadline * SECONDS },
});

export function checks({ host, vars, facts, inventory }: Here): readonly Check[] {
  const node = nodeState(host);
  const expected = members(inventory, host).map(nodeName);
  const ofCluster: readonly Check[] = [
    check('version', [], askRoot(host), (reply) => judge.version(reply, vars.version)),
    check('master', ['version'], node, judge.master),
    check('nodes', ['master'], node, (now) => judge.nodes(now, expected)),
    check('health', ['master'], askHealth(host), judge.health, 120),
    check('allocation', ['master'], askSettings(host), judge.settings),
  ];
  return vars.managed ? [...ofCluster, ...ofProcess({ host, facts })] : ofCluster;
}

const ofProcess = ({ host, facts }: Pick<Here, 'host' | 'facts'>): readonly Check[] => [
  check('process-limits', ['version'], ownProcess, ({ limits }) => judgeLimits(limits, serviceLimits(host, facts), 'elasticsearch')),
  check('listeners', ['version'], all({ own: ownProcess, sockets: listeningSockets() }), ({ own, sockets }) =>
    listening(sockets, listeners(host), own.pid, { hint: 'the declared addresses are those of elasticsearch.yml (network.host, http.port, transport.port)' }),
  ),
  { ...log4shell(`${pidOf(UNIT, PID_FILE)}\nprintf %s "$pid"`, CURRENT), needs: ['version'] },
  exposure(listeners(host)),
];

const ownProcess = serviceProcess(UNIT, PID_FILE);

/** After a start: the node answers and is in a cluster. Elasticsearch waits 30 s for one before it answers at all; a process that ended is not waited for. */
export const ready = ({ host, facts }: Here & Pick<Context<ElasticsearchVars>, 'facts'>): readonly Check[] =>
  facts.init === 'systemd'
    ? [check('in-cluster', [], all({ node: nodeState(host), unit: unitState(UNIT) }), ({ node, unit }) => judge.started(node, unit), 180)]
    : [check('in-cluster', [], all({ node: nodeState(host), own: ownProcess }), ({ node, own }) => judge.alive(node, own.pid !== undefined), 180)];

/** Asked of another member around the restart of one. */
export const gate = ({ host }: Here): readonly Check[] => [check('cluster-as-before', [], askHealth(host), judge.gate, 300)];
