import { fail } from '../errors.mts';
import type { HostName } from '../names.mts';
import type { HostBuilder } from './host.mts';
import type { Explained, Host, Inventory } from './model.mts';
import { selectHosts } from './pattern.mts';
import type { Structure } from './structure.mts';
import { membersOf } from './structure.mts';

export interface InventoryParts {
  readonly hosts: readonly Host[];
  readonly structure: Structure;
  readonly files: readonly string[];
  readonly notices: readonly string[];
  readonly builder: HostBuilder;
}

export function inventoryOf({ hosts, structure, files, notices, builder }: InventoryParts): Inventory {
  const byName: ReadonlyMap<HostName, Host> = new Map(hosts.map((host) => [host.name, host]));
  const byGroup = new Map<string, readonly Host[]>();
  const names = hosts.map((host) => host.name);
  const groups = [...structure.groups.keys()];
  const members = (group: string): readonly string[] => {
    const entry = structure.groups.get(group);
    return entry === undefined ? [] : membersOf(entry).map((host) => host.name);
  };
  const explain = (host: HostName, variable: string): Explained | undefined => builder.explain(host, variable);
  return Object.freeze({
    hosts: byName,
    files: Object.freeze([...files]),
    notices: Object.freeze([...notices]),
    group: (name: string): readonly Host[] => {
      const known = byGroup.get(name) ?? Object.freeze(hosts.filter((host) => (host.groups as ReadonlySet<string>).has(name)));
      byGroup.set(name, known);
      return known;
    },
    select: (pattern: string): readonly Host[] => {
      const chosen = selectHosts(pattern, { hosts: names, groups, members });
      if ('error' in chosen) fail('usage', chosen.error, chosen.hint === undefined ? {} : { message: `${chosen.error} — ${chosen.hint}`, hint: chosen.hint });
      return hosts.filter((host) => chosen.has(host.name));
    },
    explain,
    explainAll: (host: HostName): readonly Explained[] => builder.variables(host).flatMap((variable) => explain(host, variable) ?? []),
  });
}
