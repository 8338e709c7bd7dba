import type { Level } from './model.mts';
import type { Problems } from './problems.mts';
import { place } from './problems.mts';
import type { GroupEntry, HostEntry, Setting } from './structure.mts';
import { ancestorsOf, sameValue } from './structure.mts';

/** The setting of a variable that holds for a host, and the level that won. */
export interface Winner {
  readonly level: Extract<Level, 'google cloud' | 'group' | 'host' | 'extra'>;
  readonly setting: Setting;
}

interface Contender {
  readonly group: GroupEntry;
  readonly setting: Setting;
}

/** What the groups of a host say about one variable: those that no child of theirs overrides, and the others. */
interface Contest {
  readonly left: readonly Contender[];
  readonly beaten: readonly Contender[];
}

/** Decides which setting of a variable holds for a host: what a source found < group (child beats parent) < host < `-e`. */
export class Levels {
  readonly #extra: ReadonlyMap<string, Setting>;
  readonly #problems: Problems;
  readonly #ancestors = new Map<GroupEntry, ReadonlySet<GroupEntry>>();
  /** Hosts of the same groups share what their groups say. */
  readonly #byGroups = new Map<string, ReadonlyMap<string, Contest>>();

  constructor(extra: ReadonlyMap<string, Setting>, problems: Problems) {
    this.#extra = extra;
    this.#problems = problems;
  }

  ancestors(group: GroupEntry): ReadonlySet<GroupEntry> {
    const known = this.#ancestors.get(group) ?? ancestorsOf(group);
    this.#ancestors.set(group, known);
    return known;
  }

  /** All groups a host is in, those above its own included. */
  groupsOf(host: HostEntry): ReadonlySet<GroupEntry> {
    return new Set([...host.groups].flatMap((group) => [group, ...this.ancestors(group)]));
  }

  winners(host: HostEntry): ReadonlyMap<string, Winner> {
    const found = new Map<string, Winner>();
    for (const [name, setting] of host.found) found.set(name, { level: 'google cloud', setting });
    for (const [name, contest] of this.#groupSettings(host)) {
      const [first, ...others] = contest.left;
      if (first === undefined) continue;
      if (!host.vars.has(name) && !this.#extra.has(name)) {
        this.#agree(host, first, others);
        this.#sameForAnsible(host, first, contest.beaten);
      }
      found.set(name, { level: 'group', setting: first.setting });
    }
    for (const [name, setting] of host.vars) found.set(name, { level: 'host', setting });
    for (const [name, setting] of this.#extra) found.set(name, { level: 'extra', setting });
    return found;
  }

  /** Groups of which none contains another must say the same: there is no order among them that a reader could see. */
  #agree(host: HostEntry, first: Contender, others: readonly Contender[]): void {
    const other = others.find((each) => !sameValue(each.setting, first.setting));
    if (other === undefined) return;
    const { setting } = other;
    this.#problems.at(
      setting.document,
      setting.at,
      `${setting.name} has two values for hosts of both ${first.group.name} and ${other.group.name} (${host.name})`,
      `the other is at ${place(first.setting.document.source(first.setting.at))}: set it on the hosts, or make one group a child of the other`,
    );
  }

  /** Ansible puts `group_vars` of a parent above what the inventory itself says of a child; here a child always wins, so both must say the same. */
  #sameForAnsible(host: HostEntry, { group, setting }: Contender, beaten: readonly Contender[]): void {
    if (setting.beside === true) return;
    const file = beaten.find((each) => each.setting.beside === true && !sameValue(each.setting, setting));
    if (file === undefined) return;
    const there = file.setting;
    this.#problems.at(
      setting.document,
      setting.at,
      `${setting.name} of group ${group.name} differs from group_vars of ${file.group.name} (${host.name}): Ansible takes the file, this program the child`,
      `the other is at ${place(there.document.source(there.at))}: keep both in group_vars, or both in the inventory`,
    );
  }

  #groupSettings(host: HostEntry): ReadonlyMap<string, Contest> {
    const key = [...host.groups].map((group) => group.name).join(' ');
    const known = this.#byGroups.get(key) ?? this.#contenders(this.groupsOf(host));
    this.#byGroups.set(key, known);
    return known;
  }

  #contenders(groups: ReadonlySet<GroupEntry>): ReadonlyMap<string, Contest> {
    const all = new Map<string, Contender[]>();
    for (const group of groups) {
      for (const [name, setting] of group.vars) {
        const contenders = all.get(name);
        if (contenders === undefined) all.set(name, [{ group, setting }]);
        else contenders.push({ group, setting });
      }
    }
    return new Map([...all].map(([name, contenders]) => [name, this.#contest(contenders)]));
  }

  #contest(contenders: readonly Contender[]): Contest {
    if (contenders.length === 1) return { left: contenders, beaten: [] };
    const above = new Set(contenders.flatMap((each) => [...this.ancestors(each.group)]));
    return { left: contenders.filter((each) => !above.has(each.group)), beaten: contenders.filter((each) => above.has(each.group)) };
  }
}
