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
      .describe('Open files, soft and hard, of every login session. auto: 70000, or less where the machine grants no more, not even to root.'),
    nproc: limit.describe('Processes of every login session; left to the system unless given.').exactOptional(),
    memlock: limit.describe('Locked memory in KiB; left to the system unless given.').exactOptional(),
    max_map_count: z
      .int()
      .min(65530)
      .default(262144)
      .describe('vm.max_map_count: Elasticsearch maps its index files into memory and refuses to start below 262144. A higher value is kept.'),
  }),
);

type LimitFacts = Pick<Facts, 'limits' | 'mayRaiseLimits' | 'nrOpen'>;

/** The most that a process can be given here. */
export const grantedFiles = ({ limits, mayRaiseLimits, nrOpen }: LimitFacts): number => (mayRaiseLimits ? nrOpen : Math.min(limits.nofile.hard, nrOpen));

/** `auto`, for machines on which nobody may raise a hard limit: what is asked for there would be refused at every login. */
export const openFiles = (wish: number | 'auto', facts: LimitFacts): number => (wish === 'auto' ? Math.min(TUTORIAL_FILES, grantedFiles(facts)) : wish);

export * from './process.mts';
