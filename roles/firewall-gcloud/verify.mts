/** Judgements about what the network really lets through: evaluated here from its rules and policies, and tried from outside. */
import {
  all,
  bracketed,
  gcloud,
  gcloudJson,
  pass,
  playing,
  wrong,
  type Check,
  type Host,
  type Inventory,
  type Judgement,
  type Question,
} from '../../lib/index.mts';
import { publicUrl, kibana } from '../kibana/contract.mts';
import { commandText, creation, deletion } from './compare.mts';
import { effectiveFirewalls, exposures, orders, verdict, type EffectiveFirewalls, type Endpoint } from './effective.mts';
import { foreignRules, foreignText, isOfDefaultNetwork, type ForeignRule } from './foreign.mts';
import { machineOf, machines, type Machines } from './machines.mts';
import { outsideCheck } from './outside.mts';
import { edges, INTERNET, range, ranges, rangeText, without } from './ranges.mts';
import { nameOf, openings, type Opening } from './reach.mts';
import { isNear, realms, type Realm } from './realms.mts';
import { listedRules } from './resources.mts';
import { portRange, type FirewallRule } from './rule.mts';
import { wantedRules } from './wanted.mts';

/** Rules are in force some seconds after they were made. */
const RETRY = { everyMs: 3000, deadlineMs: 60_000 };

const MOST_SHOWN = 5;
const shown = (texts: readonly string[]): string => {
  const each = [...new Set(texts)];
  return each.length <= MOST_SHOWN ? each.join('; ') : `${each.slice(0, MOST_SHOWN).join('; ')}; and ${String(each.length - MOST_SHOWN)} more`;
};

export function realmChecks(inventory: Inventory, realm: Realm): readonly Check[] {
  const suffix = realms(inventory).length === 1 ? '' : ` ${realm.project}/${realm.network}/${realm.prefix}`;
  const existing = machines(inventory, realm);
  const inForce = all({ effective: askEffective(realm), existing });
  return [
    { id: `flows${suffix}`, ask: inForce, judge: (now: InForce) => judgeFlows(inventory, realm, now), retry: RETRY },
    { id: `closed${suffix}`, ask: inForce, judge: (now: InForce) => judgeClosed(inventory, realm, now), retry: RETRY },
    {
      id: `foreign-rules${suffix}`,
      headline: `rules of others${suffix}`,
      ask: all({ rules: listedRules(realm), existing }),
      judge: (now: Listed) => judgeForeign(inventory, realm, now),
      retry: RETRY,
    },
    outsideCheck(inventory, realm, `outside${suffix}`),
    {
      id: `people${suffix}`,
      needs: [`flows${suffix}`],
      headline: `open to people${suffix}`,
      ask: existing,
      judge: (now: Machines) => pass(peopleText(inventory, realm, now)),
      retry: RETRY,
    },
  ];
}

interface Listed {
  readonly rules: readonly FirewallRule[];
  readonly existing: Machines;
}

export interface InForce {
  readonly effective: EffectiveFirewalls;
  readonly existing: Machines;
}

const askEffective = ({ project, network }: Realm): Question<EffectiveFirewalls> =>
  gcloudJson(effectiveFirewalls, gcloud(['compute', 'networks', 'get-effective-firewalls', network], { project }));

const layersOf = ({ effective }: InForce, { project, network }: Realm): ReturnType<typeof orders> =>
  orders(effective, `projects/${project}/global/networks/${network}`);

// ---- what must get through -------------------------------------------------------------------------------------

/** An instance of the network with its tags and account, or a host elsewhere; `undefined` for one whose address nobody knows. */
function endpointOf(host: Host, realm: Realm, existing: Machines): Endpoint | undefined {
  const { privateAddress: address } = host;
  if (address === undefined) return undefined;
  return isNear(host, realm) ? { address, ...machineOf(host, existing) } : { address, tags: [] };
}

export interface Flow {
  readonly opening: Opening;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Who comes, for people. */
  readonly who: string;
}

/** Every connection that the inventory is about. */
export const flowsOf = (inventory: Inventory, realm: Realm, existing: Machines): readonly Flow[] =>
  openings(inventory, realm).flatMap((opening) => {
    const to = endpointOf(opening.host, realm, existing);
    if (to === undefined) return [];
    const hosts = opening.from.flatMap((host) => {
      const from = endpointOf(host, realm, existing);
      return from === undefined ? [] : [{ opening, from, to, who: host.name }];
    });
    return [...hosts, ...opening.ranges.flatMap((each) => edges(range(each)).map((address) => ({ opening, from: { address, tags: [] }, to, who: each })))];
  });

export function judgeFlows(inventory: Inventory, realm: Realm, now: InForce): Judgement {
  const flows = flowsOf(inventory, realm, now.existing);
  const orders = layersOf(now, realm);
  const blocked = flows.flatMap(({ opening, from, to, who }) => {
    const { first: port } = portRange(opening.port);
    const no = orders.map((layers) => verdict(layers, { from, to, port })).find(({ allowed }) => !allowed);
    return no === undefined ? [] : [`${who} to ${opening.host.name} ${opening.port} (${nameOf(opening)}): ${no.by}`];
  });
  if (blocked.length === 0) return pass(`${String(flows.length)} ways between hosts and from operators, each let through`);
  return wrong('every connection that the inventory is about to be let through', shown(blocked), wayOut(inventory, realm, now.effective));
}

/** The program makes its own rules; where it may not, somebody else does. */
function wayOut(inventory: Inventory, realm: Realm, { firewalls }: EffectiveFirewalls): string {
  const rest = 'a rule or policy that denies has to go, or to let this through';
  if (realm.settings.managed) return `${playing({ inventory }, 'firewall-gcloud')} makes what is missing; ${rest}`;
  const missing = wantedRules(inventory, realm).filter(({ name }) => !firewalls.some((rule) => rule.name === name));
  return [...missing.map((rule) => commandText(creation(rule, realm.project))), rest].join('\n');
}

// ---- what must not ---------------------------------------------------------------------------------------------

export function judgeClosed(inventory: Inventory, realm: Realm, now: InForce): Judgement {
  const orders = layersOf(now, realm);
  const byDefault = new Set(now.effective.firewalls.filter(isOfDefaultNetwork).map(({ name }) => name));
  const doors = [...Map.groupBy(openings(inventory, realm), ({ host, port }) => `${host.name} ${port}`).values()];
  const open = doors.flatMap((some) => {
    const [first] = some;
    const to = first === undefined ? undefined : endpointOf(first.host, realm, now.existing);
    if (first === undefined || to === undefined) return [];
    const strangers = without(INTERNET, ranges(some.flatMap((opening) => opening.ranges)));
    const { first: lowest, last: highest } = portRange(first.port);
    const ports = [...new Set([lowest, highest])];
    return orders
      .flatMap((layers) => ports.flatMap((port) => exposures(layers, to, port, strangers)))
      .filter(({ by }) => !byDefault.has(by))
      .map(({ from, by }) => `${nameOf(first)} ${first.port} of ${first.host.name} from ${shown(from.map(rangeText))} (${by})`);
  });
  if (open.length === 0) return pass(`${String(doors.length)} ports closed to the internet, but for whom the inventory names`);
  return wrong(
    'no way in from the internet but for whom the inventory names',
    shown(open),
    `end or narrow the rule that is named; of this program's own: ${playing({ inventory }, 'firewall-gcloud')}`,
  );
}

export function judgeForeign(inventory: Inventory, realm: Realm, { rules, existing }: Listed): Judgement {
  const foreign = foreignRules(inventory, realm, rules, existing);
  const googles = foreign.filter(({ rule }) => isOfDefaultNetwork(rule));
  const known = foreign.filter((each) => !googles.includes(each) && realm.settings.known_rules?.[each.rule.name] !== undefined);
  const others = foreign.filter((each) => !googles.includes(each) && !known.includes(each));
  const command = (each: ForeignRule): string => commandText(deletion([each.rule.name], realm.project));
  if (others.length > 0)
    return wrong(
      'no rule of others that opens ports of ours to more than the inventory does',
      shown(others.map(foreignText)),
      [...others.map(command), 'or, where it is meant: name it in firewall_gcloud_known_rules, and say why'].join('\n'),
    );
  const warning =
    googles.length === 0
      ? []
      : [
          `warning: ${googles.map(foreignText).join('; ')}; they came with the network default; end them, where nothing else needs them: ${googles.map(command).join('; ')}`,
        ];
  const said = known.map((each) => `${foreignText(each)} (known: ${realm.settings.known_rules?.[each.rule.name] ?? ''})`);
  return pass([...warning, ...said].join('; ') || 'none opens a port of ours');
}

// ---- for people ------------------------------------------------------------------------------------------------

/** What people reach from where, such as `kibana http://34.64.1.2:5601 from 203.0.113.7/32`. */
export function peopleText(inventory: Inventory, realm: Realm, existing: Machines): string {
  const doors = openings(inventory, realm).filter(({ sort, ranges: who }) => sort === 'people' && who.length > 0);
  if (doors.length === 0)
    return `nothing from outside: gcloud compute start-iap-tunnel INSTANCE PORT --local-host-port=localhost:PORT --project=${realm.project}`;
  return doors.map((door) => `${nameOf(door)} ${urlOf(door, existing)} from ${[...new Set(door.ranges)].join(', ')}`).join('; ');
}

function urlOf({ what, host, port }: Opening, existing: Machines): string {
  const address = existing.get(host.name)?.outside;
  if (what.startsWith('kibana') && host.vars(kibana).base_url !== undefined) return publicUrl(host);
  if (address !== undefined) return `http://${bracketed(address)}:${port}`;
  return `http://${bracketed(host.privateAddress ?? host.name)}:${port} (inside the network only)`;
}
