import { z } from 'zod';
import type { Secret } from '../secret.mts';
import { quoted } from './problems.mts';
import { referenceText } from './secrets.mts';
import type { Setting } from './structure.mts';
import { didYouMean } from './suggest.mts';
import type { YamlNode } from './yaml.mts';
import { nodeAt } from './yaml.mts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** One thing wrong with a variable, at an offset of the document that sets it. */
export interface ValueProblem {
  readonly setting: Setting;
  readonly at: number;
  readonly message: string;
  readonly hint?: string;
  /** What stands there may be a secret. */
  readonly secret: boolean;
}

/** Variables read by a schema: the value when all is well; `missing` names required ones that nobody sets. */
export interface Reading {
  readonly value?: Readonly<Record<string, unknown>>;
  readonly problems: readonly ValueProblem[];
  readonly missing: readonly string[];
  /** Wrong in a way that concerns no single variable. */
  readonly general: readonly string[];
}

export type SecretOf = (reference: string, setting: Setting) => Secret | undefined;

/** Stands for "this schema says nothing of its own" in issues, so that a contract's own message can be told from zod's. */
const DEFAULT = '\u0000';

/**
 * Reads the variables `PREFIX + key` by the schema's keys. `yes` and `no` are booleans where one is wanted; what comes from a command line is
 * text where text is wanted; everything else is taken strictly.
 */
export function readVariables(schema: z.ZodObject, prefix: string, settings: ReadonlyMap<string, Setting>, secretOf: SecretOf): Reading {
  const given = new Map<string, Setting>();
  const input: Record<string, unknown> = {};
  for (const key of Object.keys(schema.shape)) {
    const setting = settings.get(prefix + key);
    if (setting === undefined) continue;
    given.set(key, setting);
    input[key] = toValue(setting.node, (reference) => secretOf(reference, setting));
  }
  const parse = (): z.ZodSafeParseResult<Record<string, unknown>> => schema.safeParse(input, { error: () => DEFAULT });
  let result = parse();
  if (!result.success) {
    const changed = result.error.issues.map((issue) => {
      const setting = given.get(String(issue.path[0]));
      return setting !== undefined && adapt(input, issue, nodeAt(setting.node, issue.path.slice(1)));
    });
    if (changed.includes(true)) result = parse();
  }
  const issues = result.success ? [] : result.error.issues;
  const faulty = new Set(issues.map((issue) => issue.path[0]));
  const odd = [...given].flatMap(([key, setting]) => (faulty.has(key) ? [] : oddNumbers(setting, input[key])));
  if (result.success) return { value: result.data, problems: odd, missing: [], general: [] };
  const sorted = sortIssues(issues, schema, prefix, given);
  return { ...sorted, problems: [...sorted.problems, ...odd] };
}

function sortIssues(issues: readonly Issue[], schema: z.ZodObject, prefix: string, given: ReadonlyMap<string, Setting>): Reading {
  const problems: ValueProblem[] = [];
  const missing: string[] = [];
  const general: string[] = [];
  for (const issue of issues) {
    const key = issue.path[0];
    const setting = given.get(String(key));
    if (setting !== undefined) problems.push(...describe(issue, schema, prefix, setting));
    else if (issue.code === 'invalid_type' || (key !== undefined && Object.hasOwn(schema.shape, key) && issue.code !== 'custom'))
      missing.push(prefix + String(key));
    else if (key !== undefined && isSecret(schemaAt(schema, issue.path))) missing.push(prefix + String(key));
    else general.push(issue.message === DEFAULT ? 'the variables do not fit together' : issue.message);
  }
  return { problems, missing, general };
}

function toValue(node: YamlNode, secretOf: (reference: string) => Secret | undefined): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map((item) => toValue(item, secretOf));
    case 'map': {
      const reference = referenceText(node);
      return (
        (reference === undefined ? undefined : secretOf(reference)) ??
        Object.fromEntries(node.entries.map((entry) => [entry.key, toValue(entry.value, secretOf)]))
      );
    }
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['on', true],
  ['no', false],
  ['off', false],
]);

/** Changes the input where the issue is only about notation; true when it did. */
function adapt(input: Record<string, unknown>, issue: Issue, node: YamlNode): boolean {
  if (node.kind !== 'scalar' || node.quoted) return false;
  const wantsBoolean =
    (issue.code === 'invalid_type' && issue.expected === 'boolean') ||
    (issue.code === 'invalid_value' && issue.values.some((value) => typeof value === 'boolean'));
  const boolean = BOOLEANS.get(node.text.toLowerCase());
  if (wantsBoolean && boolean !== undefined) return put(input, issue.path, boolean);
  const wantsText = (issue.code === 'invalid_type' && issue.expected === 'string') || issue.code === 'invalid_value' || issue.code === 'invalid_union';
  return node.loose === true && wantsText && typeof node.value !== 'string' && put(input, issue.path, node.text);
}

function put(input: Record<string, unknown>, path: Path, value: unknown): boolean {
  let holder: unknown = input;
  for (const step of path.slice(0, -1)) holder = (holder as Record<PropertyKey, unknown> | undefined)?.[step];
  const last = path.at(-1);
  if (typeof holder !== 'object' || holder === null || last === undefined) return false;
  (holder as Record<PropertyKey, unknown>)[last] = value;
  return true;
}

/** `1e3`, `0644` and `0x1F` are numbers to this YAML and others to Ansible's: nobody should have to know which. */
function oddNumbers(setting: Setting, used: unknown): readonly ValueProblem[] {
  if (typeof used !== 'number' || setting.node.kind !== 'scalar') return [];
  const { text, at } = setting.node;
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text)) return [];
  return [
    {
      setting,
      at,
      secret: false,
      message: `${setting.name}: ${quoted(text)} is an unusual way to write a number`,
      hint: `write ${String(used)}, or quote it if it is text`,
    },
  ];
}

function describe(issue: Issue, schema: z.ZodObject, prefix: string, setting: Setting): readonly ValueProblem[] {
  const below = issue.path.slice(1);
  const node = nodeAt(setting.node, below);
  const label = prefix + issue.path.map(String).join('.');
  const secret = isSecret(schemaAt(schema, issue.path));
  const problem = (message: string, hint?: string, at = node.at): ValueProblem => ({
    setting,
    at,
    secret,
    message: `${label} ${message}`,
    ...(hint === undefined ? {} : { hint }),
  });
  if (issue.code === 'unrecognized_keys') {
    const shape = schemaAt(schema, issue.path);
    const known = shape instanceof z.ZodObject ? Object.keys(shape.shape) : [];
    return issue.keys.map((key) => {
      const at = node.kind === 'map' ? (node.entries.find((entry) => entry.key === key)?.keyAt ?? node.at) : node.at;
      return { setting, at, secret, message: `unknown key ${quoted(key)} in ${label}`, hint: didYouMean(key, known) ?? `it holds ${known.join(', ')}` };
    });
  }
  if (issue.message !== DEFAULT) return [problem(sentence(issue.message))];
  const last = below.at(-1);
  const holder = nodeAt(setting.node, below.slice(0, -1));
  if (issue.code === 'invalid_type' && last !== undefined && holder === node && !(holder.kind === 'map' && holder.entries.some((entry) => entry.key === last)))
    return [problem(`is missing; it must be ${kindOf(issue.expected)}`)];
  const { message, hint } = explain(issue, node, schemaAt(schema, issue.path));
  return [problem(message, hint)];
}

interface Explanation {
  readonly message: string;
  readonly hint?: string;
}

function explain(issue: Issue, node: YamlNode, schema: z.ZodType | undefined): Explanation {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, node);
    case 'too_big':
    case 'too_small':
      return { message: `${limits(issue, schema)}${node.kind === 'scalar' && typeof node.value === 'number' ? `, not ${node.text}` : ''}` };
    case 'invalid_value': {
      const values = issue.values.map(String);
      const text = node.kind === 'scalar' ? node.text : '';
      if (node.kind === 'scalar' && typeof node.value !== 'string' && values.includes(text))
        return { message: `must be text, and YAML does not read ${text} as text`, hint: `quote it: "${text}"` };
      const near = didYouMean(text, values);
      return {
        message: values.length === 1 ? `must be ${values[0] ?? ''}` : `must be one of ${values.join(', ')}`,
        ...(near === undefined ? {} : { hint: near }),
      };
    }
    case 'invalid_union':
      return union(issue, node);
    case 'not_multiple_of':
      return { message: `must be a multiple of ${String(issue.divisor)}` };
    case 'invalid_format':
      return { message: issue.pattern === undefined ? `must be a valid ${issue.format}` : `must match ${issue.pattern}` };
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return { message: 'is not valid' };
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};
const kindOf = (expected: string): string => KINDS[expected] ?? expected;

function wrongType(expected: string, node: YamlNode): Explanation {
  const wanted = kindOf(expected);
  if (referenceText(node) !== undefined) return { message: `must be ${wanted}; a secret is not accepted here` };
  if (node.kind !== 'scalar') return { message: `must be ${wanted}, not ${node.kind === 'list' ? 'a list' : 'a mapping'}` };
  if (node.value === null) return { message: `has no value; it must be ${wanted}` };
  if (typeof node.value === 'string') {
    const numeric = (expected === 'number' || expected === 'int') && node.text.trim() !== '' && Number.isFinite(Number(node.text));
    const truth = expected === 'boolean' && (BOOLEANS.has(node.text.toLowerCase()) || /^(?:true|false)$/i.test(node.text));
    return {
      message: `must be ${wanted}, not the text ${quoted(node.text)}`,
      ...(node.quoted && (numeric || truth) ? { hint: `remove the quotes: ${node.text}` } : {}),
    };
  }
  if (expected !== 'string') return { message: `must be ${wanted}, not ${node.text}` };
  const read = String(node.value) === node.text ? '' : `, and YAML reads ${node.text} as ${String(node.value)}`;
  return { message: `must be text${read === '' ? `, not the ${typeof node.value} ${node.text}` : read}`, hint: `quote it: "${node.text}"` };
}

function limits(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall, schema: z.ZodType | undefined): string {
  const bound = issue.code === 'too_big' ? issue.maximum : issue.minimum;
  const [one, many] = issue.origin === 'string' ? [' character', ' characters'] : issue.origin === 'array' ? [' entry', ' entries'] : ['', ''];
  const unit = Number(bound) === 1 ? one : many;
  if (schema instanceof z.ZodNumber) {
    const { minValue, maxValue } = schema;
    const tellable = (bound: number | null): bound is number => bound !== null && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
    if (tellable(minValue) && tellable(maxValue)) return `must be from ${String(minValue)} to ${String(maxValue)}`;
  }
  return `must ${unit === '' ? 'be' : 'have'} at ${issue.code === 'too_big' ? 'most' : 'least'} ${String(bound)}${unit}`;
}

/** A contract's own message is a predicate ("must be …") or what is wanted ("a size such as 4g"). */
function sentence(own: string): string {
  if (/^(?:must|is|are|has|have|holds|cannot|needs|names|may|-[Jo])\b/.test(own)) return own;
  return /^[A-Z]/.test(own) ? `is not valid: ${own}` : `must be ${own}`;
}

/** A union says what went wrong in the alternative that got furthest, or what all of them wanted. */
function union(issue: z.core.$ZodIssueInvalidUnion, node: YamlNode): Explanation {
  const alternatives = issue.errors.flatMap((issues) => issues.slice(0, 1));
  const furthest = alternatives.find((each) => each.path.length > 0);
  const told = (each: Issue): string => (each.message === DEFAULT ? explain(each, nodeAt(node, each.path), undefined).message : sentence(each.message));
  if (furthest !== undefined) return { message: `holds a wrong value at ${furthest.path.map(String).join('.')}: ${told(furthest)}` };
  const wanted = alternatives.map((each) =>
    each.code === 'invalid_type' && each.message === DEFAULT ? kindOf(each.expected) : told(each).replace(/^must be (?:one of )?/, ''),
  );
  const quote =
    node.kind === 'scalar' && typeof node.value === 'number' && alternatives.some((each) => each.code === 'invalid_type' && each.expected === 'string');
  return { message: `must be ${[...new Set(wanted)].join(' or ')}`, ...(quote ? { hint: `quote it: "${node.text}"` } : {}) };
}

/** The schema of a value inside a schema, without wrappers for defaults and the like. */
export function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let current: z.ZodType | undefined = unwrapped(schema);
  for (const step of path) {
    if (current instanceof z.ZodObject) current = current.shape[String(step)] as z.ZodType | undefined;
    else if (current instanceof z.ZodArray) current = current.element as z.ZodType;
    else if (current instanceof z.ZodRecord) current = current.valueType as z.ZodType;
    else return undefined;
    if (current === undefined) return undefined;
    current = unwrapped(current);
  }
  return current;
}

function unwrapped(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodCatch ||
    schema instanceof z.ZodNonOptional
  )
    return unwrapped(schema.def.innerType as z.ZodType);
  return schema instanceof z.ZodPipe ? unwrapped(schema.def.in as z.ZodType) : schema;
}

/** Whether a schema is (a wrapper of) `secretSchema`. */
export const isSecret = (schema: z.ZodType | undefined): boolean => schema !== undefined && unwrapped(schema).meta()?.['x-secret'] === true;
