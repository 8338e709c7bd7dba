import { defineRole } from '../../lib/index.mts';
import { elasticsearch, listeners, type ElasticsearchVars } from './contract.mts';
import { diagnosis } from './evidence.mts';
import { node } from './host.mts';
import { nodeState, type NodeState } from './node.mts';
import { refusals } from './refusals.mts';
import { rollout } from './rollout.mts';
import { checks, ready } from './verify.mts';

export default defineRole<ElasticsearchVars, NodeState>({
  contract: elasticsearch,
  summary: 'Elasticsearch nodes that form one cluster: founded once, joined ever after, restarted one by one',
  runs: 'host',
  per: 'host',
  manages: (host) => host.vars(elasticsearch).managed,
  peers: { group: 'es_masters', ask: nodeState },
  refuses: refusals,
  resources: (context) => (context.vars.managed ? node(context) : []),
  listeners: ({ host }) => listeners(host),
  ready,
  verify: checks,
  diagnose: diagnosis,
  rollout,
});
