/** Cases as data: what is wanted, what a host answered, what must follow. Golden scripts lie beside them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { z } from 'zod';
import type { Ask, Change, Raw, Resource, Shown } from '../../lib/plan/model.mts';
import { httpRaw } from '../../lib/plan/http.mts';
import * as resources from '../../lib/resources/index.mts';
import { Secret } from '../../lib/secret.mts';
import { compileSteps } from '../../lib/shell/steps.mts';

export const CASES = join(import.meta.dirname, '../cases');

const answer = z.union([
  z.string(),
  z.null(),
  z.strictObject({ unavailable: z.string() }),
  z.strictObject({ status: z.int(), body: z.string() }),
  z.strictObject({ refused: z.string() }),
]);
const shown = z.union([z.string(), z.null(), z.strictObject({ hidden: z.literal(true) })]);
const schema = z.strictObject({
  name: z.string(),
  /** A builder of lib/resources and its arguments; `{secret: V}` in them becomes a secret. */
  want: z.tuple([z.string()], z.unknown()),
  /** `kind key` → what came back: text, null for absent. */
  answers: z.record(z.string(), answer),
  /** Each `[field, from, to]`, then `disrupts` or `cosmetic` where it is. */
  changes: z.array(z.union([z.tuple([z.string(), shown, shown]), z.tuple([z.string(), shown, shown, z.enum(['disrupts', 'cosmetic'])])])).exactOptional(),
  unavailable: z.string().exactOptional(),
  /** Name of the golden script beside the case file. */
  script: z.string().exactOptional(),
  payloads: z.array(z.string()).exactOptional(),
});
export type Case = z.output<typeof schema>;

export interface Loaded {
  readonly folder: string;
  readonly cases: readonly Case[];
}

export const loadCases = (): readonly Loaded[] =>
  readdirSync(CASES)
    .filter((folder) => existsSync(join(CASES, folder, 'resource.yaml')))
    .map((folder) => ({ folder, cases: z.array(schema).parse(load(readFileSync(join(CASES, folder, 'resource.yaml'), 'utf8'))) }));

function withSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSecrets);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'secret') return new Secret(String(only[1]), 'env:TEST');
  return Object.fromEntries(entries.map(([key, each]) => [key, withSecrets(each)]));
}

const builders = new Map<string, unknown>(Object.entries(resources));

export function build({ want: [name, ...args] }: Case): Resource {
  const builder = builders.get(name);
  if (typeof builder !== 'function') throw new Error(`${name} is no resource`);
  return (builder as (...given: unknown[]) => Resource)(...args.map(withSecrets));
}

/** `stat /etc/x`; an http ask is known by its address. */
export function nameOf(ask: Ask): string {
  if (ask.at === 'controller') return `controller ${ask.argv.join(' ')}`;
  return ask.kind === 'http' ? `http ${String((JSON.parse(ask.key) as unknown[])[0])}` : `${ask.kind} ${ask.key}`;
}

function rawOf(given: z.output<typeof answer>): Raw {
  if (given === null) return { kind: 'absent' };
  if (typeof given === 'string') return { kind: 'value', bytes: Buffer.from(given) };
  if ('unavailable' in given) return { kind: 'unavailable', reason: given.unavailable };
  return 'status' in given ? { kind: 'value', bytes: httpRaw({ status: given.status }, Buffer.from(given.body)) } : { kind: 'value', bytes: httpRaw(given) };
}

/** Fails on an ask the case has no answer for, and on an answer nobody asks for. */
export function answersOf(resource: Resource, given: Case['answers']): (ask: Ask) => Raw {
  const asked = new Set(resource.differs.asks.map(nameOf));
  const unknown = Object.keys(given).filter((name) => !asked.has(name));
  if (unknown.length > 0) throw new Error(`nobody asks ${unknown.join(', ')}; asked is ${[...asked].join(', ')}`);
  return (ask) => {
    const found = given[nameOf(ask)];
    if (found === undefined) throw new Error(`the case has no answer for ${nameOf(ask)}`);
    return rawOf(found);
  };
}

const show = (value: Shown): z.output<typeof shown> => (value.kind === 'text' ? value.text : value.kind === 'absent' ? null : { hidden: true });
export const plain = (changes: readonly Change[]): NonNullable<Case['changes']> =>
  changes.map(({ field, from, to, disrupts, cosmetic }) => {
    const kind = disrupts === true ? 'disrupts' : cosmetic === true ? 'cosmetic' : undefined;
    return kind === undefined ? [field, show(from), show(to)] : [field, show(from), show(to), kind];
  });

/** What is done about the changes, as one readable text. */
export function scriptOf(resource: Resource, changes: readonly Change[]): string {
  return compileSteps(resource, changes)
    .map((step) => {
      const bounds = `# at=${step.at} deadline=${(step.deadlineMs / 1000).toString()}s`;
      if (step.at === 'host') return `${bounds}${step.interruptible ? '' : ' uninterruptible'} payloads=${step.payloads.length.toString()}\n${step.script}`;
      return step.at === 'upload' ? `${bounds} ${step.localPath} -> ${step.remotePath}\n` : `${bounds} ${step.argv.join(' ')}\n`;
    })
    .join('\n');
}

/** The golden text; written anew when UPDATE_GOLDEN is set. */
export function golden(folder: string, name: string, now: string): string {
  const path = join(CASES, folder, `${name}.sh`);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(path, now);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
