/** What is asked of each JVM by JMX, and what its documents are called. */

/** What a monitored process is: a query is asked only of processes that have its object. */
export type TargetKind = 'broker' | 'controller' | 'broker_controller' | 'producer' | 'consumer';

export interface JmxQuery {
  /** Processes that have the object. */
  readonly of: 'broker' | 'controller' | 'kafka' | 'producer' | 'consumer' | 'jvm';
  readonly object: string;
  readonly attributes: readonly string[];
  /** `object_alias`: each `${key}` is a key of `object`. */
  readonly alias: string;
  /** One of the six of the tutorial, or of its clients. */
  readonly tutorial?: true;
  /** Keys of a composite attribute: one document each. */
  readonly composite?: readonly string[];
  /** No value while nothing happens: not expected of every poll. */
  readonly sparse?: true;
}

const topicMetric = (name: string): JmxQuery => ({
  of: 'broker',
  object: `kafka.server:type=BrokerTopicMetrics,name=${name}`,
  attributes: ['OneMinuteRate'],
  alias: '${type}.${name}',
});
const replicaManager = (name: string, attribute: string): JmxQuery => ({
  of: 'broker',
  object: `kafka.server:type=ReplicaManager,name=${name}`,
  attributes: [attribute],
  alias: '${type}.${name}',
});
/** The request is part of the alias: without it Produce and FetchConsumer are one series. */
const requestTime = (request: string): JmxQuery => ({
  of: 'broker',
  object: `kafka.network:type=RequestMetrics,name=TotalTimeMs,request=${request}`,
  attributes: ['Mean', '99thPercentile'],
  alias: '${type}.${name}.${request}',
});
const controllerMetric = (name: string): JmxQuery => ({
  of: 'controller',
  object: `kafka.controller:type=KafkaController,name=${name}`,
  attributes: ['Value'],
  alias: '${type}.${name}',
});
const memory = ['committed', 'init', 'max', 'used'] as const;

/** `client-id` of the pipelines that this program sets up. */
export const PRODUCER_ID = 'tracks-producer';
/** Logstash adds the number of the thread. */
export const CONSUMER_ID = 'tracks-consumer';

export const METRICS: readonly JmxQuery[] = [
  { ...topicMetric('MessagesInPerSec'), tutorial: true },
  { ...topicMetric('BytesInPerSec'), tutorial: true },
  { ...topicMetric('BytesOutPerSec'), tutorial: true },
  { ...replicaManager('UnderReplicatedPartitions', 'Value'), tutorial: true },
  { ...requestTime('Produce'), tutorial: true },
  { ...requestTime('FetchConsumer'), tutorial: true },
  topicMetric('FailedProduceRequestsPerSec'),
  replicaManager('OfflineReplicaCount', 'Value'),
  replicaManager('PartitionCount', 'Value'),
  replicaManager('LeaderCount', 'Value'),
  replicaManager('IsrShrinksPerSec', 'OneMinuteRate'),
  replicaManager('IsrExpandsPerSec', 'OneMinuteRate'),
  {
    of: 'broker',
    object: 'kafka.server:type=KafkaRequestHandlerPool,name=RequestHandlerAvgIdlePercent',
    attributes: ['OneMinuteRate'],
    alias: '${type}.${name}',
  },
  { of: 'broker', object: 'kafka.network:type=SocketServer,name=NetworkProcessorAvgIdlePercent', attributes: ['Value'], alias: '${type}.${name}' },
  controllerMetric('ActiveControllerCount'),
  controllerMetric('OfflinePartitionsCount'),
  {
    of: 'controller',
    object: 'kafka.controller:type=ControllerStats,name=UncleanLeaderElectionsPerSec',
    attributes: ['OneMinuteRate'],
    alias: '${type}.${name}',
  },
  {
    of: 'producer',
    object: `kafka.producer:type=producer-metrics,client-id=${PRODUCER_ID}`,
    attributes: ['record-send-rate', 'outgoing-byte-rate'],
    alias: 'Producer',
    tutorial: true,
  },
  {
    of: 'producer',
    object: `kafka.producer:type=producer-metrics,client-id=${PRODUCER_ID}`,
    attributes: ['request-latency-avg'],
    alias: 'Producer',
    tutorial: true,
    sparse: true,
  },
  {
    of: 'consumer',
    object: `kafka.consumer:type=consumer-fetch-manager-metrics,client-id=${CONSUMER_ID}-0`,
    attributes: ['bytes-consumed-rate', 'records-consumed-rate'],
    alias: 'Consumer',
    tutorial: true,
  },
  {
    of: 'consumer',
    object: `kafka.consumer:type=consumer-fetch-manager-metrics,client-id=${CONSUMER_ID}-0`,
    attributes: ['records-lag-max'],
    alias: 'Consumer',
    tutorial: true,
    sparse: true,
  },
  { of: 'jvm', object: 'java.lang:type=Memory', attributes: ['HeapMemoryUsage', 'NonHeapMemoryUsage'], alias: '${type}', composite: memory },
  {
    of: 'jvm',
    object: 'java.lang:type=OperatingSystem',
    attributes: ['SystemCpuLoad', 'ProcessCpuLoad', 'OpenFileDescriptorCount', 'FreePhysicalMemorySize', 'TotalPhysicalMemorySize'],
    alias: '${type}',
  },
];

const HAS: Readonly<Record<JmxQuery['of'], readonly TargetKind[]>> = {
  broker: ['broker', 'broker_controller'],
  controller: ['controller', 'broker_controller'],
  kafka: ['broker', 'controller', 'broker_controller'],
  producer: ['producer'],
  consumer: ['consumer'],
  jvm: ['broker', 'controller', 'broker_controller', 'producer', 'consumer'],
};

/** What is asked of a process of this kind. */
export const queriesFor = (kind: TargetKind, set: 'tutorial' | 'extended'): readonly JmxQuery[] =>
  METRICS.filter((query) => HAS[query.of].includes(kind) && (set === 'extended' || query.tutorial === true));

/** The field `metric` of the documents of a query: as the plugin puts metric_path together, without the name of the JVM. */
export function metricName({ object, alias }: JmxQuery, attribute: string, key?: string): string {
  const keys = new Map(
    object
      .slice(object.indexOf(':') + 1)
      .split(',')
      .map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const prefix = alias.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
    const value = keys.get(name);
    if (value === undefined) throw new TypeError(`${alias}: ${object} has no key ${name}`);
    return value;
  });
  return [prefix, attribute, ...(key === undefined ? [] : [key])].join('.').replaceAll(' ', '_').replaceAll('"', '');
}
