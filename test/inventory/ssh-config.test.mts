import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { RunFailure } from '../../lib/errors.mts';
import type { SshConfigEntry, SshGiven } from '../../lib/inventory/connection.mts';
import type { Explained, SshConnection } from '../../lib/inventory/model.mts';
import { sshConfig } from '../../lib/inventory/ssh-config.mts';
import { hostName } from '../../lib/names.mts';
import { InventoryFiles } from '../support/inventory-files.mts';

/** A home directory with a ~/.ssh. */
class Home implements Disposable {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'kem-ssh-config-'));
  readonly config = this.path('.ssh/config');

  path(name: string): string {
    return path.join(this.directory, name);
  }

  /** `$DIR` in a text is the directory. */
  write(name: string, text: string, mode = 0o600): void {
    mkdirSync(path.dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text.replaceAll('$DIR', this.directory));
    chmodSync(this.path(name), mode);
  }

  ask(name: string, given?: SshGiven): SshConfigEntry {
    return sshConfig({ environment: { HOME: this.directory, SET: 'yes' }, systemFile: this.path('etc/ssh_config') })(name, given);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const failure = (act: () => unknown): RunFailure => {
  try {
    act();
  } catch (error) {
    if (error instanceof RunFailure) return error;
    throw error;
  }
  throw new Error('nothing failed');
};

interface Answer {
  readonly hostname: string;
  readonly user: string;
  readonly port: string;
  readonly identityfile: readonly string[];
  readonly identitiesonly: boolean;
  readonly proxyjump: string | undefined;
  readonly hostkeyalias: string | undefined;
  /** As ssh prints them: with spaces between. */
  readonly userknownhostsfile: string;
}

const USUAL_KEYS = /^~\/\.ssh\/id_/;
const USUAL_HOSTS = /\/\.ssh\/known_hosts2?$/;

/** What OpenSSH itself makes of the file; undefined when it does not accept it. */
function askSsh(home: Home, name: string): Answer | undefined {
  const { status, stdout } = spawnSync('ssh', ['-G', '-F', home.config, name], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const values = (key: string): readonly string[] =>
    stdout
      .split('\n')
      .filter((line) => line.startsWith(`${key} `))
      .map((line) => line.slice(key.length + 1));
  const one = (key: string): string | undefined => values(key)[0];
  return {
    hostname: one('hostname') ?? '',
    user: one('user') ?? '',
    port: one('port') ?? '',
    identityfile: [...new Set(values('identityfile').filter((file) => file !== 'none' && !USUAL_KEYS.test(file)))].map((file) =>
      file.replaceAll('%h', one('hostname') ?? '').replaceAll('%%', '%'),
    ),
    identitiesonly: one('identitiesonly') === 'yes',
    proxyjump: one('proxyjump'),
    hostkeyalias: one('hostkeyalias'),
    userknownhostsfile: (one('userknownhostsfile') ?? '')
      .split(' ')
      .filter((file) => file !== 'none' && !USUAL_HOSTS.test(file))
      .join(' '),
  };
}

/** ssh prints a relative path as it is, which is about the current directory. */
const asGiven = (file: string): string => (file.startsWith(`${process.cwd()}/`) ? file.slice(process.cwd().length + 1) : file);

function askOurs(home: Home, name: string): Answer | undefined {
  try {
    const entry = home.ask(name);
    return {
      hostname: entry.hostName ?? name.toLowerCase(),
      user: entry.user ?? userInfo().username,
      port: String(entry.port ?? 22),
      identityfile: (entry.identityFiles ?? []).map(asGiven),
      identitiesonly: entry.identitiesOnly ?? false,
      proxyjump: entry.proxyJump,
      hostkeyalias: entry.hostKeyAlias,
      userknownhostsfile: (entry.userKnownHostsFiles ?? []).map(asGiven).join(' '),
    };
  } catch (error) {
    if (error instanceof RunFailure && error.error.kind === 'usage') return undefined;
    throw error;
  }
}

/** Each is asked about every name. */
const CONFIGS: Readonly<Record<string, string>> = {
  empty: '',
  comments: '# HostName no\n\n   # indented\nHost a # of it\n  HostName x # end\n  Port 2200#not\n',
  'first value wins': 'Port 1\nHost a\n Port 2\n User one\nHost *\n User two\n HostName z\n',
  negation: 'Host * !a\n Port 2\nHost !b\n Port 3\nHost !b *\n User u\n',
  wildcards: 'Host a?c\n Port 1\nHost *.example.org\n Port 2\nHost a*c*\n User u\nHost **\n HostKeyAlias all\n',
  'several patterns': 'Host x a\n Port 7\nHost "b"\n Port 8\nHost a,b\n User u\n',
  'equal signs': 'Host=a\nHostName = x\nPort=  77\nUser =u\n',
  quotes: 'Host "a"\n User "one"\n IdentityFile "/with space/id" \n HostName \'x\'\n UserKnownHostsFile "/k n" /b\\ c\n',
  'case of keywords': 'HOST a\n hostname X.Example\n pOrT 5\n',
  'case of names': 'Host A\n Port 5\nHost abc\n Port 6\n',
  'identities add up': 'IdentityFile /one\nHost a\n IdentityFile /two\nHost *\n IdentityFile /one\n IdentityFile /three\n IdentitiesOnly yes\n',
  'no identity': 'IdentityFile none\n',
  'jump and its absence': 'Host a\n ProxyJump none\nHost b\n ProxyJump ssh://u@j:23\nHost *\n ProxyJump u@j\n',
  'command before jump': 'ProxyCommand nc %h %p\nProxyJump j\n',
  'jump before command': 'ProxyJump j\nProxyCommand nc %h %p\n',
  'known hosts': 'UserKnownHostsFile /one /two\nUserKnownHostsFile /three\n',
  'host name tokens': 'Host a\n HostName %h.Example.org\n',
  'file tokens': 'Host a\n HostName Hx\nHost *\n Port 99\n User u\n UserKnownHostsFile /%%/%h/%i/%k/%l/%L/%n/%p/%r/%u\n HostKeyAlias Kk\n',
  'file tokens without alias': 'UserKnownHostsFile /%%/%h/%i/%k/%n/%p/%r/%u\n',
  'unknown token': 'UserKnownHostsFile /%z\n',
  'include applies where it stands':
    'Host a\n Include $DIR/parts/*.conf\n Port 1\nHost b\n Include $DIR/parts/1*\n Port 2\nInclude $DIR/none $DIR/parts/deep\n',
  'include ends with its file': 'Include $DIR/parts/1.conf\nPort 3\n',
  'include around itself': 'Include $DIR/.ssh/config\n',
  'match all': 'Host b\n Port 1\nMatch all\n User u\nHost a\n Port 2\n',
  'port out of range': 'Host nobody\n Port 70000\n',
  'port zero': 'Port 0\n',
  'port word': 'Port x22\n',
  'no value': 'HostName\n',
  'only a comment': 'HostName # none\n',
  'a list that is only a comment': 'UserKnownHostsFile # none\n',
  'empty value': 'HostName ""\n',
  'two values': 'User a b\n',
  'open quote': 'Host "a\n',
  'empty pattern': 'Host ""\n',
  'neither yes nor no': 'IdentitiesOnly perhaps\n',
  'carriage returns': 'Host a\r\n  Port 12\r\n  User u\r\n',
  'no newline at the end': 'Host a\n\tPort\t12',
};
const PARTS = {
  'parts/1.conf': 'User included\nHost a\n HostName from-1\n',
  'parts/2.conf': 'Host b a\n IdentityFile /from-2\n',
  'parts/.3.conf': 'HostKeyAlias hidden\n',
  'parts/deep': 'Include $DIR/parts/2.conf\nHostKeyAlias deep\n',
};
const NAMES = ['a', 'b', 'abc', 'ABC', 'es-01.example.org', '10.0.0.1'];

describe('ssh configuration', () => {
  for (const [title, text] of Object.entries(CONFIGS)) {
    it(`means what it means to ssh: ${title}`, () => {
      using home = new Home();
      for (const [name, part] of Object.entries(PARTS)) home.write(name, part);
      home.write('.ssh/config', text);
      for (const name of NAMES) expect(askOurs(home, name), name).to.deep.equal(askSsh(home, name));
    });
  }

  it('means what it means to ssh, whatever is in it', function () {
    this.timeout(60_000);
    const pattern = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '?b', '!a', '!*b', '"b"', 'c');
    const value = fc.constantFrom('x', 'Y.z', '"q r"', '7', '"', "it's", '', '# c', 'a b', '%h', '%%', 'none', '\\"', 'a\\ b', '/f', '/g', '8', 'yes', 'no');
    const keyword = fc.constantFrom('HostName', 'User', 'Port', 'IdentityFile', 'IdentitiesOnly', 'HostKeyAlias', 'UserKnownHostsFile', 'port', 'IDENTITYFILE');
    const plain = fc.constantFrom(
      'HostName x',
      'User u',
      'User v',
      'Port 7',
      'Port 8',
      'IdentityFile /f',
      'IdentityFile /g',
      'HostKeyAlias K',
      'ProxyJump j',
      'ProxyJump none',
      'ProxyCommand c',
    );
    const line = fc.oneof(
      { weight: 6, arbitrary: plain },
      { weight: 4, arbitrary: fc.array(pattern, { minLength: 1, maxLength: 3 }).map((patterns) => `Host ${patterns.join(' ')}`) },
      { weight: 1, arbitrary: fc.tuple(keyword, fc.constantFrom(' ', '=', ' = ', '\t'), value).map((parts) => parts.join('')) },
      { weight: 1, arbitrary: fc.constantFrom('Match all', '# comment', '', 'Include $DIR/part') },
    );
    const text = (most: number): fc.Arbitrary<string> => fc.array(line, { maxLength: most }).map((lines) => lines.join('\n'));
    // What is no host name or user name is refused here, and by ssh only later; a number is an address to ssh.
    const strange = /^(?:user|hostname)[ =\t]+(?:["'\\%#/\d]|.*[ \\'"])/i;
    fc.assert(
      fc.property(text(10), text(4), (config, part) => {
        fc.pre(!`${config}\n${part}`.split('\n').some((each) => strange.test(each)));
        using home = new Home();
        home.write('.ssh/config', config);
        home.write('part', part.replaceAll('Include', '#'));
        for (const name of ['a', 'ab']) expect(askOurs(home, name)).to.deep.equal(askSsh(home, name));
      }),
      { numRuns: 150 },
    );
  });

  it('expands ~, the home directory and the environment in files', () => {
    using home = new Home();
    home.write('.ssh/config', 'IdentityFile ~/.ssh/%n\nIdentityFile %d/id\nIdentityFile ~/${SET}\nUserKnownHostsFile ~/known\n');
    expect(home.ask('a')).to.deep.include({
      identityFiles: ['.ssh/a', 'id', 'yes'].map((name) => home.path(name)),
      userKnownHostsFiles: [home.path('known')],
    });
    for (const [file, message] of [
      ['~other/id', /somebody else's/],
      ['/${UNSET}', /environment has no "UNSET"/],
      ['/%C', /%C/],
    ] as const) {
      home.write('.ssh/config', `Host a\n  IdentityFile ${file}\n`);
      expect(failure(() => home.ask('a')).error).to.deep.include({ kind: 'usage', source: { file: '~/.ssh/config', line: 2, column: 3 } });
      expect(failure(() => home.ask('a')).message).to.match(message);
      expect(home.ask('b')).to.not.have.property('identityFiles');
    }
  });

  it('Include is relative to ~/.ssh, and for the system to its own directory', () => {
    using home = new Home();
    home.write('.ssh/config', 'Include conf.d/* ~/more\n');
    home.write('.ssh/conf.d/b', 'User b\n');
    home.write('.ssh/conf.d/a', 'User a\n');
    home.write('.ssh/conf.d/[x]', 'User x\n');
    home.write('more', 'Port 7\n');
    home.write('etc/ssh_config', 'User system\nPort 8\nInclude ssh_config.d/*.conf\n');
    home.write('etc/ssh_config.d/1.conf', 'HostKeyAlias system\n');
    const entry = home.ask('a');
    expect(entry).to.deep.include({ port: 7, hostKeyAlias: 'system' });
    expect(entry.user).to.equal('x');
    expect(entry.sources).to.deep.include({
      port: { file: '~/more', line: 1, column: 1 },
      hostKeyAlias: { file: '~/etc/ssh_config.d/1.conf', line: 1, column: 1 },
    });
    for (const [glob, user] of Object.entries({ 'conf.d/[!a-c]': undefined, 'conf.d/[bc]': 'b', 'conf.d/?': 'a', 'conf.d/[[]x]': 'x' })) {
      home.write('.ssh/config', `Include ${glob}\n`);
      expect(home.ask('a').user, glob).to.equal(user ?? 'system');
    }
    home.write('etc/ssh_config', 'Include ~/more\n');
    expect(failure(() => home.ask('a')).error.source).to.include({ line: 1 });
  });

  it('a missing file is none, and files are read only when a name is asked for', () => {
    using home = new Home();
    expect(home.ask('a')).to.deep.equal({ sources: {}, notices: [] });
    home.write('.ssh/config', 'Port nonsense\n');
    expect(() => sshConfig({ environment: { HOME: home.directory } })).to.not.throw();
  });

  it('a file that others may write is refused, as ssh does', () => {
    for (const mode of [0o620, 0o602]) {
      for (const file of ['.ssh/config', '.ssh/part']) {
        using home = new Home();
        home.write('.ssh/config', 'Include $DIR/.ssh/part\n');
        home.write('.ssh/part', 'Port 7\n');
        chmodSync(home.path(file), mode);
        const { error } = failure(() => home.ask('a'));
        expect(error.kind).to.equal('refused');
        expect(error.message).to.contain(`~/${file}`);
        expect(error.hint).to.contain('chmod go-w');
        // Some systems' ssh lets a group of one write; ssh does not look at what -F names itself.
        if (file === '.ssh/part' && mode === 0o602) expect(askSsh(home, 'a')).to.equal(undefined);
      }
    }
  });

  it('files that include each other without end, or too many, are wrong usage', () => {
    using home = new Home();
    home.write('.ssh/config', 'Include config config\n');
    const started = performance.now();
    expect(failure(() => home.ask('a')).error.kind).to.equal('usage');
    expect(performance.now() - started).to.be.below(2000);
  });

  it('never runs a Match, and says once that it was left out', () => {
    using home = new Home();
    home.write(
      '.ssh/config',
      `Match exec "touch $DIR/planted"
  User matched
  Port 3
Match host a exec "touch $DIR/planted"
  Include match-only
Host *
  ProxyCommand touch $DIR/planted
  KnownHostsCommand /usr/bin/touch $DIR/planted
  LocalCommand touch $DIR/planted
  PermitLocalCommand yes
  User other
`,
    );
    home.write('.ssh/match-only', 'HostKeyAlias wrong\n');
    const entry = home.ask('a');
    expect(entry.user).to.equal('other');
    expect(entry).to.not.have.any.keys('port', 'hostKeyAlias');
    expect(entry.notices).to.have.lengthOf(2);
    expect(entry.notices?.[0]).to.match(/^~\/\.ssh\/config:1 \(and 1 more\): Match blocks/);
    expect(entry.notices?.[1]).to.match(/^~\/\.ssh\/config:7: ProxyCommand/);
    expect(existsSync(home.path('planted'))).to.equal(false);
    // The command would be seen if it ran.
    execFileSync('ssh', ['-G', '-F', home.config, 'a'], { stdio: 'ignore' });
    expect(existsSync(home.path('planted'))).to.equal(true);
  });

  it('known hosts that remember nothing are not taken over', () => {
    using home = new Home();
    home.write('.ssh/config', 'Host a\n UserKnownHostsFile /dev/null\nHost b\n UserKnownHostsFile none\n');
    for (const name of ['a', 'b']) expect(home.ask(name)).to.not.have.property('userKnownHostsFiles');
  });
});

describe('ssh configuration and the inventory', () => {
  const read = (home: Home, inventory: string, more: Parameters<InventoryFiles['load']>[0] = {}) => {
    using files = new InventoryFiles({ 'inventory.yaml': inventory });
    const environment = { HOME: home.directory, USER: 'me' };
    const loaded = files.load({ environment, sshConfig: sshConfig({ environment, systemFile: home.path('none') }), ...more });
    const connection = (name = 'es-01'): SshConnection => {
      const found = loaded.hosts.get(hostName(name))?.connection;
      if (found?.kind !== 'ssh') throw new Error(`${name} is not reached by ssh`);
      return found;
    };
    const explain = (variable: string): Explained | undefined => loaded.explain(hostName('es-01'), variable);
    return { loaded, connection, explain };
  };
  const problems = (home: Home, inventory: string): string => failure(() => read(home, inventory)).message;
  const CONFIG = `Host es-01
  HostName 10.1.2.3
  User deploy
  Port 2222
  IdentityFile ~/one
  IdentityFile ~/two
  IdentitiesOnly yes
  HostKeyAlias Known
  UserKnownHostsFile ~/known
  ProxyJump gate
Host gate
  HostName gate.example.org
  User jumper
  IdentityFile ~/gate
`;

  it('fills in what is open, and explain names the lines', () => {
    using home = new Home();
    home.write('.ssh/config', CONFIG);
    const { connection, explain, loaded } = read(home, 'all: {hosts: {es-01: }}');
    expect(connection()).to.deep.equal({
      kind: 'ssh',
      address: '10.1.2.3',
      port: 2222,
      user: 'deploy',
      hostKeyChecking: 'strict',
      jump: 'gate',
      identityFiles: [home.path('one'), home.path('two')],
      identitiesOnly: true,
      hostKeyAlias: 'known',
      userKnownHostsFiles: [home.path('known')],
      bastion: {
        kind: 'ssh',
        address: 'gate.example.org',
        port: 22,
        user: 'jumper',
        hostKeyChecking: 'strict',
        identityFiles: [home.path('gate')],
      },
    });
    const from = (line: number): Partial<Explained> => ({ level: 'ssh config', source: { file: '~/.ssh/config', line, column: 3 } });
    expect(explain('ansible_host')).to.deep.equal({ variable: 'ansible_host', value: '10.1.2.3', ...from(2) });
    expect(explain('ansible_user')).to.deep.include({ value: 'deploy', ...from(3) });
    expect(explain('ansible_port')).to.deep.include({ value: 2222, ...from(4) });
    expect(explain('ansible_ssh_private_key_file')).to.deep.include({ value: [home.path('one'), home.path('two')], ...from(5) });
    expect(explain('IdentitiesOnly')).to.deep.include({ value: true, ...from(7) });
    expect(explain('HostKeyAlias')).to.deep.include({ value: 'known', ...from(8) });
    expect(explain('connection_known_hosts_file')).to.deep.include({ value: home.path('known'), ...from(9) });
    expect(explain('connection_jump')).to.deep.include({ value: 'gate', ...from(10) });
    expect(loaded.explainAll(hostName('es-01')).filter(({ level }) => level === 'ssh config')).to.have.lengthOf(8);
    expect(loaded.hosts.get(hostName('es-01'))?.privateAddress, 'what services bind is no matter of one person').to.equal(undefined);
  });

  it('the inventory and the command line win', () => {
    using home = new Home();
    home.write('.ssh/config', CONFIG);
    const { connection, explain } = read(
      home,
      `all: {hosts: {es-01: {ansible_port: 22, ansible_user: admin, ansible_ssh_private_key_file: /own, connection_jump: none, connection_known_hosts_file: /kh}}}`,
      { overrides: { user: 'root' } },
    );
    expect(connection()).to.deep.include({ address: '10.1.2.3', port: 22, user: 'root', keyFile: '/own', knownHostsFile: '/kh' });
    expect(connection()).to.not.have.any.keys('jump', 'bastion', 'userKnownHostsFiles');
    expect(explain('ansible_user')).to.deep.include({ value: 'root', level: 'command line' });
    for (const variable of ['ansible_port', 'ansible_ssh_private_key_file', 'connection_jump', 'connection_known_hosts_file'])
      expect(explain(variable)?.level, variable).to.equal('host');
    expect(read(home, `all: {hosts: {es-01: {ansible_ssh_common_args: '-o ProxyJump=none'}}}`).connection()).to.not.have.property('jump');
  });

  it('ansible_host is the name that ssh is given: a name translates, an address stays', () => {
    using home = new Home();
    home.write('.ssh/config', 'Host alias\n  HostName real.example.org\n  Port 7\nHost 10.*\n  HostName wrong\n  Port 8\nHost es-01\n  Port 9\n');
    const { connection, explain } = read(home, 'all: {hosts: {es-01: {ansible_host: alias}, es-02: {ansible_host: 10.0.0.1}}}');
    expect(connection()).to.include({ address: 'real.example.org', port: 7 });
    expect(explain('ansible_host')).to.deep.include({ value: 'real.example.org', level: 'ssh config' });
    expect(connection('es-02')).to.include({ address: '10.0.0.1', port: 8 });
  });

  it('a jump host may be a host of the inventory, or a name of ssh; its keys are its own', () => {
    using home = new Home();
    home.write('.ssh/config', 'Host gate\n  Port 7\n  User jumper\n');
    const of = (jump: string, more = ''): SshConnection => read(home, `all: {hosts: {es-01: {connection_jump: '${jump}'}${more}}}`).connection();
    expect(of('gate').bastion).to.include({ address: 'gate', port: 7, user: 'jumper' });
    expect(of('ann@gate:8').bastion).to.include({ address: 'gate', port: 8, user: 'ann' });
    expect(of('other').bastion).to.include({ address: 'other', port: 22, user: 'me' });
    expect(of('[fe80::1]:9').bastion).to.include({ address: 'fe80::1', port: 9 });
    expect(of('gate', ', gate: ')).to.not.have.property('bastion');
  });

  it('several jump hosts are passed in their order, and the first is reached as ssh says', () => {
    using home = new Home();
    home.write('.ssh/config', 'Host es-01\n  ProxyJump ann@one:7,two\nHost one\n  ProxyJump ssh://zero\nHost two\n  User bob\n  ProxyJump elsewhere\n');
    const wayOf = ({ address, port, user, bastion }: SshConnection): readonly string[] => [
      ...(bastion === undefined ? [] : wayOf(bastion)),
      `${user}@${address}:${String(port)}`,
    ];
    const way = ['me@zero:22', 'ann@one:7', 'bob@two:22', 'me@es-01:22'];
    expect(wayOf(read(home, 'all: {hosts: {es-01: }}').connection())).to.deep.equal(way);
    for (const variable of ['connection_jump: "ann@one:7,two"', 'ansible_ssh_common_args: "-J ann@one:7,two"'])
      expect(wayOf(read(home, `all: {hosts: {es-01: {ansible_host: 10.0.0.1, ${variable}}}}`).connection())).to.deep.equal([
        ...way.slice(0, -1),
        'me@10.0.0.1:22',
      ]);
  });

  it('the first jump host of several may be a host of the inventory, which has its own way; another one may not', () => {
    using home = new Home();
    const file = (more: string, gate = ''): string => `all: {hosts: {es-01: {${more}}, gate: {${gate}}}}`;
    const { bastion } = read(home, file('connection_jump: "gate,other"', 'connection_jump: outer')).connection();
    expect(bastion).to.include({ address: 'other', jump: 'gate' }).and.not.have.property('bastion');
    expect(problems(home, file('connection_jump: "other,gate"'))).to.match(
      /error {2}the jump host gate is a host of this inventory.* — leave out other, and set connection_jump of gate/,
    );
    expect(problems(home, file('connection_jump: gate', 'connection_jump: es-01'))).to.match(
      /error {2}host es-01 is behind itself: es-01 is behind gate is behind es-01/,
    );
    expect(problems(home, file('', 'connection_jump: gate'))).to.match(
      /error {2}host gate is behind itself: gate is behind gate — set connection_jump: none for gate/,
    );
  });

  it('the same address behind two jump hosts is two hosts', () => {
    using home = new Home();
    const file = (two: string): string =>
      `all: {hosts: {es-01: {ansible_host: 10.0.0.1, connection_jump: "a,gate"}, es-02: {ansible_host: 10.0.0.1, connection_jump: "${two},gate"}}}`;
    expect(() => read(home, file('b'))).to.not.throw();
    expect(problems(home, file('a'))).to.match(/same address: 10\.0\.0\.1 port 22 by way of gate by way of a/);
  });

  const WRONG: Readonly<Record<string, readonly [config: string, problem: RegExp]>> = {
    'a jump host behind itself': [
      'Host es-01\n ProxyJump one\nHost one\n ProxyJump two\nHost two\n ProxyJump one\n',
      /^~\/\.ssh\/config:6:2 {2}error .*more than 8 jump hosts: "one", "two", "one"/,
    ],
    'no last jump host': ['Host es-01\n ProxyJump one,-x\n', /^~\/\.ssh\/config:2:2 {2}error .*"-x" is not \[user@\]host/],
    'no jump host': ['ProxyJump -x\n', /^~\/\.ssh\/config:1:1 {2}error .*is not \[user@\]host/],
    'no host name': ['HostName -oProxyCommand=x\n', /^~\/\.ssh\/config:1:1 {2}error {2}HostName "-oProxyCommand=x" is no host name/],
    'no user name': ['\nUser -x\n', /^~\/\.ssh\/config:2:1 {2}error {2}User/],
    'not a port': ['Port no\n', /^~\/\.ssh\/config:1:1 {2}error {2}"no" is no port/],
  };
  for (const [title, [config, problem]] of Object.entries(WRONG)) {
    it(`${title}: a problem like those of the inventory, with its line`, () => {
      using home = new Home();
      home.write('.ssh/config', config);
      expect(problems(home, 'all: {hosts: {es-01: }}')).to.match(problem);
      expect(() => read(home, 'all: {hosts: {es-01: {ansible_connection: local}}}'), 'not needed').to.not.throw();
    });
  }

  it('says what is left out once for all hosts', () => {
    using home = new Home();
    home.write('.ssh/config', 'Match user x\nHost *\nProxyCommand x\n');
    const { loaded } = read(home, 'all: {hosts: {"es-[01:20]": }}');
    expect(loaded.notices.filter((notice) => notice.includes('.ssh/config'))).to.have.lengthOf(2);
  });
});
