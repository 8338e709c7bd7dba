/** `/api/status` in the form of 7.10, and the watch over Elasticsearch that it tells of. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { freemem, loadavg, platform, release, totalmem, uptime } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import type { Config } from './config.mts';
import { compatibility, NO_VERSIONS, type Compatibility, type Elasticsearch } from './elasticsearch.mts';
import { Fatal } from './fatal.mts';
import type { Route } from './http.mts';
import type { JsonObject } from './json.mts';
import type { Log } from './log.mts';
import { BUILD_NUMBER, BUILD_SHA, VERSION } from './product.mts';
import type { Kibana } from './server.mts';

/** Asks the nodes for their versions again and again; the log has every change once. */
export class Watch {
  readonly #elasticsearch: Elasticsearch;
  readonly #config: Config['elasticsearch'];
  readonly #log: Log;
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #last: Compatibility | undefined;
  since = new Date().toISOString();

  constructor(elasticsearch: Elasticsearch, config: Config['elasticsearch'], log: Log) {
    this.#elasticsearch = elasticsearch;
    this.#config = config;
    this.#log = log;
  }

  start(): void {
    void this.#look().then(() => {
      this.#timer = setTimeout(() => {
        this.start();
      }, this.#config.healthCheckDelay);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  get current(): Compatibility {
    return this.#last ?? { fits: false, message: 'Waiting for Elasticsearch' };
  }

  async untilCompatible(): Promise<void> {
    if (this.current.fits) return;
    await new Promise<void>((done) => this.#waiting.push(done));
  }

  async #look(): Promise<void> {
    const found = await this.#ask();
    if (found.fits === this.#last?.fits && found.message === this.#last.message) return;
    this.#last = found;
    this.since = new Date().toISOString();
    if (found.message !== undefined) this.#log[found.fits ? 'warn' : 'error'](found.fits ? 'elasticsearch-service' : 'savedobjects-service', found.message);
    if (found.fits) for (const done of this.#waiting.splice(0)) done();
  }

  async #ask(): Promise<Compatibility> {
    try {
      const query = { filter_path: 'nodes.*.version,nodes.*.http.publish_address,nodes.*.ip' };
      const { body } = await this.#elasticsearch.request('GET', '/_nodes', { query });
      return compatibility(body['nodes'], VERSION, this.#config.ignoreVersionMismatch);
    } catch (error) {
      this.#log.error('elasticsearch.data', `[${error instanceof Error ? error.name : 'Error'}]: ${error instanceof Error ? error.message : String(error)}`);
      return { fits: false, message: NO_VERSIONS };
    }
  }
}

const LOOK = {
  green: { title: 'Green', nickname: 'Looking good', icon: 'success', uiColor: 'secondary' },
  red: { title: 'Red', nickname: 'Danger Will Robinson! Danger!', icon: 'danger', uiColor: 'danger' },
} as const;

/** Plugins that people look for; each is as well as what it needs. */
const PLUGINS: readonly string[] = [
  'dashboard',
  'data',
  'discover',
  'home',
  'inputControlVis',
  'savedObjects',
  'visTypeTable',
  'visTypeTimeseries',
  'visualizations',
  'visualize',
];

export function statusRoutes(kibana: Kibana, config: Config, watch: Watch, uuid: string): readonly Route[] {
  return [
    [
      'GET',
      '/api/status',
      async () => {
        const { fits, message } = watch.current;
        const state = fits ? 'green' : 'red';
        const { icon, uiColor } = LOOK[state];
        const component = (id: string, said: string): JsonObject => ({ id: `${id}@${VERSION}`, message: said, since: watch.since, state, icon, uiColor });
        return {
          body: {
            name: config.name,
            uuid,
            version: { number: VERSION, build_hash: BUILD_SHA, build_number: BUILD_NUMBER, build_snapshot: false },
            status: {
              overall: { since: watch.since, state, ...LOOK[state] },
              statuses: [
                component('core:elasticsearch', fits ? (message ?? 'Elasticsearch is available') : (message ?? NO_VERSIONS)),
                component(
                  'core:savedObjects',
                  fits
                    ? 'SavedObjects service has completed migrations and is available'
                    : 'SavedObjects service is not available without a healthy Elasticsearch connection',
                ),
                ...PLUGINS.map((name) => component(`plugin:${name}`, fits ? 'All dependencies are available' : '[2] services are unavailable')),
              ],
            },
            metrics: await metrics(kibana, config.opsInterval),
          },
        };
      },
    ],
  ];
}

async function metrics(kibana: Kibana, interval: number): Promise<JsonObject> {
  const { heapTotal, heapUsed, rss } = process.memoryUsage();
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  const { total, disconnects, statusCodes, maxMilliseconds } = kibana.requests;
  const codes = Object.fromEntries(statusCodes);
  return {
    last_updated: new Date().toISOString(),
    collection_interval_in_millis: interval,
    process: {
      memory: {
        heap: { total_in_bytes: heapTotal, used_in_bytes: heapUsed, size_limit: getHeapStatistics().heap_size_limit },
        resident_set_size_in_bytes: rss,
      },
      pid: process.pid,
      event_loop_delay: 0,
      uptime_in_millis: Math.round(process.uptime() * 1000),
    },
    os: {
      platform: platform(),
      platformRelease: `${platform()}-${release()}`,
      load: { '1m': one, '5m': five, '15m': fifteen },
      memory: { total_in_bytes: totalmem(), free_in_bytes: freemem(), used_in_bytes: totalmem() - freemem() },
      uptime_in_millis: uptime() * 1000,
    },
    response_times: { avg_in_millis: 0, max_in_millis: maxMilliseconds },
    concurrent_connections: await kibana.connections,
    requests: { disconnects, total, statusCodes: codes, status_codes: codes },
  };
}

/** Kept in the data folder, so that it is the same after a restart. */
export function instanceUuid(dataPath: string): string {
  const file = join(dataPath, 'uuid');
  try {
    if (existsSync(file)) return readFileSync(file, 'utf8').trim();
    mkdirSync(dataPath, { recursive: true });
    const uuid = randomUUID();
    writeFileSync(file, uuid);
    return uuid;
  } catch (error) {
    throw new Fatal(error instanceof Error ? error.message : String(error));
  }
}
