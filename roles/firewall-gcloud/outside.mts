/** What answers at the external addresses of instances, seen from this machine: a second opinion that asks no rule. */
import { join } from 'node:path';
import { z } from 'zod';
import {
  all,
  constant,
  gcloudJson,
  pass,
  wrong,
  type Check,
  type Host,
  type HostName,
  type Inventory,
  type Judgement,
  type Question,
  type Skipped,
} from '../../lib/index.mts';
import { addressesOf, gcp, instanceList, type Instance } from '../gcp-instances/contract.mts';
import { isOfDefaultNetwork, isTarget } from './foreign.mts';
import { contains, isPublic, range, ranges } from './ranges.mts';
import { IAP_RANGE, nameOf, openings, type Opening } from './reach.mts';
import { listedRules } from './resources.mts';
import type { Realm } from './realms.mts';
import { portRange, tcpPorts, touches, type FirewallRule } from './rule.mts';

export type Addresses = ReadonlyMap<HostName, string>;

/** External addresses of those hosts that have one now. */
export const externalAddresses = ({ project, mayBeOff, hosts }: Realm): Question<Addresses> =>
  instanceList({ project, network_managed: mayBeOff }).map((instances) => new Map(hosts.flatMap((host) => externalAddress(host, instances))));

function externalAddress(host: Host, instances: readonly Instance[]): readonly (readonly [HostName, string])[] {
  const { zone } = host.vars(gcp);
  const instance = instances.find((each) => each.name === host.name && each.zone === zone);
  const outside = instance === undefined ? undefined : addressesOf(instance).outside;
  return outside === undefined ? [] : [[host.name, outside]];
}

const probed = z.object({ own: z.array(z.string()), answers: z.record(z.string(), z.enum(['open', 'refused', 'silent', 'unreachable'])) });
export type Probed = z.output<typeof probed>;

const probe = (places: readonly string[]): Question<Probed> => gcloudJson(probed, [process.execPath, join(import.meta.dirname, 'bin', 'probe.mts'), ...places]);

/** A port that is tried from outside. */
export interface Door {
  readonly opening: Opening;
  /** ADDRESS:PORT. */
  readonly place: string;
  /** Who may come from outside. */
  readonly ranges: readonly string[];
}

/** Every port of every instance with an address that the internet reaches, once. */
export function doorsOf(inventory: Inventory, realm: Realm, addresses: Addresses): readonly Door[] {
  const byPlace = Map.groupBy(
    openings(inventory, realm).flatMap((opening) => {
      const address = addresses.get(opening.host.name);
      const isOutside = address !== undefined && isPublic(range(address));
      return isOutside && !opening.port.includes('-') ? [{ opening, place: `${address}:${opening.port}` }] : [];
    }),
    ({ place }) => place,
  );
  return [...byPlace].flatMap(([place, some]) => {
    const [first] = some;
    // Identity-Aware Proxy comes from nowhere that this machine could be.
    const from = some.flatMap(({ opening }) => opening.ranges).filter((each) => each !== IAP_RANGE);
    return first === undefined ? [] : [{ opening: first.opening, place, ranges: from }];
  });
}

interface Seen {
  readonly doors: readonly Door[];
  readonly rules: readonly FirewallRule[];
  readonly probed?: Probed;
}

export function outsideCheck(inventory: Inventory, realm: Realm, id: string): Check<Seen> {
  const ask = all({ addresses: externalAddresses(realm), rules: listedRules(realm) });
  return {
    id,
    ask: ask.map(({ addresses, rules }) => ({ doors: doorsOf(inventory, realm, addresses), rules })),
    closer: (seen) =>
      seen.doors.length === 0 ? constant(seen) : probe(seen.doors.map(({ place }) => place)).map((answered) => ({ ...seen, probed: answered })),
    judge: ({ doors, rules, probed: answered }) =>
      answered === undefined ? { kind: 'skipped', because: 'no instance has an address that the internet reaches' } : judgeDoors(doors, rules, answered),
    retry: { everyMs: 5000, deadlineMs: 60_000 },
  };
}

/** Closed is what is for nobody outside; open is what is for this machine. Whether another machine behind the same door gets in cannot be seen from here. */
export function judgeDoors(doors: readonly Door[], rules: readonly FirewallRule[], { own, answers }: Probed): Judgement | Skipped {
  const answerOf = ({ place }: Door): Probed['answers'][string] => answers[place] ?? 'unreachable';
  if (doors.every((door) => answerOf(door) === 'unreachable')) return { kind: 'skipped', because: 'this machine has no way to the internet' };
  const text = (door: Door): string => `${nameOf(door.opening)} of ${door.opening.host.name} at ${door.place}`;
  const isForUs = (door: Door): boolean => own.some((address) => ranges(door.ranges).some((each) => contains(each, range(address.split('%')[0] ?? ''))));
  const closed = doors.filter((door) => door.ranges.length === 0 && !isOpenByDefault(door.opening, rules));
  const exposed = closed.filter((door) => answerOf(door) === 'open');
  const shut = doors.filter((door) => isForUs(door) && ['silent', 'unreachable'].includes(answerOf(door)));
  if (exposed.length > 0)
    return wrong(
      'closed to this machine, which is outside',
      `open: ${exposed.map(text).join(', ')}`,
      'some rule lets it in: see what closed and foreign-rules found, and: gcloud compute networks get-effective-firewalls',
    );
  if (shut.length > 0)
    return wrong(
      'open to this machine, whose address is one of firewall_gcloud_operators',
      `no answer: ${shut.map(text).join(', ')}`,
      'a rule takes some seconds to be in force; a firewall on the way may stop it, too',
    );
  const open = doors.some(isForUs) ? ', open where it may' : '';
  return pass(`closed to this machine where nobody outside may come (${String(closed.length)} of ${String(doors.length)} ports)${open}`);
}

/** The default network's own rules are said once, elsewhere. */
const isOpenByDefault = ({ host, port }: Opening, rules: readonly FirewallRule[]): boolean =>
  rules.some(
    (rule) =>
      isOfDefaultNetwork(rule) &&
      rule.network === host.vars(gcp).network &&
      isTarget(rule, host) &&
      tcpPorts(rule.traffic).some((each) => touches(each, portRange(port))),
  );
