import { parseArgs } from 'node:util';
import { distance } from 'fastest-levenshtein';
import { fail } from '../errors.mts';

export interface CommandLine {
  readonly inventory: readonly string[];
  readonly limit: string | undefined;
  readonly roles: readonly string[] | undefined;
  readonly extraVars: readonly string[];
  readonly check: boolean;
  readonly diff: boolean;
  readonly verifyOnly: boolean;
  readonly forks: number;
  readonly serial: { readonly hosts: number } | { readonly percent: number } | undefined;
  readonly maxFailures: number | undefined;
  readonly json: boolean;
  readonly events: string | undefined;
  readonly profile: boolean;
  readonly ask: 'run' | 'list-hosts' | 'list-roles' | 'syntax-check' | 'help' | 'version';
  readonly yes: boolean;
  readonly retryFailed: boolean;
  readonly user: string | undefined;
  readonly privateKey: string | undefined;
  readonly askBecomePass: boolean;
  readonly noRestart: boolean;
  readonly verbosity: -1 | 0 | 1 | 2;
  readonly color: boolean;
  readonly positionals: readonly string[];
}

const OPTIONS = {
  inventory: { type: 'string', short: 'i', multiple: true },
  limit: { type: 'string', short: 'l', multiple: true },
  role: { type: 'string', short: 'r', multiple: true },
  tags: { type: 'string', short: 't', multiple: true },
  'extra-vars': { type: 'string', short: 'e', multiple: true },
  check: { type: 'boolean', short: 'C' },
  diff: { type: 'boolean', short: 'D' },
  'verify-only': { type: 'boolean' },
  forks: { type: 'string' },
  serial: { type: 'string' },
  'max-failures': { type: 'string' },
  json: { type: 'boolean' },
  events: { type: 'string' },
  profile: { type: 'boolean' },
  'list-hosts': { type: 'boolean' },
  'list-roles': { type: 'boolean' },
  'syntax-check': { type: 'boolean' },
  yes: { type: 'boolean' },
  'retry-failed': { type: 'boolean' },
  user: { type: 'string', short: 'u' },
  'private-key': { type: 'string' },
  'ask-become-pass': { type: 'boolean', short: 'K' },
  'no-restart': { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v', multiple: true },
  quiet: { type: 'boolean', short: 'q' },
  'no-color': { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const HELP_HINT = 'run with --help for all options';
export const DEFAULT_FORKS = 64;

/** Throws a `usage` failure that names the option and, for an unknown one, the nearest that exists. */
export function parseCommandLine(argv: readonly string[], positionals: 'none' | 'any' = 'none'): CommandLine {
  const { values, rest } = parsed(argv, positionals);
  const serial = values.serial === undefined ? undefined : serialOf(values.serial);
  const roles = [...(values.role ?? []), ...(values.tags ?? [])].flatMap((list) => namesIn(list, '--role'));
  return {
    inventory: values.inventory ?? [],
    limit: values.limit?.join(','),
    roles: roles.length === 0 ? undefined : roles,
    extraVars: values['extra-vars'] ?? [],
    check: values.check ?? false,
    diff: values.diff ?? false,
    verifyOnly: values['verify-only'] ?? false,
    forks: values.forks === undefined ? DEFAULT_FORKS : wholeNumber('--forks', values.forks, 1, 1000),
    serial,
    maxFailures: values['max-failures'] === undefined ? undefined : wholeNumber('--max-failures', values['max-failures'], 0, 100_000),
    json: values.json ?? false,
    events: values.events,
    profile: values.profile ?? false,
    ask: askOf(values),
    yes: values.yes ?? false,
    retryFailed: values['retry-failed'] ?? false,
    user: values.user,
    privateKey: values['private-key'],
    askBecomePass: values['ask-become-pass'] ?? false,
    noRestart: values['no-restart'] ?? false,
    verbosity: values.quiet === true ? -1 : (Math.min(values.verbose?.length ?? 0, 2) as 0 | 1 | 2),
    color: values['no-color'] !== true,
    positionals: rest,
  };
}

function parsed(argv: readonly string[], positionals: 'none' | 'any') {
  try {
    const result = parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: true });
    const extra = result.positionals[0];
    if (positionals === 'none' && extra !== undefined) {
      fail('usage', `unexpected argument ${JSON.stringify(extra)}`, { hint: `options come with dashes, such as -i FILE or --limit PATTERN; ${HELP_HINT}` });
    }
    return { values: result.values, rest: result.positionals };
  } catch (thrown) {
    if (!(thrown instanceof TypeError && 'code' in thrown)) throw thrown;
    return fail('usage', messageOf(thrown.message), { hint: suggestionFor(thrown.message) ?? HELP_HINT });
  }
}

/** The parser's first sentence says what is wrong; the rest is advice for programmers. */
const messageOf = (message: string): string => (message.split(/\. (?=To |Did )|\.$/)[0] ?? message).replace(/^./, (first) => first.toLowerCase());

function suggestionFor(message: string): string | undefined {
  const unknown = /'(--?[\w-]+)'/.exec(message)?.[1];
  if (unknown === undefined || !message.startsWith('Unknown option')) return undefined;
  const nearest = Object.keys(OPTIONS)
    .map((name) => ({ name, far: distance(unknown.replace(/^--?/, ''), name) }))
    .sort((a, b) => a.far - b.far)[0];
  return nearest !== undefined && nearest.far <= 3 ? `did you mean --${nearest.name}? ${HELP_HINT}` : undefined;
}

type Values = ReturnType<typeof parsed>['values'];

function askOf(values: Values): CommandLine['ask'] {
  if (values.help === true) return 'help';
  if (values.version === true) return 'version';
  if (values['list-hosts'] === true) return 'list-hosts';
  if (values['list-roles'] === true) return 'list-roles';
  return values['syntax-check'] === true ? 'syntax-check' : 'run';
}

function namesIn(list: string, option: string): readonly string[] {
  const names = list.split(',').map((name) => name.trim());
  if (names.some((name) => name === ''))
    fail('usage', `${option} ${JSON.stringify(list)} has an empty name in it`, { hint: 'separate names by single commas: --role os-limits,elasticsearch' });
  return names;
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most))
    fail('usage', `${option} takes a whole number from ${least.toString()} to ${most.toString()}, not ${JSON.stringify(text)}`, { hint: HELP_HINT });
  return number;
}

function serialOf(text: string): { readonly hosts: number } | { readonly percent: number } {
  if (text.endsWith('%')) return { percent: wholeNumber('--serial', text.slice(0, -1), 1, 100) };
  return { hosts: wholeNumber('--serial', text, 1, 100_000) };
}
