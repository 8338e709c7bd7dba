import { z } from 'zod';
import { addressOf, contract, variables, type Host, type Listener } from '../../lib/index.mts';

export const logstashJmx = contract(
  'logstash-jmx',
  z.strictObject({
    poll_seconds: z.int().min(1).max(3600).default(10).describe('How often every JVM is asked.'),
    metrics: z
      .enum(['tutorial', 'extended'])
      .default('extended')
      .describe('tutorial: the six of the tutorial and the client metrics. extended: also controllers, replication, request queues, JVM and operating system.'),
    heap: variables.size.default('512m').describe('Smallest and largest heap.'),
    api_port: variables.port.default(9600).describe("Port of Logstash's own API."),
    plugin_version: variables.version.default('3.0.7').describe('Version of logstash-input-jmx.'),
    plugin_pack: z.string().min(1).describe('Path on the controller of an offline pack with logstash-input-jmx, for hosts without a way out.').exactOptional(),
    filters: z
      .string()
      .min(1)
      .describe('Further filters of the pipeline, in Logstash\u2019s own language: tested with the whole before it replaces the one that runs.')
      .exactOptional(),
    debug: z.boolean().default(false).describe('Also print every event, as the tutorial does: fills the journal.'),
    alias: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,63}$/, 'letters, digits, "_" and "-"')
      .describe("How documents call a broker; the host's name unless given. broker01 matches published dashboards.")
      .exactOptional(),
  }),
);

export type LogstashJmxVars = NonNullable<(typeof logstashJmx)['typeOfVariables']>;

export { CONSUMER_ID, METRICS, metricName, PRODUCER_ID, queriesFor, type JmxQuery, type TargetKind } from './queries.mts';

/** What documents call a host: the part of metric_path before its first dot. */
export const aliasOf = (host: Host): string => host.vars(logstashJmx).alias ?? host.name.replaceAll('.', '_');

export const listeners = (host: Host): readonly Listener[] => [
  { name: 'logstash-jmx-api', port: host.vars(logstashJmx).api_port, address: addressOf(host), from: ['monitoring'], process: 'logstash' },
];
