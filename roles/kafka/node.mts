/** What one host says about its Kafka without a JVM: what its data belongs to, whether it runs, whom it takes for the controller. */
import { all, constant, known, quote, refine, shellOutput, unavailable, unitState, type Host, type Question } from '../../lib/index.mts';
import { z } from 'zod';
import { kafka } from './contract.mts';
import { UNIT } from './paths.mts';

/** `foreign`: there is something, but no Kafka wrote it as a node's own. */
export type Storage =
  | { readonly kind: 'blank' }
  | { readonly kind: 'foreign'; readonly path: string }
  | { readonly kind: 'node'; readonly clusterId: string; readonly nodeId: number | undefined; readonly mode: 'kraft' | 'zookeeper' };

export interface NodeState {
  readonly storage: Storage;
  readonly running: boolean;
  /** Node id of the active controller, as this node knows it. */
  readonly leader: number | undefined;
  /** Node ids of the controllers that it knows; empty before its first start. */
  readonly voters: readonly number[];
  /** Differs from machine to machine: a new cluster's id is made from it. */
  readonly seed: string;
}

/** Of a host that others run. */
const OBSERVED: NodeState = { storage: { kind: 'blank' }, running: true, leader: undefined, voters: [], seed: '' };

export function nodeState(host: Host): Question<NodeState> {
  const { managed, data_dirs: directories } = host.vars(kafka);
  if (!managed) return constant(OBSERVED);
  const answers = all({ said: shellOutput(probe(directories)), unit: unitState(UNIT) });
  return refine(answers, ({ said, unit }) => (said.code === 0 ? known(readNode(said.output, unit.activeState === 'active')) : unavailable(said.output.trim())));
}

/** An unreadable folder must never pass for an empty one. */
const probe = (directories: readonly string[]): string => `for dir in ${directories.map(quote).join(' ')}; do
  [ -e "$dir" ] || continue
  { [ -r "$dir" ] && [ -x "$dir" ]; } || { echo "$dir cannot be read"; exit 1; }
  if [ -f "$dir/meta.properties" ]; then echo "node $dir"; cat "$dir/meta.properties" || exit 1
  elif [ -n "$(ls -A "$dir" | grep -Fvx lost+found)" ]; then echo "foreign $dir"; fi
done
state=${quote(`${directories[0] ?? ''}/__cluster_metadata-0/quorum-state`)}
if [ -f "$state" ]; then printf 'quorum '; cat "$state" && echo || exit 1; fi
printf 'seed '; cat /etc/machine-id /proc/sys/kernel/random/boot_id 2>/dev/null | tr -d '\\n'`;

const quorumSchema = z.object({ leaderId: z.int(), currentVoters: z.array(z.object({ voterId: z.int() })).optional() });

export function readNode(output: string, running: boolean): NodeState {
  const line = (start: string): string | undefined => new RegExp(`^${start} (.*)$`, 'm').exec(output)?.[1];
  const property = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(output)?.[1]?.trim();
  const foreign = line('foreign');
  const quorum = readQuorum(line('quorum'));
  return { storage: storageOf(foreign, line('node') === undefined ? undefined : property), running, ...quorum, seed: line('seed') ?? '' };
}

/** A node that has its identity in one folder makes what is missing in the others itself. */
function storageOf(foreign: string | undefined, property: ((key: string) => string | undefined) | undefined): Storage {
  if (property === undefined) return foreign === undefined ? { kind: 'blank' } : { kind: 'foreign', path: foreign };
  const mode = property('version') === '1' ? 'kraft' : 'zookeeper';
  const id = property(mode === 'kraft' ? 'node\\.id' : 'broker\\.id');
  return { kind: 'node', clusterId: property('cluster\\.id') ?? '', nodeId: id === undefined ? undefined : Number(id), mode };
}

function readQuorum(text: string | undefined): Pick<NodeState, 'leader' | 'voters'> {
  const nothing = { leader: undefined, voters: [] };
  if (text === undefined) return nothing;
  try {
    const { leaderId, currentVoters = [] } = quorumSchema.parse(JSON.parse(text));
    return { leader: leaderId < 0 ? undefined : leaderId, voters: currentVoters.map(({ voterId }) => voterId) };
  } catch {
    return nothing;
  }
}
