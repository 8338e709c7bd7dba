/** The pinned archives of inventory/artifacts.yaml, and which of them a host gets. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { fail } from '../errors.mts';
import { Document } from './document.mts';
import { InventoryFailure, Problems } from './problems.mts';
import type { AnyContract } from './vocabulary.mts';
import { nodeAt, parseYaml, toPlain } from './yaml.mts';

const ROOT = resolve(import.meta.dirname, '../..');
const FILE = join(ROOT, 'inventory/artifacts.yaml');

const sha256 = z.string('must be text: 64 hexadecimal digits').regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits in lower case');
const pinned = z.strictObject({
  url: z.url({ protocol: /^https$/ }),
  bytes: z.int().positive(),
  sha256,
  sha512: z
    .string()
    .regex(/^[0-9a-f]{128}$/, 'must be 128 hexadecimal digits in lower case')
    .exactOptional(),
});
const relative = z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/, 'a path below, such as kafka/libs');
const assembled = z.strictObject({
  /** Its name in the lab's artifact folder. */
  file: z.string().regex(/^[\w.-]+\.tar\.gz$/),
  /** `into` is a folder of the finished archive; a part without it is a zip archive that the others are added to. */
  parts: z.array(pinned.extend({ into: relative.exactOptional() })),
  /** A program of this project that finishes the tree: `sh BUILD TREE IMAGE`, as root; everything in its folder is what it is made from. */
  build: relative.exactOptional(),
  /** What in it is not the vendor's own: every summary of a run names it. */
  stand_in: z.string().min(1).exactOptional(),
});
const build = z.strictObject({
  /** Its size is checked where the vendor's listing says it. */
  official: pinned.extend({ bytes: pinned.shape.bytes.exactOptional() }),
  assembled: assembled.exactOptional(),
});
const catalogue = z.record(z.string(), z.record(z.string().regex(/^\d+\.\d+\.\d+$/), build), 'must be a mapping of products');

export type Build = z.output<typeof build>;
export type Assembly = z.output<typeof assembled>;
export type Catalogue = z.output<typeof catalogue>;

/** Where an archive comes from; either is verified before it is unpacked. */
export type ArchiveSource =
  | { readonly from: 'host'; readonly url: string; readonly sha256: string; readonly size?: number }
  | { readonly from: 'controller'; readonly localPath: string; readonly sha256: string; readonly size?: number };

/** Throws a `usage` failure with everything that is wrong, each at its place. */
export function parseCatalogue(text: string, file = FILE): Catalogue {
  const problems = new Problems();
  const document = new Document(file, dirname(file), text);
  const root = parseYaml(document, problems);
  if (root === 'broken') throw new InventoryFailure(problems.sorted());
  const parsed = catalogue.safeParse(toPlain(root));
  for (const { path, message } of parsed.error?.issues ?? []) problems.at(document, nodeAt(root, path).at, `${path.map(String).join('.')} ${message}`.trim());
  if (!parsed.success || problems.any) throw new InventoryFailure(problems.sorted());
  return parsed.data;
}

let read: Catalogue | undefined;
/** Read once; a run does so before it contacts anybody. */
export function artifacts(): Catalogue {
  return (read ??= parseCatalogue(readFileSync(FILE, 'utf8')));
}

/** Absolute path of a file of this project. */
export const projectPath = (path: string): string => join(ROOT, path);

/** The lab's state: `LAB_DIR`, else `.lab` beside the playbooks. */
export const labDirectory = (): string => resolve(ROOT, process.env['LAB_DIR'] ?? '.lab');

/** Where the lab puts archives it assembled; `<file>.sha256` beside one holds its digest as `sha256sum` prints it. */
export const assembledPath = (file: string): string => join(labDirectory(), 'artifacts', file);

export interface Wish {
  readonly source: 'auto' | 'official' | 'assembled';
  readonly delivery: 'host' | 'controller';
  /** An official archive kept on the controller, for hosts without a way out. */
  readonly archive?: string;
}

export interface Chosen {
  readonly kind: 'official' | 'assembled';
  readonly source: ArchiveSource;
  /** What in it is not the vendor's own. */
  readonly standIn?: string;
}

/** Variables of every role that installs an archive. */
export const archiveVariables = {
  source: z
    .enum(['auto', 'official', 'assembled'])
    .default('official')
    .describe("The vendor's archive, or one assembled by the lab from Maven Central. auto: the vendor's where it can be reached."),
  delivery: z.enum(['host', 'controller']).default('host').describe('Who downloads the archive: each host, or nobody: it is sent from the controller.'),
  archive: z.string().min(1).describe('Path of the official archive on the controller, for delivery: controller.').exactOptional(),
} as const;

/** Whether a role installs an archive of the catalogue. */
export const takesArchive = ({ schema }: AnyContract): boolean => Object.keys(archiveVariables).every((key) => Object.hasOwn(schema.shape, key));

/** What a host gets. `auto` takes what the lab assembled, and the vendor's own archive where the lab assembled none. Throws a `usage` failure. */
export function chooseArchive(product: string, version: string, wish: Wish): Chosen {
  const known = artifacts()[product]?.[version];
  if (known === undefined) {
    const versions = Object.keys(artifacts()[product] ?? {}).join(', ') || 'none';
    return fail('usage', `no ${product} ${version} in inventory/artifacts.yaml`, { hint: `known versions: ${versions}; add url, bytes and sha256 of another` });
  }
  if (wish.source !== 'official' && known.assembled !== undefined) {
    const localPath = assembledPath(known.assembled.file);
    const digest = digestBeside(localPath);
    const standIn = known.assembled.stand_in === undefined ? {} : { standIn: known.assembled.stand_in };
    if (digest !== undefined) return { kind: 'assembled', source: { from: 'controller', localPath, ...digest }, ...standIn };
    if (wish.source === 'assembled') return fail('usage', `${localPath} or its .sha256 does not exist`, { hint: 'npx zx playbooks/lab.mts up makes both' });
  }
  const { url, sha256: digest, bytes } = known.official;
  const size = bytes === undefined ? {} : { size: bytes };
  if (wish.delivery === 'host') return { kind: 'official', source: { from: 'host', url, sha256: digest, ...size } };
  if (wish.archive !== undefined && existsSync(wish.archive))
    return { kind: 'official', source: { from: 'controller', localPath: resolve(wish.archive), sha256: digest, ...size } };
  const found = wish.archive === undefined ? 'no archive is given' : `${wish.archive} does not exist`;
  return fail('usage', `${product}_delivery is controller, but ${found}`, {
    hint: `curl --fail --location --output ${wish.archive ?? 'FILE'} ${url}, and name the file in ${product}_archive`,
  });
}

/** Whether hosts get what the lab assembled: its archives bring everything with them that the vendor's own fetch afterwards. */
export function isAssembled(product: string, version: string, { source }: Pick<Wish, 'source'>): boolean {
  const assembled = artifacts()[product]?.[version]?.assembled;
  return source !== 'official' && assembled !== undefined && digestBeside(assembledPath(assembled.file)) !== undefined;
}

/** What is left out of the vendors' addresses in a mirror's. */
const VENDORS = ['https://artifacts.elastic.co/downloads/', 'https://archive.apache.org/dist/'];

/** Where a mirror has an archive: under the path that it has below its vendor's downloads, as a proxy repository keeps it. */
export function mirrored(url: string, mirror: string): string {
  const vendor = VENDORS.find((base) => url.startsWith(base)) ?? `${new URL(url).origin}/`;
  return `${mirror.replace(/\/+$/, '')}/${url.slice(vendor.length)}`;
}

function digestBeside(path: string): { sha256: string; size: number } | undefined {
  try {
    const found = /^([0-9a-f]{64})\b/.exec(readFileSync(`${path}.sha256`, 'utf8'))?.[1];
    return found === undefined ? undefined : { sha256: found, size: statSync(path).size };
  } catch {
    return undefined;
  }
}
