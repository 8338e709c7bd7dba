/** The cluster as its own tools see it, asked around the restart of a member: copies of every partition, and who keeps the metadata. */
import { shellOutput, type Context, type Question } from '../../lib/index.mts';
import { brokerAddress, brokersWith, clusterTool, ifAnyListens, javaOf, lastWords, readTopics, type KafkaVars, type TopicState } from './contract.mts';

export interface Voter {
  readonly id: number;
  readonly isLeader: boolean;
  /** Since it last had everything; `undefined` when it never had. */
  readonly behindMs: number | undefined;
}

export interface View {
  readonly kind: 'said';
  readonly topics: ReadonlyMap<string, TopicState>;
  /** Empty with ZooKeeper. */
  readonly voters: readonly Voter[];
}
export type Cluster = View | { readonly kind: 'silent'; readonly why: string };

const MARK = 'kafka-elastic-monitoring:';

export function clusterState({ host, vars, inventory, facts }: Pick<Context<KafkaVars>, 'host' | 'vars' | 'inventory' | 'facts'>): Question<Cluster> {
  const through = { brokers: brokersWith(inventory, host).map(brokerAddress).join(',') };
  const home = javaOf(host, facts);
  const topics = clusterTool(home, 'kafka-topics', through, ['--describe']);
  const quorum = vars.mode === 'kraft' ? clusterTool(home, 'kafka-metadata-quorum', through, ['describe', '--replication', '--human-readable']) : ':';
  const script = `${ifAnyListens(through.brokers)}${topics} 2>&1; echo "${MARK}$?"; ${quorum} 2>&1; echo "${MARK}$?"`;
  return shellOutput(script).map(({ output }) => readCluster(output, vars.mode));
}

export function readCluster(output: string, mode: KafkaVars['mode']): Cluster {
  const [described = '', quorum = '', after = ''] = output.split(MARK);
  // Where it ended before the first mark, no broker listens.
  const topics = readTopics({ code: Number.parseInt(quorum || '1', 10), output: described });
  if (topics.kind === 'silent') return topics;
  if (mode === 'zookeeper') return { kind: 'said', topics: topics.topics, voters: [] };
  if (Number.parseInt(after, 10) !== 0) return { kind: 'silent', why: lastWords(quorum.replace(/^\d+\n/, '')) };
  return { kind: 'said', topics: topics.topics, voters: readVoters(quorum) };
}

const ROW = /^(\d+)\s+\S+\s+-?\d+\s+-?\d+\s+(?:-?\d+ ms ago|\S+)\s+(?:(\d+) ms ago|\S+)\s+(Leader|Follower)\s*$/gm;

const readVoters = (table: string): readonly Voter[] =>
  [...table.matchAll(ROW)].map(([, id, behind, status]) => ({
    id: Number(id),
    isLeader: status === 'Leader',
    behindMs: behind === undefined ? undefined : Number(behind),
  }));

/** A follower fetches every half second. */
const CURRENT_MS = 10_000;
export const isCurrent = ({ isLeader, behindMs }: Voter): boolean => isLeader || (behindMs !== undefined && behindMs <= CURRENT_MS);
