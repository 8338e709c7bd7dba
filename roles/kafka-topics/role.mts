import { change, command, defineRole, resourceId, type Context, type Question, type Resource, type Steps } from '../../lib/index.mts';
import { bootstrapServers, brokersWith, clusterTool, describeTopics, javaOf, kafka, nodeId, type Topic, type Topics } from '../kafka/contract.mts';
import { kafkaTopics } from './contract.mts';
import { reassignment, topicChanges, wanted, type Wanted } from './plan.mts';
import { checks } from './verify.mts';

type Here = Context<NonNullable<(typeof kafkaTopics)['typeOfVariables']>>;

/** One run of Kafka's own tool says all there is to know, for every resource and every check. */
export default defineRole({
  contract: kafkaTopics,
  summary: 'topics of the Kafka cluster: made and altered, never deleted',
  runs: 'host',
  per: 'host',
  manages: (host) => host.vars(kafka).managed,
  resources: (here) => (speaks(here) && here.host.vars(kafka).topics.length > 0 ? topics(here) : []),
  verify: (here) => (speaks(here) ? checks(here) : []),
});

/** One broker speaks for its cluster; the group brokers may have several clusters. */
const speaks = ({ host, inventory }: Here): boolean => brokersWith(inventory, host).find((broker) => broker.vars(kafka).managed)?.name === host.name;

function topics(here: Here): readonly Resource[] {
  const { host, inventory, facts } = here;
  const described = describeTopics(host, inventory, facts);
  return [answers(described), ...host.vars(kafka).topics.map((topic) => one(here, described, topic))];
}

const ANSWERS = resourceId('kafka answers');

/** The stage before has waited until it does; what can still be missing here is Kafka itself. */
const answers = (described: Question<Topics>): Resource =>
  command(ANSWERS, {
    differs: described.map((found) => (found.kind === 'said' ? [] : [change('topics', found.why, 'told by the cluster')])),
    run: (steps) => {
      steps.sh`say ${'Kafka does not answer: bring it up first with --role kafka, then run --role kafka-topics again'}; exit 1`;
    },
  });

function one(here: Here, described: Question<Topics>, topic: Topic): Resource {
  const { host } = here;
  const want = wanted(topic, host.vars(kafka).replication_factor);
  return command(`topic ${topic.name}`, {
    needs: [ANSWERS],
    because: ['kafka_topics'],
    wanted: JSON.stringify([topic.name, want.partitions, want.replicationFactor, [...want.config]]),
    differs: described.map((found) => topicChanges(found, topic.name, want)),
    run: (steps, changes) => {
      const isChanged = (field: string): boolean => changes.some((each) => each.field === field);
      if (isChanged('exists')) create(here, topic.name, want, steps);
      else {
        const shown = changes.find(({ field }) => field === 'partitions')?.from;
        if (shown?.kind === 'text') partitions(here, topic.name, Number(shown.text), want.partitions, steps);
        if (isChanged('replication factor')) refuseReplicas(here, topic.name, want, steps);
        const settings = [...want.config].filter(([key]) => isChanged(key));
        if (settings.length > 0) configure(here, topic.name, settings, steps);
      }
    },
  });
}

function tool({ host, inventory, facts }: Here, name: string, args: readonly string[], steps: Steps): void {
  const line = clusterTool(javaOf(host, facts), name, { brokers: bootstrapServers(inventory, host) }, args);
  steps.sh`sh -c ${line}`;
}

function create(here: Here, name: string, want: Wanted, steps: Steps): void {
  const size = ['--partitions', String(want.partitions), '--replication-factor', String(want.replicationFactor)];
  const settings = [...want.config].flatMap(([key, value]) => ['--config', `${key}=${value}`]);
  tool(here, 'kafka-topics', ['--create', '--if-not-exists', '--topic', name, ...size, ...settings], steps);
}

/** A partition cannot be taken away again, and keys move to others when one is added: both are for the operator to know. */
function partitions(here: Here, name: string, have: number, want: number, steps: Steps): void {
  if (have < want) tool(here, 'kafka-topics', ['--alter', '--topic', name, '--partitions', String(want)], steps);
  else {
    steps.sh`refuse ${`the topic ${name} has ${String(have)} partitions and cannot get fewer: set partitions: ${String(have)} in kafka_topics, or move its records into a new topic`}`;
  }
}

/** Copies are moved between disks and through the network: an operator chooses when. */
function refuseReplicas({ host, inventory }: Here, name: string, want: Wanted, steps: Steps): void {
  const tool = `/opt/kafka/current/bin/kafka-reassign-partitions.sh --bootstrap-server ${bootstrapServers(inventory, host)}`;
  steps.sh`refuse ${`the topic ${name} is not given another number of copies by itself, since that moves its records: set its replication_factor in kafka_topics to what it has, or move it on ${host.name} with
${tool} --reassignment-json-file FILE --execute
where FILE has, for example,
${reassignment(name, want, ids({ host, inventory }))}`}`;
}

const ids = ({ host, inventory }: Pick<Here, 'host' | 'inventory'>): readonly number[] =>
  brokersWith(inventory, host).flatMap((broker) => {
    const id = nodeId(broker);
    return id === undefined ? [] : [id];
  });

/** A value with commas stands in brackets. */
function configure(here: Here, name: string, settings: readonly (readonly [string, string])[], steps: Steps): void {
  const list = settings.map(([key, value]) => `${key}=${value.includes(',') ? `[${value}]` : value}`).join(',');
  tool(here, 'kafka-configs', ['--alter', '--entity-type', 'topics', '--entity-name', name, '--add-config', list], steps);
}
