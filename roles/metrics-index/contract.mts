import { z } from 'zod';
import { contract, type Host, type Inventory } from '../../lib/index.mts';
import { dataNodeCount } from '../elasticsearch/contract.mts';

export const metricsIndex = contract(
  'metrics-index',
  z.strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,49}$/, 'lower-case letters, digits and "_"')
      .default('kafka_mon')
      .describe('Where metrics go: an index of this name, or daily ones that begin with it.'),
    rotation: z
      .enum(['daily', 'none'])
      .default('daily')
      .describe('One index a day, or a single one for ever, as in the tutorial; only daily ones are ever deleted.'),
    shards: z.int().min(1).max(64).default(1).describe('Primary shards of each new index.'),
    replicas: z
      .union([z.literal('auto'), z.int().min(0).max(10)])
      .default('auto')
      .describe('Copies of each shard. auto: one where there is a second data node to hold it.'),
    refresh_seconds: z.int().min(1).max(300).default(5).describe('How soon a new document is found by searches.'),
    retention_days: z
      .union([z.literal('forever'), z.int().min(1).max(3650)])
      .default(14)
      .describe('Daily indices older than this are deleted every night.'),
    retention_size: z
      .union([z.literal('unlimited'), z.string().regex(/^[1-9][0-9]*[gG]$/, 'a size such as 50g')])
      .default('unlimited')
      .describe('When all daily indices together are larger, the oldest are deleted; today’s never is.'),
  }),
);

export type MetricsIndexVars = NonNullable<(typeof metricsIndex)['typeOfVariables']>;

/** The host that collects metrics and keeps their indices in bounds: the first of the group monitoring. */
export const collector = (inventory: Inventory): Host | undefined => inventory.group('monitoring')[0];
export const isCollector = (inventory: Inventory, host: Host): boolean => collector(inventory)?.name === host.name;

/** What its template covers: the fixed index and the daily ones, and no stranger whose name only begins alike. */
export const templatePatterns = ({ name }: Pick<MetricsIndexVars, 'name'>): readonly string[] => [name, `${name}-*`];
/** Matches every index of metrics: what Kibana and searches name. */
export const indexPattern = ({ name }: MetricsIndexVars): string => `${name}*`;
/** `index` of Logstash's elasticsearch output; days are UTC. */
export const logstashIndex = ({ name, rotation }: MetricsIndexVars): string => (rotation === 'daily' ? `${name}-%{+YYYY.MM.dd}` : name);

/** Copies of each shard: one is enough to lose a node, and none can be placed where there is no second data node. */
export const replicaCount = (inventory: Inventory, host: Host, { replicas }: MetricsIndexVars): number =>
  replicas === 'auto' ? Math.min(1, Math.max(0, dataNodeCount(inventory, host) - 1)) : replicas;
