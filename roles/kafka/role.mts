import { defineRole } from '../../lib/index.mts';
import { kafka, listeners, type KafkaVars } from './contract.mts';
import { diagnosis } from './evidence.mts';
import { chosen, node } from './host.mts';
import { nodeState, type NodeState } from './node.mts';
import { refusals } from './refusals.mts';
import { rollout } from './rollout.mts';
import { checks, ready } from './verify.mts';

export default defineRole<KafkaVars, NodeState>({
  contract: kafka,
  summary: 'Kafka brokers and controllers with JMX behind a login, founded once and restarted one by one',
  runs: 'host',
  per: 'host',
  manages: (host) => host.vars(kafka).managed,
  peers: { group: ['controllers', 'brokers', 'zookeepers'], ask: nodeState },
  refuses: refusals,
  resources: (here) => (here.vars.managed ? node(here) : []),
  listeners: ({ host }) => listeners(host),
  standIns: ({ vars }) => {
    const what = vars.managed ? chosen(vars).standIn : undefined;
    return what === undefined ? [] : [{ product: 'kafka', what }];
  },
  ready,
  verify: checks,
  diagnose: diagnosis,
  rollout,
});
