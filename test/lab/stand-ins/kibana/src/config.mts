/** kibana.yml and the command line: read, and checked against the settings that the OSS edition of 7.10 has. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { loadAll } from 'js-yaml';
import { Fatal } from './fatal.mts';
import { asText, isObject, type Json } from './json.mts';
import { HOME } from './product.mts';
import { kindOf, type Kind } from './settings-known.mts';

export type Settings = ReadonlyMap<string, Json>;

export interface Config {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Without a slash at its end; empty when there is none. */
  readonly basePath: string;
  readonly rewriteBasePath: boolean;
  readonly maxPayloadBytes: number;
  readonly maxImportBytes: number;
  readonly maxImportObjects: number;
  readonly xsrfProtection: boolean;
  readonly elasticsearch: {
    readonly hosts: readonly string[];
    readonly requestTimeout: number;
    readonly healthCheckDelay: number;
    readonly username: string | undefined;
    readonly password: string | undefined;
    readonly ignoreVersionMismatch: boolean;
  };
  readonly index: string;
  readonly dataPath: string;
  readonly pidFile: string | undefined;
  readonly opsInterval: number;
  readonly logging: {
    readonly dest: string;
    readonly json: boolean;
    readonly level: 'silent' | 'quiet' | 'normal' | 'verbose';
  };
}

/** Later files win. */
export function readSettings(files: readonly string[], environment: NodeJS.ProcessEnv): Map<string, Json> {
  const settings = new Map<string, Json>();
  for (const file of files) flatten(parse(file), environment, settings);
  return settings;
}

function parse(file: string): unknown {
  try {
    // A file of comments alone, as the archive has it, holds no document at all.
    return loadAll(readFileSync(file, 'utf8'), { filename: file })[0];
  } catch (error) {
    throw new Fatal(error instanceof Error ? error.message : String(error));
  }
}

function flatten(value: unknown, environment: NodeJS.ProcessEnv, into: Map<string, Json>, path = ''): void {
  if (isObject(value) && kindOf(path) !== 'object') {
    for (const [key, one] of Object.entries(value)) flatten(one, environment, into, path === '' ? key : `${path}.${key}`);
  } else if (path !== '' && value !== undefined) {
    into.set(path, substituted(value as Json, environment));
  }
}

function substituted(value: Json, environment: NodeJS.ProcessEnv): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => substituted(one, environment));
  if (typeof value !== 'string') return value;
  return value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const found = environment[name];
    if (found === undefined) throw new Fatal(`Unknown environment variable referenced in config : ${name}`);
    return found;
  });
}

/** Throws with 64 for settings that nobody knows, and with 1 for values of another type. */
export function checked(settings: Settings, isTerminal: boolean): Config {
  const unknown = [...settings.keys()].filter((key) => kindOf(key) === undefined);
  if (unknown.length > 0) {
    const names = unknown.map((key) => `"${key}"`).join(', ');
    throw new Fatal(`Unknown configuration key(s): ${names}. Check for spelling errors and ensure that expected plugins are installed.`, 64);
  }
  const read = reader(settings);
  const basePath = read.string('server.basePath') ?? '';
  if (basePath !== '' && !/^\/.*[^/]$/.test(basePath)) invalid('server.basePath', "must start with a slash, don't end with one");
  const rewriteBasePath = read.boolean('server.rewriteBasePath') ?? false;
  if (rewriteBasePath && basePath === '') invalid('server', 'cannot use [rewriteBasePath] when [basePath] is not specified');
  const dataPath = read.string('path.data') ?? 'data';
  return {
    name: read.string('server.name') ?? hostname(),
    host: read.string('server.host') ?? 'localhost',
    port: read.number('server.port') ?? 5601,
    basePath,
    rewriteBasePath,
    maxPayloadBytes: read.number('server.maxPayloadBytes') ?? 1_048_576,
    maxImportBytes: read.number('savedObjects.maxImportPayloadBytes') ?? 26_214_400,
    maxImportObjects: read.number('savedObjects.maxImportExportSize') ?? 10_000,
    xsrfProtection: !(read.boolean('server.xsrf.disableProtection') ?? false),
    elasticsearch: {
      hosts: read.strings('elasticsearch.hosts') ?? ['http://localhost:9200'],
      requestTimeout: read.number('elasticsearch.requestTimeout') ?? 30_000,
      healthCheckDelay: read.number('elasticsearch.healthCheck.delay') ?? 2500,
      username: read.string('elasticsearch.username'),
      password: read.string('elasticsearch.password'),
      ignoreVersionMismatch: read.boolean('elasticsearch.ignoreVersionMismatch') ?? false,
    },
    index: read.string('kibana.index') ?? '.kibana',
    dataPath: isAbsolute(dataPath) ? dataPath : join(HOME, dataPath),
    pidFile: read.string('pid.file'),
    opsInterval: read.number('ops.interval') ?? 5000,
    logging: {
      dest: read.string('logging.dest') ?? 'stdout',
      json: read.boolean('logging.json') ?? !isTerminal,
      level: read.boolean('logging.silent') ? 'silent' : read.boolean('logging.quiet') ? 'quiet' : read.boolean('logging.verbose') ? 'verbose' : 'normal',
    },
  };
}

function invalid(key: string, message: string): never {
  const [section = key, ...rest] = key.split('.');
  throw new Fatal(`[config validation of [${section}]${rest.map((part) => `.${part}`).join('')}]: ${message}`);
}

/** Every value is checked when the reader is made, whether somebody asks for it or not. */
function reader(settings: Settings) {
  for (const [key, value] of settings) {
    const kind = kindOf(key);
    if (kind !== undefined && !fits(value, kind)) invalid(key, `expected value of type [${nameOf(kind)}] but got [${typeNameOf(value)}]`);
  }
  return {
    string: (key: string): string | undefined => (settings.has(key) ? asText(settings.get(key)) : undefined),
    number: (key: string): number | undefined => (settings.has(key) ? milliseconds(settings.get(key)) : undefined),
    boolean: (key: string): boolean | undefined => (settings.has(key) ? asText(settings.get(key)) === 'true' : undefined),
    strings: (key: string): readonly string[] | undefined => (settings.has(key) ? [settings.get(key)].flat().map(String) : undefined),
  };
}

function fits(value: Json, kind: Kind): boolean {
  switch (kind) {
    case 'string':
      return typeof value === 'string';
    case 'number':
      return milliseconds(value) !== undefined && !/[a-z]/.test(asText(value));
    case 'duration':
      return milliseconds(value) !== undefined;
    case 'boolean':
      return ['true', 'false'].includes(asText(value));
    case 'strings':
      return [value].flat().every((one) => typeof one === 'string');
    case 'object':
      return isObject(value);
    case 'any':
      return true;
  }
}

const nameOf = (kind: Kind): string => ({ duration: 'moment.Duration', strings: 'array' })[kind as string] ?? kind;
const typeNameOf = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'Array' : isObject(value) ? 'Object' : typeof value);

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Numbers, numbers in quotes, and durations as "30s". */
function milliseconds(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value;
  const [, digits, unit = 'ms'] = (typeof value === 'string' ? /^(\d+(?:\.\d+)?)(ms|[smhdw])?$/.exec(value) : null) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS[unit] ?? 1);
}
