import { z } from 'zod';
import { addressOf, contract, variables, type Host, type Listener } from '../../lib/index.mts';

export const tracksConsumer = contract(
  'tracks-consumer',
  z.strictObject({
    topics: z.array(z.string().min(1)).min(1).default(['kafka-mon']).describe('What it reads.'),
    group_id: z
      .string()
      .regex(/^[\w.-]{1,249}$/)
      .default('consumer_group_1')
      .describe('Its consumer group.'),
    heap: variables.size.default('256m').describe('Smallest and largest heap.'),
    jmx_port: variables.port.default(9997).describe('Port of JMX.'),
    api_port: variables.port.default(9602).describe("Port of Logstash's own API."),
  }),
);

export type TracksConsumerVars = NonNullable<(typeof tracksConsumer)['typeOfVariables']>;

export function listeners(host: Host): readonly Listener[] {
  const vars = host.vars(tracksConsumer);
  const one = (name: string, port: number): Listener => ({ name, port, address: addressOf(host), from: ['monitoring'], process: 'logstash' });
  return [one('tracks-consumer-jmx', vars.jmx_port), one('tracks-consumer-api', vars.api_port)];
}
