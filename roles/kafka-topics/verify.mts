import { pass, wrong, type Check, type Context, type Host, type Judgement } from '../../lib/index.mts';
import { allPartitions, describeTopics, kafka, partitionName, some, underReplicated, type Topics } from '../kafka/contract.mts';
import { wanted } from './plan.mts';

export function checks({ host, inventory, facts }: Pick<Context<object>, 'host' | 'inventory' | 'facts'>): readonly Check[] {
  const ask = describeTopics(host, inventory, facts);
  const retry = { everyMs: 3000, deadlineMs: 60_000 };
  return [
    { id: 'topics', ask, judge: (found: Topics) => complete(found, host), retry },
    { id: 'leaders', needs: ['topics'], ask, judge: led, retry },
    { id: 'copies', needs: ['topics'], ask, judge: inSync, retry },
  ];
}

const silent = (expected: string, why: string): Judgement => wrong(expected, why, 'do the brokers run? --role kafka brings them up');

/** Every topic that is wanted is there, with its partitions and copies. */
export function complete(found: Topics, host: Host): Judgement {
  const { topics, replication_factor: otherwise } = host.vars(kafka);
  const expected = `${String(topics.length)} topics of kafka_topics`;
  if (found.kind === 'silent') return silent(expected, found.why);
  const problems = topics.flatMap((topic) => {
    const want = wanted(topic, otherwise);
    const have = found.topics.get(topic.name);
    if (have === undefined) return [`${topic.name} is missing`];
    if (have.partitions.length !== want.partitions) return [`${topic.name} has ${String(have.partitions.length)} partitions, not ${String(want.partitions)}`];
    return have.replicationFactor === want.replicationFactor
      ? []
      : [`${topic.name} has ${String(have.replicationFactor)} copies, not ${String(want.replicationFactor)}`];
  });
  return problems.length === 0 ? pass(expected) : wrong(expected, problems.join('; '), 'run --role kafka-topics, which makes and enlarges topics');
}

/** Also of topics that nobody asked for: nobody can read or write a partition without a leader. */
export function led(found: Topics): Judgement {
  const expected = 'a leader of every partition';
  if (found.kind === 'silent') return silent(expected, found.why);
  const none = allPartitions(found.topics).filter(({ leader }) => leader === undefined);
  if (none.length === 0) return pass(`${String(allPartitions(found.topics).length)} partitions have one`);
  const nodes = [...new Set(none.flatMap(({ replicas }) => replicas))].sort((a, b) => a - b);
  return wrong(expected, `none: ${some(none.map(partitionName))}`, `start the brokers that have their records: node ${nodes.join(', ')}`);
}

export function inSync(found: Topics): Judgement {
  const expected = 'every copy in sync';
  if (found.kind === 'silent') return silent(expected, found.why);
  const behind = underReplicated(found.topics);
  if (behind.length === 0) return pass(`all copies of ${String(found.topics.size)} topics`);
  const nodes = [...new Set(behind.flatMap(({ replicas, inSync: have }) => replicas.filter((id) => !have.includes(id))))].sort((a, b) => a - b);
  return wrong(
    expected,
    `${String(behind.length)} under-replicated: ${some(behind.map(partitionName))}`,
    `node ${nodes.join(', ')} is down or behind: look at its log`,
  );
}
