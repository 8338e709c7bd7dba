import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { Program, ROOT, said, SITE } from './program.mts';

const INVENTORY = join(ROOT, 'playbooks/inventory.mts');
const CHECK = ['--role', 'os-limits', '--check', '--json'];
const logins = (sshd: Sshd): number => sshd.log().split('Accepted publickey').length - 1;

describe('command line: hosts that only ~/.ssh/config knows how to reach', function () {
  this.timeout(60_000);
  let target: Sshd;
  let gate: Sshd;
  before(async () => {
    [target, gate] = await Promise.all([startSshd(), startSshd()]);
  });
  after(async () => {
    await Promise.all([target, gate].map((each) => each[Symbol.asyncDispose]()));
  });

  /** A program whose home has the configuration, the keys and the known hosts. */
  const prepared = (config: (program: Program) => string): { program: Program; inventory: string } => {
    const program = new Program();
    mkdirSync(program.path('.ssh'), { mode: 0o700 });
    copyFileSync(target.keyFile, program.path('.ssh/target'));
    copyFileSync(gate.keyFile, program.path('.ssh/gate'));
    program.write('.ssh/config', config(program));
    program.write('known', `alias ${target.hostKey}\n`);
    program.write('.ssh/known_hosts', `[${gate.address}]:${gate.port.toString()} ${gate.hostKey}\n`);
    return { program, inventory: program.write('inventory.yaml', 'all: {children: {es_masters: {hosts: {alias: }}}}\n') };
  };
  const ALIAS = (): string => `Host alias
  HostName ${target.address}
  Port ${target.port.toString()}
  User ${userInfo().username}
  IdentityFile ~/.ssh/missing
  IdentityFile ~/.ssh/%r-none
  IdentityFile ~/.ssh/target
  HostKeyAlias Alias
  UserKnownHostsFile ~/known
`;

  it('an alias is reached with its address, port, user, key and host key name', async () => {
    const { program, inventory } = prepared(ALIAS);
    using _program = program;
    const before = logins(target);
    const ended = await program.run(SITE, ['-i', inventory, ...CHECK]);
    expect(ended.code, said(ended)).to.be.oneOf([0, 2]);
    expect(logins(target) - before).to.equal(1);
  });

  it('an unknown key of an alias is refused under its alias', async () => {
    const { program, inventory } = prepared(ALIAS);
    using _program = program;
    program.write('known', `[${target.address}]:${target.port.toString()} ${target.hostKey}\n`);
    const ended = await program.run(SITE, ['-i', inventory, ...CHECK]);
    expect(ended.code, said(ended)).to.equal(5);
    expect(said(ended)).to.match(/the host key of alias \(alias\) is not known/);
  });

  it('through a jump host that is an alias, too', async () => {
    const { program, inventory } = prepared(
      () => `${ALIAS()}  ProxyJump gate
Host gate
  HostName ${gate.address}
  Port ${gate.port.toString()}
  User ${userInfo().username}
  IdentityFile ~/.ssh/gate
`,
    );
    using _program = program;
    const [atTarget, atGate] = [logins(target), logins(gate)];
    const ended = await program.run(SITE, ['-i', inventory, ...CHECK]);
    expect(ended.code, said(ended)).to.be.oneOf([0, 2]);
    expect([logins(target) - atTarget, logins(gate) - atGate]).to.deep.equal([1, 1]);
  });

  for (const [how, ofHosts, ofGate] of [
    ['in one line', 'outer,gate', ''],
    ['one behind the other', 'gate', '  ProxyJump outer\n'],
  ] as const)
    it(`through two jump hosts ${how}, each met once for all hosts`, async () => {
      await using more = new AsyncDisposableStack();
      const [outer, second] = [more.use(await startSshd()), more.use(await startSshd())];
      const place = ({ address, port }: Sshd, key: string): string =>
        `  HostName ${address}\n  Port ${port.toString()}\n  User ${userInfo().username}\n  IdentityFile ~/.ssh/${key}\n`;
      const { program } = prepared(
        () => `${ALIAS()}  ProxyJump ${ofHosts}
Host second
${place(second, 'second')}  ProxyJump ${ofHosts}
Host gate
${place(gate, 'gate')}${ofGate}Host outer
${place(outer, 'outer')}`,
      );
      using _program = program;
      copyFileSync(outer.keyFile, program.path('.ssh/outer'));
      copyFileSync(second.keyFile, program.path('.ssh/second'));
      program.write('.ssh/known_hosts', [gate, outer, second].map(({ address, port, hostKey }) => `[${address}]:${port.toString()} ${hostKey}\n`).join(''));
      const inventory = program.write('inventory.yaml', 'all: {children: {es_masters: {hosts: {alias: , second: }}}}\n');
      const all = [outer, gate, target, second];
      const before = all.map(logins);
      const ended = await program.run(SITE, ['-i', inventory, ...CHECK]);
      expect(ended.code, said(ended)).to.be.oneOf([0, 2]);
      expect(all.map((each, index) => logins(each) - (before[index] ?? 0))).to.deep.equal([1, 1, 1, 1]);
    });

  it('IdentitiesOnly shows a server only the keys of the agent that are named', async () => {
    const { program, inventory } = prepared(() => ALIAS().replaceAll(/ {2}IdentityFile .*\n/g, '') + '  IdentitiesOnly yes\n  IdentityFile ~/.ssh/only\n');
    using _program = program;
    const socket = program.path('agent');
    const [, pid = ''] = /SSH_AGENT_PID=(\d+)/.exec(execFileSync('ssh-agent', ['-a', socket], { encoding: 'utf8' })) ?? [];
    try {
      // A server lets one try six keys.
      const add = (file: string): void => void execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
      for (let index = 0; index < 7; index++) {
        execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', program.path(`key${index.toString()}`)]);
        add(program.path(`key${index.toString()}`));
      }
      add(program.path('.ssh/target'));
      copyFileSync(`${target.keyFile}.pub`, program.path('.ssh/only.pub'));
      const ended = await program.run(SITE, ['-i', inventory, ...CHECK], { env: { SSH_AUTH_SOCK: socket } });
      expect(ended.code, said(ended)).to.be.oneOf([0, 2]);
      copyFileSync(`${gate.keyFile}.pub`, program.path('.ssh/only.pub'));
      const other = await program.run(SITE, ['-i', inventory, ...CHECK], { env: { SSH_AUTH_SOCK: socket } });
      expect(other.code, said(other)).to.equal(3);
    } finally {
      process.kill(Number(pid));
    }
  });

  it('a Match block never runs anything; that it is left out is said', async () => {
    const { program, inventory } = prepared((made) => `Match host alias exec "touch ${made.path('planted')}"\n  User nobody\n${ALIAS()}`);
    using _program = program;
    const ended = await program.run(SITE, ['-i', inventory, ...CHECK]);
    expect(ended.code, said(ended)).to.be.oneOf([0, 2]);
    expect(said(ended)).to.contain('~/.ssh/config:1: Match blocks of ssh are left out');
    const explained = await program.run(INVENTORY, ['explain', 'alias', '-i', inventory]);
    expect(explained.code, said(explained)).to.equal(0);
    expect(existsSync(program.path('planted'))).to.equal(false);
  });

  it('explain names the lines', async () => {
    const { program, inventory } = prepared(ALIAS);
    using _program = program;
    const { stdout, code } = await program.run(INVENTORY, ['explain', 'alias', '-i', inventory]);
    expect(code).to.equal(0);
    const words = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(words).to.deep.include(['ansible_host', target.address, 'ssh config', '~/.ssh/config:2']);
    expect(words).to.deep.include(['ansible_port', target.port.toString(), 'ssh config', '~/.ssh/config:3']);
    expect(words).to.deep.include(['HostKeyAlias', 'alias', 'ssh config', '~/.ssh/config:8']);
  });

  it('what is wrong in it ends with 4 and the line; a file that others may write with 5', async () => {
    const { program, inventory } = prepared(() => 'Host alias\n  Port many\n');
    using _program = program;
    const wrong = await program.run(SITE, ['-i', inventory, ...CHECK]);
    expect(wrong.code, said(wrong)).to.equal(4);
    expect(said(wrong)).to.contain('~/.ssh/config:2');
    program.write('.ssh/config', '');
    execFileSync('chmod', ['666', program.path('.ssh/config')]);
    const open = await program.run(SITE, ['-i', inventory, ...CHECK]);
    expect(open.code, said(open)).to.equal(5);
    expect(said(open)).to.contain('chmod go-w ~/.ssh/config');
  });
});
