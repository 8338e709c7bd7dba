import { runInNewContext } from 'node:vm';
import { quoted } from './problems.mts';
import { didYouMean } from './suggest.mts';

/** What a pattern is matched against. Members of a group are in Ansible's order, which subscripts count by. */
export interface Selectable {
  readonly hosts: readonly string[];
  readonly groups: readonly string[];
  members(group: string): readonly string[];
}

export interface PatternError {
  readonly error: string;
  readonly hint?: string;
}

const LONGEST = 256;
const REGEX_MS = 500;
const SUBSCRIPT = /^(.+)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/;

/**
 * Ansible's host patterns (ansible/inventory/manager.py): unions first, then intersections, then exclusions, wherever they stand. Unlike there, a
 * plain name that is neither a host nor a group is an error, and so is a selection of nothing.
 */
export function selectHosts(pattern: string, from: Selectable): ReadonlySet<string> | PatternError {
  try {
    return select(pattern, from);
  } catch (thrown) {
    // Made in the other context, it is no instance of this one's Error.
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      return {
        error: `${quoted(pattern, LONGEST)} takes too long to match`,
        hint: 'write a simpler regular expression, without a repetition inside a repetition',
      };
    throw thrown;
  }
}

function select(pattern: string, from: Selectable): ReadonlySet<string> | PatternError {
  if (pattern.length > LONGEST) return { error: `a host pattern has at most ${String(LONGEST)} characters` };
  const parts = splitPattern(pattern);
  if (parts.length === 0) return { error: 'the host pattern is empty', hint: 'write all for every host' };
  const union = parts.filter((part) => !/^[!&]/.test(part));
  let chosen = new Set<string>();
  for (const part of union.length === 0 ? ['all'] : union) {
    const found = matchOne(part, from);
    if ('error' in found) return found;
    for (const host of found.hosts) chosen.add(host);
  }
  for (const sign of ['&', '!']) {
    for (const part of parts.filter((each) => each.startsWith(sign))) {
      const found = matchOne(part.slice(1), from);
      if ('error' in found) return found;
      const named = new Set(found.hosts);
      chosen = new Set([...chosen].filter((host) => named.has(host) === (sign === '&')));
    }
  }
  return chosen.size > 0 ? chosen : { error: `no host matches ${quoted(pattern, LONGEST)}`, ...namesHint(pattern, from) };
}

/** Commas part a pattern where there are any; else colons outside of brackets do. */
export function splitPattern(pattern: string): readonly string[] {
  const parts = pattern.includes(',') ? pattern.split(',') : (pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function matchOne(part: string, from: Selectable): { readonly hosts: readonly string[] } | PatternError {
  if (part === '') return { error: 'a "!" or "&" of the host pattern has nothing after it' };
  if (from.hosts.includes(part)) return { hosts: [part] };
  const subscript = part.startsWith('~') ? null : SUBSCRIPT.exec(part);
  const expression = subscript?.[1] ?? part;
  const matcher = matcherOf(expression);
  if ('error' in matcher) return matcher;
  const groups = matcher.matching(from.groups);
  const hosts = groups.flatMap((group) => from.members(group));
  const wild = /^~|[.?*[]/.test(expression);
  if (groups.length === 0 || wild) hosts.push(...matcher.matching(from.hosts));
  if (groups.length === 0 && hosts.length === 0 && !wild) return { error: `no host or group is named ${quoted(expression)}`, ...namesHint(expression, from) };
  return { hosts: subscript === null ? hosts : sliced([...hosts], subscript) };
}

/** `[2]`, `[-1]`, `[0:2]` (both ends included), `[1:]`. */
function sliced(hosts: readonly string[], [, , index, first, last]: readonly string[]): readonly string[] {
  if (index !== undefined) {
    const one = hosts.at(Number(index));
    return one === undefined ? [] : [one];
  }
  return hosts.slice(Number(first), last === undefined || last === '' ? undefined : Number(last) + 1);
}

interface Matcher {
  matching(names: readonly string[]): readonly string[];
}

function matcherOf(expression: string): Matcher | PatternError {
  if (expression.startsWith('~')) return regexMatcher(expression.slice(1));
  if (expression === 'all' || expression === '*') return { matching: (names) => names };
  if (!/[*?[]/.test(expression)) return { matching: (names) => names.filter((name) => name === expression) };
  return { matching: (names) => names.filter((name) => globMatches(expression, name)) };
}

/** A regular expression matches from the start of a name, not necessarily to its end. It runs under a deadline: some take longer than a life. */
function regexMatcher(source: string): Matcher | PatternError {
  const bad = (why: string): PatternError => ({ error: `${quoted(`~${source}`)} is not a usable regular expression: ${why}` });
  try {
    new RegExp(source);
  } catch {
    return bad('its syntax is wrong');
  }
  return {
    matching: (names) => {
      const found: unknown = runInNewContext(
        'const test = new RegExp("^(?:" + source + ")"); JSON.stringify(JSON.parse(names).filter((name) => test.test(name)))',
        { source, names: JSON.stringify(names) },
        { timeout: REGEX_MS },
      );
      return JSON.parse(String(found)) as string[];
    },
  };
}

/** Shell globs with `*`, `?`, `[abc]` and `[!abc]`, in time proportional to both lengths. */
export function globMatches(glob: string, name: string): boolean {
  const tokens = glob.match(/\[!?\]?[^\]]*\]|[\s\S]/g) ?? [];
  let [at, token, star, resume] = [0, 0, -1, 0];
  while (at < name.length) {
    const current = tokens[token];
    if (current === '*') {
      star = token++;
      resume = at;
    } else if (current !== undefined && tokenMatches(current, name[at] ?? '')) {
      at++;
      token++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++resume;
    } else return false;
  }
  while (tokens[token] === '*') token++;
  return token === tokens.length;
}

function tokenMatches(token: string, character: string): boolean {
  if (token === '?') return true;
  if (token.length === 1) return token === character;
  const negated = token.startsWith('[!');
  const set = token.slice(negated ? 2 : 1, -1);
  let inside = false;
  for (let index = 0; index < set.length; index++) {
    if (set[index + 1] === '-' && index + 2 < set.length) {
      inside ||= (set[index] ?? '') <= character && character <= (set[index + 2] ?? '');
      index += 2;
    } else inside ||= set[index] === character;
  }
  return inside !== negated;
}

function namesHint(name: string, from: Selectable): { readonly hint?: string } {
  const own = name.replace(/^[!&]/, '');
  if (from.groups.includes(own)) return { hint: `the group ${own} has no hosts` };
  const near = didYouMean(own, [...from.hosts, ...from.groups]);
  if (near !== undefined) return { hint: near };
  const groups = from.groups.filter((group) => from.members(group).length > 0 && group !== 'ungrouped');
  return { hint: `groups: ${groups.slice(0, 12).join(', ')}${groups.length > 12 ? ', …' : ''}` };
}
