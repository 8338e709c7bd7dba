import { defineRole, type Context, type Host, type Inventory } from '../../lib/index.mts';
import { brokersWith, kafka } from '../kafka/contract.mts';
import { instance, instanceChecks, instanceDiagnosis, instanceReady } from '../logstash/contract.mts';
import { CLIENT_SILENCE, clientJmx, clientRefusals, kafkaAnswers } from '../tracks-producer/contract.mts';
import { listeners, tracksConsumer, type TracksConsumerVars } from './contract.mts';
import { consumerPipeline, NAME } from './pipeline.mts';

type Here = Pick<Context<TracksConsumerVars>, 'host' | 'vars'>;
const service = ({ host, vars }: Here) => ({ name: NAME, apiPort: vars.api_port, jmx: clientJmx(host, vars.jmx_port) });

export default defineRole<TracksConsumerVars>({
  contract: tracksConsumer,
  summary: 'a consumer group for Kafka: Logstash reads what the producer sent',
  runs: 'host',
  per: 'host',
  refuses: ({ host, vars, inventory }) => clientRefusals(host, inventory, vars.topics),
  resources: (here) =>
    instance(
      here,
      {
        ...service(here),
        description: 'Logstash that reads tracks from Kafka',
        heap: here.vars.heap,
        pipeline: consumerPipeline(here.host, here.inventory, here.vars),
        settings: { 'pipeline.workers': 1 },
        because: ['tracks_consumer_topics', 'tracks_consumer_group_id'],
      },
      { first: [kafkaAnswers(here)] },
    ),
  listeners: ({ host }) => listeners(host),
  ready: (here) => instanceReady(here.host, service(here)),
  verify: (here) => {
    const idle = withoutPartition(here.host, here.inventory);
    return instanceChecks(here.host, {
      instance: service(here),
      listeners: listeners(here.host),
      every: CLIENT_SILENCE,
      ...(idle === undefined ? {} : { idle }),
    });
  },
  diagnose: (here) => instanceDiagnosis(here, 'tracks-consumer', service(here)),
});

/** In a group, each partition has one reader: those beyond their number read nothing. */
export function withoutPartition(host: Host, inventory: Inventory): string | undefined {
  const { topics, group_id: group } = host.vars(tracksConsumer);
  const readers = inventory.group('clients').filter((other) => other.vars(tracksConsumer).group_id === group).length;
  const made = brokersWith(inventory, host).flatMap((broker) => broker.vars(kafka).topics);
  const partitions = topics.reduce((sum, topic) => sum + (made.find(({ name }) => name === topic)?.partitions ?? Infinity), 0);
  return readers > partitions ? `${String(readers)} consumers of ${group} share ${String(partitions)} partitions` : undefined;
}
