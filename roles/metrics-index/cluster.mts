/** What verification asks of Elasticsearch, through the node that answers. */
import { all, httpJson, type Host, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import { nodeUrl } from '../elasticsearch/contract.mts';
import { templatePatterns, type MetricsIndexVars } from './contract.mts';
import { FIELD_TYPES, isOurs } from './template.mts';

const QUIET = 'ignore_unavailable=true&allow_no_indices=true&expand_wildcards=open,closed';
const of = (vars: MetricsIndexVars): string => templatePatterns(vars).join(',');
const get = <S extends z.ZodType>(node: Host, path: string, schema: S): Question<z.output<S>> =>
  httpJson({ url: nodeUrl(node) + path, timeoutMs: 8000 }, schema);

/** Copies of each existing index of metrics. */
const settingsSchema = z.record(
  z.string(),
  z.object({ settings: z.object({ 'index.number_of_replicas': z.string(), 'index.auto_expand_replicas': z.string().exactOptional() }) }),
);
export type Replicas = z.output<typeof settingsSchema>;
export const askReplicas = (node: Host, vars: MetricsIndexVars): Question<Replicas> =>
  get(node, `/${of(vars)}/_settings/index.number_of_replicas,index.auto_expand_replicas?flat_settings=true&${QUIET}`, settingsSchema);

/** What a new index would get: a name that never exists, so that no clock is needed. */
const simulationSchema = z.object({
  template: z
    .object({
      settings: z.object({ index: z.record(z.string(), z.unknown()).exactOptional() }).exactOptional(),
      mappings: z.object({ properties: z.record(z.string(), z.object({ type: z.string().exactOptional() })).exactOptional() }).exactOptional(),
    })
    .exactOptional(),
});
const templatesSchema = z.object({
  index_templates: z.array(z.object({ name: z.string(), index_template: z.object({ priority: z.int().default(0) }) })).default([]),
});
export interface Simulation {
  readonly wins: z.output<typeof simulationSchema>;
  /** Every index template of the cluster. */
  readonly all: readonly { readonly name: string; readonly priority: number }[];
}
export const askSimulation = (node: Host, vars: MetricsIndexVars): Question<Simulation> =>
  all({
    wins: httpJson(
      { url: `${nodeUrl(node)}/_index_template/_simulate_index/${vars.name}${vars.rotation === 'daily' ? '-1970.01.01' : ''}`, method: 'POST' },
      simulationSchema,
    ),
    all: get(node, '/_index_template?filter_path=index_templates.name,index_templates.index_template.priority', templatesSchema).map(
      ({ index_templates: list }) => list.map(({ name, index_template: { priority } }) => ({ name, priority })),
    ),
  });

/** Types of the fields in all indices together; `indices` only where they disagree. */
const capabilitiesSchema = z.object({
  fields: z.record(z.string(), z.record(z.string(), z.object({ type: z.string(), indices: z.array(z.string()).exactOptional() }))).default({}),
});
export type Capabilities = z.output<typeof capabilitiesSchema>;
export const askTypes = (node: Host, vars: MetricsIndexVars): Question<Capabilities> =>
  get(
    node,
    `/${of(vars)}/_field_caps?fields=${[...FIELD_TYPES.keys()].join(',')}&ignore_unavailable=true&allow_no_indices=true&filter_path=fields.*.*.type,fields.*.*.indices`,
    capabilitiesSchema,
  );

/** Who has the names: concrete indices, or aliases. */
const namesSchema = z.object({
  indices: z.array(z.object({ name: z.string() })),
  aliases: z.array(z.object({ name: z.string(), indices: z.array(z.string()) })),
});
export type Names = z.output<typeof namesSchema>;
export const askNames = (node: Host, vars: MetricsIndexVars): Question<Names> => get(node, `/_resolve/index/${of(vars)}`, namesSchema);

const status = z.enum(['green', 'yellow', 'red']);
const healthSchema = z.object({ number_of_data_nodes: z.int(), indices: z.record(z.string(), z.object({ status, number_of_replicas: z.int() })).default({}) });
export type IndexHealth = z.output<typeof healthSchema>;
export const askHealth = (node: Host, vars: MetricsIndexVars): Question<IndexHealth> =>
  get(
    node,
    `/_cluster/health?level=indices&master_timeout=2s&timeout=2s&filter_path=number_of_data_nodes,indices.${vars.name}*.status,indices.${vars.name}*.number_of_replicas`,
    healthSchema,
  ).map((found) => ({ ...found, indices: Object.fromEntries(Object.entries(found.indices).filter(([index]) => isOurs(vars, index))) }));

const nodesSchema = z.object({
  nodes: z.record(
    z.string(),
    z.object({
      name: z.string(),
      roles: z.array(z.string()),
      fs: z.object({ total: z.object({ total_in_bytes: z.number(), available_in_bytes: z.number() }) }),
    }),
  ),
});
export type Disks = z.output<typeof nodesSchema>;
export const askDisks = (node: Host): Question<Disks> => get(node, '/_nodes/stats/fs?filter_path=nodes.*.name,nodes.*.roles,nodes.*.fs.total', nodesSchema);

const level = z.record(z.string(), z.string()).default({});
const thresholdsSchema = z.object({ defaults: level, persistent: level, transient: level });
export type Thresholds = z.output<typeof thresholdsSchema>;
export const askThresholds = (node: Host): Question<Thresholds> =>
  get(node, '/_cluster/settings?include_defaults=true&flat_settings=true&filter_path=*.*watermark*,*.*threshold_enabled', thresholdsSchema);

const BLOCK = 'index.blocks.read_only_allow_delete';
const blocksSchema = z.record(z.string(), z.object({ settings: z.object({ [BLOCK]: z.string() }) }));
export type Blocks = z.output<typeof blocksSchema>;
export const askBlocks = (node: Host): Question<readonly string[]> =>
  get(node, `/_all/_settings/${BLOCK}?flat_settings=true&${QUIET},hidden`, blocksSchema).map((found) =>
    Object.entries(found)
      .filter(([, { settings }]) => settings[BLOCK] === 'true')
      .map(([index]) => index)
      .sort(),
  );
