/** Rules of others that open what is ours to more than we do. */
import type { Host, Inventory } from '../../lib/index.mts';
import { isOurs } from './contract.mts';
import { machineOf, type Machine, type Machines } from './machines.mts';
import { EVERYWHERE, ranges, rangeText, without } from './ranges.mts';
import { nameOf, openings, type Opening } from './reach.mts';
import { realms, type Realm } from './realms.mts';
import { portRange, tcpPorts, touches, type FirewallRule } from './rule.mts';
import { wantedRules } from './wanted.mts';

export interface ForeignRule {
  readonly rule: FirewallRule;
  /** Sources that ours do not let in. */
  readonly beyond: readonly string[];
  /** What they reach, such as `elasticsearch-http (9200)`. */
  readonly what: readonly string[];
  readonly hosts: readonly Host[];
}

/** Of the realm's network, in the order of the list. Disabled ones and those that deny open nothing. */
export function foreignRules(inventory: Inventory, realm: Realm, rules: readonly FirewallRule[], existing: Machines): readonly ForeignRule[] {
  const ours = wantedRules(inventory, realm);
  const own = realms(inventory).filter(({ project }) => project === realm.project);
  const open = openings(inventory, realm);
  return rules
    .filter(({ network, direction, action, disabled }) => network === realm.network && direction === 'INGRESS' && action === 'allow' && !disabled)
    .filter((rule) => !own.some(({ prefix }) => isOurs(rule, prefix)) && !ours.some(({ name }) => name === rule.name))
    .flatMap((rule) => {
      const opened = open.flatMap((opening) => {
        const beyond = reaches(rule, opening, existing) ? beyondOurs(rule, opening, ours) : [];
        return beyond.length === 0 ? [] : [{ opening, beyond }];
      });
      if (opened.length === 0) return [];
      return [
        {
          rule,
          beyond: [...new Set(opened.flatMap(({ beyond }) => beyond))],
          what: [...new Set(opened.map(({ opening }) => `${nameOf(opening)} (${opening.port})`))],
          hosts: [...new Set(opened.map(({ opening }) => opening.host))],
        },
      ];
    });
}

const isTarget = ({ targetTags, targetServiceAccounts }: FirewallRule, { tags, account }: Machine): boolean =>
  targetTags.length + targetServiceAccounts.length === 0 ||
  tags.some((tag) => targetTags.includes(tag)) ||
  (account !== undefined && targetServiceAccounts.includes(account));

export const reaches = (rule: FirewallRule, { host, port }: Opening, existing?: Machines): boolean =>
  isTarget(rule, machineOf(host, existing)) && tcpPorts(rule.traffic).some((each) => touches(each, portRange(port)));

function beyondOurs(rule: FirewallRule, opening: Opening, ours: readonly FirewallRule[]): readonly string[] {
  const same = ours.filter((each) => reaches(each, opening));
  const addresses = opening.from.flatMap(({ privateAddress }) => privateAddress ?? []);
  const allowed = ranges([...same.flatMap(({ sourceRanges }) => sourceRanges), ...addresses]);
  const isForAll = rule.sourceRanges.length + rule.sourceTags.length + rule.sourceServiceAccounts.length === 0;
  const wide = rule.sourceRanges.filter((each) => without(ranges([each]), allowed).length > 0);
  return [
    ...(isForAll ? EVERYWHERE.map(rangeText) : wide),
    ...rule.sourceTags.filter((tag) => !same.some(({ sourceTags }) => sourceTags.includes(tag))),
    ...rule.sourceServiceAccounts.filter((account) => !same.some(({ sourceServiceAccounts }) => sourceServiceAccounts.includes(account))),
  ];
}

/** As Google makes them with a project's network `default`: name, sources and traffic. */
const OF_DEFAULT: Readonly<Record<string, readonly [string, string]>> = {
  'default-allow-internal': ['10.128.0.0/9', 'icmp,tcp,udp'],
  'default-allow-ssh': ['0.0.0.0/0', 'tcp:22'],
  'default-allow-rdp': ['0.0.0.0/0', 'tcp:3389'],
  'default-allow-icmp': ['0.0.0.0/0', 'icmp'],
};

/** Whether Google made it with the network, and nobody changed it since. */
export function isOfDefaultNetwork({ name, network, sourceRanges, traffic }: Pick<FirewallRule, 'name' | 'network' | 'sourceRanges' | 'traffic'>): boolean {
  const made = Object.hasOwn(OF_DEFAULT, name) ? OF_DEFAULT[name] : undefined;
  return network === 'default' && made?.[0] === sourceRanges.join(',') && made[1] === traffic.join(',');
}

/** Such as `corp-all lets 10.0.0.0/8 reach elasticsearch-http (9200) of es-01, es-02`. */
export const foreignText = ({ rule, beyond, what, hosts }: ForeignRule): string =>
  `${rule.name} lets ${beyond.join(', ')} reach ${what.join(', ')} of ${hosts.map(({ name }) => name).join(', ')}`;
