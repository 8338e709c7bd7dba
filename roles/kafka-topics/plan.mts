/** What a topic lacks, and what is never done to one. Pure. */
import { change, type Change } from '../../lib/index.mts';
import type { Topic, Topics } from '../kafka/contract.mts';

export interface Wanted {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: ReadonlyMap<string, string>;
}

export const wanted = ({ partitions, replication_factor: factor, config = {} }: Topic, otherwise: number): Wanted => ({
  partitions,
  replicationFactor: factor ?? otherwise,
  config: new Map(Object.entries(config).map(([key, value]) => [key, String(value)])),
});

/** Settings that the inventory does not name are left as they are. */
export function topicChanges(topics: Topics, name: string, want: Wanted): readonly Change[] {
  if (topics.kind === 'silent') return [];
  const have = topics.topics.get(name);
  const size = `${String(want.partitions)} partitions, replication factor ${String(want.replicationFactor)}`;
  if (have === undefined) return [change('exists', { kind: 'absent' }, size)];
  const count = have.partitions.length;
  return [
    ...(count === want.partitions ? [] : [change('partitions', String(count), String(want.partitions))]),
    ...(have.replicationFactor === want.replicationFactor
      ? []
      : [change('replication factor', String(have.replicationFactor), String(want.replicationFactor))]),
    ...[...want.config].flatMap(([key, value]) => {
      const now = have.config.get(key);
      return now === value ? [] : [change(key, now ?? { kind: 'absent' }, value)];
    }),
  ];
}

/** What `kafka-reassign-partitions.sh` is given: each partition's copies on the brokers that follow each other. */
export function reassignment(name: string, { partitions, replicationFactor }: Wanted, brokers: readonly number[]): string {
  const on = (partition: number): readonly number[] =>
    Array.from({ length: Math.min(replicationFactor, brokers.length) }, (_, copy) => brokers[(partition + copy) % brokers.length] ?? 0);
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, replicas: on(partition) }));
  return JSON.stringify({ version: 1, partitions: all });
}
