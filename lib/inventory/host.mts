import type { z } from 'zod';
import { fail, RunFailure } from '../errors.mts';
import { isHostName, type HostName } from '../names.mts';
import { Secret } from '../secret.mts';
import type { ConnectionOverrides, ConnectionVariables, SshConfigEntry, SshConfigSources, SshGiven } from './connection.mts';
import { askedOfSshConfig, bastionOf, connectionOf, connectionSchema, defaultUser, lastJump, MOST_JUMPS, parseJump, privateAddressOf } from './connection.mts';
import { LOCATED_BY } from './gcp-source.mts';
import { freeze } from './freeze.mts';
import type { Levels, Winner } from './levels.mts';
import type { Connection, Contract, Explained, Host, Source, SshConnection } from './model.mts';
import type { Problems } from './problems.mts';
import { place, quoted, soundsSecret } from './problems.mts';
import type { SecretStore } from './secrets.mts';
import { parseReference, referenceText } from './secrets.mts';
import type { HostEntry, Setting, Structure } from './structure.mts';
import type { Reading, SecretOf } from './validate.mts';
import { readVariables } from './validate.mts';
import type { AnyContract } from './vocabulary.mts';
import { prefixOf } from './vocabulary.mts';
import type { YamlNode } from './yaml.mts';
import { toPlain } from './yaml.mts';

export interface BuilderOptions {
  readonly levels: Levels;
  readonly structure: Structure;
  readonly contracts: readonly AnyContract[];
  readonly problems: Problems;
  readonly secrets: SecretStore;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly overrides: ConnectionOverrides;
  readonly sshConfig: (name: string, given: SshGiven) => SshConfigEntry;
}

/** Jump hosts that are yet to be passed, where they are said, and those between them and the target. */
interface Way {
  readonly jumps: string;
  readonly source: Source;
  readonly names: readonly string[];
}

interface Built {
  readonly entry: HostEntry;
  readonly host: Host;
  readonly winners: ReadonlyMap<string, Winner>;
  readonly variables: ConnectionVariables;
  readonly config: SshConfigEntry;
}

/** Turns what the files say about a host into the host that everything else sees, and can say where each value came from. */
export class HostBuilder {
  readonly #options: BuilderOptions;
  readonly #built = new Map<HostName, Built>();
  readonly #notices = new Set<string>();

  constructor(options: BuilderOptions) {
    this.#options = options;
  }

  /** Each once, whatever the number of hosts. */
  get notices(): readonly string[] {
    return [...this.#notices];
  }

  host(entry: HostEntry): Host {
    const { levels, contracts } = this.#options;
    const winners = levels.winners(entry);
    const settings = new Map([...winners].map(([name, winner]) => [name, winner.setting]));
    const variables = this.#connectionVariables(entry, settings);
    for (const contract of contracts) {
      const prefix = prefixOf(contract);
      if (![...settings.keys()].some((name) => name.startsWith(prefix))) continue;
      // Secrets are only named here: whether a variable of the environment is set matters to the roles that run.
      this.#report(
        entry,
        readVariables(contract.schema, prefix, settings, (reference) => new Secret('', reference)),
        `variables of role ${contract.role}`,
      );
    }
    const asked = askedOfSshConfig(entry.name, variables, this.#options.overrides);
    const config = variables.ansible_connection === 'local' ? {} : this.#config(asked.name, asked.given);
    const cache = new Map<string, unknown>();
    const host: Host = Object.freeze({
      name: entry.name,
      connection: this.#connection(entry, variables, settings, config),
      privateAddress: privateAddressOf(entry.name, variables),
      provider: entry.isFoundOnly ? undefined : variables.host_provider,
      ...(isLocated(entry, variables) ? { locatedBy: LOCATED_BY } : {}),
      groups: Object.freeze(new Set([...levels.groupsOf(entry)].map((group) => group.name))),
      source: Object.freeze(entry.document.source(entry.at)),
      vars: <V,>(of: Contract<V>): V => {
        const known = cache.get(of.role) ?? this.#roleVariables(of, entry, settings);
        cache.set(of.role, known);
        return known as V;
      },
    });
    this.#built.set(entry.name, { entry, host, winners, variables, config });
    return host;
  }

  #connectionVariables(entry: HostEntry, settings: ReadonlyMap<string, Setting>): ConnectionVariables {
    const reading = readVariables(
      connectionSchema,
      '',
      settings,
      this.#secretOf(settings, (setting, at, problem, hint) => {
        if (this.#options.overrides.becomePassword === undefined) this.#options.problems.at(setting.document, at, `${setting.name}: ${problem}`, hint);
      }),
    );
    this.#report(entry, reading, 'connection variables');
    return reading.value ?? {};
  }

  #connection(entry: HostEntry, variables: ConnectionVariables, settings: ReadonlyMap<string, Setting>, config: SshConfigEntry): Connection {
    const { environment, overrides } = this.#options;
    const connection = connectionOf({
      name: entry.name,
      variables,
      baseOf: (variable) => settings.get(variable)?.document.base ?? '.',
      overrides,
      config,
      environment,
    });
    if (connection.kind === 'local' || connection.jump === undefined) return connection;
    const setting = settings.get('connection_jump') ?? settings.get('ansible_ssh_common_args') ?? { document: entry.document, at: entry.at };
    const source = config.sources?.proxyJump ?? setting.document.source(setting.at);
    return this.#behind(connection, { jumps: connection.jump, source, names: [] });
  }

  /** Behind the last of the jump hosts, each of which is behind the one before it: the first goes its own way, as ssh's configuration says. */
  #behind(to: SshConnection, { jumps, source, names }: Way): SshConnection {
    const { structure, environment, problems } = this.#options;
    const { last, before } = lastJump(jumps);
    const passed = [...names, last];
    const wrong = (message: string, hint?: string): SshConnection => {
      problems.add({ ...source, message, ...(hint === undefined ? {} : { hint }) });
      return to;
    };
    if (passed.length > MOST_JUMPS)
      return wrong(
        `the way leads through more than ${String(MOST_JUMPS)} jump hosts: ${passed.map((name) => quoted(name)).join(', ')}`,
        'does one of them lead back to itself?',
      );
    if (structure.hosts.has(last)) {
      if (before === undefined) return Object.freeze({ ...to, jump: last });
      return wrong(
        `the jump host ${last} is a host of this inventory, which says how it is reached`,
        `leave out ${before}, and set connection_jump of ${last}`,
      );
    }
    const parts = parseJump(last);
    if (parts === undefined) return wrong(`the jump host ${quoted(last)} is not [user@]host[:port]`);
    const { host, ...said } = parts;
    const own = this.#config(host, {
      ...said,
      ...(to.knownHostsFile === undefined ? {} : { knownHosts: true }),
      ...(before === undefined ? {} : { jump: true }),
    });
    const bastion = bastionOf(to, parts, own, environment);
    const next = before ?? own.proxyJump;
    if (next === undefined) return Object.freeze({ ...to, jump: last, bastion });
    return Object.freeze({ ...to, jump: last, bastion: this.#behind(bastion, { jumps: next, source: own.sources?.proxyJump ?? source, names: passed }) });
  }

  /** What is wrong with ssh's files is a problem of this inventory like any other. */
  #config(name: string, given: SshGiven): SshConfigEntry {
    try {
      const config = this.#options.sshConfig(name, given);
      for (const notice of config.notices ?? []) this.#notices.add(notice);
      return config;
    } catch (error) {
      if (!(error instanceof RunFailure) || error.error.source === undefined) throw error;
      const { source, short, hint } = error.error;
      this.#options.problems.add({ ...source, message: short, ...(hint === undefined ? {} : { hint }) });
      return {};
    }
  }

  #report(entry: HostEntry, reading: Reading, what: string): void {
    const { problems } = this.#options;
    for (const { setting, at, message, hint, secret } of reading.problems) {
      if (secret) problems.hiding(setting.document, at, message, hint);
      else problems.at(setting.document, at, message, hint);
    }
    for (const message of reading.general) problems.at(entry.document, entry.at, `host ${entry.name}, ${what}: ${message}`);
  }

  #secretOf(settings: ReadonlyMap<string, Setting>, refuse: (setting: Setting, at: number, problem: string, hint: string) => void): SecretOf {
    const own = settings.get('gcp_project')?.node;
    const project = own?.kind === 'scalar' ? own.text : undefined;
    return (text, setting) => {
      const reference = parseReference(text);
      if ('problem' in reference) return undefined;
      const secret = this.#options.secrets.resolve(reference, { base: setting.document.base, project });
      if (secret instanceof Secret) return secret;
      refuse(setting, setting.node.at, secret.problem, secret.hint);
      return new Secret('', reference.label);
    };
  }

  #roleVariables(of: AnyContract, entry: HostEntry, settings: ReadonlyMap<string, Setting>): unknown {
    const prefix = prefixOf(of);
    const source = entry.document.source(entry.at);
    const secretOf = this.#secretOf(settings, (setting, at, problem, hint) => {
      const where = setting.document.source(at);
      fail('usage', `${setting.name}: ${problem}`, { message: `${place(where)}  error  ${setting.name}: ${problem} — ${hint}`, hint, source: where });
    });
    const reading = readVariables(of.schema, prefix, settings, secretOf);
    if (reading.value !== undefined) return freeze(reading.value);
    const [first] = reading.missing;
    if (first !== undefined) {
      const names = reading.missing.join(', ');
      const hint = `set ${first} for the host, or for one of its groups`;
      fail('usage', `${entry.name} has no ${names}, which role ${of.role} needs`, {
        message: `${place(source)}  error  host ${entry.name} has no ${names}, which role ${of.role} needs — ${hint}`,
        hint,
        source,
      });
    }
    const [problem] = reading.problems;
    const message = problem?.message ?? reading.general[0] ?? 'not valid';
    const where = problem === undefined ? source : problem.setting.document.source(problem.at);
    fail('usage', message, { message: `${place(where)}  error  ${message}`, source: where });
  }

  /** Hosts of the inventory that are jump hosts of each other can never be reached. */
  checkJumps(): void {
    const nextOf = ({ host: { connection } }: Built): Built | undefined => {
      let last = connection.kind === 'ssh' ? connection : undefined;
      while (last?.bastion !== undefined) last = last.bastion;
      return last?.jump !== undefined && isHostName(last.jump) ? this.#built.get(last.jump) : undefined;
    };
    for (const built of this.#built.values()) {
      const passed: Built[] = [];
      for (let next = nextOf(built); next !== undefined && !passed.includes(next); next = nextOf(next)) passed.push(next);
      if (!passed.includes(built)) continue;
      const { document, at } = built.winners.get('connection_jump')?.setting ?? built.entry;
      const names = [built, ...passed.slice(0, passed.indexOf(built) + 1)].map(({ host }) => host.name);
      this.#options.problems.at(
        document,
        at,
        `host ${built.host.name} is behind itself: ${names.join(' is behind ')}`,
        `set connection_jump: none for ${built.host.name} where it is reached without`,
      );
    }
  }

  /** Two hosts behind one address and port are one host under two names, and would be changed twice. */
  checkAddresses(): void {
    const taken = new Map<string, Built>();
    for (const built of this.#built.values()) {
      const { connection } = built.host;
      if (connection.kind !== 'ssh') continue;
      const key = `${connection.address} port ${String(connection.port)}${wayOf(connection)}`;
      const other = taken.get(key);
      if (other === undefined) {
        taken.set(key, built);
        continue;
      }
      const here = addressPlace(built);
      this.#options.problems.at(
        here.document,
        here.at,
        `hosts ${other.host.name} and ${built.host.name} have the same address: ${key}`,
        `the other is at ${place(sourceOf(addressPlace(other)))}`,
      );
    }
  }

  explain(name: HostName, variable: string): Explained | undefined {
    const built = this.#built.get(name);
    if (built === undefined) return undefined;
    return (
      this.#overridden(built, variable) ??
      this.#fromConfig(built, variable) ??
      this.#found(built, variable) ??
      this.#set(built, variable) ??
      this.#default(built, variable) ??
      this.#usual(built, variable)
    );
  }

  variables(name: HostName): readonly string[] {
    const built = this.#built.get(name);
    if (built === undefined) return [];
    const defaults = this.#options.contracts.flatMap((contract) => Object.keys(contract.schema.shape).map((key) => prefixOf(contract) + key));
    return [
      ...new Set([
        ...built.winners.keys(),
        ...defaults,
        'ansible_host',
        'ansible_port',
        'ansible_user',
        'ansible_ssh_private_key_file',
        'ansible_become_password',
        'connection_jump',
        'connection_known_hosts_file',
        'HostKeyAlias',
        'IdentitiesOnly',
      ]),
    ].sort();
  }

  #overridden({ host: { connection } }: Built, variable: string): Explained | undefined {
    const { overrides } = this.#options;
    if (connection.kind !== 'ssh') return undefined;
    const given: Readonly<Record<string, unknown>> = {
      ansible_user: overrides.user,
      ansible_ssh_private_key_file: overrides.privateKeyFile,
      ansible_become_password: overrides.becomePassword,
    };
    const value = Object.hasOwn(given, variable) ? given[variable] : undefined;
    return value === undefined ? undefined : { variable, value, level: 'command line' };
  }

  /** What a source found is there already: no group can make it a host that is to be made. */
  #found({ entry, winners }: Built, variable: string): Explained | undefined {
    if (variable !== 'host_provider' || !entry.isFoundOnly || !winners.has(variable)) return undefined;
    return { variable, value: 'none', level: 'google cloud', source: entry.document.source(entry.at) };
  }

  #set({ winners }: Built, variable: string): Explained | undefined {
    const winner = winners.get(variable);
    if (winner === undefined) return undefined;
    const { setting, level } = winner;
    return { variable, value: shown(setting), level, source: setting.document.source(setting.at) };
  }

  #default({ winners }: Built, variable: string): Explained | undefined {
    const contract = this.#options.contracts.find(
      (each) => variable.startsWith(prefixOf(each)) && Object.hasOwn(each.schema.shape, variable.slice(prefixOf(each).length)),
    );
    if (contract === undefined) return undefined;
    const key = variable.slice(prefixOf(contract).length);
    const settings = new Map([...winners].map(([name, winner]) => [name, winner.setting]));
    const whole = readVariables(contract.schema, prefixOf(contract), settings, (reference) => new Secret('', reference));
    const value = whole.value === undefined ? (contract.schema.shape[key] as z.ZodType).safeParse(undefined).data : whole.value[key];
    return value === undefined ? undefined : { variable, value, level: 'role default' };
  }

  /** What no variable says carries ssh's own name for it. */
  #fromConfig({ host: { connection }, config, winners }: Built, variable: string): Explained | undefined {
    if (connection.kind !== 'ssh') return undefined;
    const said: Readonly<Record<string, readonly [unknown, keyof SshConfigSources]>> = {
      ansible_host: [config.hostName, 'hostName'],
      ansible_port: [config.port, 'port'],
      ansible_user: [config.user, 'user'],
      ansible_ssh_private_key_file: [winners.has(variable) ? undefined : oneOrAll(config.identityFiles), 'identityFiles'],
      connection_jump: [config.proxyJump, 'proxyJump'],
      connection_known_hosts_file: [oneOrAll(config.userKnownHostsFiles), 'userKnownHostsFiles'],
      HostKeyAlias: [config.hostKeyAlias, 'hostKeyAlias'],
      IdentitiesOnly: [config.identitiesOnly, 'identitiesOnly'],
    };
    const [value, key] = (Object.hasOwn(said, variable) ? said[variable] : undefined) ?? [];
    if (value === undefined || key === undefined) return undefined;
    const source = config.sources?.[key];
    return { variable, value, level: 'ssh config', ...(source === undefined ? {} : { source }) };
  }

  #usual({ host: { connection, name } }: Built, variable: string): Explained | undefined {
    if (connection.kind !== 'ssh') return undefined;
    const usual: Readonly<Record<string, unknown>> = { ansible_host: name, ansible_port: 22, ansible_user: defaultUser(this.#options.environment) };
    return usual[variable] === undefined ? undefined : { variable, value: usual[variable], level: 'role default' };
  }
}

/** Somebody else makes it, and nobody says where it is. */
const isLocated = (entry: HostEntry, { ansible_host: address, ansible_connection: connection, host_provider: provider }: ConnectionVariables): boolean =>
  entry.found.size > 0 && (entry.isFoundOnly || provider === undefined) && address === undefined && connection !== 'local';

const wayOf = ({ jump, bastion }: SshConnection): string => (jump === undefined ? '' : ` by way of ${jump}${bastion === undefined ? '' : wayOf(bastion)}`);

const oneOrAll = (files: readonly string[] | undefined): unknown => (files?.length === 1 ? files[0] : files);

function addressPlace({ entry, winners }: Built): { readonly document: Setting['document']; readonly at: number } {
  const winner = winners.get('ansible_host');
  return winner === undefined ? { document: entry.document, at: entry.at } : winner.setting;
}

const sourceOf = ({ document, at }: { readonly document: Setting['document']; readonly at: number }): ReturnType<Setting['document']['source']> =>
  document.source(at);

/** A value as it may be shown: references as secrets, and nothing of a variable that sounds like one. */
function shown(setting: Setting): unknown {
  if (setting.node.kind === 'scalar' && setting.node.value !== null && soundsSecret(setting.name)) return new Secret('', 'value not shown');
  return withSecrets(setting.node);
}

function withSecrets(node: YamlNode): unknown {
  const reference = referenceText(node);
  if (reference !== undefined) return new Secret('', reference);
  if (node.kind === 'list') return node.items.map(withSecrets);
  return node.kind === 'map' ? Object.fromEntries(node.entries.map((entry) => [entry.key, withSecrets(entry.value)])) : toPlain(node);
}
