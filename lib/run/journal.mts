/**
 * What a run has begun on hosts and not seen the end of, kept on disk before it is begun: a run that is killed, or whose link is cut, cannot
 * say it, and the next one does. That one asks everything again anyway, and says when what was left is in order.
 */
import { closeSync, fdatasync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { HostName, ResourceId, RoleName } from '../names.mts';
import type { EventBody } from '../report/events.mts';
import type { LockHolder } from '../transport/session.mts';

const headSchema = z.object({
  schema: z.literal('1'),
  inventory: z.array(z.string()),
  holder: z.object({ run: z.string(), user: z.string(), host: z.string(), pid: z.number(), since: z.string() }),
});
const lineSchema = z.union([
  /** Steps that are about to be done, in order; a resource may have several. */
  z.object({ host: z.string(), role: z.string(), intends: z.array(z.string()) }),
  z.object({ host: z.string(), ended: z.string() }),
  /** Nothing of what was intended is half done. */
  z.object({ host: z.string(), over: z.literal(true) }),
]);
type Line = z.output<typeof lineSchema>;

/** The step that a host was at when it was last heard of. */
export interface Unfinished {
  readonly host: string;
  readonly role: string;
  readonly resource: string;
}

/** A run that ended in the middle of something. */
export interface CutRun {
  readonly holder: LockHolder;
  readonly steps: readonly Unfinished[];
}

/** What is intended on one host just now. */
export interface Intent {
  ended(resource: ResourceId): void;
  over(): void;
}

export interface Intents {
  /** Resolves when it is on disk. */
  intend(host: HostName, role: RoleName, resources: readonly ResourceId[]): Promise<Intent>;
}

const sync = promisify(fdatasync);
const SUFFIX = '.journal';

export class Journal implements Intents {
  readonly #file: string;
  readonly #descriptor: number | undefined;
  readonly #failed: (reason: string) => void;
  readonly #open = new Set<HostName>();
  #broken = false;

  /** `failed` is told once when nothing can be written any more: the run goes on without. */
  constructor(directory: string, inventory: readonly string[], holder: LockHolder, failed: (reason: string) => void) {
    this.#file = join(directory, `${holder.run}${SUFFIX}`);
    this.#failed = failed;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      this.#descriptor = openSync(this.#file, 'ax', 0o600);
    } catch (thrown) {
      this.#breakDown(thrown);
    }
    this.#write({ schema: '1', inventory, holder });
  }

  async intend(host: HostName, role: RoleName, resources: readonly ResourceId[]): Promise<Intent> {
    this.#open.add(host);
    this.#write({ host, role, intends: resources });
    if (this.#descriptor !== undefined && !this.#broken) await sync(this.#descriptor).catch(this.#breakDown);
    return {
      ended: (resource) => {
        this.#write({ host, ended: resource });
      },
      over: () => {
        this.#open.delete(host);
        this.#write({ host, over: true });
      },
    };
  }

  readonly #breakDown = (thrown: unknown): void => {
    if (!this.#broken) this.#failed(thrown instanceof Error ? thrown.message : String(thrown));
    this.#broken = true;
  };

  #write(line: object): void {
    if (this.#descriptor === undefined || this.#broken) return;
    try {
      writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
    } catch (thrown) {
      this.#breakDown(thrown);
    }
  }

  /** Nothing is half done: there is nothing to remember. */
  [Symbol.dispose](): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    if (this.#open.size === 0) rmSync(this.#file, { force: true });
  }
}

/** What earlier runs with the same inventory left in the middle; `settle` is told the events of this one. */
export class Leftover {
  readonly runs: readonly CutRun[];
  readonly #directory: string;
  readonly #inventory: readonly string[];
  readonly #settled = new Set<Unfinished>();
  readonly #ended = new Set<string>();

  /** `isAlone`: no other run with this inventory goes on, since this one holds its lock. */
  constructor(directory: string, inventory: readonly string[], isAlone: boolean) {
    this.#directory = directory;
    this.#inventory = inventory;
    this.runs = namesIn(directory).flatMap((name) => {
      const read = readJournal(join(directory, name));
      if (read?.inventory.join('\0') !== inventory.join('\0') || (!isAlone && isRunning(read.holder))) return [];
      return [{ holder: read.holder, steps: read.steps }];
    });
  }

  /** A step that was left and of which this event shows that it is in order now. */
  settle(event: EventBody): Unfinished | undefined {
    if (event.kind === 'role.end') this.#ended.add(`${event.host} ${event.role}`);
    if (event.kind !== 'resource.verdict' || (event.verdict.kind !== 'converged' && event.verdict.kind !== 'changed')) return undefined;
    const step = this.runs
      .flatMap(({ steps }) => steps)
      .find((one) => !this.#settled.has(one) && one.host === event.host && one.role === event.role && one.resource === event.resource);
    if (step !== undefined) this.#settled.add(step);
    return step;
  }

  /** Forgets what is settled. What a role that ended well no longer wants, and what was on hosts that are gone, is settled too. */
  forget(isWell: boolean, hosts: ReadonlyMap<string, unknown>): void {
    for (const { holder, steps } of this.runs) {
      const left = steps.filter((step) => !this.#settled.has(step) && hosts.has(step.host) && !(isWell && this.#ended.has(`${step.host} ${step.role}`)));
      const file = join(this.#directory, `${holder.run}${SUFFIX}`);
      if (left.length === 0) rmSync(file, { force: true });
      else if (left.length < steps.length) {
        const lines = [{ schema: '1', inventory: this.#inventory, holder }, ...left.map(({ host, role, resource }) => ({ host, role, intends: [resource] }))];
        writeFileSync(`${file}.tmp`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
        renameSync(`${file}.tmp`, file);
      }
    }
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(SUFFIX))
      .sort();
  } catch {
    return [];
  }
}

/** A journal may end in the middle of a line; a foreign file is none. */
function readJournal(file: string): (z.output<typeof headSchema> & { readonly steps: readonly Unfinished[] }) | undefined {
  let lines: readonly unknown[];
  try {
    lines = readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
  } catch {
    return undefined;
  }
  const head = headSchema.safeParse(lines[0]);
  if (!head.success) return undefined;
  const open = new Map<string, { readonly role: string; readonly left: string[] }>();
  for (const parsed of lines.slice(1).map((line) => lineSchema.safeParse(line))) if (parsed.success) replay(open, parsed.data);
  const steps = [...open].flatMap(([host, { role, left }]) => (left[0] === undefined ? [] : [{ host, role, resource: left[0] }]));
  return { ...head.data, steps };
}

function replay(open: Map<string, { readonly role: string; readonly left: string[] }>, line: Line): void {
  if ('intends' in line) open.set(line.host, { role: line.role, left: [...line.intends] });
  else if ('over' in line) open.delete(line.host);
  else {
    const left = open.get(line.host)?.left ?? [];
    const at = left.indexOf(line.ended);
    if (at !== -1) left.splice(at, 1);
  }
}

/** A run that goes on just now has left nothing yet; a check may meet one. */
function isRunning({ host, pid }: LockHolder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
