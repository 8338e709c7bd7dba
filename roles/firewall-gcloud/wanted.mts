/** The rules that let in who may come, and nobody else: one for each thing that is reached, from tags to tags. */
import type { Host, Inventory } from '../../lib/index.mts';
import { gcp, groupTag } from '../gcp-instances/contract.mts';
import { ownerMark } from './contract.mts';
import { range } from './ranges.mts';
import { IAP_RANGE, nameOf, openings, tagGroups, type Opening } from './reach.mts';
import { isNear, type Realm } from './realms.mts';
import { rangeSet, sameSpelling, traffic, type FirewallRule } from './rule.mts';

/** That of Google's own rules and of most people's; lower numbers win. */
const PRIORITY = 1000;

/** Sorted by name. */
export const wantedRules = (inventory: Inventory, realm: Realm): readonly FirewallRule[] =>
  [...Map.groupBy(openings(inventory, realm), ({ what }) => what)]
    .flatMap(([what, some]) => rulesFor(inventory, realm, what, some))
    .sort((one, other) => one.name.localeCompare(other.name));

function rulesFor(inventory: Inventory, realm: Realm, what: string, some: readonly Opening[]): readonly FirewallRule[] {
  const { tags, accounts, addresses } = sourcesOf(inventory, realm, some);
  const ranges = rangeSet([...some.flatMap((opening) => opening.ranges), ...addresses]);
  // What an instance wants of itself passes no firewall.
  if (ranges.length === 0 && some.every(({ from }) => from.length === 0)) return [];
  const base = {
    name: `${realm.prefix}-${what}`,
    network: realm.network,
    direction: 'INGRESS' as const,
    action: 'allow' as const,
    priority: PRIORITY,
    disabled: false,
    description: `Lets ${whoComes(some)} reach ${nameOf({ what })}. ${ownerMark(realm.prefix)}`,
    traffic: traffic([{ protocol: 'tcp', ports: some.map(({ port }) => port) }]),
    ...targetsOf(inventory, realm, some),
    destinationRanges: [],
  };
  // A rule of Google has ranges of one family only.
  const [modern, old] = [6, 4].map((family) => ranges.filter((each) => range(each).family === family));
  const rules: readonly FirewallRule[] = [
    { ...base, sourceRanges: old ?? [], sourceTags: tags, sourceServiceAccounts: accounts },
    { ...base, name: `${base.name}-ipv6`, sourceRanges: modern ?? [], sourceTags: [], sourceServiceAccounts: [] },
  ];
  return rules.filter(({ sourceRanges, sourceTags, sourceServiceAccounts }) => sourceRanges.length + sourceTags.length + sourceServiceAccounts.length > 0);
}

function whoComes(some: readonly Opening[]): string {
  const ranges = some.flatMap((opening) => opening.ranges);
  const ofOperators = some.some(({ sort }) => sort === 'people' || sort === 'login');
  const outside = ranges.includes(IAP_RANGE) ? 'Identity-Aware Proxy' : ofOperators ? 'operators' : 'the ranges that were named';
  const inside = some.flatMap(({ from, fromGroups }) => (fromGroups.length > 0 ? fromGroups : from.map(({ name }) => name)));
  const all = [...new Set(inside), ...(ranges.length > 0 ? [outside] : [])];
  return all.length < 2 ? (all[0] ?? 'nobody') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`;
}

// ---- sources ---------------------------------------------------------------------------------------------------

interface Sources {
  readonly tags: readonly string[];
  readonly accounts: readonly string[];
  /** Of hosts about which tags and accounts say nothing. */
  readonly addresses: readonly string[];
}

function sourcesOf(inventory: Inventory, realm: Realm, some: readonly Opening[]): Sources {
  const hosts = [...new Set(some.flatMap(({ from }) => from))];
  const near = hosts.filter((host) => isNear(host, realm));
  const far = hosts.filter((host) => !near.includes(host));
  if (realm.settings.identity === 'service-accounts') return { tags: [], accounts: accountsOf(near), addresses: addressesOf(far) };
  const members = (group: string): readonly Host[] => inventory.group(group).filter((host) => isNear(host, realm));
  const groups = [...new Set(some.flatMap(({ fromGroups }) => fromGroups))];
  // A host that does not come as one of a group, such as a bastion, is named by groups of its kind alone, else by its address.
  const alone = near.filter((host) => !groups.some((group) => members(group).includes(host)));
  const own = cover(alone, [...new Set(alone.flatMap(tagGroups))], members);
  const tags = [...groups, ...own.groups].flatMap((group) => members(group).map((host) => groupTag(host.vars(gcp), group)));
  return { tags: sameSpelling(tags), accounts: [], addresses: addressesOf([...far, ...own.left]) };
}

const accountsOf = (hosts: readonly Host[]): readonly string[] => sameSpelling(hosts.map((host) => host.vars(gcp).service_account));

/** Of those that say one: nothing is let in that nobody named. */
const addressesOf = (hosts: readonly Host[]): readonly string[] =>
  hosts.flatMap(({ privateAddress }) => (privateAddress === undefined ? [] : [`${privateAddress}/${privateAddress.includes(':') ? '128' : '32'}`]));

// ---- targets ---------------------------------------------------------------------------------------------------

function targetsOf(inventory: Inventory, realm: Realm, some: readonly Opening[]): Pick<FirewallRule, 'targetTags' | 'targetServiceAccounts'> {
  if (realm.settings.identity === 'service-accounts') return { targetTags: [], targetServiceAccounts: accountsOf(some.map(({ host }) => host)) };
  const { groups, left } = coverOf(inventory, realm, some);
  // Then a port is open where nobody listens at it. Logins, for which everybody listens, are refused instead.
  const coarse = some
    .filter(({ host }) => left.includes(host))
    .flatMap(({ host, groups: own }) => own.find((group) => inventory.group(group).includes(host)) ?? []);
  return { targetTags: sameSpelling([...groups, ...coarse].map((group) => groupTag(realm, group))), targetServiceAccounts: [] };
}

export interface Cover {
  readonly groups: readonly string[];
  /** Hosts that none of them names without naming another one too. */
  readonly left: readonly Host[];
}

/** Groups that name the instances of these openings and no other of the realm. */
export const coverOf = (inventory: Inventory, { hosts }: Realm, some: readonly Opening[]): Cover =>
  cover([...new Set(some.map(({ host }) => host))], [...new Set(some.flatMap(({ groups }) => groups))], (group) =>
    inventory.group(group).filter((host) => hosts.includes(host)),
  );

/** Candidates in their order, each that names somebody new and nobody else. */
const cover = (hosts: readonly Host[], candidates: readonly string[], members: (group: string) => readonly Host[]): Cover =>
  candidates.reduce<Cover>(
    (so, group) => {
      const its = members(group);
      const helps = its.some((host) => so.left.includes(host)) && its.every((host) => hosts.includes(host));
      return helps ? { groups: [...so.groups, group], left: so.left.filter((host) => !its.includes(host)) } : so;
    },
    { groups: [], left: hosts },
  );
