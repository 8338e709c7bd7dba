/** Measuring some tools in turn over the same hosts, so that whatever else the machine does meets all of them. */
import type { Farm } from './farm.mts';
import { measure, median, type Measured } from './measure.mts';
import type { Traffic } from './proxy.mts';
import { makeTarget, reportsIn, type Scene, type Tool } from './tools.mts';

export interface Logins {
  readonly accepted: number;
  /** Keys that an sshd was shown and did not take. */
  readonly refused: number;
  /** Connections that an sshd turned away unheard, since too many were logging in. */
  readonly dropped: number;
}

export interface Round {
  readonly measured: Measured;
  readonly inOrder: number;
  readonly logins: Logins;
  readonly traffic: Traffic;
}

export interface Figures {
  readonly tool: string;
  readonly rounds: number;
  /** Medians; `all` has each round's wall time. */
  readonly ms: number;
  readonly all: readonly number[];
  readonly cpuMs: number;
  readonly peakMb: number;
  /** Median of the wall times over those of plain ssh in the same rounds. */
  readonly ratio: number;
  /** Hosts that were asked and found in order, in the worst round. */
  readonly answered: number;
  readonly logins: Logins;
  /** What passed the proxy for one host, where there was one. */
  readonly perHost?: Traffic;
  /** What the program itself says of the host that cost most: the first command and frames, and bytes inside ssh. */
  readonly reported?: { readonly roundTrips: number; readonly bytesSent: number; readonly bytesReceived: number };
}

export const loginsIn = (log: string): Logins => {
  const those = (pattern: RegExp): number => log.match(pattern)?.length ?? 0;
  return { accepted: those(/Accepted publickey/g), refused: those(/Failed publickey/g), dropped: those(/drop connection #/g) };
};

/** One measurement, with what the other side saw of it. */
export async function once(scene: Scene, tool: Tool): Promise<Round & { readonly differing: number }> {
  const { farm } = scene;
  const before = farm.log().length;
  await farm.proxy.traffic();
  const measured = await measure(farm.directory, tool.command(scene));
  await farm.quiet();
  const seen = { logins: loginsIn(farm.log().slice(before)), traffic: await farm.proxy.traffic() };
  try {
    return { measured, ...tool.verdict(measured), ...seen };
  } catch (cause) {
    throw new Error(`${tool.name} gave no result (exit code ${String(measured.code)}):\n${measured.stderr.slice(-2000)}`, { cause });
  }
}

/** A tool that finds everything in order must have looked: on one host it is shown that it does. */
export async function proveThatItLooks(farm: Farm, tools: readonly Tool[]): Promise<void> {
  for (const state of ['different', 'in order'] as const) {
    makeTarget(farm, state);
    for (const tool of tools) {
      const { inOrder, differing, measured } = await once({ farm, way: 'near', hosts: 1 }, tool);
      const right = state === 'in order' ? inOrder === 1 : differing === 1;
      if (!right) throw new Error(`${tool.name} does not see that a host is ${state}:\n${(measured.stdout + measured.stderr).slice(-2000)}`);
    }
  }
}

/** `rounds` gives how often each tool is measured; plain ssh, the first, in every round. */
export async function compare(scene: Scene, tools: readonly Tool[], rounds: (tool: Tool) => number): Promise<readonly Figures[]> {
  const all = new Map<Tool, Round[]>(tools.map((tool) => [tool, []]));
  for (let round = 0; round < Math.max(...tools.map(rounds)); round += 1)
    for (const [tool, list] of all) if (round < rounds(tool)) list.push(await once(scene, tool));
  const ssh = all.get(tools[0] as Tool) ?? [];
  return [...all].map(([tool, list]) => figures(scene, tool, list, ssh));
}

function figures({ way, hosts }: Scene, tool: Tool, rounds: readonly Round[], ssh: readonly Round[]): Figures {
  const middle = (pick: (round: Round) => number): number => median(rounds.map(pick));
  const all = rounds.map(({ measured }) => Math.round(measured.ms));
  const each = (key: keyof Traffic): number => Math.round((middle(({ traffic }) => traffic[key]) / hosts) * 100) / 100;
  const sum = (key: keyof Logins): number => rounds.reduce((total, { logins }) => total + logins[key], 0);
  const reports = tool.reports ? rounds.flatMap(({ measured }) => reportsIn(measured)) : [];
  const most = (key: 'roundTrips' | 'bytesSent' | 'bytesReceived'): number => Math.max(...reports.map((report) => report[key] ?? 0));
  return {
    tool: tool.name,
    rounds: rounds.length,
    ms: Math.round(median(all)),
    all,
    cpuMs: Math.round(middle(({ measured }) => measured.cpuMs)),
    peakMb: Math.round((middle(({ measured }) => measured.peakKib) * 1024) / 1e6),
    ratio: median(rounds.map(({ measured }, index) => measured.ms / (ssh[index]?.measured.ms ?? NaN))),
    answered: Math.min(...rounds.map(({ inOrder }) => inOrder)),
    logins: { accepted: sum('accepted'), refused: sum('refused'), dropped: sum('dropped') },
    ...(way === 'far' ? { perHost: { connections: each('connections'), turns: each('turns'), sent: each('sent'), received: each('received') } } : {}),
    ...(tool.reports ? { reported: { roundTrips: most('roundTrips'), bytesSent: most('bytesSent'), bytesReceived: most('bytesReceived') } } : {}),
  };
}
