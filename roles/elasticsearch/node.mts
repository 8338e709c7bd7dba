/** What one node says about itself and about the cluster it sees. */
import { all, constant, http, shellOutput, type Host, type HttpAnswer, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import { elasticsearch, nodeUrl } from './contract.mts';
import { dataProbe } from './data-path.mts';
import { DATA } from './paths.mts';

export interface NodeState {
  /** Its data path is empty, or holds what a node leaves that never was in a cluster: nothing is lost with it. */
  readonly fresh: boolean;
  readonly running: boolean;
  /** Of the cluster it is in; `undefined` for a node that runs and waits for one. */
  readonly clusterUuid: string | undefined;
  /** Name of the elected master, as this node sees it. */
  readonly master: string | undefined;
  /** Names of the nodes it sees, itself included. */
  readonly nodes: readonly string[];
}

/** `local=true`: the node answers at once from what it knows, also without a master. */
export const STATE = '/_cluster/state/master_node,nodes?local=true';
const stateSchema = z.object({
  cluster_uuid: z.string(),
  master_node: z.string().nullable(),
  nodes: z.record(z.string(), z.object({ name: z.string() })),
});

export function nodeState(host: Host): Question<NodeState> {
  const managed = host.vars(elasticsearch).managed;
  return all({
    answer: http({ url: nodeUrl(host) + STATE, timeoutMs: 5000 }),
    data: managed ? shellOutput(dataProbe(DATA)) : constant({ code: 0, output: 'used' }),
  }).map(({ answer, data }) => readNode(answer, data.output));
}

export function readNode(answer: HttpAnswer, data: string): NodeState {
  const state = answer.kind === 'answered' && answer.status === 200 ? parsed(answer.body) : undefined;
  const clusterUuid = state === undefined || state.cluster_uuid === '_na_' ? undefined : state.cluster_uuid;
  return {
    fresh: clusterUuid === undefined && data.trim() === 'fresh',
    running: answer.kind === 'answered',
    clusterUuid,
    master: state === undefined || state.master_node === null ? undefined : state.nodes[state.master_node]?.name,
    nodes: Object.values(state?.nodes ?? {}).map(({ name }) => name),
  };
}

function parsed(body: string): z.output<typeof stateSchema> | undefined {
  try {
    return stateSchema.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}
