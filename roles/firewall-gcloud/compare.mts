/** How a rule of Google differs from the wanted one, and the calls that put it right. */
import { change, gcloud, quote, type Change } from '../../lib/index.mts';
import { ruleText, type FirewallRule } from './rule.mts';

type Argv = readonly [string, ...string[]];
type Field = keyof FirewallRule;

/** What `gcloud compute firewall-rules update` can change, and the flag it takes for it; what has no flag given stays. */
const FLAGS: Readonly<Partial<Record<Field, string>>> = {
  traffic: 'rules',
  sourceRanges: 'source-ranges',
  sourceTags: 'source-tags',
  sourceServiceAccounts: 'source-service-accounts',
  targetTags: 'target-tags',
  targetServiceAccounts: 'target-service-accounts',
  destinationRanges: 'destination-ranges',
  priority: 'priority',
  description: 'description',
};

/** What it cannot change. */
const FIXED: readonly Field[] = ['network', 'direction', 'action'];
/** What it cannot change from one sort to the other: a rule has tags or service accounts. */
const TAGS: readonly Field[] = ['sourceTags', 'targetTags'];
const ACCOUNTS: readonly Field[] = ['sourceServiceAccounts', 'targetServiceAccounts'];

const COMPARED: readonly Field[] = [...FIXED, 'disabled', ...(Object.keys(FLAGS) as Field[])];

const text = (value: FirewallRule[Field]): string => (typeof value === 'object' ? value.join(',') : String(value));
const has = (rule: FirewallRule, fields: readonly Field[]): boolean => fields.some((field) => text(rule[field]) !== '');

function fixedFields(wanted: FirewallRule, found: FirewallRule): readonly Field[] {
  const goesOver = (has(wanted, TAGS) && has(found, ACCOUNTS)) || (has(wanted, ACCOUNTS) && has(found, TAGS));
  return goesOver ? [...FIXED, ...TAGS, ...ACCOUNTS] : FIXED;
}

/** The change of a rule that is not there. */
const WHOLE = 'rule';
/** The change of a rule that an interrupted re-creation left. */
const STAND_IN = 'stand-in';

/** What a rule is called that takes the place of another while that one is made anew. */
export const standInName = (name: string): string => `${name}-next`;

/** Nothing where `found` is as wanted and no stand-in is left. */
export function ruleChanges(wanted: FirewallRule, found: FirewallRule | undefined, standIn: FirewallRule | undefined): readonly Change[] {
  const leftover = standIn === undefined ? [] : [change(STAND_IN, ruleText(standIn), { kind: 'absent' })];
  if (found === undefined) return [change(WHOLE, { kind: 'absent' }, ruleText(wanted)), ...leftover];
  const fixed = fixedFields(wanted, found);
  const changes = COMPARED.flatMap((field) => {
    const [from, to] = [text(found[field]), text(wanted[field])];
    const consent = fixed.includes(field) ? { consent: 'it is made anew, since gcloud cannot change this of a rule' } : {};
    return from === to ? [] : [change(field, shown(from), shown(to), consent)];
  });
  return [...changes, ...leftover];
}

const shown = (value: string): Change['from'] => (value === '' ? { kind: 'absent' } : { kind: 'text', text: value });

const call = (verb: 'create' | 'update', name: string, project: string, words: readonly string[] = []): Argv =>
  gcloud(['compute', 'firewall-rules', verb, name, ...words], { project });

export function creation(rule: FirewallRule, project: string): Argv {
  // An empty list is what a new rule has anyway, and gcloud takes none.
  const given = COMPARED.filter((field) => field !== 'disabled' && text(rule[field]) !== '');
  return call('create', rule.name, project, [`--network=${rule.network}`, `--direction=${rule.direction}`, `--action=${rule.action}`, ...flags(rule, given)]);
}

/** All of them in one call. */
export const deletion = (names: readonly string[], project: string): Argv => gcloud(['compute', 'firewall-rules', 'delete', ...names], { project });

/** For people to run: without the flags that are for programs. */
export const commandText = (argv: Argv): string =>
  argv
    .filter((word) => word !== '--format=json' && word !== '--quiet')
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word)))
    .join(' ');

const flags = (rule: FirewallRule, fields: readonly Field[]): readonly string[] =>
  fields.flatMap((field) => {
    if (field === 'disabled') return [rule.disabled ? '--disabled' : '--no-disabled'];
    const flag = FLAGS[field];
    return flag === undefined ? [] : [`--${flag}=${text(rule[field])}`];
  });

/**
 * The calls for these changes, in a safe order. What cannot be changed in place is first made under another name and the old rule deleted after that: at
 * every moment whoever may come is let in, and nobody new is who may not. Then the name is free for the rule itself, and its stand-in goes last. After
 * whichever call a run ends, the rule or its stand-in is in force, and the next run goes on from there.
 */
export function repairs(wanted: FirewallRule, changes: readonly Change[], project: string): readonly Argv[] {
  const is = (field: string): boolean => changes.some((each) => each.field === field);
  const standIn = standInName(wanted.name);
  const leftover = is(STAND_IN) ? [deletion([standIn], project)] : [];
  if (is(WHOLE)) return [creation(wanted, project), ...leftover];
  if (changes.some(({ consent }) => consent !== undefined)) {
    const anew = [creation({ ...wanted, name: standIn }, project), deletion([wanted.name], project), creation(wanted, project), deletion([standIn], project)];
    return [...leftover, ...anew];
  }
  const fields = COMPARED.filter(is);
  return [...(fields.length > 0 ? [call('update', wanted.name, project, flags(wanted, fields))] : []), ...leftover];
}
