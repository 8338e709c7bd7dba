/** `npm run bench:quick`: what a run costs in counts, which are the same on every machine; times are not looked at. */
import { inOwnNetwork, startFarm, type Farm, type Way } from './farm.mts';
import { once, type Round } from './scenes.mts';
import { makeTarget, ours, reportsIn, site, type Tool } from './tools.mts';

const MANY = 200;
const RTT_MS = 50;

interface Counted {
  readonly what: string;
  readonly found: number;
  readonly wanted: string;
  readonly holds: boolean;
}

const exactly = (what: string, found: number, wanted: number): Counted => ({ what, found, wanted: wanted.toString(), holds: found === wanted });
const atMost = (what: string, found: number, most: number): Counted => ({ what, found, wanted: `≤ ${most.toString()}`, holds: found <= most });

/** Everybody answers, nobody is turned away and comes again, no key is shown twice. */
const answers = ({ inOrder, logins }: Round, hosts: number): readonly Counted[] => [
  exactly('hosts that answered', inOrder, hosts),
  exactly('logins', logins.accepted, hosts),
  exactly('keys refused', logins.refused, 0),
  exactly('connections dropped by sshd', logins.dropped, 0),
];

const costs = ({ measured }: Round, bytes: number): readonly Counted[] => {
  const reports = reportsIn(measured);
  const most = (pick: (report: (typeof reports)[number]) => number | undefined): number => Math.max(...reports.map((report) => pick(report) ?? Infinity));
  return [
    exactly(
      'frames of a host, with the first command',
      most(({ roundTrips }) => roundTrips),
      2,
    ),
    atMost(
      'bytes to a host inside ssh',
      most(({ bytesSent }) => bytesSent),
      bytes,
    ),
    atMost(
      'bytes from a host inside ssh',
      most(({ bytesReceived }) => bytesReceived),
      bytes,
    ),
    atMost('peak MB', Math.round((measured.peakKib * 1024) / 1e6), 200),
  ];
};

/** Past a proxy, which sees ssh's own round trips: the version, two for the keys, the service, two for the login, the channel, the command. */
const wire = ({ traffic }: Round): readonly Counted[] => [
  exactly('connections', traffic.connections, 1),
  atMost('round trips, with those of ssh', traffic.turns, 14),
  atMost('bytes in all, with those of ssh', traffic.sent + traffic.received, 12_000),
];

/** A check that always says "in order" would be the cheapest. */
async function differing(farm: Farm): Promise<readonly Counted[]> {
  makeTarget(farm, 'different');
  const found = await once({ farm, way: 'near', hosts: 10 }, ours);
  return [exactly('hosts seen to differ when one file does', found.differing, 10)];
}

async function main(): Promise<void> {
  await using farm = await startFarm(MANY, RTT_MS);
  const all: Counted[] = [];
  const say = (title: string, counted: readonly Counted[]): void => {
    all.push(...counted);
    const lines = counted.map(({ what, found, wanted, holds }) => `${holds ? 'ok    ' : 'FAILED'}  ${what}: ${found.toString()} (wanted ${wanted})\n`);
    process.stdout.write(`${title}\n${lines.join('')}\n`);
  };
  const measured = (way: Way, hosts: number, tool: Tool): Promise<Round> => once({ farm, way, hosts }, tool);
  say('ten hosts with one file that is not as it should be', await differing(farm));
  makeTarget(farm, 'in order');
  const crowd = await measured('crowd', MANY, ours);
  say(`${MANY.toString()} hosts, all of them one sshd with the MaxStartups it comes with: ten questions`, [...answers(crowd, MANY), ...costs(crowd, 4000)]);
  const many = await measured('near', MANY, site);
  say(`${MANY.toString()} hosts, an sshd each: site --role os-limits --check`, [...answers(many, MANY), ...costs(many, 4000)]);
  const far = await measured('far', 1, ours);
  say(`one host ${RTT_MS.toString()} ms away: ten questions`, [...answers(far, 1), ...costs(far, 4000), ...wire(far)]);
  process.exitCode = all.every(({ holds }) => holds) ? 0 : 1;
}

if (!inOwnNetwork()) await main();
