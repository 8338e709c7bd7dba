/** What answers at the external addresses of instances, seen from this machine: a second opinion that asks no rule. */
import { join } from 'node:path';
import { z } from 'zod';
import { all, constant, gcloudJson, pass, wrong, type Check, type Inventory, type Judgement, type Question, type Skipped } from '../../lib/index.mts';
import { isOfDefaultNetwork, reaches } from './foreign.mts';
import { machines, type Machines } from './machines.mts';
import { contains, isPublic, range, ranges } from './ranges.mts';
import { IAP_RANGE, nameOf, openings, type Opening } from './reach.mts';
import { listedRules } from './resources.mts';
import type { Realm } from './realms.mts';
import type { FirewallRule } from './rule.mts';

const probed = z.object({ own: z.array(z.string()), answers: z.record(z.string(), z.enum(['open', 'refused', 'silent', 'unreachable'])) });
export type Probed = z.output<typeof probed>;

/** Nobody has it (RFC 5737): who answers there answers for everybody, such as a proxy between here and the internet. */
const NOBODY = '198.51.100.1';
const controlOf = (place: string): string => place.replace(/^.*:/, `${NOBODY}:`);

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
export function doorsOf(inventory: Inventory, realm: Realm, existing: Machines): readonly Door[] {
  const byPlace = Map.groupBy(
    openings(inventory, realm).flatMap((opening) => {
      const address = existing.get(opening.host.name)?.outside;
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
  const ask = all({ existing: machines(inventory, realm), rules: listedRules(realm) });
  return {
    id,
    ask: ask.map(({ existing, rules }) => ({ doors: doorsOf(inventory, realm, existing), rules: rules.filter(({ network }) => network === realm.network) })),
    closer: (seen) =>
      seen.doors.length === 0
        ? constant(seen)
        : probe([...new Set(seen.doors.flatMap(({ place }) => [place, controlOf(place)]))]).map((answered) => ({ ...seen, probed: answered })),
    judge: ({ doors, rules, probed: answered }) =>
      answered === undefined ? { kind: 'skipped', because: 'no instance has an address that the internet reaches' } : judgeDoors(doors, rules, answered),
    retry: { everyMs: 5000, deadlineMs: 60_000 },
  };
}

/** Closed is what is for nobody outside; open is what is for this machine. Whether another machine behind the same door gets in cannot be seen from here. */
export function judgeDoors(tried: readonly Door[], rules: readonly FirewallRule[], { own, answers }: Probed): Judgement | Skipped {
  const doors = tried.filter(({ place }) => answers[controlOf(place)] !== 'open');
  if (doors.length === 0) return { kind: 'skipped', because: 'something between this machine and the internet answers for everybody' };
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
const isOpenByDefault = (opening: Opening, rules: readonly FirewallRule[]): boolean => rules.some((rule) => isOfDefaultNetwork(rule) && reaches(rule, opening));
