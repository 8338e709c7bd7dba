import { z } from 'zod';
import { addressOf, contract, variables, type Host, type Listener } from '../../lib/index.mts';

export const tracksProducer = contract(
  'tracks-producer',
  z.strictObject({
    topic: z.string().min(1).default('kafka-mon').describe('Where it sends to; one of kafka_topics.'),
    file: z
      .string()
      .min(1)
      .describe('Path on the controller of a file whose lines are sent, such as a tracks.csv; one is made from a seed unless given.')
      .exactOptional(),
    rows: z.int().min(1).max(100_000).default(10_000).describe('Lines of the file that is made.'),
    seed: z.int().min(0).default(1).describe('The same seed makes the same file.'),
    events_per_second: z.int().min(1).max(1000).default(1).describe('How fast the lines are sent.'),
    repeat: z.boolean().default(true).describe('Begin again at the end of the file, so that it never falls silent.'),
    heap: variables.size.default('256m').describe('Smallest and largest heap.'),
    jmx_port: variables.port.default(9998).describe('Port of JMX.'),
    api_port: variables.port.default(9601).describe("Port of Logstash's own API."),
  }),
);

export type TracksProducerVars = NonNullable<(typeof tracksProducer)['typeOfVariables']>;

export function listeners(host: Host): readonly Listener[] {
  const vars = host.vars(tracksProducer);
  const one = (name: string, port: number): Listener => ({ name, port, address: addressOf(host), from: ['monitoring'], process: 'logstash' });
  return [one('tracks-producer-jmx', vars.jmx_port), one('tracks-producer-api', vars.api_port)];
}

export { CLIENT_SILENCE, clientJmx, clientRefusals, kafkaAnswers } from './client.mts';
