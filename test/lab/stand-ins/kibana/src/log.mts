/** The log in the two forms of 7.10: a JSON object a line, or columns for a terminal. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Config } from './config.mts';
import { Fatal } from './fatal.mts';
import type { JsonObject } from './json.mts';

type Level = 'debug' | 'info' | 'warning' | 'error' | 'fatal';
const LEVELS: readonly string[] = ['debug', 'info', 'warning', 'error', 'fatal'];

const STDOUT = 1;

export class Log {
  #config: Config['logging'];
  #file: number;

  constructor(config: Config['logging']) {
    this.#config = config;
    this.#file = open(config.dest);
  }

  /** `tags` as 7.10 orders them: the level among the names of the one who speaks. */
  write(tags: readonly string[], message: string): void {
    if (this.#wanted(tags)) this.#line({ type: 'log', '@timestamp': now(), tags, pid: process.pid, message });
  }

  info = (who: string, message: string): void => {
    this.#say('info', who, message);
  };
  warn = (who: string, message: string): void => {
    this.#say('warning', who, message);
  };
  error = (who: string, message: string): void => {
    this.#say('error', who, message);
  };
  fatal = (who: string, message: string): void => {
    this.#say('fatal', who, message);
  };

  /** Requests are told where a program reads the log, and to people who ask for everything. */
  response(fields: JsonObject, message: string): void {
    const { level, json } = this.#config;
    if (level === 'verbose' || (level === 'normal' && json))
      this.#line({ type: 'response', '@timestamp': now(), tags: [], pid: process.pid, ...fields, message });
  }

  /** Goes on in the file of that name, which may be another one now. */
  reopen(config: Config['logging']): void {
    const file = open(config.dest);
    if (this.#file !== STDOUT) closeSync(this.#file);
    this.#config = config;
    this.#file = file;
  }

  #say(level: Level, who: string, message: string): void {
    this.write([level, ...who.split('.')], message);
  }

  #wanted(tags: readonly string[]): boolean {
    const { level } = this.#config;
    if (level === 'silent') return false;
    if (level === 'quiet') return tags.includes('error') || tags.includes('fatal');
    return level === 'verbose' || !tags.includes('debug');
  }

  #line(entry: { readonly type: string; readonly tags: readonly string[]; readonly message: string } & JsonObject): void {
    const line = this.#config.json ? JSON.stringify(entry) : `${entry.type.padStart(5).padEnd(7)} [${clock()}] ${columns(entry.tags)} ${entry.message}`;
    writeSync(this.#file, `${line}\n`);
  }
}

function open(dest: string): number {
  if (dest === 'stdout') return STDOUT;
  try {
    return openSync(dest, 'a');
  } catch (error) {
    throw new Fatal(error instanceof Error ? error.message : String(error));
  }
}

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const clock = (): string => new Date().toISOString().slice(11, 23);

/** Levels first, then the names that 7.10 has a colour for. */
const COLOURED: readonly string[] = ['listening', 'server', 'config', 'status', 'optimize'];
function columns(tags: readonly string[]): string {
  const rank = (tag: string): string => `${LEVELS.includes(tag) ? '0' : COLOURED.includes(tag) ? '1' : '2'}${tag}`;
  return [...tags]
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .map((tag) => `[${tag}]`)
    .join('');
}
