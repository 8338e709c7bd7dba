import { z } from 'zod';
import { contract, type Facts } from '../../lib/index.mts';

/** What the tutorial asks for; Elasticsearch wants 65535. */
const TUTORIAL_FILES = 70000;

const limit = z.union([z.int().positive(), z.literal('unlimited')]);

export const osLimits = contract(
  'os-limits',
  z.strictObject({
    nofile: z
      .union([z.literal('auto'), z.int().min(1024)])
      .default(TUTORIAL_FILES)
      .describe('Open files, soft and hard, of every login session. auto: 70000, or less where a session may have no more.'),
    nproc: limit.describe('Processes of every login session; left to the system unless given.').exactOptional(),
    memlock: limit.describe('Locked memory in KiB; left to the system unless given.').exactOptional(),
    max_map_count: z
      .int()
      .min(65530)
      .default(262144)
      .describe('vm.max_map_count: Elasticsearch maps its index files into memory and refuses to start below 262144. A higher value is kept.'),
  }),
);

/** `auto`, for machines on which nobody may raise a hard limit: what is asked for there would be refused at every login. */
export const openFiles = (wish: number | 'auto', facts: Pick<Facts, 'limits' | 'nrOpen'>): number =>
  wish === 'auto' ? Math.min(TUTORIAL_FILES, facts.limits.nofile.hard, facts.nrOpen) : wish;

export interface Limited {
  readonly soft: number;
  readonly hard: number;
}

/** Open files and processes in pieces, locked memory in bytes; `Infinity` is unlimited, `NaN` a line that is missing. */
export interface ProcessLimits {
  readonly nofile: Limited;
  readonly nproc: Limited;
  readonly memlock: Limited;
}

/** Reads /proc/PID/limits. */
export function parseProcessLimits(text: string): ProcessLimits {
  const row = (name: string): Limited => {
    const found = new RegExp(`^${name} +(\\S+) +(\\S+)`, 'm').exec(text);
    return { soft: amount(found?.[1]), hard: amount(found?.[2]) };
  };
  return { nofile: row('Max open files'), nproc: row('Max processes'), memlock: row('Max locked memory') };
}

const amount = (text: string | undefined): number => (text === 'unlimited' ? Infinity : text === undefined || !/^\d+$/.test(text) ? NaN : Number(text));

export const showLimit = (value: number): string => (value === Infinity ? 'unlimited' : Number.isNaN(value) ? 'unknown' : String(value));
