/** The dashboards of an inventory: only what its processes can have values of. */
import type { Host, Inventory } from '../../lib/index.mts';
import { kafka, kafkaHosts, processKind } from '../kafka/contract.mts';
import { logstashJmx, queriesFor, type TargetKind } from '../logstash-jmx/contract.mts';
import { indexPattern, metricsIndex } from '../metrics-index/contract.mts';
import type { KibanaDashboardsVars } from './contract.mts';
import { controls } from './objects/controls.mts';
import { dashboard, type Row, type Tile } from './objects/dashboard.mts';
import { indexPatternObject } from './objects/index-pattern.mts';
import { markdown } from './objects/markdown.mts';
import { ourId, type SavedObject } from './objects/saved-object.mts';
import type { Series } from './objects/series.mts';
import { table } from './objects/table.mts';
import { tsvb } from './objects/tsvb.mts';
import { PANELS, type Panel } from './panels.mts';

export interface Cluster {
  readonly name: string;
  readonly kinds: ReadonlySet<TargetKind>;
}

/** What dashboards depend on. */
export interface World {
  readonly set: 'tutorial' | 'extended';
  /** Kafka clusters with what their processes are, clients too; their numbers must not be added up. */
  readonly clusters: readonly Cluster[];
  /** Title of the index pattern. */
  readonly index: string;
  readonly pollSeconds: number;
  readonly windowMinutes: number;
  readonly refreshSeconds: number;
}

export function worldOf(inventory: Inventory, host: Host, vars: KibanaDashboardsVars): World {
  const jmx = host.vars(logstashJmx);
  const processes = [
    ...kafkaHosts(inventory).map((each) => ({ host: each, kinds: [processKind(each)] })),
    ...inventory.group('clients').map((each) => ({ host: each, kinds: ['producer', 'consumer'] as const })),
  ];
  const clusters = Map.groupBy(processes, (each) => each.host.vars(kafka).cluster_name);
  return {
    set: jmx.metrics,
    clusters: [...clusters]
      .map(([name, some]): Cluster => ({ name, kinds: new Set<TargetKind>(some.flatMap(({ kinds }) => kinds)) }))
      .sort((one, other) => one.name.localeCompare(other.name, 'en')),
    index: indexPattern(host.vars(metricsIndex)),
    pollSeconds: jmx.poll_seconds,
    windowMinutes: vars.window_minutes,
    refreshSeconds: vars.refresh_seconds,
  };
}

/** A panel of an inventory, with what it asks for. */
export interface Shown {
  readonly title: string;
  readonly series: readonly Series[];
}

export interface Dashboards {
  readonly dashboards: readonly SavedObject<'dashboard'>[];
  /** Everything, each after what it refers to. */
  readonly objects: readonly SavedObject[];
  readonly panels: readonly Shown[];
  /** Titles of panels that nothing here has values for. */
  readonly left: readonly string[];
}

export const OVERVIEW = 'overview';
export const DRILL_DOWN = 'broker';

/** An interval with fewer polls has holes. */
const POLLS = 3;
/** A number is that of the last whole interval: long enough for its documents to be searchable when it ends. */
const SHORTEST_SECONDS = { lines: 10, number: 30 } as const;

export function dashboardsOf(world: World): Dashboards {
  const all: readonly Panel[] = Object.values(PANELS);
  const has = (panel: Panel): boolean => world.clusters.some((cluster) => collects(panel, cluster, world));
  const drawn = new Map(all.filter(has).map((panel) => [panel, { series: seriesOf(panel, world), object: draw(panel, world) }]));
  const tiles = (...panels: readonly Panel[]): readonly Tile[] =>
    panels.flatMap((panel): readonly Tile[] => {
      const object = drawn.get(panel)?.object;
      return object === undefined ? [] : [{ object }];
    });
  const charts = (...panels: readonly Panel[]): Row => ({ height: 12, tiles: tiles(...panels) });

  const guide = markdown('guide', 'Guide', GUIDE);
  const chooser = controls('chooser', 'Cluster and broker', [
    { field: 'cluster', label: 'Cluster' },
    { field: 'broker', label: 'Broker or client', parent: 'cluster' },
  ]);
  const latest = table({
    id: 'latest',
    title: 'Latest values',
    where: {},
    rows: [
      { field: 'broker', label: 'Broker or client' },
      { field: 'metric', label: 'Metric' },
    ],
  });

  const frame = { windowMinutes: world.windowMinutes, refreshSeconds: world.refreshSeconds };
  const overview = dashboard({
    ...frame,
    id: OVERVIEW,
    title: 'Kafka overview',
    rows: [
      { height: 4, tiles: [{ object: guide, untitled: true }] },
      {
        height: world.clusters.length > 1 ? 9 : 7,
        tiles: tiles(PANELS.activeControllers, PANELS.offlinePartitions, PANELS.underReplicatedNow, PANELS.brokersReporting, PANELS.lagNow),
      },
      charts(PANELS.bytesIn, PANELS.bytesOut),
      charts(PANELS.recordsIn, PANELS.underReplicated),
      charts(PANELS.produceMean, PANELS.produceTail),
      charts(PANELS.fetchMean, PANELS.fetchTail),
      charts(PANELS.sendRate, PANELS.consumeRate, PANELS.lag),
      charts(PANELS.kafkaHeap, PANELS.kafkaCpu),
      charts(PANELS.requestIdle, PANELS.networkIdle),
    ],
  });
  const drillDown = dashboard({
    ...frame,
    id: DRILL_DOWN,
    title: 'Kafka broker drill-down',
    rows: [
      { height: 7, tiles: [{ object: chooser, untitled: true }] },
      charts(PANELS.bytesIn, PANELS.bytesOut, PANELS.recordsIn),
      charts(PANELS.produceMean, PANELS.produceTail, PANELS.failedProduce),
      charts(PANELS.fetchMean, PANELS.fetchTail, PANELS.requestIdle),
      charts(PANELS.underReplicated, PANELS.offlineReplicas, PANELS.uncleanElections),
      charts(PANELS.partitions, PANELS.leaders),
      charts(PANELS.isrShrinks, PANELS.isrExpands),
      charts(PANELS.heap, PANELS.nonHeap, PANELS.processCpu),
      charts(PANELS.systemCpu, PANELS.freeMemory, PANELS.openFiles),
      charts(PANELS.sendBytes, PANELS.sendLatency, PANELS.consumeBytes),
      { height: 18, tiles: [{ object: latest }] },
    ],
  });
  const dashboards = [overview, drillDown];
  return {
    dashboards,
    objects: [indexPatternObject(world.index), guide, chooser, latest, ...[...drawn.values()].map(({ object }) => object), ...dashboards],
    panels: [
      ...[...drawn].map(([{ title }, { series }]) => ({ title, series })),
      { title: 'Latest values', series: [{ label: 'any metric', where: {}, value: 'max', by: 'broker' }] },
    ],
    left: all.filter((panel) => !has(panel)).map(({ title }) => title),
  };
}

const GUIDE = `**All brokers of every cluster.** One broker or client at a time: [Kafka broker drill-down](#/view/${ourId(DRILL_DOWN)}).
Rates are one-minute means as Kafka reports them; a broker whose line ends has stopped reporting.`;

/** Whether processes of a cluster are asked for what a panel shows. */
const collects = ({ measure: { query }, kinds }: Panel, cluster: Cluster, { set }: World): boolean =>
  [...cluster.kinds].some((kind) => (kinds === undefined || kinds.includes(kind)) && queriesFor(kind, set).includes(query));

/** A number is one for each cluster; lines are one for each process. */
function seriesOf(panel: Panel, world: World): readonly Series[] {
  const {
    kind,
    title,
    measure: { metric, query },
    value,
    total,
    kinds,
  } = panel;
  const where: Series['where'] = { metric: [metric], ...(kinds === undefined ? {} : { kind: kinds }) };
  const sparse = query.sparse === undefined ? {} : { sparse: query.sparse };
  if (kind === 'lines') return [{ label: title, where, value, by: 'broker', ...sparse }];
  const one = (label: string, more: Series['where']): Series => ({
    label,
    where: { ...where, ...more },
    value,
    // What is counted is counted once; what each process says is put together.
    ...(value === 'brokers' || total === undefined ? {} : { by: 'broker', total }),
    ...sparse,
  });
  if (world.clusters.length === 1) return [one(title, {})];
  return world.clusters.filter((cluster) => collects(panel, cluster, world)).map(({ name }) => one(name, { cluster: [name] }));
}

function draw(panel: Panel, world: World): SavedObject<'visualization'> {
  const { id, title, kind, unit, rules, chart } = panel;
  return tsvb({
    id,
    title,
    kind: kind === 'lines' ? 'timeseries' : world.clusters.length > 1 ? 'top_n' : 'metric',
    series: seriesOf(panel, world),
    unit,
    index: world.index,
    interval: Math.max(world.pollSeconds * POLLS, SHORTEST_SECONDS[kind]),
    ...(rules === undefined ? {} : { rules }),
    ...(chart === undefined ? {} : { chart }),
  });
}
