import { distance } from 'fastest-levenshtein';
import { HARMLESS, INSTEAD, connectionSchema } from './connection.mts';
import type { Contract } from './model.mts';
import type { Problems } from './problems.mts';
import { quoted } from './problems.mts';
import type { Setting } from './structure.mts';
import { closest, didYouMean } from './suggest.mts';

export type AnyContract = Contract<unknown>;

/** `os_limits_` for the role `os-limits`. */
export const prefixOf = (contract: AnyContract): string => `${contract.role.replaceAll('-', '_')}_`;

const OWN_PREFIXES = ['ansible_', 'connection_'];
const CLOSE = 2;
const SHORTEST_COMPARED = 5;

/** All variables that mean something here, and judgement about those that do not. */
export class Vocabulary {
  readonly known: ReadonlySet<string>;
  readonly prefixes: readonly string[];
  readonly #harmless = new Set<string>();
  readonly #free = new Set<string>();
  readonly #judged = new Map<string, { readonly message: string; readonly hint?: string } | 'fine'>();

  constructor(contracts: readonly AnyContract[]) {
    this.prefixes = contracts.map(prefixOf);
    this.known = new Set([
      ...Object.keys(connectionSchema.shape),
      ...contracts.flatMap((each) => Object.keys(each.schema.shape).map((key) => prefixOf(each) + key)),
    ]);
  }

  check(setting: Setting, problems: Problems): void {
    const verdict = this.#judged.get(setting.name) ?? this.#judge(setting.name);
    this.#judged.set(setting.name, verdict);
    if (verdict !== 'fine') problems.at(setting.document, setting.at, verdict.message, verdict.hint);
  }

  /** What is allowed and yet worth saying once. */
  notices(): readonly string[] {
    const list = (names: ReadonlySet<string>): string => [...names].sort().join(', ');
    return [
      ...(this.#harmless.size === 0 ? [] : [`Ansible variables without effect here: ${list(this.#harmless)}`]),
      ...(this.#free.size === 0 ? [] : [`variables that no role of this project uses: ${list(this.#free)}`]),
    ];
  }

  #judge(name: string): { readonly message: string; readonly hint?: string } | 'fine' {
    if (this.known.has(name)) return 'fine';
    if (HARMLESS.has(name)) {
      this.#harmless.add(name);
      return 'fine';
    }
    const instead = Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined;
    if (instead !== undefined) return { message: `variable ${quoted(name)} is not supported`, hint: instead };
    const prefix = [...OWN_PREFIXES, ...this.prefixes].filter((each) => name.startsWith(each)).sort((a, b) => b.length - a.length)[0];
    const close =
      name.length >= SHORTEST_COMPARED && [...this.known].some((each) => Math.abs(each.length - name.length) <= CLOSE && distance(each, name) <= CLOSE);
    if (prefix === undefined && !close) {
      this.#free.add(name);
      return 'fine';
    }
    const relatives = [...this.known].filter((each) => prefix === undefined || each.startsWith(prefix));
    const hint = didYouMean(name, this.known, CLOSE) ?? alike(name, relatives, prefix ?? '') ?? someOf(relatives, prefix);
    return { message: `unknown variable ${quoted(name)}`, ...(hint === undefined ? {} : { hint }) };
  }
}

/** What all of them begin with says nothing about which one was meant. */
function alike(name: string, relatives: readonly string[], prefix: string): string | undefined {
  const names = closest(
    name.slice(prefix.length),
    relatives.map((each) => each.slice(prefix.length)),
  );
  return names.length === 0 ? undefined : `did you mean ${names.map((each) => `"${prefix}${each}"`).join(' or ')}?`;
}

function someOf(names: readonly string[], prefix: string | undefined): string | undefined {
  if (names.length === 0) return prefix === undefined ? undefined : `no variable begins with ${prefix}`;
  return `known: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`;
}
