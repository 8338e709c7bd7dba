/** What `ssh NAME` would do, as far as ~/.ssh/config and /etc/ssh/ssh_config say so. Nothing in these files is ever run. */
import { hostname, homedir } from 'node:os';
import path from 'node:path';
import type { SshConfigEntry, SshConfigSources, SshGiven } from './connection.mts';
import { defaultUser, isSshAddress, isUserName } from './connection.mts';
import type { Source } from './model.mts';
import { quoted } from './problems.mts';
import type { Keyword, Statement } from './ssh-config-file.mts';
import { readSshConfig, wrong } from './ssh-config-file.mts';

export interface SshConfigOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of all users; `/etc/ssh/ssh_config` unless given. */
  readonly systemFile?: string;
}

export type SshConfig = (name: string, given?: SshGiven) => SshConfigEntry;

/** The files are read when the first name is asked for. Asking fails with `usage`, naming the line, or with `refused`. */
export function sshConfig({ environment, systemFile = '/etc/ssh/ssh_config' }: SshConfigOptions): SshConfig {
  const home = path.resolve(environment['HOME'] ?? homedir());
  let read: readonly (readonly Statement[])[] | undefined;
  let notices: readonly string[] = [];
  return (name, given = {}) => {
    if (read === undefined) {
      const own = path.join(home, '.ssh');
      read = [
        readSshConfig(path.join(own, 'config'), { home, directory: own, owner: 'user' }),
        readSshConfig(systemFile, { home, directory: path.dirname(systemFile), owner: 'system' }),
      ];
      notices = matchNotice(read);
    }
    const entry = entryOf(name, given, valuesFor(name, read), { home, environment });
    return { ...entry, notices: [...notices, ...(entry.notices ?? [])] };
  };
}

function matchNotice(files: readonly (readonly Statement[])[]): readonly string[] {
  const left = files.flatMap(function matches(statements): readonly Source[] {
    return statements.flatMap((each) => (each.kind === 'include' ? each.files.flatMap(matches) : each.kind === 'match' && !each.all ? each.source : []));
  });
  const [first] = left;
  if (first === undefined) return [];
  const more = left.length === 1 ? '' : ` (and ${String(left.length - 1)} more)`;
  return [`${first.file}:${String(first.line)}${more}: Match blocks of ssh are left out, since they may run commands`];
}

type Value = Extract<Statement, { kind: 'value' }>;

/** The first value of each keyword wins, as in ssh; of IdentityFile all of them count. */
interface Values {
  readonly first: ReadonlyMap<Keyword, Value>;
  readonly identityFiles: readonly Value[];
}

function valuesFor(name: string, files: readonly (readonly Statement[])[]): Values {
  const first = new Map<Keyword, Value>();
  const identityFiles: Value[] = [];
  const walk = (statements: readonly Statement[]): void => {
    let active = true;
    for (const statement of statements) {
      if (statement.kind === 'host') active = matchesName(name, statement.patterns);
      else if (statement.kind === 'match') active = statement.all;
      else if (!active) continue;
      else if (statement.kind === 'include') for (const file of statement.files) walk(file);
      else if (statement.keyword === 'IdentityFile') identityFiles.push(statement);
      // Whichever comes first says how the host is reached.
      else if (statement.keyword === 'ProxyJump' ? !first.has('ProxyCommand') : statement.keyword !== 'ProxyCommand' || !first.has('ProxyJump'))
        if (!first.has(statement.keyword)) first.set(statement.keyword, statement);
    }
  };
  for (const statements of files) walk(statements);
  return { first, identityFiles };
}

function matchesName(name: string, patterns: readonly string[]): boolean {
  let fits = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith('!');
    if (!wildcard(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    fits = true;
  }
  return fits;
}

/** `*` and `?`; goes back to the last star only, so that no pattern takes long. */
function wildcard(pattern: string, name: string): boolean {
  let [at, star, from] = [0, -1, 0];
  for (let index = 0; index < name.length;) {
    if (pattern[at] === '*') [star, from] = [at++, index];
    else if (pattern[at] === '?' || pattern[at] === name[index]) {
      at++;
      index++;
    } else if (star < 0) return false;
    else [at, index] = [star + 1, ++from];
  }
  return /^\**$/.test(pattern.slice(at));
}

interface Person {
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Only what the inventory leaves open is looked at, so that nothing is wrong with a value that is not used. */
function entryOf(name: string, given: SshGiven, { first, identityFiles }: Values, person: Person): SshConfigEntry {
  const sources: { -readonly [K in keyof SshConfigSources]: SshConfigSources[K] } = {};
  const said = (keyword: Keyword, of: keyof SshConfigSources): Value | undefined => {
    const value = first.get(keyword);
    if (value !== undefined) sources[of] = value.source;
    return value;
  };
  const hostName = given.hostName === undefined ? said('HostName', 'hostName') : undefined;
  const dialled = (hostName === undefined ? given.hostName : expand(hostName.words[0], { h: name }, hostName.source)) ?? name;
  if (hostName !== undefined && !isSshAddress(dialled)) wrong(hostName.source, `HostName ${quoted(dialled)} is no host name or IP address`);
  const user = given.user === undefined ? said('User', 'user') : undefined;
  if (user !== undefined && !isUserName(user.words[0])) wrong(user.source, `User ${quoted(user.words[0])} is no user name`, 'write a plain user name');
  const port = given.port === undefined ? said('Port', 'port') : undefined;
  const alias = said('HostKeyAlias', 'hostKeyAlias');

  const own = {
    h: dialled.toLowerCase(),
    n: name,
    p: String(given.port ?? Number(port?.words[0] ?? 22)),
    r: given.user ?? user?.words[0] ?? defaultUser(person.environment),
  };
  const tokens = (): Tokens => ({
    ...own,
    d: person.home,
    i: String(process.getuid?.() ?? ''),
    k: alias?.words[0].toLowerCase() ?? name,
    l: hostname(),
    L: hostname().replace(/\..*$/s, ''),
    u: defaultUser({}),
  });
  const filesOf = (words: readonly string[], source: Source): readonly string[] =>
    words.map((word) => path.resolve(expand(expandTilde(word, person.home, source), tokens(), source, person.environment)));

  const keys = identityFiles.filter(({ words }) => words[0].toLowerCase() !== 'none');
  if (identityFiles[0] !== undefined) sources.identityFiles = (keys[0] ?? identityFiles[0]).source;
  const jump = given.jump === true ? undefined : said('ProxyJump', 'proxyJump');
  const proxyJump =
    jump === undefined || jump.words[0].toLowerCase() === 'none' ? undefined : expand(jump.words[0].replaceAll(/(?<=^|,)ssh:\/\//gi, ''), own, jump.source);
  if (jump !== undefined && proxyJump === undefined) delete sources.proxyJump;
  const command = given.jump === true ? undefined : first.get('ProxyCommand');
  const known = given.knownHosts === true ? undefined : first.get('UserKnownHostsFile');
  // Not to remember any key would let every server in; ssh's own files then still count.
  const remembered = known?.words.filter((word) => word !== '/dev/null' && word.toLowerCase() !== 'none') ?? [];
  if (known !== undefined && remembered.length > 0) sources.userKnownHostsFiles = known.source;
  const only = said('IdentitiesOnly', 'identitiesOnly');

  return {
    ...(hostName === undefined ? {} : { hostName: dialled.toLowerCase() }),
    ...(user === undefined ? {} : { user: user.words[0] }),
    ...(port === undefined ? {} : { port: Number(port.words[0]) }),
    ...(identityFiles.length === 0 ? {} : { identityFiles: [...new Set(keys.flatMap(({ words, source }) => filesOf(words, source)))] }),
    ...(only === undefined ? {} : { identitiesOnly: /^(?:yes|true)$/i.test(only.words[0]) }),
    ...(proxyJump === undefined ? {} : { proxyJump }),
    ...(alias === undefined ? {} : { hostKeyAlias: alias.words[0].toLowerCase() }),
    ...(known === undefined || remembered.length === 0 ? {} : { userKnownHostsFiles: filesOf(remembered, known.source) }),
    ...(command === undefined || command.words[0].trim().toLowerCase() === 'none' ? {} : { notices: [commandNotice(command.source)] }),
    sources,
  };
}

const commandNotice = ({ file, line }: Source): string =>
  `${file}:${String(line)}: ProxyCommand of ssh is not run; hosts that need it are reached with ProxyJump or connection_jump`;

type Tokens = Readonly<Record<string, string>>;

/** `%` tokens, and `${NAME}` where an environment is given. */
function expand(text: string, tokens: Tokens, source: Source, environment?: Person['environment']): string {
  return text.replace(/%(.?)|\$\{([^}]*)\}/gs, (whole, token: string | undefined, variable: string | undefined) => {
    if (token === '%') return '%';
    if (token !== undefined)
      return Object.hasOwn(tokens, token)
        ? (tokens[token] ?? '')
        : wrong(
            source,
            `${quoted(whole)} is not expanded here`,
            `known are %% ${Object.keys(tokens)
              .map((each) => `%${each}`)
              .join(' ')}`,
          );
    if (environment === undefined) return whole;
    return environment[variable ?? ''] ?? wrong(source, `the environment has no ${quoted(variable ?? '')}`, 'set it, or write the path');
  });
}

function expandTilde(file: string, home: string, source: Source): string {
  if (!file.startsWith('~')) return file;
  if (file !== '~' && !file.startsWith('~/')) wrong(source, `${quoted(file)} is in somebody else's home directory`, 'write the whole path');
  return home + file.slice(1);
}
