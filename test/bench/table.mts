/** The figures of a scene as people read them. */
import type { SceneResult } from './bench.mts';
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
