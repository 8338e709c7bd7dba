import type { Host, Inventory } from '../../lib/index.mts';
import { bootstrapServers } from '../kafka/contract.mts';
import { CONSUMER_ID } from '../logstash-jmx/contract.mts';
import { pipelineText, plugin } from '../logstash/contract.mts';
import type { TracksConsumerVars } from './contract.mts';

export const NAME = 'tracks-consumer';

/**
 * It takes what it reads and keeps nothing: what matters is its metrics. Without a pause between events, as in the tutorial, a backlog is no
 * reason for Kafka to take the consumer for dead; few records a poll keep it so behind a slow filter too.
 */
export const consumerPipeline = (host: Host, inventory: Inventory, { topics, group_id }: TracksConsumerVars): string =>
  pipelineText({
    input: [
      plugin('kafka', {
        bootstrap_servers: bootstrapServers(inventory, host),
        topics,
        group_id,
        client_id: CONSUMER_ID,
        consumer_threads: 1,
        auto_offset_reset: 'earliest',
        max_poll_records: 100,
      }),
    ],
    output: [plugin('null')],
  });
