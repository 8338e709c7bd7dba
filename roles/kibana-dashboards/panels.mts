/** What is shown: each panel with its title, its unit, and the documents it is made of. */
import type { TargetKind } from '../logstash-jmx/contract.mts';
import { measure, type Measure } from './measures.mts';
import type { Series } from './objects/series.mts';
import { AMBER, GREEN, RED, type Rule, type Unit } from './objects/tsvb.mts';

export interface Panel {
  readonly id: string;
  readonly title: string;
  /** `lines` over time; `number`: one for each Kafka cluster, now. */
  readonly kind: 'lines' | 'number';
  readonly measure: Measure;
  readonly unit: Unit;
  readonly value: Series['value'];
  /** How the numbers of several processes become one. */
  readonly total?: Series['total'];
  readonly rules?: readonly Rule[];
  readonly chart?: 'bar';
  /** Of these processes only; of all that have it unless said. */
  readonly kinds?: readonly [TargetKind, ...TargetKind[]];
}

type More = Partial<Pick<Panel, 'total' | 'rules' | 'chart' | 'value' | 'kinds'>>;

/** A line for each process, the mean of each interval. */
const lines = (id: string, title: string, of: Measure, unit: Unit, more: More = {}): Panel => ({
  id,
  title,
  kind: 'lines',
  measure: of,
  unit,
  value: 'avg',
  ...more,
});
/** The largest value of the interval: what was bad for a moment is seen. */
const states = (id: string, title: string, of: Measure, more: More = {}): Panel => lines(id, title, of, 'count', { value: 'max', chart: 'bar', ...more });
const number = (id: string, title: string, of: Measure, rules: readonly Rule[], more: More = {}): Panel => ({
  id,
  title,
  kind: 'number',
  measure: of,
  unit: 'count',
  value: 'max',
  total: 'sum',
  rules,
  ...more,
});

const green: Rule = { operator: 'gte', value: 0, colour: GREEN };
const noneIsGood: readonly Rule[] = [green, { operator: 'gt', value: 0, colour: RED }];
const oneIsGood: readonly Rule[] = [green, { operator: 'lt', value: 1, colour: RED }, { operator: 'gt', value: 1, colour: RED }];

const topic = (name: string): Measure => measure(`kafka.server:type=BrokerTopicMetrics,name=${name}`, 'OneMinuteRate');
const replica = (name: string, attribute = 'Value'): Measure => measure(`kafka.server:type=ReplicaManager,name=${name}`, attribute);
const controller = (name: string): Measure => measure(`kafka.controller:type=KafkaController,name=${name}`, 'Value');
const time = (request: string, attribute: string): Measure => measure(`kafka.network:type=RequestMetrics,name=TotalTimeMs,request=${request}`, attribute);
const system = (attribute: string): Measure => measure('java.lang:type=OperatingSystem', attribute);

const producer = (attribute: string): Measure => measure('kafka.producer:type=producer-metrics,', attribute);
const consumer = (attribute: string): Measure => measure('kafka.consumer:type=consumer-fetch-manager-metrics,', attribute);

const underReplicated = replica('UnderReplicatedPartitions');
const heapUsed = measure('java.lang:type=Memory', 'HeapMemoryUsage', 'used');
/** Without the clients, whose JVMs are asked for the same. */
const KAFKA = { kinds: ['broker', 'broker_controller', 'controller'] } as const;
const lag = consumer('records-lag-max');

export const PANELS = {
  activeControllers: number('active-controllers', 'Active controllers (must be 1)', controller('ActiveControllerCount'), oneIsGood),
  offlinePartitions: number('offline-partitions', 'Offline partitions', controller('OfflinePartitionsCount'), noneIsGood, { total: 'max' }),
  underReplicatedNow: number('under-replicated-now', 'Under-replicated partitions', underReplicated, noneIsGood),
  brokersReporting: number('brokers-reporting', 'Brokers reporting', topic('BytesInPerSec'), [green, { operator: 'lt', value: 1, colour: RED }], {
    value: 'brokers',
  }),
  lagNow: number('consumer-lag-now', 'Consumer lag (records)', lag, [green, { operator: 'gte', value: 10_000, colour: AMBER }], { total: 'max' }),

  bytesIn: lines('bytes-in', 'Bytes in', topic('BytesInPerSec'), 'bytes/s'),
  bytesOut: lines('bytes-out', 'Bytes out', topic('BytesOutPerSec'), 'bytes/s'),
  recordsIn: lines('records-in', 'Records in', topic('MessagesInPerSec'), 'records/s'),
  failedProduce: lines('failed-produce', 'Failed produce requests', topic('FailedProduceRequestsPerSec'), 'per second'),

  produceMean: lines('produce-mean', 'Produce latency, mean', time('Produce', 'Mean'), 'ms'),
  produceTail: lines('produce-p99', 'Produce latency, 99th percentile', time('Produce', '99thPercentile'), 'ms'),
  fetchMean: lines('fetch-mean', 'Consumer fetch latency, mean', time('FetchConsumer', 'Mean'), 'ms'),
  fetchTail: lines('fetch-p99', 'Consumer fetch latency, 99th percentile', time('FetchConsumer', '99thPercentile'), 'ms'),

  underReplicated: states('under-replicated', 'Under-replicated partitions by broker', underReplicated),
  offlineReplicas: states('offline-replicas', 'Offline replicas by broker', replica('OfflineReplicaCount')),
  partitions: lines('partitions', 'Partitions by broker', replica('PartitionCount'), 'count', { value: 'max' }),
  leaders: lines('leaders', 'Partitions led by broker', replica('LeaderCount'), 'count', { value: 'max' }),
  isrShrinks: lines('isr-shrinks', 'In-sync replica sets shrinking', replica('IsrShrinksPerSec', 'OneMinuteRate'), 'per second'),
  isrExpands: lines('isr-expands', 'In-sync replica sets expanding', replica('IsrExpandsPerSec', 'OneMinuteRate'), 'per second'),
  uncleanElections: lines(
    'unclean-elections',
    'Unclean leader elections',
    measure('kafka.controller:type=ControllerStats,name=UncleanLeaderElectionsPerSec', 'OneMinuteRate'),
    'per second',
  ),

  requestIdle: lines(
    'request-handlers-idle',
    'Request handlers idle',
    measure('kafka.server:type=KafkaRequestHandlerPool,name=RequestHandlerAvgIdlePercent', 'OneMinuteRate'),
    'percent',
  ),
  networkIdle: lines(
    'network-threads-idle',
    'Network threads idle',
    measure('kafka.network:type=SocketServer,name=NetworkProcessorAvgIdlePercent', 'Value'),
    'percent',
  ),

  kafkaHeap: lines('kafka-heap-used', 'Java heap used by Kafka', heapUsed, 'bytes', KAFKA),
  kafkaCpu: lines('kafka-cpu', 'CPU used by Kafka', system('ProcessCpuLoad'), 'percent', KAFKA),
  heap: lines('heap-used', 'Java heap used', heapUsed, 'bytes'),
  nonHeap: lines('non-heap-used', 'Java memory outside the heap', measure('java.lang:type=Memory', 'NonHeapMemoryUsage', 'used'), 'bytes'),
  processCpu: lines('process-cpu', 'CPU of the process', system('ProcessCpuLoad'), 'percent'),
  systemCpu: lines('system-cpu', 'CPU of the host', system('SystemCpuLoad'), 'percent'),
  openFiles: lines('open-files', 'Open files', system('OpenFileDescriptorCount'), 'count', { value: 'max' }),
  freeMemory: lines('free-memory', 'Free memory of the host', system('FreePhysicalMemorySize'), 'bytes'),

  sendRate: lines('producer-records', 'Producer: records sent', producer('record-send-rate'), 'records/s'),
  sendBytes: lines('producer-bytes', 'Producer: bytes sent', producer('outgoing-byte-rate'), 'bytes/s'),
  sendLatency: lines('producer-latency', 'Producer: request latency', producer('request-latency-avg'), 'ms'),
  consumeRate: lines('consumer-records', 'Consumer: records read', consumer('records-consumed-rate'), 'records/s'),
  consumeBytes: lines('consumer-bytes', 'Consumer: bytes read', consumer('bytes-consumed-rate'), 'bytes/s'),
  lag: lines('consumer-lag', 'Consumer lag (largest of its partitions)', lag, 'count', { value: 'max' }),
} as const satisfies Readonly<Record<string, Panel>>;
