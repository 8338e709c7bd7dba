/**
 * `npm run bench -- [--hosts N] [--rounds N] [--quick]`: a whole check of all hosts against `xargs -P 32 ssh HOST true` over the same hosts,
 * in interleaved rounds, so that whatever else the machine does meets both.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inOwnNetwork, startFarm, type Farm } from './farm.mts';
import { measure, median, type Measured } from './measure.mts';
import { firstConnection } from './startup.mts';

const ROOT = join(import.meta.dirname, '../..');
const TARGETS = { ratio: 1, peakMib: 150, startupMs: 250, roundTrips: 8 };

const { values } = parseArgs({
  options: { hosts: { type: 'string', default: '50' }, rounds: { type: 'string', default: '5' }, quick: { type: 'boolean', default: false } },
});
const hostCount = values.quick ? 10 : Number(values.hosts);
const roundCount = values.quick ? 2 : Number(values.rounds);

const PLAYBOOK = 'playbooks/site.mts';
const checkOf = (inventory: string): readonly [string, ...string[]] => [
  process.execPath,
  join(ROOT, PLAYBOOK),
  '-i',
  inventory,
  '--role',
  'os-limits',
  '--check',
  '--json',
];
const zxOf = (inventory: string): readonly [string, ...string[]] => [
  process.execPath,
  join(ROOT, 'node_modules/zx/build/cli.js'),
  join(ROOT, PLAYBOOK),
  '-i',
  inventory,
  '--role',
  'os-limits',
  '--check',
];

interface Round {
  readonly measured: Measured;
  readonly failures: number;
}

async function ssh(farm: Farm): Promise<Round> {
  const script = `"$@" true 2>/dev/null || echo failed`;
  const measured = await measure(
    farm.directory,
    ['xargs', '-P', '32', '-I{}', 'sh', '-c', script, 'sh', 'ssh', ...farm.sshOptions, '{}'],
    `${farm.hosts.join('\n')}\n`,
  );
  return { measured, failures: measured.stdout.split('\n').filter((line) => line === 'failed').length };
}

interface HostReport {
  readonly outcome: string;
  readonly connectMs: number;
  readonly roundTrips: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

interface CheckRound extends Round {
  readonly hosts: readonly HostReport[];
}

async function check(farm: Farm): Promise<CheckRound> {
  const measured = await measure(farm.directory, checkOf(farm.inventory));
  const document = JSON.parse(measured.stdout) as { readonly hosts: Readonly<Record<string, HostReport>> };
  const hosts = Object.values(document.hosts);
  const inOrder = new Set(['converged', 'pending']);
  const failures = farm.hosts.length - hosts.filter(({ outcome }) => inOrder.has(outcome)).length;
  if (failures > 0) process.stderr.write(measured.stderr.split('\n').slice(-30).join('\n'));
  return { measured, failures, hosts };
}

const versions = {
  node: process.version,
  openssh: execFileSync('sh', ['-c', 'ssh -V 2>&1'], { encoding: 'utf8' }).trim(),
  kernel: execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim(),
  cpus: Number(execFileSync('nproc', { encoding: 'utf8' })),
};

const drops = (log: string): number => log.match(/MaxStartups throttling|drop connection #/g)?.length ?? 0;

async function main(): Promise<void> {
  const sshRounds: Round[] = [];
  const checkRounds: CheckRound[] = [];
  const startup: Record<'node' | 'zx', number[]> = { node: [], zx: [] };
  let [sshDrops, checkDrops] = [0, 0];
  {
    await using farm = await startFarm(hostCount);
    // The first of each warms caches and does not count.
    for (let round = 0; round <= roundCount; round += 1) {
      const before = drops(farm.log());
      const first = await ssh(farm);
      const between = drops(farm.log());
      const second = await check(farm);
      if (round === 0) continue;
      sshRounds.push(first);
      checkRounds.push(second);
      sshDrops += between - before;
      checkDrops += drops(farm.log()) - between;
    }
    for (let round = 0; round < Math.max(roundCount, 5); round += 1) {
      startup.node.push(await firstConnection(farm, checkOf));
      startup.zx.push(await firstConnection(farm, zxOf));
    }
  }

  const row = (rounds: readonly Round[], key: 'ms' | 'cpuMs' | 'peakKib'): number => median(rounds.map(({ measured }) => measured[key]));
  const failures = (rounds: readonly Round[]): number => rounds.reduce((sum, round) => sum + round.failures, 0);
  const hosts = checkRounds.flatMap((round) => round.hosts);
  const most = (pick: (host: HostReport) => number): number => Math.max(...hosts.map(pick));
  const ratios = checkRounds.map(({ measured }, index) => measured.ms / (sshRounds[index]?.measured.ms ?? NaN));
  const figures = {
    hosts: hostCount,
    rounds: roundCount,
    playbook: PLAYBOOK,
    ssh: { ms: row(sshRounds, 'ms'), cpuMs: row(sshRounds, 'cpuMs'), failed: failures(sshRounds), dropped: sshDrops },
    check: {
      ms: row(checkRounds, 'ms'),
      cpuMs: row(checkRounds, 'cpuMs'),
      peakMib: row(checkRounds, 'peakKib') / 1024,
      failed: failures(checkRounds),
      dropped: checkDrops,
    },
    ratio: row(checkRounds, 'ms') / row(sshRounds, 'ms'),
    ratioOfRounds: { least: Math.min(...ratios), most: Math.max(...ratios) },
    perHost: {
      connectMs: median(hosts.map(({ connectMs }) => connectMs)),
      roundTrips: most(({ roundTrips }) => roundTrips),
      bytesSent: most(({ bytesSent }) => bytesSent),
      bytesReceived: most(({ bytesReceived }) => bytesReceived),
    },
    startupMs: { node: median(startup.node), nodeLeast: Math.min(...startup.node), zx: median(startup.zx) },
    versions,
  };

  const whole = (value: number): string => Math.round(value).toString();
  const lines = [
    `${hostCount.toString()} hosts, ${roundCount.toString()} rounds, ${PLAYBOOK}; ${versions.openssh}, node ${versions.node}, ${versions.cpus.toString()} CPUs`,
    '',
    `                        ${'median ms'.padStart(10)}${'CPU ms'.padStart(10)}${'peak MiB'.padStart(10)}${'failed'.padStart(8)}${'drops'.padStart(8)}`,
    `xargs -P 32 ssh true    ${whole(figures.ssh.ms).padStart(10)}${whole(figures.ssh.cpuMs).padStart(10)}${''.padStart(10)}${figures.ssh.failed.toString().padStart(8)}${figures.ssh.dropped.toString().padStart(8)}`,
    `os-limits --check       ${whole(figures.check.ms).padStart(10)}${whole(figures.check.cpuMs).padStart(10)}${whole(figures.check.peakMib).padStart(10)}${figures.check.failed.toString().padStart(8)}${figures.check.dropped.toString().padStart(8)}`,
    '',
    `ratio               ${figures.ratio.toFixed(2)}  (rounds ${figures.ratioOfRounds.least.toFixed(2)} to ${figures.ratioOfRounds.most.toFixed(2)}; wanted ≤ ${TARGETS.ratio.toString()})`,
    `first connection    ${whole(figures.startupMs.node)} ms (least ${whole(figures.startupMs.nodeLeast)}) after the start of node, ${whole(figures.startupMs.zx)} ms with zx  (wanted ≤ ${TARGETS.startupMs.toString()})`,
    `each host           ${figures.perHost.roundTrips.toString()} round trips, ${figures.perHost.bytesSent.toString()} bytes sent, ${figures.perHost.bytesReceived.toString()} received at most`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);

  const results = join(import.meta.dirname, 'results');
  mkdirSync(results, { recursive: true });
  const file = join(results, `${new Date().toISOString().replace(/[-:]/g, '').replace(/\..*/, 'Z')}.json`);
  writeFileSync(file, `${JSON.stringify(figures, undefined, 2)}\n`);
  process.stdout.write(`written to test/bench/results\n`);

  // Wall time is the machine's; what must hold anywhere are counts.
  if (figures.perHost.roundTrips > TARGETS.roundTrips || figures.check.failed > 0 || figures.check.peakMib > TARGETS.peakMib) process.exitCode = 1;
}

if (!inOwnNetwork(hostCount)) await main();
