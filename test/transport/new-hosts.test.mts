/** Hosts that somebody makes: keys that their provider vouches for, and the time they take until they let anybody in. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { SshConnection } from '../../lib/inventory/model.mts';
import { openTransport } from '../../lib/transport/index.mts';
import { freePort, startSshd, type Sshd } from './sshd.mts';
import { eventually, failureOf, makeHost, opening, sshTo, withDirectory } from './support.mts';

const connections = (sshd: Sshd): number => sshd.log().match(/Connection from /g)?.length ?? 0;

describe('host keys from the provider', () => {
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(() => sshd[Symbol.asyncDispose]());

  const otherKey = (directory: string): string => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'other')]);
    return readFileSync(join(directory, 'other.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  };

  /** A host whose keys are kept under `compute.ID` in a file of its own, and how often its provider was asked for them. */
  function instance(
    directory: string,
    id: string,
    keys: () => readonly string[],
    more: Partial<SshConnection> = {},
    answers: () => Promise<void> = () => sleep(20),
  ): { readonly host: ReturnType<typeof makeHost>; readonly knownHosts: string; asked: number } {
    const knownHosts = join(directory, 'google', 'known_hosts');
    const state = {
      knownHosts,
      asked: 0,
      host: makeHost(
        sshTo(
          { ...sshd, knownHosts },
          {
            hostKeyAlias: `compute.${id}`,
            hostKeys: async () => {
              state.asked += 1;
              await answers();
              return keys();
            },
            ...more,
          },
        ),
      ),
    };
    return state;
  }

  it('are asked for once, recorded under the name of this very machine, and then known', () =>
    withDirectory(async (directory) => {
      const before = connections(sshd);
      const turnedAway = (): number => sshd.log().match(/Disconnected from .*\[preauth\]/g)?.length ?? 0;
      const all = turnedAway() + 3;
      const made = instance(
        directory,
        '4711',
        () => ['ssh-rsa is no key', sshd.hostKey],
        {},
        () => eventually('all three have seen the unknown key', () => turnedAway() >= all),
      );
      {
        await using transport = openTransport();
        await Promise.all([1, 2, 3].map(async () => (await transport.read(made.host, opening))[Symbol.asyncDispose]()));
      }
      expect(made.asked).to.equal(1);
      expect(readFileSync(made.knownHosts, 'utf8')).to.equal(`compute.4711 ${sshd.hostKey}\n`);
      await using transport = openTransport();
      await (await transport.read(made.host, opening))[Symbol.asyncDispose]();
      expect(made.asked).to.equal(1);
      expect(connections(sshd) - before, 'three that find the key unknown, and four that know it').to.equal(7);
    }));

  it('of a machine that was made anew are asked for again, and raise no alarm', () =>
    withDirectory(async (directory) => {
      const old = otherKey(directory);
      const made = instance(directory, '2', () => [sshd.hostKey]);
      execFileSync('mkdir', [join(directory, 'google')]);
      writeFileSync(made.knownHosts, `compute.1 ${old}\n`);
      await using transport = openTransport();
      await (await transport.read(made.host, opening))[Symbol.asyncDispose]();
      expect(readFileSync(made.knownHosts, 'utf8')).to.equal(`compute.1 ${old}\ncompute.2 ${sshd.hostKey}\n`);
    }));

  it('do not excuse a key that has changed: nobody is asked', () =>
    withDirectory(async (directory) => {
      const made = instance(directory, '1', () => [sshd.hostKey]);
      execFileSync('mkdir', [join(directory, 'google')]);
      writeFileSync(made.knownHosts, `compute.1 ${otherKey(directory)}\n`);
      await using transport = openTransport();
      const error = await failureOf(transport.read(made.host, opening), 'refused');
      expect(error.short).to.equal('HOST KEY CHANGED');
      expect(error.message).to.include('(compute.1)');
      expect(made.asked).to.equal(0);
    }));

  for (const hostKeyChecking of ['strict', 'accept-new'] as const)
    it(`that are others than the server's refuse it, also with ${hostKeyChecking}`, () =>
      withDirectory(async (directory) => {
        const other = otherKey(directory);
        const made = instance(directory, '1', () => [other], { hostKeyChecking });
        await using transport = openTransport();
        const error = await failureOf(transport.read(made.host, opening), 'refused');
        expect(error.message).to.match(/now: +ssh-ed25519 SHA256:[\s\S]*known: ssh-ed25519 SHA256:.*known_hosts\)/);
      }));

  for (const [what, keys, says] of [
    ['that cannot be had', () => Promise.reject(new Error('the guest agent is silent')), /in vain: the guest agent is silent/],
    ['that are no keys', () => Promise.resolve(['ssh-ed25519', 'nonsense']), /in vain: it gave no host key/],
  ] as const)
    it(`${what} leave an unknown host refused, unless accept-new is asked for`, () =>
      withDirectory(async (directory) => {
        const before = connections(sshd);
        const { host, knownHosts } = instance(directory, '1', () => [], { hostKeys: keys });
        await using transport = openTransport();
        const error = await failureOf(transport.read(host, opening), 'refused');
        expect(error.short).to.equal('unknown host key');
        expect(error.message).to.match(says);
        expect(error.hint).to.include(`echo 'compute.1 ssh-ed25519 AAAA`);
        expect(connections(sshd) - before).to.equal(2);
        expect(existsSync(knownHosts)).to.equal(false);
        const accepting = instance(directory, '1', () => [], { hostKeys: keys, hostKeyChecking: 'accept-new' });
        await (await transport.read(accepting.host, opening))[Symbol.asyncDispose]();
        expect(readFileSync(knownHosts, 'utf8')).to.equal(`compute.1 ${sshd.hostKey}\n`);
      }));

  it('are not asked for while sshd does not answer', () =>
    withDirectory(async (directory) => {
      const port = await freePort(sshd.address);
      const made = instance(directory, '1', () => [sshd.hostKey], { port, settlingMs: 3_000 });
      await using transport = openTransport();
      await failureOf(transport.read(made.host, { ...opening, deadlineMs: 3_000 }), 'unreachable');
      expect(made.asked).to.equal(0);
    }));

  it('that a new machine has not told yet are asked for again', () =>
    withDirectory(async (directory) => {
      const made = instance(
        directory,
        '1',
        () => {
          if (made.asked === 1) throw new Error('not yet');
          return [sshd.hostKey];
        },
        { settlingMs: 20_000 },
      );
      await using transport = openTransport();
      await (await transport.read(made.host, opening))[Symbol.asyncDispose]();
      expect(made.asked).to.equal(2);
    }));
});

describe('a new host', () => {
  it('may refuse the login until its account is made, and that is waited for without haste', async () => {
    await using sshd = await startSshd();
    const keys = join(sshd.directory, 'authorized_keys');
    const login = readFileSync(keys, 'utf8');
    writeFileSync(keys, '');
    const before = connections(sshd);
    const waiting: string[] = [];
    await using transport = openTransport();
    const opened = transport.read(makeHost(sshTo(sshd, { settlingMs: 20_000 })), {
      ...opening,
      deadlineMs: 3_000,
      onWaiting: (attempt, { short }) => waiting.push(`${String(attempt)} ${short}`) > 0,
    });
    await sleep(1_000);
    writeFileSync(keys, login);
    await (await opened)[Symbol.asyncDispose]();
    expect(waiting).to.deep.equal(['1 login refused']);
    expect(connections(sshd) - before).to.equal(2);
  });

  it('that goes on refusing is given up when its time is over, and says how long it was tried', async () => {
    await using sshd = await startSshd();
    writeFileSync(join(sshd.directory, 'authorized_keys'), '');
    await using transport = openTransport();
    const error = await failureOf(transport.read(makeHost(sshTo(sshd, { settlingMs: 2_000 })), opening), 'auth');
    expect(error.hint).to.match(/tried for 2 s, since the host may have just started/);
  });

  it('is not waited for when the run is to stop', async () => {
    await using sshd = await startSshd();
    writeFileSync(join(sshd.directory, 'authorized_keys'), '');
    await using transport = openTransport();
    const started = performance.now();
    await failureOf(transport.read(makeHost(sshTo(sshd, { settlingMs: 20_000 })), { ...opening, onWaiting: () => false }), 'auth');
    expect(performance.now() - started).to.be.below(5_000);
  });

  it('behind a jump host that lets nobody in is not waited for', async () => {
    await using bastion = await startSshd();
    await using behind = await startSshd();
    writeFileSync(join(bastion.directory, 'authorized_keys'), '');
    await using transport = openTransport();
    const host = makeHost(sshTo(behind, { jump: 'bastion', bastion: sshTo(bastion), settlingMs: 20_000 }));
    const started = performance.now();
    await failureOf(transport.read(host, opening), 'auth');
    expect(performance.now() - started).to.be.below(5_000);
    expect(connections(bastion)).to.equal(2);
  });
});
