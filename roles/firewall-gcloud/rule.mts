/** A firewall rule as everything here sees it: lists are sets, in one spelling and order, whoever wrote them. */
import { z } from 'zod';
import { canonical } from './ranges.mts';

export interface FirewallRule {
  readonly name: string;
  /** The last part of its URL. */
  readonly network: string;
  readonly direction: 'INGRESS' | 'EGRESS';
  readonly action: 'allow' | 'deny';
  readonly priority: number;
  readonly disabled: boolean;
  readonly description: string;
  /** `tcp:5601`, `tcp:9990-9999`, `tcp` for all its ports, `all` for everything. */
  readonly traffic: readonly string[];
  readonly sourceRanges: readonly string[];
  readonly sourceTags: readonly string[];
  readonly sourceServiceAccounts: readonly string[];
  readonly targetTags: readonly string[];
  readonly targetServiceAccounts: readonly string[];
  readonly destinationRanges: readonly string[];
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export const ALL_PORTS: PortRange = { first: 0, last: 65535 };

/** `5601` or `9990-9999`. */
export function portRange(text: string): PortRange {
  const [first = 0, last = first] = text.split('-').map(Number);
  return { first, last };
}

const portText = ({ first, last }: PortRange): string => (first === last ? String(first) : `${String(first)}-${String(last)}`);

/** Sorted, and merged where they touch or overlap. */
function merged(all: readonly PortRange[]): readonly PortRange[] {
  return [...all]
    .sort((one, other) => one.first - other.first)
    .reduce<readonly PortRange[]>((done, next) => {
      const before = done.at(-1);
      if (before === undefined || next.first > before.last + 1) return [...done, next];
      return [...done.slice(0, -1), { first: before.first, last: Math.max(before.last, next.last) }];
    }, []);
}

export interface Traffic {
  readonly protocol: string;
  /** All of them where there is none. */
  readonly ports: readonly string[];
}

const NUMBERS: Readonly<Record<string, string>> = { '1': 'icmp', '6': 'tcp', '17': 'udp', '50': 'esp', '51': 'ah', '132': 'sctp' };

/** One spelling of what a rule is about: a protocol once, its ports merged; `all` swallows everything else. */
export function traffic(entries: readonly Traffic[]): readonly string[] {
  const byProtocol = Map.groupBy(entries, ({ protocol }) => NUMBERS[protocol] ?? protocol.toLowerCase());
  if (byProtocol.has('all')) return ['all'];
  return [...byProtocol]
    .flatMap(([protocol, some]) => {
      const ports = merged(some.flatMap((each) => (each.ports.length === 0 ? [ALL_PORTS] : each.ports.map(portRange))));
      const [only] = ports;
      return ports.length === 1 && only?.first === 0 && only.last === 65535 ? [protocol] : ports.map((port) => `${protocol}:${portText(port)}`);
    })
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
}

export const sameSpelling = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();
export const rangeSet = (texts: readonly string[]): readonly string[] => sameSpelling(texts.map(canonical));

/** Which TCP ports it is about. */
export const tcpPorts = (all: readonly string[]): readonly PortRange[] =>
  all.flatMap((entry) => {
    const [protocol, ports] = entry.split(':');
    return protocol === 'all' || protocol === 'tcp' ? [ports === undefined ? ALL_PORTS : portRange(ports)] : [];
  });

export const touches = (one: PortRange, other: PortRange): boolean => one.first <= other.last && other.first <= one.last;

const strings = z.array(z.string()).default([]);
const entries = z.array(z.object({ IPProtocol: z.string(), ports: strings })).default([]);

/** A rule as `gcloud … --format=json` prints it: what is empty is left out. */
export const firewallRule = z
  .object({
    name: z.string(),
    network: z.string(),
    direction: z.enum(['INGRESS', 'EGRESS']).default('INGRESS'),
    priority: z.int().default(1000),
    disabled: z.boolean().default(false),
    description: z.string().default(''),
    allowed: entries,
    denied: entries,
    sourceRanges: strings,
    sourceTags: strings,
    sourceServiceAccounts: strings,
    targetTags: strings,
    targetServiceAccounts: strings,
    destinationRanges: strings,
  })
  .transform(({ name, network, direction, priority, disabled, description, allowed, denied, ...sets }): FirewallRule => ({
    name,
    network: network.slice(network.lastIndexOf('/') + 1),
    direction,
    action: denied.length > 0 ? 'deny' : 'allow',
    priority,
    disabled,
    description,
    traffic: traffic([...allowed, ...denied].map(({ IPProtocol, ports }) => ({ protocol: IPProtocol, ports }))),
    sourceRanges: rangeSet(sets.sourceRanges),
    sourceTags: sameSpelling(sets.sourceTags),
    sourceServiceAccounts: sameSpelling(sets.sourceServiceAccounts),
    targetTags: sameSpelling(sets.targetTags),
    targetServiceAccounts: sameSpelling(sets.targetServiceAccounts),
    destinationRanges: rangeSet(sets.destinationRanges),
  }));

/** What it lets through, in one line: `tcp:5601 from 203.0.113.7/32 to kafka-mon-monitoring`. */
export function ruleText(rule: FirewallRule): string {
  const sources = [...rule.sourceRanges, ...rule.sourceTags, ...rule.sourceServiceAccounts];
  const targets = [...rule.targetTags, ...rule.targetServiceAccounts, ...rule.destinationRanges];
  const said = `${rule.traffic.join(', ')} from ${sources.join(', ') || 'everywhere'} to ${targets.join(', ') || 'every instance'}`;
  return `${rule.action === 'deny' ? 'no ' : ''}${said}${rule.disabled ? ' (disabled)' : ''}`;
}
