/** The program: command line, start in the order of 7.10, end by signal. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { checked, readSettings, type Config } from './config.mts';
import { Elasticsearch } from './elasticsearch.mts';
import { Fatal } from './fatal.mts';
import { indexPatternRoutes } from './index-patterns.mts';
import type { Json } from './json.mts';
import { Log } from './log.mts';
import { pageRoutes } from './page/routes.mts';
import { HOME, VERSION } from './product.mts';
import { setUpIndex } from './saved-objects/index-setup.mts';
import { savedObjectRoutes } from './saved-objects/routes.mts';
import { Store } from './saved-objects/store.mts';
import { Kibana } from './server.mts';
import { settingsRoutes, UiSettings } from './settings.mts';
import { instanceUuid, statusRoutes, Watch } from './status.mts';

const HELP = `
  Usage: bin/kibana [command=serve] [options]

  Kibana is an open source (Apache Licensed), browser based analytics and search dashboard for Elasticsearch.
  (This is a stand-in for it, made for the lab.)

  Options:
    -h, --help                 output usage information
    -e, --elasticsearch <uri1,uri2>  Elasticsearch instances
    -c, --config <path>        Path to the config file, use multiple --config args to include multiple config files
    -p, --port <port>          The port to bind to
    -q, --quiet                Prevent all logging except errors
    -Q, --silent               Prevent all logging
    --verbose                  Turns on verbose logging
    -H, --host <host>          The host to bind to
    -l, --log-file <path>      The file to log to
    --allow-root               Run as root
    --SETTING=VALUE            Any setting of kibana.yml
`;

const SHORT: Readonly<Record<string, string>> = {
  '-e': 'elasticsearch.hosts',
  '--elasticsearch': 'elasticsearch.hosts',
  '-p': 'server.port',
  '--port': 'server.port',
  '-H': 'server.host',
  '--host': 'server.host',
  '-l': 'logging.dest',
  '--log-file': 'logging.dest',
};
const SWITCHES: Readonly<Record<string, string>> = {
  '-q': 'logging.quiet',
  '--quiet': 'logging.quiet',
  '-Q': 'logging.silent',
  '--silent': 'logging.silent',
  '--verbose': 'logging.verbose',
};

interface CommandLine {
  readonly files: readonly string[];
  readonly settings: ReadonlyMap<string, Json>;
}

function commandLine(words: readonly string[], environment: NodeJS.ProcessEnv): CommandLine {
  const files: string[] = [];
  const settings = new Map<string, Json>();
  const rest = words[0] === 'serve' ? words.slice(1) : [...words];
  while (rest.length > 0) {
    const [word, joined] = splitOnce(rest.shift() ?? '');
    const value = (): string => joined ?? rest.shift() ?? '';
    const setting = SHORT[word];
    const onOff = SWITCHES[word];
    if (word === '-c' || word === '--config') files.push(value());
    else if (setting !== undefined) settings.set(setting, setting === 'elasticsearch.hosts' ? value().split(',') : value());
    else if (onOff !== undefined) settings.set(onOff, true);
    else if (word.startsWith('--') && word !== '--allow-root') settings.set(word.slice(2), joined ?? (rest[0]?.startsWith('-') === false ? value() : true));
  }
  return { files: files.length > 0 ? files : [join(environment['KBN_PATH_CONF'] ?? join(HOME, 'config'), 'kibana.yml')], settings };
}

const splitOnce = (word: string): readonly [string, string?] => {
  const sign = word.indexOf('=');
  return sign === -1 || !word.startsWith('--') ? [word] : [word.slice(0, sign), word.slice(sign + 1)];
};

function configured({ files, settings }: CommandLine): Config {
  return checked(new Map([...readSettings(files, process.env), ...settings]), process.stdout.isTTY);
}

async function main(words: readonly string[]): Promise<void> {
  if (process.getuid?.() === 0 && !words.includes('--allow-root')) {
    process.stderr.write('Kibana should not be run as root.  Use --allow-root to continue.\n');
    process.exitCode = 1;
    return;
  }
  if (words.includes('-h') || words.includes('--help')) return void process.stdout.write(HELP);
  if (words.includes('--version')) return void process.stdout.write(`${VERSION}\n`);
  nameProcess();
  const given = commandLine(words, process.env);
  // What is wrong with the settings is told in the log's usual form too.
  let log = new Log({ dest: 'stdout', json: !process.stdout.isTTY, level: 'normal' });
  let running: Running | undefined;
  const end = async (thrown?: unknown): Promise<never> => {
    const reason = thrown === undefined || thrown instanceof Error ? thrown : new Error(inspect(thrown));
    if (reason !== undefined) log.fatal('root', reason.stack ?? reason.message);
    await running?.stop();
    if (reason !== undefined) process.stderr.write(`\n FATAL  Error: ${reason.message}\n\n`);
    process.exit(reason === undefined ? 0 : reason instanceof Fatal ? reason.exitCode : 1);
  };
  process.on('SIGTERM', () => void end());
  process.on('SIGINT', () => void end());
  process.on('uncaughtException', (error) => void end(error));
  process.on('unhandledRejection', (error) => void end(error));
  try {
    const config = configured(given);
    log = new Log(config.logging);
    process.on('SIGHUP', () => {
      log.write(['info', 'config'], 'Reloading logging configuration due to SIGHUP.');
      try {
        log.reopen(configured(given).logging);
      } catch (error) {
        return void end(error);
      }
      log.write(['info', 'config'], 'Reloaded logging configuration due to SIGHUP.');
    });
    running = new Running(config, log);
    await running.start();
  } catch (error) {
    await end(error);
  }
}

/** The Node of 7.10 is listed as "node" by ps and ss; today's would be "MainThread". */
function nameProcess(): void {
  writeFileSync('/proc/self/comm', 'node');
}

class Running {
  readonly #config: Config;
  readonly #log: Log;
  readonly #elasticsearch: Elasticsearch;
  readonly #kibana: Kibana;
  readonly #watch: Watch;
  #pidFile: string | undefined;

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#elasticsearch = new Elasticsearch(config.elasticsearch);
    this.#kibana = new Kibana(config, log);
    this.#watch = new Watch(this.#elasticsearch, config.elasticsearch, log);
  }

  async start(): Promise<void> {
    const [config, log, elasticsearch, kibana, watch] = [this.#config, this.#log, this.#elasticsearch, this.#kibana, this.#watch];
    log.write(['warning', 'stand-in'], 'This is a stand-in for Kibana, made for the lab; it is not Kibana.');
    const uuid = instanceUuid(config.dataPath);
    // The port is taken before Elasticsearch is asked: until it answers, every request gets a 503.
    await kibana.listen();
    if (config.pidFile !== undefined) writeFileSync(config.pidFile, String(process.pid));
    this.#pidFile = config.pidFile;
    log.info('savedobjects-service', 'Waiting until all Elasticsearch nodes are compatible with Kibana before starting saved objects migrations...');
    watch.start();
    await watch.untilCompatible();
    await setUpIndex(elasticsearch, config, log);
    const store = new Store(elasticsearch, config.index);
    const settings = new UiSettings(store);
    kibana.serve([
      ...statusRoutes(kibana, config, watch, uuid),
      ...savedObjectRoutes(store, config),
      ...settingsRoutes(settings, config),
      ...indexPatternRoutes(elasticsearch),
      ...pageRoutes({ store, elasticsearch, basePath: config.basePath }),
    ]);
    log.write(['listening', 'info'], `Server running at ${kibana.url}`);
    log.info('http.server.Kibana', `http server running at ${kibana.url}`);
  }

  async stop(): Promise<void> {
    this.#watch.stop();
    await this.#kibana.close();
    // Not that of another instance, which has the port.
    if (this.#pidFile !== undefined) rmSync(this.#pidFile, { force: true });
  }
}

await main(process.argv.slice(2));
