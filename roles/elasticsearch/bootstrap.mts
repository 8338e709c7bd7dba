/**
 * When a cluster may be founded. `cluster.initial_master_nodes` in the wrong hands makes a second cluster beside the first, so it is
 * written only when every candidate was asked and none of them has ever been in a cluster.
 */
import type { Answer, HostName } from '../../lib/index.mts';
import type { NodeState } from './node.mts';

export type Bootstrap =
  /** Nobody has ever been in a cluster: all candidates start with the same list. */
  | { readonly kind: 'found' }
  /** There is a cluster, or data of one, or the node is no candidate: it finds the others through its seed hosts. */
  | { readonly kind: 'join' }
  /** An empty node, and no way to tell whether there is a cluster. */
  | { readonly kind: 'blocked'; readonly unasked: readonly HostName[] };

export function bootstrap(self: HostName, candidates: ReadonlyMap<HostName, Answer<NodeState>>): Bootstrap {
  if (!candidates.has(self)) return { kind: 'join' };
  const known = [...candidates.values()].flatMap((answer) => (answer.kind === 'known' ? [answer.value] : []));
  const unasked = [...candidates].flatMap(([name, answer]) => (answer.kind === 'known' ? [] : [name]));
  if (known.some((node) => node.clusterUuid !== undefined || !node.fresh)) return { kind: 'join' };
  if (unasked.length === 0) return { kind: 'found' };
  return { kind: 'blocked', unasked };
}

/** An entry counts when it is a node's name, its publish address, or that address with the transport port. */
export interface Candidate {
  readonly name: string;
  readonly address: string;
  readonly transportPort: number;
}

export const matches = (entry: string, node: Candidate): boolean =>
  [node.name, node.address, `${node.address}:${String(node.transportPort)}`, `[${node.address}]:${String(node.transportPort)}`].includes(entry);

/** The entries that are no candidate, each with the name that was probably meant. */
export function strangers(
  entries: readonly string[],
  nodes: readonly Candidate[],
  nearest: (text: string, names: readonly string[]) => string | undefined,
): readonly { entry: string; meant: string | undefined }[] {
  const names = nodes.map(({ name }) => name);
  return entries.filter((entry) => !nodes.some((node) => matches(entry, node))).map((entry) => ({ entry, meant: nearest(entry, names) }));
}
