import path from 'node:path';
import type { ConnectionOverrides, SshConfigEntry, SshGiven } from './connection.mts';
import { readExtraVariables } from './extra-variables.mts';
import { type GcpSource, groupsOf, isGcpSource, readGcpSource, wants } from './gcp-source.mts';
import { readDocument, variableFileNames, variableFiles } from './files.mts';
import { HostBuilder } from './host.mts';
import type { Instance } from './instance.mts';
import { inventoryOf } from './inventory.mts';
import { Levels } from './levels.mts';
import type { Inventory } from './model.mts';
import type { Problem } from './problems.mts';
import { InventoryFailure, Problems } from './problems.mts';
import { type SecretReader, SecretStore, parseReference, referenceText } from './secrets.mts';
import type { Setting } from './structure.mts';
import { Structure } from './structure.mts';
import { didYouMean } from './suggest.mts';
import type { AnyContract } from './vocabulary.mts';
import { Vocabulary } from './vocabulary.mts';
import type { YamlNode } from './yaml.mts';
import { parseYaml } from './yaml.mts';

export interface InventoryOptions {
  /** Inventory files in the order of `-i`; paths are shown as given. */
  readonly files: readonly string[];
  /** The contracts of every role of the project: what an inventory may say. */
  readonly contracts: readonly AnyContract[];
  /** `NAME=VALUE` or `@FILE.yaml`, in the order of `-e`. */
  readonly extraVars?: readonly string[];
  /** `-u`, `--private-key`, `-K`: they win over the inventory. */
  readonly overrides?: ConnectionOverrides;
  /** For `{secret: env:…}`, the home directory and the user; the process's own unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where `{secret: generate:…}` keeps what it made; `.secrets` beside the first inventory file unless given. */
  readonly secretsDirectory?: string;
  /** Reads `{secret: gcloud:…}`, when a role that runs wants it; refused unless given. */
  readonly gcloudSecret?: SecretReader;
  /** What relative paths of the command line are about; the process's own unless given. */
  readonly directory?: string;
  /** The instances of each project that a source of hosts names; without them the sources add nothing. */
  readonly instances?: ReadonlyMap<string, readonly Instance[]>;
  /** What `~/.ssh/config` says about a name, for what the inventory leaves open; see `sshConfig`. Nothing unless given. */
  readonly sshConfig?: (name: string, given: SshGiven) => SshConfigEntry;
}

/** Reads, merges and validates an inventory; throws an `InventoryFailure` (usage, exit 4) that lists everything wrong with it. */
export function loadInventory(options: InventoryOptions): Inventory {
  const { inventory, problems } = checkInventory(options);
  if (inventory === undefined) throw new InventoryFailure(problems);
  return inventory;
}

export interface Checked {
  /** There is one when there are no problems. */
  readonly inventory: Inventory | undefined;
  /** Sorted by file, line and column. */
  readonly problems: readonly Problem[];
  /** Projects of Google Cloud whose instances are hosts. */
  readonly projects: readonly string[];
}

/** As `loadInventory`, with the problems as data. */
export function checkInventory(options: InventoryOptions): Checked {
  const problems = new Problems();
  const sources: GcpSource[] = [];
  const inventory = read(options, problems, sources);
  const sorted = problems.sorted();
  const projects = [...new Set(sources.flatMap(({ options: { projects: names } }) => names))];
  return { inventory: sorted.length === 0 ? inventory : undefined, problems: sorted, projects };
}

function read(options: InventoryOptions, problems: Problems, sources: GcpSource[]): Inventory | undefined {
  const directory = path.resolve(options.directory ?? '.');
  const structure = new Structure(problems);
  const notices: string[] = [];
  if (options.files.length === 0) problems.file('-i', 'no inventory is given', 'name one: -i inventory/lab.yaml');
  const unread = options.files.filter((file) => !readInventoryFile(file, directory, structure, problems, sources));
  const extra = readExtraVariables(options.extraVars ?? [], structure, directory, problems);
  // Judging an inventory of which a file is missing would only repeat that problem in other words.
  if (unread.length > 0 || options.files.length === 0) return undefined;
  for (const source of sources) notices.push(...source.notices, ...addInstances(source, options.instances, structure));
  structure.complete();
  for (const base of new Set(options.files.map((file) => path.dirname(file)))) readVariableFiles(base, directory, structure, problems, notices);
  if (structure.hosts.size === 0 && !problems.any && (sources.length === 0 || options.instances !== undefined))
    problems.file(
      options.files.join(', '),
      'the inventory names no hosts',
      sources.length === 0 ? 'list them under all: hosts:' : 'no instance fits; see what there is: gcloud compute instances list',
    );

  // Roles may share one.
  const contracts = [...new Set(options.contracts)];
  const vocabulary = new Vocabulary(contracts);
  for (const setting of settingsOf(structure, extra)) {
    vocabulary.check(setting, problems);
    checkReferences(setting.node, setting, problems);
  }
  const environment = options.environment ?? process.env;
  const secrets = new SecretStore({
    environment,
    directory: options.secretsDirectory ?? path.resolve(directory, path.dirname(options.files[0] ?? '.'), '.secrets'),
    ...(options.gcloudSecret === undefined ? {} : { gcloud: options.gcloudSecret }),
  });
  const builder = new HostBuilder({
    levels: new Levels(extra, problems),
    structure,
    contracts,
    problems,
    secrets,
    environment,
    overrides: options.overrides ?? {},
    sshConfig: options.sshConfig ?? (() => ({})),
  });
  const hosts = [...structure.hosts.values()].map((entry) => builder.host(entry));
  builder.checkAddresses();
  builder.checkJumps();
  for (const group of structure.groups.values()) {
    if (group.document !== undefined && !hosts.some((host) => host.groups.has(group.name))) {
      const near = didYouMean(
        group.name,
        [...structure.groups.values()].filter((each) => each !== group && each.document !== undefined && each.hosts.size > 0).map((each) => each.name),
        2,
      );
      notices.push(`group ${group.name} has no hosts${near === undefined ? '' : ` — ${near}`}`);
    }
    if (structure.hosts.has(group.name)) notices.push(`${group.name} is the name of a group and of a host: patterns mean the host`);
  }
  return inventoryOf({ hosts, structure, files: options.files, notices: [...notices, ...vocabulary.notices(), ...builder.notices], builder });
}

/** False when there was nothing to go on with: no file, no YAML, no mapping, no valid source. */
function readInventoryFile(file: string, directory: string, structure: Structure, problems: Problems, sources: GcpSource[]): boolean {
  const document = readDocument(file, path.dirname(file), directory, problems);
  if (document === undefined) return false;
  const root = parseYaml(document, problems);
  if (root === 'broken') return false;
  if (root.kind === 'map' && isGcpSource(root)) {
    const source = readGcpSource(document, root, problems);
    if (source !== undefined) sources.push(source);
    return source !== undefined;
  }
  if (root.kind === 'map') {
    structure.addFile(document, root);
    return true;
  }
  if (root.kind === 'scalar' && root.value === null) problems.file(file, 'the inventory is empty', 'start from a copy of inventory/lab.yaml');
  else problems.at(document, root.at, `an inventory is a mapping, not ${root.kind === 'list' ? 'a list' : 'a single value'}`, 'begin with "all:"');
  return false;
}

/** Instances are what is to be reached, not what is to be made: their variables say where they are. Gives what is worth saying. */
function addInstances(source: GcpSource, instances: InventoryOptions['instances'], structure: Structure): readonly string[] {
  if (instances === undefined) return [];
  const { document, at, options } = source;
  const found = options.projects.flatMap((project) =>
    (instances.get(project) ?? []).filter((instance) => wants(source, instance)).map((instance) => ({ project, instance })),
  );
  for (const { project, instance } of found) {
    const address = instance.networkInterfaces[0]?.networkIP;
    const variables = { gcp_project: project, gcp_zone: instance.zone, ...(address === undefined ? {} : { private_address: address }) };
    structure.addFound(document, at, { name: instance.name, variables, groups: groupsOf(source, instance) });
  }
  return found.length > 0 ? [] : [`${document.file}: no instance of ${options.projects.join(', ')} fits`];
}

/** `group_vars` and `host_vars` beside an inventory; files of names it does not have may belong to its neighbour. */
function readVariableFiles(base: string, directory: string, structure: Structure, problems: Problems, notices: string[]): void {
  for (const [folder, owners] of [
    ['group_vars', structure.groups],
    ['host_vars', structure.hosts],
  ] as const) {
    const relative = path.join(base, folder);
    const present = variableFileNames(path.resolve(directory, relative));
    for (const name of new Set(present)) {
      const owner = owners.get(name);
      if (owner === undefined) {
        const near = didYouMean(name, owners.keys(), 2);
        notices.push(
          `${path.join(relative, name)} belongs to no ${folder === 'group_vars' ? 'group' : 'host'} of this inventory${near === undefined ? '' : ` — ${near}`}`,
        );
        continue;
      }
      for (const absolute of variableFiles(path.resolve(directory, relative), name)) {
        const file = path.join(relative, path.relative(path.resolve(directory, relative), absolute));
        const document = readDocument(file, base, directory, problems);
        const root = document === undefined ? 'broken' : parseYaml(document, problems);
        if (document === undefined || root === 'broken' || (root.kind === 'scalar' && root.value === null)) continue;
        if (root.kind === 'map') structure.addVariables(owner.vars, document, root, `${folder === 'group_vars' ? 'group' : 'host'} ${name}`, true);
        else problems.at(document, root.at, 'a variables file is a mapping', 'write NAME: VALUE');
      }
    }
  }
}

function* settingsOf(structure: Structure, extra: ReadonlyMap<string, Setting>): Iterable<Setting> {
  for (const group of structure.groups.values()) yield* group.vars.values();
  for (const host of structure.hosts.values()) yield* host.vars.values();
  yield* extra.values();
}

function checkReferences(node: YamlNode, setting: Setting, problems: Problems): void {
  if (node.kind === 'scalar') return;
  const text = referenceText(node);
  const reference = text === undefined ? undefined : parseReference(text);
  if (reference !== undefined && 'problem' in reference) problems.hiding(setting.document, node.at, `${setting.name}: ${reference.problem}`, reference.hint);
  for (const child of node.kind === 'map' ? node.entries.map((entry) => entry.value) : node.items) checkReferences(child, setting, problems);
}
