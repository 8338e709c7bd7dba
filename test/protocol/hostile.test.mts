/** Servers and hosts that mean harm, or die at the worst moment: the others of the run must not notice. */
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTransport } from '../../lib/transport/index.mts';
import { failureOf, makeHost, me, opening } from '../transport/support.mts';
import { startServer, type Faults, type FaultyServer } from './server.mts';

const host = (server: FaultyServer, more: object = {}): ReturnType<typeof makeHost> =>
  makeHost({
    kind: 'ssh',
    address: server.address,
    port: server.port,
    user: me,
    keyFile: server.keyFile,
    knownHostsFile: server.knownHosts,
    hostKeyChecking: 'strict',
    ...more,
  });

const behind = (server: FaultyServer): ReturnType<typeof makeHost> =>
  host(server, { address: '127.0.0.9', port: 22, jump: `${me}@${server.address}:${server.port}` });

describe('a server at the worst moment', () => {
  const withServer = async (faults: Faults, body: (server: FaultyServer) => Promise<void>): Promise<void> => {
    await using server = await startServer(faults);
    await body(server);
  };

  it('that resets the connection instead of starting a command is unreachable, no bug of ours', () =>
    withServer({ resetOnExec: true }, async (server) => {
      await using transport = openTransport();
      expect((await failureOf(transport.read(host(server), opening), 'unreachable')).short).to.equal('connection lost');
    }));

  it('a jump host that never answers is given up at the deadline', () =>
    withServer({ stallForward: true }, async (server) => {
      await using transport = openTransport();
      const started = performance.now();
      const opened = failureOf(transport.read(behind(server), { ...opening, deadlineMs: 1000 }), 'unreachable');
      await Promise.race([opened, sleep(4000).then(() => Promise.reject(new Error('still waiting')))]);
      expect(performance.now() - started).to.be.lessThan(3000);
    }));

  it('a jump host that goes away while it is asked for a connection is told as such', () =>
    withServer({ stallForward: true }, async (server) => {
      await using transport = openTransport();
      const opened = failureOf(transport.read(behind(server), { ...opening, deadlineMs: 4000 }), 'unreachable');
      await sleep(700);
      await server[Symbol.asyncDispose]();
      const error = await Promise.race([opened, sleep(6000).then(() => Promise.reject(new Error('still waiting')))]);
      expect(error.message).to.contain(`port ${server.port} refuses connections`);
    }));

  it('a jump host that refuses the login is asked once, however many hosts are behind it', () =>
    withServer({ noLogin: true }, async (server) => {
      await using transport = openTransport();
      for (let each = 0; each < 3; each++) await failureOf(transport.read(behind(server), opening), 'auth');
      expect(server.logins).to.equal(1);
    }));
});
