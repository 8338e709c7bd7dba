/** The topics of a cluster as one run of Kafka's own tool tells them. */
import { excerpt, type ShellOutput } from '../../lib/index.mts';

export interface Partition {
  readonly topic: string;
  readonly partition: number;
  /** Node id; `undefined` for a partition that nobody leads. */
  readonly leader: number | undefined;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface TopicState {
  readonly replicationFactor: number;
  readonly partitions: readonly Partition[];
  /** Settings of the topic and of the brokers' files; defaults are not listed. */
  readonly config: ReadonlyMap<string, string>;
}

export type Topics = { readonly kind: 'said'; readonly topics: ReadonlyMap<string, TopicState> } | { readonly kind: 'silent'; readonly why: string };

const TOPIC = /^Topic: (\S+)\t.*?ReplicationFactor: (\d+)\tConfigs: ?(.*)$/;
const PARTITION = /^\tTopic: (\S+)\tPartition: (\d+)\tLeader: (\S+)\tReplicas: ([\d,]*)\tIsr: ([\d,]*)/;

/** What `kafka-topics.sh --describe` printed, warnings between its lines included. */
export function readTopics({ code, output }: ShellOutput): Topics {
  if (code !== 0) return { kind: 'silent', why: code === 124 ? 'no answer within 30 seconds' : lastWords(output) };
  const topics = new Map<string, { replicationFactor: number; partitions: Partition[]; config: ReadonlyMap<string, string> }>();
  for (const line of output.split('\n')) {
    const [, name, factor, config = ''] = TOPIC.exec(line) ?? [];
    if (name !== undefined) topics.set(name, { replicationFactor: Number(factor), partitions: [], config: readConfig(config) });
    const [, topic, partition, leader, replicas = '', inSync = ''] = PARTITION.exec(line) ?? [];
    if (topic === undefined) continue;
    const known = /^\d+$/.test(leader ?? '') ? Number(leader) : undefined;
    topics.get(topic)?.partitions.push({ topic, partition: Number(partition), leader: known, replicas: ids(replicas), inSync: ids(inSync) });
  }
  return { kind: 'said', topics };
}

const ids = (list: string): readonly number[] => (list === '' ? [] : list.split(',').map(Number));

/** A comma ends a setting only where another one begins: values may have commas. */
const readConfig = (list: string): ReadonlyMap<string, string> =>
  new Map(
    list
      .trim()
      .split(/,(?=[a-z][a-z.]*=)/)
      .filter((one) => one.includes('='))
      .map((one): [string, string] => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  );

/** Why a tool failed: the last line that is neither a stack frame nor empty. */
export function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^\s*\.\.\. \d+ more/.test(line));
  return excerpt(lines.findLast((line) => /Exception|Error|not /.test(line)) ?? lines.at(-1) ?? 'it said nothing', 200);
}

export const allPartitions = (topics: ReadonlyMap<string, TopicState>): readonly Partition[] => [...topics.values()].flatMap(({ partitions }) => partitions);
export const partitionName = ({ topic, partition }: Partition): string => `${topic}-${String(partition)}`;
export const underReplicated = (topics: ReadonlyMap<string, TopicState>): readonly Partition[] =>
  allPartitions(topics).filter(({ replicas, inSync }) => inSync.length < replicas.length);

/** The first few of many, and how many more. */
export const some = (names: readonly string[]): string => names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${String(names.length - 5)} more` : '');
