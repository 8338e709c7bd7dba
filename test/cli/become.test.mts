/** `-K` at a terminal, with the sudo of this machine and a password that it asks for. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { quote } from '../../lib/shell/quote.mts';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { mark } from '../transport/support.mts';
import { Program, SITE } from './program.mts';

/** The prompt is written just before the terminal gives every key to the program. */
const RAW_MS = 500;

if (process.getuid?.() === 0 && existsSync('/usr/bin/sudo'))
  describe('command line: the sudo password at a terminal', function () {
    this.timeout(30_000);
    const user = `kemtesk${process.pid.toString()}`;
    const password = mark();
    let sshd: Sshd;
    before(async () => {
      spawnSync('useradd', ['--create-home', '--shell', '/bin/bash', '--password', '*', user]);
      spawnSync('chpasswd', [], { input: `${user}:${password}\n` });
      writeFileSync(`/etc/sudoers.d/${user}`, `Defaults:${user} timestamp_timeout=0\n${user} ALL=(ALL) ALL\n`, { mode: 0o440 });
      sshd = await startSshd();
    });
    after(async () => {
      await sshd[Symbol.asyncDispose]();
      rmSync(`/etc/sudoers.d/${user}`, { force: true });
      spawnSync('userdel', ['--remove', '--force', user]);
    });

    /** What a check says at a terminal where `typed` is the answer to its question, and how it ends. */
    const checked = async (args: readonly string[], typed: string): Promise<{ readonly code: number | null; readonly said: string }> => {
      using program = new Program();
      const inventory = program.write(
        'inventory.yaml',
        `all:
  vars: {ansible_user: ${user}, ansible_become: true, ansible_port: ${sshd.port.toString()}, ansible_ssh_private_key_file: ${sshd.keyFile}, connection_known_hosts_file: ${sshd.knownHosts}}
  children: {es_masters: {hosts: {one: {ansible_host: ${sshd.address}}}}}
`,
      );
      const words = [process.execPath, SITE, '-i', inventory, '--role', 'os-limits', '--check', ...args];
      const child = spawn('script', ['-qec', words.map(quote).join(' '), '/dev/null'], {
        cwd: program.directory,
        env: { PATH: process.env['PATH'] ?? '', HOME: program.directory, TERM: 'xterm', COLUMNS: '200' },
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        const isAsking = !/password.*: /i.test(said);
        said += chunk.toString();
        if (isAsking && /password.*: /i.test(said)) setTimeout(() => child.stdin.write(typed), RAW_MS);
      });
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
      return { code, said };
    };

    it('lets in with the right one, which is never shown', async () => {
      const { code, said } = await checked(['-K'], `${password}\r`);
      expect(code, said).to.be.oneOf([0, 2]);
      expect(said).to.not.include(password);
    });

    it('a wrong one ends with 3, is tried once, and says what to do', async () => {
      const { code, said } = await checked(['-K'], `not ${password}\r`);
      expect(code, said).to.equal(3);
      expect(said)
        .to.match(/sudo refused the password/)
        .and.match(/tried once and not again/);
      expect(said).to.not.include(password);
    });

    it('none ends with 3 and says what to do', async () => {
      const { code, said } = await checked([], '');
      expect(code, said).to.equal(3);
      expect(said)
        .to.match(/sudo asks kemtesk\d+ for a password and none was given/)
        .and.match(/run with -K/);
    });

    it('Ctrl-C at the question ends before anything is contacted', async () => {
      const before = sshd.log().length;
      const { code, said } = await checked(['-K'], '\x03');
      expect(code, said).to.equal(130);
      expect(sshd.log().length).to.equal(before);
    });
  });
