import type { Host, Inventory } from '../../lib/index.mts';
import { bootstrapServers } from '../kafka/contract.mts';
import { PRODUCER_ID } from '../logstash-jmx/contract.mts';
import { codec, pipelineText, placesOf, plugin, type Plugin } from '../logstash/contract.mts';
import type { TracksProducerVars } from './contract.mts';

export const NAME = 'tracks-producer';
const { data } = placesOf(NAME);
export const FILE = `${data}/tracks.csv`;

/**
 * The file input never sends a line twice, so what is to be repeated is read through a pipe: that input runs its command again when it has
 * ended, and a full pipeline makes the command wait.
 */
const input = ({ repeat }: TracksProducerVars): Plugin =>
  repeat ? plugin('pipe', { command: `cat ${FILE}` }) : plugin('file', { path: [FILE], start_position: 'beginning', sincedb_path: `${data}/tracks.sincedb` });

const pause = (eventsPerSecond: number): string => String(Number((1 / eventsPerSecond).toFixed(4)));

export const producerPipeline = (host: Host, inventory: Inventory, vars: TracksProducerVars): string =>
  pipelineText({
    input: [input(vars)],
    filter: [plugin('sleep', { time: pause(vars.events_per_second), every: '1' })],
    output: [
      plugin('kafka', {
        bootstrap_servers: bootstrapServers(inventory, host),
        topic_id: vars.topic,
        client_id: PRODUCER_ID,
        codec: codec('plain', { format: '%{message}' }),
      }),
    ],
  });
