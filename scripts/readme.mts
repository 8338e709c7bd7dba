/** The parts of README.md and README.ko.md that come from the code: between `<!-- NAME: npm run docs -->` and `<!-- /NAME -->`. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { connectionSchema } from '../lib/inventory/connection.mts';
import { prefixOf } from '../lib/inventory/vocabulary.mts';
import { catalogue } from '../roles/index.mts';
import type { Results } from '../test/bench/bench.mts';
import { aboutOf, costsOf, PUBLISHED, secondsOf } from '../test/bench/table.mts';
import { tutorialTable } from './tutorial.mts';

interface Described {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly Described[];
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

const EXAMPLE = ['contract', 'role'] as const;

/** The pages with generated parts. */
export const PAGES = ['README.md', 'README.ko.md'] as const;

/** `text` of a page with every generated part as the code of the project at `root` has it now. */
export async function withGenerated(page: (typeof PAGES)[number], text: string, root: string): Promise<string> {
  const parts = page === 'README.md' ? await generated(root) : new Map([['tutorial', tutorialTable('ko')]]);
  let made = text;
  for (const [name, part] of parts) {
    const [begin, end] = [`<!-- ${name}: npm run docs -->`, `<!-- /${name} -->`];
    const [from, to] = [made.indexOf(begin), made.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${page} has no part between ${begin} and ${end}`);
    made = `${made.slice(0, from + begin.length)}\n\n${part}\n\n${made.slice(to)}`;
  }
  const file = join(root, page);
  return format(made, { ...(await resolveConfig(file)), filepath: file });
}

async function generated(root: string): Promise<ReadonlyMap<string, string>> {
  const run = async (playbook: string): Promise<string> => (await promisify(execFile)(process.execPath, [join(root, 'playbooks', playbook), '--help'])).stdout;
  const example = await Promise.all(
    EXAMPLE.map(async (name) => [`example-${name}`, fenced('ts', await readFile(join(root, `test/docs/${name}.mts`), 'utf8'))] as const),
  );
  return new Map([
    ['site-help', fenced('text', await run('site.mts'))],
    ['lab-help', fenced('text', await run('lab.mts'))],
    ['gcp-help', fenced('text', await run('gcp.mts'))],
    ['inventory-help', fenced('text', await run('inventory.mts'))],
    [
      'connection',
      table(
        ['key', 'values', 'meaning'],
        rows('', connectionSchema).map(({ name, values, meaning }) => [name, values, meaning]),
      ),
    ],
    ['tutorial', tutorialTable('en')],
    ['bench', await measured(root)],
    ['roles', catalogue.map(roleReference).join('\n\n')],
    ...example,
  ]);
}

/** What the results that were published last say: seconds of every tool, and what the largest scenes cost. */
async function measured(root: string): Promise<string> {
  const results = JSON.parse(await readFile(join(root, PUBLISHED), 'utf8')) as Results;
  const [seconds, costs] = [secondsOf(results), costsOf(results)];
  return [aboutOf(results), table(seconds.head, seconds.rows), 'What it cost where the hosts were most:', table(costs.head, costs.rows)].join('\n\n');
}

function roleReference({ name, summary, contract }: (typeof catalogue)[number]): string {
  const first = catalogue.find((role) => role.contract === contract);
  if (first !== undefined && first.name !== name) return `**${name}**: ${summary}.\n\nIts variables are those of **${first.name}**.`;
  const variables = rows(prefixOf(contract), contract.schema);
  const reference = variables.map((row) => [row.name, row.values, row.default, row.meaning]);
  return `**${name}**: ${summary}.\n\n${variables.length === 0 ? 'It has no variables.' : table(['variable', 'values', 'default', 'meaning'], reference)}`;
}

function rows(prefix: string, schema: z.ZodObject) {
  return Object.entries(schema.shape).map(([key, value]) => {
    const made = z.toJSONSchema(value as z.ZodType, { io: 'input', unrepresentable: 'any' }) as Described & { readonly 'x-secret'?: true };
    return {
      name: code(prefix + key),
      values: made['x-secret'] === true ? 'reference to a secret' : valuesOf(made),
      default: made.default === undefined ? '' : code(JSON.stringify(made.default)),
      meaning: made.description ?? '',
    };
  });
}

function valuesOf({ enum: words, const: word, anyOf, type, minimum, maximum }: Described): string {
  if (anyOf !== undefined) return anyOf.map(valuesOf).join(' or ');
  if (words !== undefined) return words.map((each) => code(String(each))).join(' or ');
  if (word !== undefined) return code(String(word));
  if (type === 'integer') return ['number', ...range(minimum, maximum)].join(' ');
  if (type === 'boolean') return `${code('true')} or ${code('false')}`;
  if (type === 'object') return 'map';
  return type === 'array' ? 'list' : 'text';
}

function range(minimum: number | undefined, maximum: number | undefined): readonly string[] {
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum === undefined || minimum === Number.MIN_SAFE_INTEGER) return [];
  return [bounded ? `from ${minimum.toString()} to ${maximum.toString()}` : `from ${minimum.toString()}`];
}

const code = (text: string): string => `\`${text}\``;
const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
