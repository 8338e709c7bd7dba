/** Becoming another user: a stand-in sudo for every way it can fail, and the machine's own where this runs as root. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Secret } from '../../lib/secret.mts';
import { loginQuote, needsBecome } from '../../lib/transport/become.mts';
import { enter, type Entering } from '../../lib/transport/entrance.mts';
import { openTransport } from '../../lib/transport/index.mts';
import { localConnection } from '../../lib/transport/local.mts';
import type { Connection } from '../../lib/transport/session.mts';
import { startSshd, type Sshd } from './sshd.mts';
import { failureOf, holder, limits, makeHost, mark, opening, SHELLS, sshTo, step, uploadStep, withDirectory } from './support.mts';

describe('one word for any login shell', () => {
  for (const shell of SHELLS) {
    it(`comes through ${shell}`, () => {
      const [command = '', ...args] = shell.split(' ');
      const words = fc.sample(fc.string({ unit: fc.constantFrom(...Array.from(`ab'"\\$\`!*? \n;&|<>(){}[]~#é☃`)), maxLength: 30 }), 60);
      const { stdout } = spawnSync(command, [...args, '-c', words.map((word) => `printf '%s\\0' ${loginQuote(word)}`).join('\n')], { encoding: 'utf8' });
      expect(stdout.split('\0').slice(0, -1)).to.deep.equal(words);
    });
  }
  it('keeps quotes and backslashes outside of quotes, where fish reads them as sh does', () => {
    expect(loginQuote("a'b\\c")).to.equal(`'a'\\''b'\\\\'c'`);
  });
});

describe('becoming', () => {
  it('whoever is that user already needs no sudo', () => {
    expect(needsBecome('root', { user: 'root' })).to.equal(undefined);
    expect(needsBecome('ops', undefined)).to.equal(undefined);
    expect(needsBecome('ops', { user: 'root' })).to.deep.equal({ user: 'root' });
  });

  const RUN = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"';
  const ASK = 'while [ "$1" != -p ]; do shift; done; prompt=$2; printf "%s" "$prompt" >&2; IFS= read -r given;';
  const cases: readonly { name: string; sudo: string | undefined; password?: string; short: string; deadlineMs?: number }[] = [
    { name: 'no sudo', sudo: undefined, short: 'sudo missing' },
    { name: 'not in sudoers', sudo: 'echo "ops is not in the sudoers file." >&2; exit 1', short: 'not in sudoers' },
    { name: 'not allowed', sudo: 'echo "Sorry, user ops is not allowed to execute \'/bin/sh\' as root on h." >&2; exit 1', short: 'not in sudoers' },
    { name: 'requiretty', sudo: 'echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1', short: 'sudo needs a tty' },
    { name: 'password needed and none given', sudo: 'echo "sudo: a password is required" >&2; exit 1', short: 'sudo needs a password' },
    { name: 'unknown user', sudo: 'echo "sudo: unknown user root" >&2; exit 1', short: 'no such user' },
    {
      name: 'wrong password',
      sudo: `${ASK} echo "Sorry, try again." >&2; printf "[sudo: %s] Password:" "$prompt" >&2; sleep 20`,
      password: 'wrong',
      short: 'wrong sudo password',
    },
    { name: 'hanging', sudo: 'sleep 20', short: 'sudo hangs', deadlineMs: 400 },
    { name: 'something else', sudo: 'echo "sudo: PERM_SUDOERS: setresuid(-1, 1, -1)" >&2; exit 1', short: 'sudo failed' },
  ];
  /** The login shell finds only the given sudo. */
  const withSudo = (script: string | undefined, body: (connection: Connection, directory: string) => Promise<void>): Promise<void> =>
    withDirectory(async (directory) => {
      if (script !== undefined) {
        writeFileSync(join(directory, 'sudo'), `#!/bin/sh\n${script}\n`);
        chmodSync(join(directory, 'sudo'), 0o755);
      }
      const inner = localConnection();
      const env = join(directory, 'env');
      spawnSync('ln', ['-s', '/usr/bin/env', env]);
      for (const tool of ['sleep', 'printf']) spawnSync('ln', ['-s', `/bin/${tool}`, join(directory, tool)]);
      await body({ start: (command) => inner.start(`PATH=${directory}; export PATH; ${command}`), [Symbol.asyncDispose]: () => Promise.resolve() }, directory);
    });
  const entering = (more: Partial<Entering>): Entering => ({
    hostName: 'host-01',
    loginUser: 'ops',
    become: { user: 'root' },
    shell: '/bin/sh',
    asks: [],
    holder: undefined,
    lockFile: undefined,
    signal: AbortSignal.timeout(more.deadlineMs ?? 10_000),
    deadlineMs: 10_000,
    ...more,
  });

  for (const { name, sudo, password, short, deadlineMs } of cases) {
    it(`${name}: ${short}`, () =>
      withSudo(sudo, async (connection) => {
        const become = { user: 'root', ...(password === undefined ? {} : { password: new Secret(password, 'prompt') }) };
        const error = await failureOf(enter(connection, entering({ become, ...(deadlineMs === undefined ? {} : { deadlineMs }) })), 'become');
        expect(error.short, error.message).to.equal(short);
        expect(error.message).to.contain('host-01');
      }));
  }

  it('sends the password once, when asked with the prompt of this session, and never a frame before', () =>
    withSudo(`${ASK} [ "$given" = "s'cret \\\\ word" ] || exit 1; ${RUN}`, async (connection) => {
      const { wire, facts } = await enter(connection, entering({ become: { user: 'root', password: new Secret("s'cret \\ word", 'prompt') } }));
      expect(facts.uid).to.equal(process.getuid?.());
      wire.destroy();
    }));

  it('sends no password that nobody asked for', () =>
    withSudo(RUN, async (connection) => {
      const { wire } = await enter(connection, entering({ become: { user: 'root', password: new Secret('touch /tmp/never', 'prompt') } }));
      expect(wire.bytesSent).to.equal(0);
      wire.destroy();
    }));

  it('takes warnings of sudo for noise', () =>
    withSudo(`echo "sudo: unable to resolve host h" >&2; ${RUN}`, async (connection) => {
      (await enter(connection, entering({}))).wire.destroy();
    }));

  it('a login shell that runs no command is told as such', () =>
    withDirectory(async () => {
      const inner = localConnection();
      const nologin: Connection = {
        start: () => inner.start('echo This account is currently not available.; exit 1'),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
      const error = await failureOf(enter(nologin, entering({ become: undefined })), 'auth');
      expect(error.message).to.match(/host-01 let ops log in but ran no command \(exit 1\): This account/);
    }));

  it('what a login shell prints before is ignored', async () => {
    const inner = localConnection();
    const noisy: Connection = {
      start: (command) => inner.start(`echo Welcome; echo 'BEGIN 1'; echo noise >&2; ${command}`),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const { wire, facts } = await enter(noisy, entering({ become: undefined }));
    expect(facts.os).not.to.equal('');
    wire.destroy();
  });
});

if (process.getuid?.() === 0 && existsSync('/usr/bin/sudo')) {
  describe('becoming with the sudo of this machine', () => {
    const [user, helper] = [`kemtest${process.pid}`, `kemtesq${process.pid}`];
    const password = mark();
    let sshd: Sshd;
    before(async () => {
      for (const name of [user, helper]) spawnSync('useradd', ['--create-home', '--shell', '/bin/bash', '--password', '*', name]);
      spawnSync('chpasswd', [], { input: `${user}:${password}\n` });
      writeFileSync(
        `/etc/sudoers.d/${user}`,
        `Defaults:${user} use_pty, timestamp_timeout=0\n${user} ALL=(ALL) ALL\n${helper} ALL=(ALL) NOPASSWD: ALL\nDefaults:${helper} !use_pty\n`,
        { mode: 0o440 },
      );
      sshd = await startSshd();
    });
    after(async () => {
      await sshd[Symbol.asyncDispose]();
      rmSync(`/etc/sudoers.d/${user}`, { force: true });
      for (const name of [user, helper]) spawnSync('userdel', ['--remove', '--force', name]);
    });

    for (const [name, login, secret] of [
      ['with a password', user, password],
      ['without a password', helper, undefined],
      ['without a password, although one was given', helper, password],
    ] as const) {
      it(`${name}: frames, uploads and aborts work as root`, () =>
        withDirectory(async (directory) => {
          await using transport = openTransport({ lockFile: join(directory, 'lock') });
          const become = { user: 'root', ...(secret === undefined ? {} : { password: new Secret(secret, 'prompt') }) };
          await using session = await transport.write(makeHost(sshTo(sshd, { user: login, become })), { ...opening, holder: holder() });
          expect(session.facts.uid).to.equal(0);
          expect(session.counters.roundTrips).to.equal(1);
          const target = join(directory, 'hosts');
          const frame = await session.apply(
            [
              step('payload 0 | wc -c', { payloads: [Buffer.alloc(300_000)] }),
              uploadStep('/etc/hosts', target),
              step(`cmp /etc/hosts ${target} && stat -c %U ${target}`),
            ],
            [],
            limits(),
          );
          expect(frame.steps.map(({ tail }) => tail)).to.deep.equal(['300000', '', 'root']);
          const abort = new AbortController();
          expect(
            (
              await session.apply(
                [step('progress 1; sleep 60')],
                [],
                limits({
                  signal: abort.signal,
                  onProgress: () => {
                    abort.abort();
                  },
                }),
              )
            ).kind,
          ).to.equal('aborted');
          expect((await session.apply([step('echo on')], [], limits())).steps[0]?.tail).to.equal('on');
        }));
    }

    it('a wrong password is tried once', async () => {
      await using transport = openTransport();
      const become = { user: 'root', password: new Secret('not the password', 'prompt') };
      const error = await failureOf(transport.read(makeHost(sshTo(sshd, { user, become })), opening), 'become');
      expect(error.short).to.equal('wrong sudo password');
      expect(`${error.message}${error.hint ?? ''}`).not.to.contain('not the password');
    });

    it('a missing password is told', async () => {
      await using transport = openTransport();
      const error = await failureOf(transport.read(makeHost(sshTo(sshd, { user, become: { user: 'root' } })), opening), 'become');
      expect(error.short).to.equal('sudo needs a password');
    });

    it('a user who may not is told', async () => {
      await using transport = openTransport();
      const become = { user: 'root', password: new Secret('any', 'prompt') };
      const error = await failureOf(transport.read(makeHost(sshTo(sshd, { user: 'nobody', become })), opening), 'auth');
      expect(error.short).to.equal('no shell');
    });
  });
}
