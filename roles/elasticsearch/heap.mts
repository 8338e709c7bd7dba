/** Sizing of the Java heap. All amounts are bytes. */
import type { Host } from '../../lib/index.mts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
/** Above about 32 GB the JVM loses compressed object pointers and a larger heap holds less. */
const LARGEST = 31 * GiB;
export const SMALLEST = 256 * MiB;

/** What the system and the other roles of the tutorial take on a host of these groups: their default heaps and as much again off the heap. */
const SYSTEM = 512 * MiB;
const TAKEN_BY: Readonly<Record<string, number>> = {
  brokers: 2 * GiB, // Kafka 1 GB, off-heap buffers
  monitoring: 3 * GiB, // Logstash 1 GB heap, Kibana up to 1 GB
  clients: 3 * GiB, // two Logstash
};

export const takenByOthers = (host: Pick<Host, 'groups'>): number => SYSTEM + [...host.groups].reduce((sum, group) => sum + (TAKEN_BY[group] ?? 0), 0);

/** Steps grow with the size, so that a few megabytes more of memory after a reboot are no reason to restart a node. */
const stepOf = (bytes: number): number => (bytes < 2 * GiB ? 256 * MiB : bytes < 8 * GiB ? 512 * MiB : GiB);

/** Half of what the others leave (the other half is the file cache's), rounded down to a coarse step; `undefined` when that is below 256 MB. */
export function automaticHeap(memory: number, others: number): number | undefined {
  const half = Math.min((memory - others) / 2, LARGEST);
  const rounded = Math.floor(half / stepOf(half)) * stepOf(half);
  return rounded >= SMALLEST ? rounded : undefined;
}

/** `512m` or `4g`. */
export function parseSize(text: string): number {
  const found = /^([1-9][0-9]*)([mg])$/i.exec(text);
  if (found === null) throw new TypeError(`${JSON.stringify(text)} is no size such as 512m or 4g`);
  return Number(found[1]) * (found[2]?.toLowerCase() === 'g' ? GiB : MiB);
}

/** In whole gigabytes where that is exact, else in megabytes. */
export const showSize = (bytes: number): string => (bytes % GiB === 0 ? `${String(bytes / GiB)}g` : `${String(Math.floor(bytes / MiB))}m`);

/** The heap of a node, or `undefined` when `auto` finds too little memory. */
export const heapOf = (wish: string, memory: number, host: Pick<Host, 'groups'>): number | undefined =>
  wish === 'auto' ? automaticHeap(memory, takenByOthers(host)) : parseSize(wish);
