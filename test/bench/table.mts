/** The figures of a scene as people read them, in the terminal and in the README. */
import type { Results, SceneResult } from './bench.mts';
import type { Figures } from './scenes.mts';

const COLUMNS = ['median s', '× ssh', 'CPU s', 'peak MB', 'in order', 'dropped', 'round trips', 'kB a host', 'rounds'];

export const head = (about: { versions: Readonly<Record<string, string>>; forks: number; cpus: number; load: number }): string =>
  `${Object.entries(about.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(
      ', ',
    )}\n${about.cpus.toString()} processors, load ${about.load.toFixed(1)}; ${about.forks.toString()} hosts at a time for tools that have to be told\n`;

export const titleOf = ({ way, hosts }: Pick<SceneResult, 'way' | 'hosts'>, rttMs: number): string =>
  `${hosts.toString()} host${hosts === 1 ? '' : 's'}${way === 'far' ? `, ${rttMs.toString()} ms away` : way === 'crowd' ? ', all of them one sshd' : ''}`;

export function tableOf(scene: SceneResult, rttMs: number): string {
  const rows = scene.figures.map((figures) => [figures.tool, ...cellsOf(figures, scene.hosts)]);
  const all = [[titleOf(scene, rttMs), ...COLUMNS], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ');
  return `\n${all.map(line).join('\n')}\n`;
}

/** Round trips and bytes are those that passed the proxy, with ssh's own; near hosts have none. */
function cellsOf({ ms, ratio, cpuMs, peakMb, answered, logins, perHost, rounds }: Figures, hosts: number): readonly string[] {
  return [
    (ms / 1000).toFixed(2),
    ratio.toFixed(2),
    (cpuMs / 1000).toFixed(1),
    peakMb.toString(),
    `${answered.toString()}/${hosts.toString()}`,
    logins.dropped.toString(),
    perHost === undefined ? '' : perHost.turns.toFixed(0),
    perHost === undefined ? '' : ((perHost.sent + perHost.received) / 1000).toFixed(1),
    rounds.toString(),
  ];
}

/** The results that the README and its picture show: a link to one of those that are kept, set by `npm run bench:plot`. */
export const PUBLISHED = 'test/bench/results/published.json';

interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** When, where and against what it was measured. */
export function aboutOf({ date, versions, cpus, load }: Results): string {
  const those = ['node', 'ansible-core', 'mitogen', 'pyinfra'].flatMap((name) => (versions[name] === undefined ? [] : [`${name} ${versions[name]}`]));
  return `Median seconds on ${date.slice(0, 10)} with ${those.join(', ')}; ${cpus.toString()} processors for both sides, load ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after. In brackets: as a share of plain ssh in the same rounds.`;
}

/** A line for each scene, a column for each tool. */
export function secondsOf({ scenes, rttMs }: Results): Table {
  const tools = [...new Set(scenes.flatMap(({ figures }) => figures.map(({ tool }) => tool)))];
  const cell = ({ ms, ratio }: Figures, index: number): string => `${(ms / 1000).toFixed(2)}${index === 0 ? '' : ` (${ratio.toFixed(2)})`}`;
  const rows = scenes.map((scene) => [
    titleOf(scene, rttMs),
    ...tools.map((tool, index) => {
      const figures = scene.figures.find((each) => each.tool === tool);
      return figures === undefined ? '' : cell(figures, index);
    }),
  ]);
  return { head: ['', ...tools], rows };
}

/** The largest scene of each way. */
export function costsOf({ scenes, rttMs }: Results): Table {
  const most = Math.max(...scenes.map(({ hosts }) => hosts));
  const largest = scenes.filter(({ hosts }) => hosts === most);
  const rows = largest.flatMap((scene) => scene.figures.map((figures) => [titleOf(scene, rttMs), figures.tool, ...cellsOf(figures, scene.hosts)]));
  return { head: ['', 'tool', ...COLUMNS], rows };
}
