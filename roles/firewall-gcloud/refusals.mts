/** What no firewall is made of, seen from the inventory alone: nothing has been asked or changed when it is said. */
import { place, type Host, type HostName, type Inventory, type Refusal } from '../../lib/index.mts';
import { gcp } from '../gcp-instances/contract.mts';
import { kibana, kibanaHosts } from '../kibana/contract.mts';
import { isPrivate, isPublic, parseRange, prefixLength, type Range } from './ranges.mts';
import { isData, nameOf, openings, tagGroups, type Opening } from './reach.mts';
import { disagreements, realms, type Realm } from './realms.mts';
import { portRange, touches } from './rule.mts';
import { coverOf } from './wanted.mts';

/** The widest range of operators that needs no words. */
const WORDLESS = { 4: 24, 6: 64 } as const;
/** Wider than this is nobody's network, whatever the words. */
const WIDEST = { 4: 8, 6: 16 } as const;

export const refusals = (inventory: Inventory): readonly Refusal[] => {
  const all = realms(inventory);
  return [...clashes(all), ...all.flatMap((realm) => ofRealm(inventory, realm))];
};

const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });
const refused = (reason: string, hint: string): Refusal => ({ kind: 'refused', reason, hint });

/** Where a host gets a variable from: `firewall_gcloud_operators (gcp.yaml:12:5)`. */
function said(inventory: Inventory, host: HostName, variable: string): string {
  const source = inventory.explain(host, variable)?.source;
  return source === undefined ? variable : `${variable} (${place(source)})`;
}

/** Names of rules are those of a project, whatever the network. */
const clashes = (all: readonly Realm[]): readonly Refusal[] =>
  [...Map.groupBy(all, ({ project, prefix }) => `${project} ${prefix}`).values()].flatMap(([first, second]) => {
    if (first === undefined || second === undefined) return [];
    return [
      usage(
        `networks ${first.network} and ${second.network} of project ${first.project} have the same gcp_prefix, ${first.prefix}, and with it rules of the same names`,
        `set another gcp_prefix for the hosts of ${second.network}`,
      ),
    ];
  });

function ofRealm(inventory: Inventory, realm: Realm): readonly Refusal[] {
  const open = openings(inventory, realm);
  return [
    ...disagreements(realm).map(({ variable, one, other }) =>
      usage(
        `${one.name} and ${other.name} are in one network, and say different things: ${said(inventory, one.name, `firewall_gcloud_${variable}`)} and ${said(inventory, other.name, `firewall_gcloud_${variable}`)}`,
        'set it once, for all of them',
      ),
    ),
    ...nobody(inventory, realm, open),
    ...named(inventory, realm).flatMap((each) => ofRange(realm, each)),
    ...kibanas(inventory, realm),
    ...(realm.settings.identity === 'tags' ? logins(inventory, realm, open) : accounts(realm)),
    ...unknownGroups(inventory, realm),
  ];
}

/** People were forgotten, or nobody could log in. */
function nobody(inventory: Inventory, { settings }: Realm, open: readonly Opening[]): readonly Refusal[] {
  const forPeople = open.filter(({ what, ranges }) => what.endsWith('-operators') && ranges.length === 0);
  const [first] = forPeople;
  if (first === undefined) return [];
  if (settings.operators === undefined)
    return [
      usage(
        `nobody says who may come to ${[...new Set(forPeople.map(({ what, port }) => `${nameOf({ what })} (${port})`))].join(' and ')} from outside`,
        'list their address ranges: firewall_gcloud_operators: [203.0.113.7/32], with your own; [] for nobody, and a tunnel',
      ),
    ];
  const login = forPeople.find(({ sort }) => sort === 'login');
  if (login === undefined) return [];
  return [
    usage(
      `${said(inventory, login.host.name, 'firewall_gcloud_operators')} is empty: nobody could log in to ${login.host.name}, this program included`,
      'name a range, or say gcp_access: iap or connection_jump for it',
    ),
  ];
}

// ---- ranges ----------------------------------------------------------------------------------------------------

interface Named {
  readonly text: string;
  readonly range: Range;
  /** Variable and place. */
  readonly where: string;
  /** A port for data that it would open, in words. */
  readonly data: string | undefined;
}

/** Every range that anything in the realm names. */
function named(inventory: Inventory, realm: Realm): readonly Named[] {
  const { settings, hosts } = realm;
  const speaker = (variable: string): HostName | undefined =>
    hosts.find(({ name }) => inventory.explain(name, variable)?.source !== undefined)?.name ?? hosts[0]?.name;
  const of = (variable: string, texts: readonly string[], data?: string, host = speaker(variable)): readonly Named[] =>
    texts.flatMap((text) => {
      const range = parseRange(text);
      return range === undefined || host === undefined ? [] : [{ text, range, where: said(inventory, host, variable), data }];
    });
  return [
    ...of('firewall_gcloud_operators', settings.operators ?? []),
    ...Object.entries(settings.private_ranges ?? {}).flatMap(([listener, texts]) => of('firewall_gcloud_private_ranges', texts, listener)),
    ...(settings.extra ?? []).flatMap((rule) => of('firewall_gcloud_extra', rule.from, dataPort(inventory, realm, rule.ports))),
    ...kibanaHosts(inventory)
      .filter((host) => hosts.includes(host))
      .flatMap((host) => of('kibana_exposure_sources', host.vars(kibana).exposure_sources ?? [], undefined, host.name)),
  ];
}

/** A port of data among these, whichever host has it. */
const dataPort = (inventory: Inventory, realm: Realm, ports: readonly string[]): string | undefined =>
  openings(inventory, realm).find(({ what, port }) => isData(what) && ports.some((each) => touches(portRange(each), portRange(port))))?.what;

function ofRange({ settings }: Realm, { text, range, where, data }: Named): readonly Refusal[] {
  const bits = prefixLength(range) ?? 0;
  if (bits === 0)
    return [refused(`${where} has ${text}: that is everybody on the internet`, 'name the networks of the people who use it, such as 203.0.113.7/32')];
  if (!isPrivate(range) && !isPublic(range))
    return [refused(`${where} has ${text}: it has private addresses and some of the internet`, 'name the one that is meant, such as 10.0.0.0/8')];
  if (data !== undefined && !isPrivate(range))
    return [
      refused(
        `${where} has ${text} for ${data}: it has no login, and that is a range of the internet`,
        'data is for hosts of the inventory and private ranges; let others come by a VPN or a tunnel',
      ),
    ];
  if (data !== undefined) return [];
  if (bits < WIDEST[range.family]) return [refused(`${where} has ${text}: that is a good part of the internet`, 'name the networks of the people who use it')];
  if (bits < WORDLESS[range.family] && settings.operators_wide === undefined)
    return [
      refused(
        `${where} has ${text}, which is wider than /${String(WORDLESS[range.family])}`,
        'name narrower ranges, or say why it has to be so wide: firewall_gcloud_operators_wide: our office has a /20',
      ),
    ];
  return [];
}

// ---- hosts -----------------------------------------------------------------------------------------------------

/** They share a rule. */
function kibanas(inventory: Inventory, { hosts }: Realm): readonly Refusal[] {
  const here = kibanaHosts(inventory).filter((host) => hosts.includes(host));
  const people = (host: Host): string => {
    const { exposure, exposure_sources: sources = [] } = host.vars(kibana);
    return exposure === 'public' ? [...sources].sort().join() : '';
  };
  const [one] = here;
  const other = here.find((host) => one !== undefined && people(host) !== people(one));
  if (one === undefined || other === undefined) return [];
  return [
    usage(
      `Kibana of ${one.name} and of ${other.name} are for different people, and share a rule`,
      'set kibana_exposure and kibana_exposure_sources for the group monitoring',
    ),
  ];
}

/** Rules name hosts by their groups: who logs in another way than the rest of its group cannot be named. */
function logins(inventory: Inventory, realm: Realm, open: readonly Opening[]): readonly Refusal[] {
  const ways = Map.groupBy(
    open.filter(({ sort }) => sort === 'login'),
    ({ what }) => what,
  );
  return [...ways.values()].flatMap((some) =>
    coverOf(inventory, realm, some).left.map((host) =>
      usage(
        tagGroups(host).length === 0
          ? `${host.name} is in no group, and rules name hosts by the tags of their groups`
          : `${host.name} is reached by ssh another way than other hosts of each of its groups (${tagGroups(host).join(', ')})`,
        'put it into a group of its own, such as bastions',
      ),
    ),
  );
}

const accounts = ({ hosts }: Realm): readonly Refusal[] =>
  hosts
    .filter((host) => host.vars(gcp).service_account === 'none')
    .map(({ name }) =>
      usage(`${name} has no gcp_service_account, by which firewall_gcloud_identity: service-accounts names hosts`, 'give every group an account of its own'),
    );

const unknownGroups = (inventory: Inventory, { settings }: Realm): readonly Refusal[] =>
  (settings.extra ?? []).flatMap(({ name, from, to }) =>
    [...from.filter((each) => parseRange(each) === undefined), ...to]
      .filter((group) => inventory.group(group).length === 0)
      .map((group) =>
        usage(`rule ${name} of firewall_gcloud_extra names ${group}, which is no group with hosts`, 'name a group of the inventory, or an address range'),
      ),
  );
