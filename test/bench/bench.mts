/**
 * `npm run bench -- [--hosts N] [--others N] [--rounds N] [--rtt MS]`: the same ten questions asked by this program, Ansible, Ansible with mitogen and
 * pyinfra, beside a plain `ssh HOST true`, over up to N hosts, near and a round trip of MS away. `--others` spares the other tools more hosts than that.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inOwnNetwork, startFarm, type Farm, type Way } from './farm.mts';
import { compare, proveThatItLooks, type Figures } from './scenes.mts';
import { firstConnection, type Startup } from './startup.mts';
import { head, tableOf } from './table.mts';
import { ansibleMitogen, ansiblePipelining, FORKS, makeTarget, ours, pyinfra, rawSsh, site, type Tool } from './tools.mts';
import { environment, installTools, versionsOf } from './venv.mts';

const SIZES = [1, 10, 50, 200];
/** The others take minutes for many hosts. */
const SLOW_ROUNDS: Readonly<Record<number, number>> = { 1: 3, 10: 3, 50: 1, 200: 1 };

export interface SceneResult {
  readonly way: Way;
  readonly hosts: number;
  readonly figures: readonly Figures[];
}

export interface Results {
  readonly date: string;
  readonly rttMs: number;
  readonly forks: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly cpus: number;
  /** Runnable processes on the machine over a minute, before and after: above the number of processors, wall times are too long. */
  readonly load: { readonly before: number; readonly after: number };
  readonly scenes: readonly SceneResult[];
  readonly startup: Startup;
}

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '200' },
    others: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    rtt: { type: 'string', default: '50' },
  },
});
const [most, othersMost, rounds, rttMs] = [values.hosts, values.others, values.rounds, values.rtt].map(Number) as [number, number, number, number];

async function measureAll(farm: Farm): Promise<readonly SceneResult[]> {
  const venv = environment();
  const others = [ansiblePipelining(venv), ansibleMitogen(venv), pyinfra(venv)];
  const tools: readonly Tool[] = [rawSsh, ours, ...others];
  await proveThatItLooks(farm, [ours, ...others]);
  makeTarget(farm, 'in order');
  const scenes: SceneResult[] = [];
  const measure = async (way: Way, hosts: number, those: readonly Tool[]): Promise<void> => {
    const roundsOf = (tool: Tool): number => (others.includes(tool) ? Math.min(rounds, SLOW_ROUNDS[hosts] ?? 1) : rounds);
    const result = { way, hosts, figures: await compare({ farm, way, hosts }, those, roundsOf) };
    scenes.push(result);
    process.stdout.write(tableOf(result, rttMs));
  };
  const sizes = [...new Set([...SIZES, most])].filter((size) => size <= most).sort((one, other) => one - other);
  for (const way of ['near', 'far'] as const) for (const size of sizes) await measure(way, size, size > othersMost ? [rawSsh, ours, site] : [...tools, site]);
  await measure('crowd', most, [rawSsh, ours, site]);
  return scenes;
}

async function main(): Promise<void> {
  const before = loadavg()[0] ?? NaN;
  await using farm = await startFarm(most, rttMs);
  const versions = {
    node: process.version,
    openssh: execFileSync('sh', ['-c', 'ssh -V 2>&1'], { encoding: 'utf8' }).trim(),
    linux: release(),
    ...versionsOf(environment()),
  };
  process.stdout.write(head({ versions, forks: FORKS, cpus: cpus().length, load: before }));
  const scenes = await measureAll(farm);
  const startup = await firstConnection(farm, Math.max(rounds, 5));
  process.stdout.write(`first connection: ${startup.node.toString()} ms after the start of node, ${startup.zx.toString()} ms with zx\n`);
  const load = { before, after: loadavg()[0] ?? NaN };
  const results: Results = { date: new Date().toISOString(), rttMs, forks: FORKS, versions, cpus: cpus().length, load, scenes, startup };
  const directory = join(import.meta.dirname, 'results');
  const name = `${results.date.slice(0, 16).replace(/[-:]/g, '')}-${most.toString()}-hosts.json`;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), `${JSON.stringify(results, undefined, 2)}\n`);
  process.stdout.write(`load of the machine ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; written to test/bench/results/${name}\n`);
}

if (!(Number.isInteger(most) && most >= 1 && most <= 1000 && rounds >= 1 && rttMs >= 0)) {
  process.stderr.write('usage: npm run bench -- [--hosts 1..1000] [--others N] [--rounds N] [--rtt MS]\n');
  process.exitCode = 4;
} else {
  // Inside the farm's network there is nothing to install from.
  installTools();
  if (!inOwnNetwork()) await main();
}
