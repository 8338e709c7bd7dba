/** What only ssh has: host keys, logins, crowds of connections, jump hosts. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { SshConnection } from '../../lib/inventory/model.mts';
import { openTransport } from '../../lib/transport/index.mts';
import { freePort, startSshd, type Sshd } from './sshd.mts';
import { failureOf, makeHost, opening, sshTo, text, withDirectory } from './support.mts';

const connections = (sshd: Sshd): number => sshd.log().match(/Connection from /g)?.length ?? 0;

describe('ssh', () => {
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(() => sshd[Symbol.asyncDispose]());

  const otherKey = (directory: string, type = 'ed25519'): string => {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(directory, `other-${type}`)]);
    return readFileSync(join(directory, `other-${type}.pub`), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
  };

  const refusals: readonly { name: string; lines: (name: string, directory: string) => string; short: string; says: RegExp; hint: RegExp }[] = [
    { name: 'unknown', lines: () => '', short: 'unknown host key', says: /is not known: ssh-ed25519 SHA256:/, hint: /echo '\[.*\]:\d+ ssh-ed25519 AAAA/ },
    {
      name: 'changed',
      lines: (name, directory) => `${name} ${otherKey(directory)}\n`,
      short: 'HOST KEY CHANGED',
      says: /now: +ssh-ed25519 SHA256:.*\n +known: ssh-ed25519 SHA256:.*known_hosts:1/,
      hint: /ssh-keygen -R/,
    },
    {
      name: 'of another type',
      lines: (name, directory) => `${name} ${otherKey(directory, 'ecdsa')}\n`,
      short: 'HOST KEY CHANGED',
      says: /now: +ssh-ed25519 SHA256:.*\n +known: ecdsa-sha2-nistp256 SHA256:/,
      hint: /ssh-keygen -R/,
    },
    {
      name: 'revoked',
      lines: (name) => `${name} ${sshd.hostKey}\n@revoked * ${sshd.hostKey}\n`,
      short: 'host key revoked',
      says: /revoked by .*known_hosts:2/,
      hint: /new key/,
    },
  ];
  for (const { name, lines, short, says, hint } of refusals) {
    it(`a host key that is ${name} is refused, after one attempt`, () =>
      withDirectory(async (directory) => {
        const knownHosts = join(directory, 'known_hosts');
        writeFileSync(knownHosts, lines(`[${sshd.address}]:${sshd.port}`, directory));
        const before = connections(sshd);
        await using transport = openTransport();
        const policies = name === 'unknown' ? (['strict'] as const) : (['strict', 'accept-new'] as const);
        for (const hostKeyChecking of policies) {
          const error = await failureOf(transport.read(makeHost(sshTo({ ...sshd, knownHosts }, { hostKeyChecking })), opening), 'refused');
          expect(error.short).to.equal(short);
          expect(error.message).to.match(says);
          expect(error.hint).to.match(hint);
        }
        expect(connections(sshd) - before).to.equal(policies.length);
      }));
  }

  it('a host with keys of several types is met with the one that is known', async () => {
    await using many = await startSshd((directory) => {
      execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', join(directory, 'rsa')]);
      return `HostKey ${join(directory, 'rsa')}`;
    });
    const key = readFileSync(join(many.directory, 'rsa.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    writeFileSync(many.knownHosts, `[${many.address}]:${many.port} ${key}\n`);
    await using transport = openTransport();
    await using _session = await transport.read(makeHost(sshTo(many)), opening);
  });

  it('a key that is known without the port is known, as ssh says', () =>
    withDirectory(async (directory) => {
      const knownHosts = join(directory, 'known_hosts');
      const fromSsh = (): number | null =>
        spawnSync('ssh', [
          ...['-F', 'none', '-i', sshd.keyFile, '-p', String(sshd.port), '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'GlobalKnownHostsFile=/dev/null'],
          ...['-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes', sshd.address, 'true'],
        ]).status;
      await using transport = openTransport();
      writeFileSync(knownHosts, `${sshd.address} ${sshd.hostKey}\n`);
      expect(fromSsh()).to.equal(0);
      await (await transport.read(makeHost(sshTo({ ...sshd, knownHosts })), opening))[Symbol.asyncDispose]();
      const other = join(directory, 'others');
      writeFileSync(knownHosts, `${sshd.address} ${otherKey(directory)}\n`);
      writeFileSync(other, readFileSync(knownHosts));
      expect(fromSsh()).to.equal(255);
      await failureOf(transport.read(makeHost(sshTo({ ...sshd, knownHosts: other })), opening), 'refused');
    }));

  it('a hashed name is known', () =>
    withDirectory(async (directory) => {
      const knownHosts = join(directory, 'known_hosts');
      writeFileSync(knownHosts, `[${sshd.address}]:${sshd.port} ${sshd.hostKey}\n`);
      execFileSync('ssh-keygen', ['-H', '-f', knownHosts], { stdio: 'ignore' });
      await using transport = openTransport();
      await using _session = await transport.read(makeHost(sshTo({ ...sshd, knownHosts })), opening);
    }));

  it('accept-new records the key of a first contact', () =>
    withDirectory(async (directory) => {
      const knownHosts = join(directory, 'known_hosts');
      for (const hostKeyChecking of ['accept-new', 'strict'] as const) {
        await using transport = openTransport();
        await using _session = await transport.read(makeHost(sshTo({ ...sshd, knownHosts }, { hostKeyChecking })), opening);
      }
      expect(readFileSync(knownHosts, 'utf8')).to.equal(`[${sshd.address}]:${sshd.port} ${sshd.hostKey}\n`);
    }));

  it('a refused login is tried once and names what was tried', () =>
    withDirectory(async (directory) => {
      otherKey(directory);
      const before = connections(sshd);
      await using transport = openTransport();
      const error = await failureOf(transport.read(makeHost(sshTo({ ...sshd, keyFile: join(directory, 'other-ed25519') })), opening), 'auth');
      expect(error.message).to.contain(`${join(directory, 'other-ed25519')} (SHA256:`);
      expect(connections(sshd) - before).to.equal(1);
    }));

  it('a key that cannot be used is found before anything is contacted', () =>
    withDirectory(async (directory) => {
      const before = connections(sshd);
      await using transport = openTransport();
      const host = makeHost(sshTo({ ...sshd, keyFile: join(directory, 'none') }));
      await failureOf(transport.prepare([host]), 'usage');
      await failureOf(transport.read(host, opening), 'usage');
      expect(connections(sshd)).to.equal(before);
    }));

  it('sixty connections at once all come through, with the default MaxStartups', async () => {
    await using transport = openTransport();
    const before = connections(sshd);
    const host = makeHost(sshTo(sshd));
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        await using session = await transport.read(host, { ...opening, deadlineMs: 60_000, asks: [text('/etc/hostname')] });
        expect(session.first.size).to.equal(1);
      }),
    );
    expect(connections(sshd) - before).to.equal(60);
    expect(sshd.log()).not.to.match(/drop connection|MaxStartups/);
  }).timeout(60_000);

  it('a port that nobody serves is told within seconds', async () => {
    await using transport = openTransport();
    const began = performance.now();
    const port = await freePort(sshd.address);
    const error = await failureOf(transport.read(makeHost(sshTo({ ...sshd, port })), opening), 'unreachable');
    expect(error.short).to.equal('connection refused');
    expect(performance.now() - began).to.be.below(3_000);
  });

  it('waits for a host that is just being made', async () => {
    const port = await freePort(sshd.address);
    writeFileSync(join(sshd.directory, 'later'), `[${sshd.address}]:${port} ${sshd.hostKey}\n`);
    await using transport = openTransport();
    const waiting: string[] = [];
    const opened = transport.read(makeHost(sshTo({ ...sshd, port, knownHosts: join(sshd.directory, 'later') }, { settlingMs: 10_000 })), {
      ...opening,
      onWaiting: (_attempt, { short }) => waiting.push(short) > 0,
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const relay = net
      .createServer((client) =>
        client
          .pipe(net.connect(sshd.port, sshd.address))
          .pipe(client)
          .on('error', () => undefined),
      )
      .listen(port, sshd.address);
    try {
      await (await opened)[Symbol.asyncDispose]();
      expect(waiting).to.include('connection refused');
    } finally {
      relay.close();
    }
  });

  it('hosts behind a jump host share one connection to it, and every key is verified', async () => {
    await using behind = await startSshd();
    writeFileSync(join(behind.directory, 'both'), readFileSync(behind.knownHosts, 'utf8') + readFileSync(sshd.knownHosts, 'utf8'));
    writeFileSync(
      join(sshd.directory, 'authorized_keys'),
      readFileSync(join(sshd.directory, 'user.pub'), 'utf8') + readFileSync(join(behind.directory, 'user.pub'), 'utf8'),
    );
    const jump = `${sshd.address}:${sshd.port}`;
    const before = connections(sshd);
    {
      await using transport = openTransport();
      const sessions = await Promise.all(
        Array.from({ length: 5 }, () => transport.read(makeHost(sshTo({ ...behind, knownHosts: join(behind.directory, 'both') }, { jump })), opening)),
      );
      await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
    }
    expect(connections(sshd) - before).to.equal(1);
    // The jump host's key is not known in the target's own file.
    await using transport = openTransport();
    const error = await failureOf(transport.read(makeHost(sshTo(behind, { jump })), opening), 'refused');
    expect(error.message).to.contain(`jump host ${jump}`);
    // The same with a jump host before that one, which is found where it goes wrong.
    await using outer = await startSshd();
    const way = (more: Partial<SshConnection>): SshConnection =>
      sshTo(behind, { jump: 'gate', bastion: sshTo(sshd, { jump: 'outer', bastion: sshTo(outer, more) }) });
    {
      await using nested = openTransport();
      const sessions = await Promise.all(Array.from({ length: 5 }, () => nested.read(makeHost(way({})), opening)));
      await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
    }
    expect([connections(sshd) - before, connections(outer)]).to.deep.equal([3, 2]);
    expect((await failureOf(transport.read(makeHost(way({ user: 'nobody-here' })), opening), 'auth')).message).to.contain('jump host outer');
    expect((await failureOf(transport.read(makeHost(way({ port: 9 })), opening), 'unreachable')).message).to.contain(`${outer.address} port 9`);
    // A name of the inventory stands for that host's connection.
    await using named = openTransport({ hostConnection: (name) => (name === 'bastion' ? sshTo(sshd) : undefined) });
    await (await named.read(makeHost(sshTo(behind, { jump: 'bastion' })), opening))[Symbol.asyncDispose]();
  });
});
