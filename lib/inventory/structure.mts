import type { GroupName, HostName } from '../names.mts';
import { isGroupName, isHostName } from '../names.mts';
import type { Document } from './document.mts';
import type { Problems } from './problems.mts';
import { place, printable, quoted } from './problems.mts';
import { expandRange } from './ranges.mts';
import { closest, didYouMean } from './suggest.mts';
import type { YamlEntry, YamlMap, YamlNode, YamlScalar } from './yaml.mts';
import { toPlain } from './yaml.mts';

/** One variable as somebody wrote it. */
export interface Setting {
  readonly name: string;
  readonly node: YamlNode;
  readonly document: Document;
  /** Offset of its key. */
  readonly at: number;
  /** From a file in group_vars or host_vars, not from the inventory itself. */
  readonly beside?: true;
}

export interface GroupEntry {
  readonly name: GroupName;
  readonly document: Document | undefined;
  readonly at: number;
  readonly vars: Map<string, Setting>;
  readonly children: Set<GroupEntry>;
  readonly parents: Set<GroupEntry>;
  /** Hosts listed in the group itself. */
  readonly hosts: Set<HostEntry>;
}

export interface HostEntry {
  readonly name: HostName;
  readonly document: Document;
  readonly at: number;
  readonly vars: Map<string, Setting>;
  /** What a source of hosts says about it; everything that anybody wrote wins over it. */
  readonly found: Map<string, Setting & { readonly node: YamlScalar }>;
  readonly groups: Set<GroupEntry>;
  /** No file names it: a source alone knows it. */
  readonly isFoundOnly: boolean;
}

/** A host as a source of hosts knows it. */
export interface FoundHost {
  readonly name: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly groups: readonly { readonly name: GroupName; readonly parent?: GroupName }[];
}

const MAX_HOSTS = 10_000;
const SECTIONS = ['hosts', 'children', 'vars'];
const ADDRESS_KEYS = new Set(['ansible_host', 'ansible_port']);

/** Groups, hosts and what they set, gathered from any number of files in the order they are given. */
export class Structure {
  readonly groups = new Map<string, GroupEntry>();
  readonly hosts = new Map<string, HostEntry>();
  readonly all: GroupEntry;
  readonly ungrouped: GroupEntry;
  readonly #problems: Problems;
  #tooMany = false;

  constructor(problems: Problems) {
    this.#problems = problems;
    this.all = this.#group('all' as GroupName);
    this.ungrouped = this.#group('ungrouped' as GroupName);
    join(this.all, this.ungrouped);
  }

  /** One inventory file: its top-level keys are groups, usually only `all`. */
  addFile(document: Document, root: YamlMap): void {
    for (const entry of root.entries) {
      if (entry.key === 'plugin')
        this.#problem(
          document,
          entry,
          "of Ansible's inventory plugins only google.cloud.gcp_compute is understood",
          'write the hosts out: `ansible-inventory --list --yaml` prints them',
        );
      else if (SECTIONS.includes(entry.key)) this.#problem(document, entry, `"${entry.key}" belongs inside a group`, `put it under "all:"`);
      else if (entry.key !== 'all' && closest(entry.key, ['all'], 1).length > 0)
        this.#problem(document, entry, `unknown key ${quoted(entry.key)}`, 'did you mean "all"?');
      else this.#addGroup(document, entry);
    }
  }

  /** What Ansible does when all files are read: every group is below `all`, hosts of no group are in `ungrouped`. */
  complete(): void {
    for (const group of this.groups.values()) if (group !== this.all && group.parents.size === 0) join(this.all, group);
    for (const host of this.hosts.values()) {
      const own = [...host.groups].filter((group) => group !== this.all && group !== this.ungrouped);
      if (own.length > 0) {
        host.groups.delete(this.ungrouped);
        this.ungrouped.hosts.delete(host);
      } else {
        host.groups.add(this.ungrouped);
        this.ungrouped.hosts.add(host);
      }
    }
  }

  #problem(document: Document, entry: YamlEntry, message: string, hint?: string): void {
    this.#problems.at(document, entry.keyAt, message, hint);
  }

  #group(name: GroupName, document?: Document, at = 0): GroupEntry {
    const group: GroupEntry = { name, document, at, vars: new Map(), children: new Set(), parents: new Set(), hosts: new Set() };
    this.groups.set(name, group);
    return group;
  }

  #addGroup(document: Document, entry: YamlEntry): GroupEntry | undefined {
    const { key: name, value } = entry;
    if (!isGroupName(name)) {
      const safe = name.replace(/[^a-zA-Z0-9_]/g, '_');
      this.#problem(
        document,
        entry,
        `group name ${quoted(name)} is not valid`,
        isGroupName(safe) && safe !== name ? `write ${safe}` : 'letters, digits and _, at most 63',
      );
      return undefined;
    }
    const group = this.groups.get(name) ?? this.#group(name, document, entry.keyAt);
    if (value.kind === 'scalar' && value.value === null) return group;
    if (value.kind !== 'map') {
      this.#problem(document, entry, `group ${quoted(name)} must be a mapping with ${SECTIONS.join(', ')}`);
      return group;
    }
    for (const section of value.entries) {
      if (section.key === 'vars') this.#vars(group.vars, document, section, `group ${name}`);
      else if (section.key === 'hosts') for (const host of this.#members(document, section, 'host')) this.#addHosts(document, host, group);
      else if (section.key === 'children') for (const child of this.#members(document, section, 'group')) this.#addChild(document, child, group);
      else
        this.#problem(
          document,
          section,
          `unknown key ${quoted(section.key)} in group ${name}`,
          didYouMean(section.key, SECTIONS) ?? `a group holds ${SECTIONS.join(', ')}; variables go under "vars:", groups under "children:"`,
        );
    }
    return group;
  }

  /** The entries of `hosts:` or `children:`; Ansible also takes a single name as text. */
  #members(document: Document, section: YamlEntry, what: string): readonly YamlEntry[] {
    const { value } = section;
    if (value.kind === 'map') return value.entries;
    if (value.kind === 'scalar') {
      if (value.value === null) return [];
      return [{ key: value.text, keyAt: value.at, value: { kind: 'scalar', at: value.at, value: null, text: '', quoted: false } }];
    }
    this.#problem(document, section, `"${section.key}" must be a mapping, not a list`, `write each ${what} as a key, with a colon and no dash`);
    return [];
  }

  #addChild(document: Document, entry: YamlEntry, parent: GroupEntry): void {
    const child = this.#addGroup(document, entry);
    if (child === undefined) return;
    const path = pathTo(child, parent);
    if (path === undefined) join(parent, child);
    else
      this.#problem(
        document,
        entry,
        `groups contain each other: ${[...path.map((group) => group.name), child.name].join(' > ')}`,
        'remove one of these children',
      );
  }

  #addHosts(document: Document, entry: YamlEntry, group: GroupEntry): void {
    const room = MAX_HOSTS - this.hosts.size;
    const expanded = entry.key.includes('[') || entry.key.includes(']') ? expandRange(entry.key, MAX_HOSTS) : { names: [entry.key] };
    if ('error' in expanded) {
      this.#problem(document, entry, `host ${quoted(entry.key)}: ${expanded.error}`, expanded.hint);
      return;
    }
    const fresh = expanded.names.filter((name) => !this.hosts.has(name));
    if (fresh.length > room) {
      if (!this.#tooMany) this.#problem(document, entry, `more than ${String(MAX_HOSTS)} hosts`, 'split the inventory');
      this.#tooMany = true;
      return;
    }
    for (const name of expanded.names) {
      if (!isHostName(name)) {
        this.#problem(document, entry, `host name ${quoted(name)} is not valid`, hostNameHint(name));
        return;
      }
      const host = this.hosts.get(name) ?? this.#host(name, document, entry.keyAt, false);
      host.groups.add(group);
      group.hosts.add(host);
      this.#hostVars(document, entry, host);
    }
  }

  #host(name: HostName, document: Document, at: number, isFoundOnly: boolean): HostEntry {
    const host: HostEntry = { name, document, at, vars: new Map(), found: new Map(), groups: new Set(), isFoundOnly };
    this.hosts.set(name, host);
    return host;
  }

  /** A host of a source; `at` is where the document names the source. Two sources may find the same one. */
  addFound(document: Document, at: number, { name, variables, groups }: FoundHost): void {
    const refuse = (what: string): void => {
      this.#problems.at(document, at, what, 'narrow the source down with zones: or filters:');
    };
    if (!isHostName(name)) {
      refuse(`${quoted(name)} is no name of a host`);
      return;
    }
    const earlier = this.hosts.get(name);
    const other = Object.entries(variables).find(([variable, value]) => (earlier?.found.get(variable)?.node ?? { value }).value !== value);
    if (other !== undefined) {
      refuse(`two instances are called ${name}`);
      return;
    }
    if (earlier === undefined && this.hosts.size >= MAX_HOSTS) {
      refuse(`more than ${String(MAX_HOSTS)} hosts`);
      return;
    }
    const host = earlier ?? this.#host(name, document, at, true);
    for (const [variable, value] of Object.entries(variables))
      host.found.set(variable, { name: variable, node: { kind: 'scalar', at, value, text: value, quoted: true }, document, at });
    for (const each of groups) {
      const group = this.groups.get(each.name) ?? this.#group(each.name, document, at);
      host.groups.add(group);
      group.hosts.add(host);
      const parent = each.parent === undefined ? undefined : (this.groups.get(each.parent) ?? this.#group(each.parent, document, at));
      if (parent !== undefined && parent !== group && pathTo(group, parent) === undefined) join(parent, group);
    }
  }

  #hostVars(document: Document, entry: YamlEntry, host: HostEntry): void {
    const { value } = entry;
    if (value.kind === 'scalar' && value.value === null) return;
    if (value.kind !== 'map') {
      this.#problem(document, entry, `host ${quoted(host.name)} must have variables as a mapping`, `write ${host.name}: {ansible_host: ADDRESS}`);
      return;
    }
    for (const variable of value.entries) {
      if (SECTIONS.includes(variable.key)) {
        this.#problem(document, variable, `"${variable.key}" in host ${host.name}`, 'a host holds its variables directly, without "vars:"');
        continue;
      }
      const setting = this.#setting(document, variable, `host ${host.name}`);
      if (setting !== undefined) this.#setOnce(host, setting);
    }
  }

  /** A host listed twice may say different things in different places, but not two things about one variable. */
  #setOnce(host: HostEntry, setting: Setting): void {
    const earlier = host.vars.get(setting.name);
    const sameFile = earlier?.document === setting.document;
    if (earlier !== undefined && (sameFile || ADDRESS_KEYS.has(setting.name)) && !sameValue(earlier, setting)) {
      this.#problems.at(
        setting.document,
        setting.at,
        `host ${host.name} has two values for ${setting.name}`,
        `the other is at ${place(earlier.document.source(earlier.at))}: keep one`,
      );
      return;
    }
    host.vars.set(setting.name, setting);
  }

  #vars(into: Map<string, Setting>, document: Document, section: YamlEntry, owner: string): void {
    const { value } = section;
    if (value.kind === 'scalar' && value.value === null) return;
    if (value.kind !== 'map') this.#problem(document, section, `"vars" of ${owner} must be a mapping`);
    else this.addVariables(into, document, value, owner);
  }

  /** Later ones win: files beside the inventory over the inventory, a later `-i` over an earlier one. */
  addVariables(into: Map<string, Setting>, document: Document, variables: YamlMap, owner: string, beside = false): void {
    for (const entry of variables.entries) {
      const setting = this.#setting(document, entry, owner);
      if (setting !== undefined) into.set(setting.name, beside ? { ...setting, beside } : setting);
    }
  }

  #setting(document: Document, entry: YamlEntry, owner: string): Setting | undefined {
    if (/^[a-zA-Z_]\w{0,127}$/.test(entry.key)) return { name: entry.key, node: entry.value, document, at: entry.keyAt };
    const safe = entry.key.replace(/[^a-zA-Z0-9_]/g, '_');
    this.#problem(
      document,
      entry,
      `variable name ${quoted(entry.key)} of ${owner} is not valid`,
      /^[a-zA-Z_]\w*$/.test(safe) ? `write ${safe}` : 'letters, digits and _',
    );
    return undefined;
  }
}

export const sameValue = (a: Setting, b: Setting): boolean => a.node === b.node || JSON.stringify(toPlain(a.node)) === JSON.stringify(toPlain(b.node));

function join(parent: GroupEntry, child: GroupEntry): void {
  parent.children.add(child);
  child.parents.add(parent);
}

/** The way down from one group to another, both included. */
function pathTo(from: GroupEntry, to: GroupEntry, seen = new Set<GroupEntry>()): readonly GroupEntry[] | undefined {
  if (from === to) return [from];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const child of from.children) {
    const rest = pathTo(child, to, seen);
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
}

/** All groups above a group, nearest first. */
export function ancestorsOf(group: GroupEntry): ReadonlySet<GroupEntry> {
  const found = new Set<GroupEntry>();
  const visit = (each: GroupEntry): void => {
    for (const parent of each.parents) {
      if (found.has(parent)) continue;
      found.add(parent);
      visit(parent);
    }
  };
  visit(group);
  return found;
}

/** The hosts of a group and of those below it in Ansible's order, which subscripts such as `es[0]` count by: level by level. */
export function membersOf(group: GroupEntry): readonly HostEntry[] {
  const hosts = new Set<HostEntry>();
  const seen = new Set([group]);
  for (const each of seen) {
    for (const host of each.hosts) hosts.add(host);
    for (const child of each.children) seen.add(child);
  }
  return [...hosts];
}

function hostNameHint(name: string): string {
  if (name.includes(' ') && /^[a-z0-9. -]+$/.test(name)) return 'each host is a key of its own: is a colon missing?';
  if (/^[a-z0-9.-]+:\d+$/.test(name)) return `write ${name.replace(/:\d+$/, '')} and ansible_port: ${name.replace(/^.*:/, '')}`;
  if (name.length > 253) return `it has ${String(name.length)} characters; at most 253, 63 between dots`;
  const lower = name.toLowerCase().replaceAll('_', '-');
  if (lower !== name && isHostName(lower)) return `write ${printable(lower)}, and its address as ansible_host`;
  return 'lower-case letters, digits, "-" and ".", as in es-01 or es-01.example.org';
}
