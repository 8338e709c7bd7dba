/** Accounts with the login shells that people have, and with start-up files that print, fail and change what they can. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { openTransport } from '../../lib/transport/index.mts';
import { startSshd, type Sshd } from './sshd.mts';
import { failureOf, holder, limits, makeHost, opening, sshTo, step, text, withDirectory } from './support.mts';

const NOISE = 'echo Welcome\necho BEGIN 1\necho noise >&2\nfalse\n';
/** What each of them reads when ssh gives it a command, and how one spoils it there. */
const SHELLS: readonly { readonly shell: string; readonly file?: string; readonly startUp?: string }[] = [
  { shell: '/bin/dash' },
  { shell: '/bin/bash', file: '.bashrc', startUp: `${NOISE}export LC_ALL=ko_KR.UTF-8 PATH=/nonexistent:$PATH CDPATH=/tmp\nalias sh=false\nset -o noclobber\n` },
  { shell: '/usr/bin/zsh', file: '.zshenv', startUp: `${NOISE}export PATH=/nonexistent:$PATH\nalias sh=false\nsetopt extended_glob no_match\n` },
  { shell: '/usr/bin/fish', file: '.config/fish/config.fish', startUp: `${NOISE}set -x PATH /nonexistent $PATH\nfunction sh; false; end\n` },
];

if (process.getuid?.() === 0 && existsSync('/usr/bin/sudo'))
  describe('a login shell', function () {
    this.timeout(20_000);
    const nameOf = (shell: string): string => `kem${shell.replace(/.*\//, '').slice(0, 7)}${process.pid.toString()}`;
    const accounts = [...SHELLS.map(({ shell }) => shell), '/usr/sbin/nologin'];
    let sshd: Sshd;
    before(async () => {
      for (const shell of accounts) spawnSync('useradd', ['--create-home', '--shell', shell, '--password', '*', nameOf(shell)]);
      for (const { shell, file, startUp = '' } of SHELLS) {
        if (file === undefined) continue;
        const path = join('/home', nameOf(shell), file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, startUp);
      }
      writeFileSync(`/etc/sudoers.d/kemshells${process.pid.toString()}`, accounts.map((shell) => `${nameOf(shell)} ALL=(ALL) NOPASSWD: ALL\n`).join(''), {
        mode: 0o440,
      });
      sshd = await startSshd();
    });
    after(async () => {
      await sshd[Symbol.asyncDispose]();
      rmSync(`/etc/sudoers.d/kemshells${process.pid.toString()}`, { force: true });
      for (const shell of accounts) spawnSync('userdel', ['--remove', '--force', nameOf(shell)]);
    });

    for (const { shell } of SHELLS)
      for (const become of [undefined, { user: 'root' }])
        it(`${shell}${become === undefined ? '' : ', and sudo behind it'}: one that prints and fails first changes nothing`, () =>
          withDirectory(async (directory) => {
            await using transport = openTransport({ lockFile: join(directory, 'lock') });
            spawnSync('chmod', ['777', directory]);
            const question = text('/etc/hostname');
            const to = sshTo(sshd, { user: nameOf(shell), ...(become === undefined ? {} : { become }) });
            await using session = await transport.write(makeHost(to), { ...opening, asks: [question], holder: holder() });
            expect(session.first.get(question)?.kind).to.equal('value');
            const frame = await session.apply(
              [step(`payload 0; echo "it's \\$HOME"; printf x >'${directory}/file'`, { payloads: ['a\\b \'c\' "d"\n'] })],
              [],
              limits(),
            );
            expect(frame.steps.map(({ tail }) => tail)).to.deep.equal(["a\\b 'c' \"d\"\nit's $HOME"]);
          }));

    it('/usr/sbin/nologin: told as such, with what to do', async () => {
      await using transport = openTransport();
      const error = await failureOf(transport.read(makeHost(sshTo(sshd, { user: nameOf('/usr/sbin/nologin') })), opening), 'auth');
      expect(`${error.message} ${error.hint ?? ''}`).to.match(/ran no command .*not available.* give kemnologin\d+ a login shell/s);
    });
  });
