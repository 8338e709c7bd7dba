/**
 * What a network lets through, all in all: `gcloud compute networks get-effective-firewalls` evaluated here, in the order of
 * https://cloud.google.com/firewall/docs/firewall-policies-rule-eval-order. Regional network policies are not in that answer.
 */
import { z } from 'zod';
import { common, contains, EVERYWHERE, isPrivate, overlaps, range, ranges, without, type Range } from './ranges.mts';
import { firewallRule, tcpPorts, traffic, type FirewallRule, type PortRange } from './rule.mts';

/** One end of a connection. Strangers have no tags and no account. */
export interface Endpoint {
  readonly address: string;
  readonly tags: readonly string[];
  readonly account?: string;
}

/** The start of a TCP connection. */
export interface Packet {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly port: number;
}

export interface Decision {
  readonly allowed: boolean;
  /** The rule that decided. */
  readonly by: string;
}

// ---- what gcloud prints ----------------------------------------------------------------------------------------

const strings = z.array(z.string()).default([]);
const some = z.array(z.unknown()).default([]);
const networkType = z.string().default('UNSPECIFIED');

const policyRule = z.object({
  action: z.string(),
  direction: z.enum(['INGRESS', 'EGRESS']).default('INGRESS'),
  priority: z.int().default(0),
  disabled: z.boolean().default(false),
  targetResources: strings,
  targetServiceAccounts: strings,
  targetSecureTags: some,
  match: z
    .object({
      srcIpRanges: strings,
      srcAddressGroups: strings,
      srcFqdns: strings,
      srcRegionCodes: strings,
      srcThreatIntelligences: strings,
      srcSecureTags: some,
      srcNetworkType: networkType,
      destIpRanges: strings,
      destAddressGroups: strings,
      destFqdns: strings,
      destRegionCodes: strings,
      destThreatIntelligences: strings,
      destNetworkType: networkType,
      layer4Configs: z.array(z.object({ ipProtocol: z.string(), ports: strings })).default([]),
    })
    .prefault({}),
});
type PolicyRule = z.output<typeof policyRule>;

const policy = z.object({ name: z.string().default('?'), type: z.string().default('UNSPECIFIED'), rules: z.array(policyRule).default([]) });

export const effectiveFirewalls = z.object({ firewalls: z.array(firewallRule).default([]), firewallPolicys: z.array(policy).default([]) });
export type EffectiveFirewalls = z.output<typeof effectiveFirewalls>;

// ---- one form for both sorts of rules --------------------------------------------------------------------------

/** `maybe` where it depends on what cannot be seen from here, such as who has a secure tag. */
type Match = 'yes' | 'no' | 'maybe';

interface Rule {
  readonly label: string;
  readonly direction: 'INGRESS' | 'EGRESS';
  readonly action: 'allow' | 'deny' | 'next';
  readonly ports: readonly PortRange[];
  /** Whether it is about this instance: of what comes in the one that is reached. */
  instance(one: Endpoint): Match;
  /** Whether it is about the other end: of what comes in the source. */
  other(one: Endpoint): boolean;
  /** Addresses of strangers that it is about. */
  readonly strangers: readonly Range[];
  /** Further ones that it may be about. */
  readonly doubtful: readonly Range[];
}

const within = (address: string, all: readonly Range[]): boolean => all.some((each) => contains(each, range(address)));
const isOneOf = ({ account }: Endpoint, accounts: readonly string[]): boolean => account !== undefined && accounts.includes(account);
const hasOneOf = ({ tags }: Endpoint, wanted: readonly string[]): boolean => tags.some((tag) => wanted.includes(tag));

function ofNetwork(rule: FirewallRule): Rule {
  const { direction, targetTags, targetServiceAccounts, sourceTags, sourceServiceAccounts } = rule;
  const [near, far] = direction === 'INGRESS' ? [rule.destinationRanges, rule.sourceRanges] : [rule.sourceRanges, rule.destinationRanges];
  const strangers = far.length + sourceTags.length + sourceServiceAccounts.length === 0 ? EVERYWHERE : ranges(far);
  const isForAll = targetTags.length + targetServiceAccounts.length === 0;
  return {
    label: rule.name,
    direction,
    action: rule.action,
    ports: tcpPorts(rule.traffic),
    instance: (one) => {
      const isTarget = isForAll || hasOneOf(one, targetTags) || isOneOf(one, targetServiceAccounts);
      return isTarget && (near.length === 0 || within(one.address, ranges(near))) ? 'yes' : 'no';
    },
    other: (one) => within(one.address, strangers) || hasOneOf(one, sourceTags) || isOneOf(one, sourceServiceAccounts),
    strangers,
    doubtful: [],
  };
}

const ACTIONS: Readonly<Record<string, Rule['action']>> = { allow: 'allow', deny: 'deny', goto_next: 'next', apply_security_profile_group: 'allow' };

function ofPolicy(rule: PolicyRule, name: string, network: string): Rule {
  const { match, direction, targetResources, targetServiceAccounts, targetSecureTags } = rule;
  const isIngress = direction === 'INGRESS';
  const said = ranges(isIngress ? match.srcIpRanges : match.destIpRanges);
  const unseen = isIngress
    ? [...match.srcAddressGroups, ...match.srcFqdns, ...match.srcRegionCodes, ...match.srcThreatIntelligences]
    : [...match.destAddressGroups, ...match.destFqdns, ...match.destRegionCodes, ...match.destThreatIntelligences];
  const isForAnybody = said.length + unseen.length + (isIngress ? match.srcSecureTags.length : 0) === 0;
  const addresses = isForAnybody ? EVERYWHERE : said;
  const type = isIngress ? match.srcNetworkType : match.destNetworkType;
  const isOfType = (isInside: boolean): boolean => type === 'UNSPECIFIED' || (type === 'INTERNET') !== isInside;
  return {
    label: `rule ${String(rule.priority)} of policy ${name}`,
    direction,
    action: ACTIONS[rule.action] ?? 'next',
    ports: tcpPorts(traffic(match.layer4Configs.map(({ ipProtocol, ports }) => ({ protocol: ipProtocol, ports })))),
    instance: (one) => {
      const isHere = targetResources.length === 0 || targetResources.some((url) => url.endsWith(`/${network}`));
      if (!isHere || (targetServiceAccounts.length > 0 && !isOneOf(one, targetServiceAccounts))) return 'no';
      return targetSecureTags.length > 0 ? 'maybe' : 'yes';
    },
    other: ({ address }) => isOfType(isPrivate(range(address))) && within(address, addresses),
    strangers: isOfType(false) ? addresses : [],
    doubtful: isOfType(false) && unseen.length > 0 ? EVERYWHERE : [],
  };
}

// ---- their order -----------------------------------------------------------------------------------------------

/** Looked at in their order until one allows or denies; `next` goes on to the next layer. */
type Layer = readonly Rule[];

const inForce = <T extends { readonly priority: number; readonly disabled: boolean }>(rules: readonly T[]): readonly T[] =>
  rules.filter(({ disabled }) => !disabled).sort((one, other) => one.priority - other.priority);

/**
 * The layers of a network, given as `projects/PROJECT/global/networks/NAME`. It may have policies looked at before its own rules; the answer does not say
 * whether it does, so there are two orders where it makes a difference.
 */
export function orders({ firewalls, firewallPolicys }: EffectiveFirewalls, network: string): readonly (readonly Layer[])[] {
  // Of two rules of one priority the one that denies wins.
  const own = inForce([...firewalls].sort((one, other) => other.action.localeCompare(one.action))).map(ofNetwork);
  const ofTypes = (...types: readonly string[]): readonly Layer[] =>
    types.flatMap((type) =>
      firewallPolicys.filter((each) => each.type === type).map(({ name, rules }) => inForce(rules).map((rule) => ofPolicy(rule, name, network))),
    );
  const first = ofTypes('HIERARCHY', 'SYSTEM');
  const policies = ofTypes('NETWORK', 'UNSPECIFIED');
  return policies.length === 0
    ? [[...first, own]]
    : [
        [...first, own, ...policies],
        [...first, ...policies, own],
      ];
}

const opens = ({ ports }: Rule, port: number): boolean => ports.some(({ first, last }) => first <= port && port <= last);

/** Whether a connection gets through, out of where it starts and in where it goes. What depends on what cannot be seen from here decides nothing. */
export function verdict(layers: readonly Layer[], { from, to, port }: Packet): Decision {
  const inwards = decide(layers, 'INGRESS', to, from, port) ?? { allowed: false, by: 'no rule allows it' };
  const isStranger = from.tags.length === 0 && from.account === undefined;
  const outwards = isStranger ? undefined : decide(layers, 'EGRESS', from, to, port);
  return inwards.allowed && outwards?.allowed === false ? outwards : inwards;
}

function decide(layers: readonly Layer[], direction: Rule['direction'], instance: Endpoint, other: Endpoint, port: number): Decision | undefined {
  for (const layer of layers) {
    const first = layer.find((rule) => rule.direction === direction && opens(rule, port) && rule.instance(instance) === 'yes' && rule.other(other));
    if (first !== undefined && first.action !== 'next') return { allowed: first.action === 'allow', by: first.label };
  }
  return undefined;
}

export interface Exposure {
  readonly ranges: readonly Range[];
  readonly by: string;
  /** What that rule says about who may come. */
  readonly from: readonly Range[];
}

/** Which of these strangers reach a port of an instance, and by which rule: whoever may be let in counts as let in. */
export function exposures(layers: readonly Layer[], to: Endpoint, port: number, strangers: readonly Range[]): readonly Exposure[] {
  const found: Exposure[] = [];
  let undecided = strangers;
  for (const layer of layers) {
    let here = undecided;
    const passedOn: Range[] = [];
    for (const rule of layer.filter((each) => each.direction === 'INGRESS' && opens(each, port))) {
      const about = rule.instance(to);
      if (about === 'no') continue;
      const certain = about === 'yes' ? common(here, rule.strangers) : [];
      const possible = without(common(here, [...rule.strangers, ...rule.doubtful]), certain);
      const decided = rule.action === 'allow' ? [...certain, ...possible] : certain;
      here = without(here, decided);
      if (rule.action === 'next') passedOn.push(...possible);
      else undecided = without(undecided, decided);
      if (rule.action === 'allow' && decided.length > 0) {
        const from = [...rule.strangers, ...rule.doubtful].filter((each) => decided.some((other) => overlaps(each, other)));
        found.push({ ranges: decided, by: rule.label, from });
      }
    }
    undecided = [...undecided, ...without(passedOn, undecided)];
  }
  return found;
}
