/** `npm run bench:plot [-- RESULTS.json]`: docs/bench.svg from the newest results, or from those that are named; the README shows the same ones from then on. */
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Results, SceneResult } from './bench.mts';
import { PUBLISHED } from './table.mts';
import { site } from './tools.mts';

const RESULTS = join(import.meta.dirname, 'results');
const OUTPUT = join(import.meta.dirname, '../../docs/bench.svg');

/** Panels side by side: seconds over hosts, both by powers of ten, a line a tool. */
const PANEL = { width: 330, height: 260, left: 60, top: 50, gap: 70 };
const COLOURS = ['#888888', '#0b6bcb', '#c8442c', '#e08a00', '#2f8f4e'];

const text = (value: string): string => value.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char] ?? char);

function newest(): string {
  const name = readdirSync(RESULTS)
    .filter((each) => /^\d.*\.json$/.test(each))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error('no results yet: npm run bench');
  return name;
}

interface Scale {
  x(hosts: number): number;
  y(seconds: number): number;
}

/** Powers of ten around all values, so that both panels can be compared. */
function scaleOf(scenes: readonly SceneResult[]): Scale & { readonly decades: readonly number[] } {
  const seconds = scenes.flatMap(({ figures }) => figures.map(({ ms }) => ms / 1000));
  const [low, high] = [Math.floor(Math.log10(Math.min(...seconds))), Math.ceil(Math.log10(Math.max(...seconds)))];
  const most = Math.log10(Math.max(10, ...scenes.map(({ hosts }) => hosts)));
  return {
    x: (hosts) => (Math.log10(hosts) / most) * PANEL.width,
    y: (value) => PANEL.height - ((Math.log10(value) - low) / (high - low)) * PANEL.height,
    decades: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

function panel(scenes: readonly SceneResult[], title: string, index: number, scale: ReturnType<typeof scaleOf>, tools: readonly string[]): string {
  const parts = [`<text x="${(PANEL.width / 2).toString()}" y="-14" text-anchor="middle" font-weight="bold">${text(title)}</text>`];
  for (const decade of scale.decades) {
    const y = scale.y(decade).toFixed(1);
    parts.push(`<line x1="0" x2="${PANEL.width.toString()}" y1="${y}" y2="${y}" stroke="#dddddd"/>`);
    parts.push(`<text x="-6" y="${y}" dy="4" text-anchor="end">${decade.toString()} s</text>`);
  }
  for (const { hosts } of scenes)
    parts.push(`<text x="${scale.x(hosts).toFixed(1)}" y="${(PANEL.height + 18).toString()}" text-anchor="middle">${hosts.toString()}</text>`);
  parts.push(`<text x="${(PANEL.width / 2).toString()}" y="${(PANEL.height + 38).toString()}" text-anchor="middle">hosts</text>`);
  tools.forEach((tool, number) => {
    const colour = COLOURS[number % COLOURS.length] ?? 'black';
    const points = scenes.flatMap(({ hosts, figures }) =>
      figures.filter((each) => each.tool === tool).map(({ ms }) => [scale.x(hosts), scale.y(ms / 1000)] as const),
    );
    const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${number === 0 ? ' stroke-dasharray="5 4"' : ''}/>`);
    for (const [x, y] of points) parts.push(`<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${colour}"/>`);
  });
  const x = PANEL.left + index * (PANEL.width + PANEL.gap);
  return `<g transform="translate(${x.toString()} ${PANEL.top.toString()})">\n${parts.join('\n')}\n</g>`;
}

export function plot({ scenes, rttMs, versions, load, cpus }: Results): string {
  const panels = (['near', 'far'] as const).map((way) => scenes.filter((scene) => scene.way === way)).filter((some) => some.length > 0);
  // Everything that asks the ten questions; some tools have no figures for many hosts.
  const tools = scenes[0]?.figures.map(({ tool }) => tool).filter((tool) => tool !== site.name) ?? [];
  const shown = panels.map((some) => some.map((scene) => ({ ...scene, figures: scene.figures.filter(({ tool }) => tools.includes(tool)) })));
  const scale = scaleOf(shown.flat());
  const width = PANEL.left + shown.length * (PANEL.width + PANEL.gap) + 10;
  const legendTop = PANEL.top + PANEL.height + 62;
  const legend = tools.map((tool, number) => {
    const y = (legendTop + number * 18).toString();
    const colour = COLOURS[number % COLOURS.length] ?? 'black';
    return `<line x1="${PANEL.left.toString()}" x2="${(PANEL.left + 24).toString()}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2"${number === 0 ? ' stroke-dasharray="5 4"' : ''}/><text x="${(PANEL.left + 32).toString()}" y="${y}" dy="4">${text(tool)}</text>`;
  });
  const about = `${['node', 'ansible-core', 'mitogen', 'pyinfra'].flatMap((name) => (versions[name] === undefined ? [] : [`${name} ${versions[name]}`])).join(', ')}; ${cpus.toString()} processors for both sides, load ${load.before.toFixed(0)} to ${load.after.toFixed(0)}`;
  const aboutTop = legendTop + tools.length * 18 + 8;
  const height = aboutTop + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toString()} ${height.toString()}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${shown.map((some, index) => panel(some, some[0]?.way === 'far' ? `${rttMs.toString()} ms away` : 'on the local network', index, scale, tools)).join('\n')}
${legend.join('\n')}
<text x="${PANEL.left.toString()}" y="${aboutTop.toString()}" fill="#666666">${text(about)}</text>
</svg>
`;
}

if (import.meta.main) {
  const name = basename(process.argv[2] ?? newest());
  const published = join(import.meta.dirname, '../..', PUBLISHED);
  writeFileSync(OUTPUT, plot(JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as Results));
  rmSync(published, { force: true });
  symlinkSync(name, published);
  process.stdout.write(`docs/bench.svg shows ${name}; npm run docs brings the README's table up to date\n`);
}
