/** Servers that drop, stall, split and lie: never an answer that was not given, and never a wait without end. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type { ErrorKind } from '../../lib/errors.mts';
import type { Ask } from '../../lib/plan/model.mts';
import { enter, hostAsks, type Entering } from '../../lib/transport/entrance.mts';
import type { FramedSession } from '../../lib/transport/framed-session.mts';
import { openTransport } from '../../lib/transport/index.mts';
import type { Connection, Frame } from '../../lib/transport/session.mts';
import { failureOf, holder, limits, makeHost, me, opening, step, text, withDirectory } from '../transport/support.mts';
import { nonceOf, scripted, scriptedChannel, sessionOn, type End } from './scripted.mts';
import { startServer, type Faults, type FaultyServer } from './server.mts';

const host = (server: FaultyServer): ReturnType<typeof makeHost> =>
  makeHost({
    kind: 'ssh',
    address: server.address,
    port: server.port,
    user: me,
    keyFile: server.keyFile,
    knownHostsFile: server.knownHosts,
    hostKeyChecking: 'strict',
  });
const question = text('/etc/hostname');

describe('a faulty ssh server', () => {
  const withServer = async (faults: Faults, body: (server: FaultyServer) => Promise<void>): Promise<void> => {
    await using server = await startServer(faults);
    await body(server);
  };

  it('that drops connections before the handshake is asked again', () =>
    withServer({ dropFirst: 3 }, async (server) => {
      await using transport = openTransport();
      await using session = await transport.read(host(server), { ...opening, asks: [question] });
      expect(session.first.get(question)?.kind).to.equal('value');
      expect(server.connections).to.equal(4);
      expect(server.logins).to.equal(1);
    }));

  it('that drops for ever is given up', () =>
    withServer({ dropFirst: 10_000 }, async (server) => {
      await using transport = openTransport();
      const error = await failureOf(transport.read(host(server), { ...opening, deadlineMs: 1500 }), 'unreachable');
      expect(error.short, 'what went wrong, not only that the time is over').to.equal('dropped by sshd');
      expect(server.connections).to.be.within(2, 20);
    }));

  it('that never speaks is given up at the deadline', () =>
    withServer({ silent: true }, async (server) => {
      await using transport = openTransport();
      await failureOf(transport.read(host(server), { ...opening, deadlineMs: 500 }), 'unreachable');
      expect(server.connections).to.equal(1);
    }));

  it('that never starts the command is given up at the deadline', () =>
    withServer({ stallExec: true }, async (server) => {
      await using transport = openTransport();
      const error = await failureOf(transport.read(host(server), { ...opening, deadlineMs: 700 }), 'unreachable');
      expect(error.short).to.equal('no shell in time');
    }));

  it('that starts no command is told as such, at once', () =>
    withServer({ noExec: true }, async (server) => {
      await using transport = openTransport();
      expect((await failureOf(transport.read(host(server), opening), 'unreachable')).short).to.equal('no channel');
      expect(server.connections).to.equal(1);
    }));

  it('that is interrupted by the user says so', () =>
    withServer({ silent: true }, async (server) => {
      await using transport = openTransport();
      const abort = new AbortController();
      setTimeout(() => {
        abort.abort();
      }, 200);
      await failureOf(transport.read(host(server), { ...opening, signal: abort.signal }), 'interrupted');
    }));

  it('that sends byte by byte, with noise before, is understood', () =>
    withServer({ bytewise: true, noise: 'Welcome\nBEGIN\nEND 1 0\n' }, async (server) => {
      await using transport = openTransport();
      await using session = await transport.read(host(server), { ...opening, asks: [question] });
      expect(session.first.get(question)?.kind).to.equal('value');
      const frame = await session.ask([question], limits());
      expect(frame.kind === 'complete' && frame.answers.get(question)).to.deep.equal(session.first.get(question));
    }));

  it('that cuts the first answer anywhere gives no session', async () => {
    for (const cutAfter of [0, 1, 40, 200, 600]) {
      await withServer({ cutAfter }, async (server) => {
        await using transport = openTransport();
        const error = await failureOf(transport.read(host(server), opening), 'unreachable');
        expect(error.short).to.equal('connection lost');
      });
    }
  });

  it('that cuts the link under a frame: lost, never an answer', () =>
    withServer({}, async (server) => {
      await using transport = openTransport();
      await using session = await transport.read(host(server), { ...opening, asks: [question] });
      const asked = session.ask([{ at: 'host', kind: 'shell', key: 'sleep 1' }], limits());
      setTimeout(() => void server[Symbol.asyncDispose](), 100);
      const frame = await asked;
      expect(frame.kind === 'lost' && frame.error.kind).to.equal('lost');
      expect((await session.ask([question], limits())).kind).to.equal('lost');
    }));

  it('that tells no exit status: an upload is lost, not done', () =>
    withServer({ noStatus: true }, async (server) => {
      await using transport = openTransport({ lockFile: `${server.keyFile}.lock` });
      await using session = await transport.write(host(server), { ...opening, holder: { run: 'r', user: 'u', host: 'h', pid: 1, since: '' } });
      const frame = await session.apply(
        [{ at: 'upload', id: step('').id, localPath: '/etc/hostname', remotePath: '/dev/null', deadlineMs: 5000 }],
        [],
        limits(),
      );
      expect(frame.kind).to.equal('lost');
    }));
});

describe('an answer that is cut', () => {
  const nonceWidth = 24;
  const asks: readonly Ask[] = [question, { at: 'host', kind: 'stat', key: '/etc/hostname' }];
  const answer = (nonce: string): string =>
    `\nBEGIN ${nonce}\n\nPROBE ${nonce}\n\n${nonce}p text\n${'QUJD\n'.repeat(20)}\n${nonce}p status 0\n\nEND ${nonce} 0\n`;
  const whole = answer('0'.repeat(nonceWidth)).length;

  for (const [name, ending] of [
    ['with the link', { code: undefined, signal: undefined }],
    ['although the shell ended well', { code: 0, signal: undefined }],
  ] as const) {
    it(`at any byte, ${name}, is lost`, async () => {
      for (let bytes = 0; bytes < whole; bytes++) {
        const frame: Frame = await scripted(answer, bytes, ending).ask(asks, limits());
        expect(frame.kind, `after ${bytes} of ${whole} bytes`).to.equal('lost');
      }
      expect((await scripted(answer, whole, ending).ask(asks, limits())).kind).to.equal('complete');
    });
  }
});

describe('the first answer of a session', () => {
  /** What a real shell answers to the first command, with NONCE for the nonce of the one that asks. */
  const answerTo = (command: string): string => {
    const said = spawnSync('/bin/sh', ['-c', command], { input: '', encoding: 'latin1' }).stdout;
    return said.replaceAll(nonceOf(command), 'NONCE');
  };

  /** Answers the first command with the first `bytes` bytes of `answer`, and then is gone. */
  const cutAt = (answer: string, bytes: number, ending: End): Connection => ({
    start: (command) => {
      const said = Buffer.from(answer.replaceAll('NONCE', nonceOf(command)), 'latin1').subarray(0, bytes);
      const { channel, finish } = scriptedChannel();
      setImmediate(() => {
        finish(said, ending);
      });
      return Promise.resolve(channel);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });

  for (const [name, become] of [
    ['as the user who logs in', undefined],
    ['as root', { user: 'root' }],
  ] as const)
    for (const [ended, ending, { kind, before, after }] of [
      ['with the link', { code: undefined, signal: undefined }, { kind: 'unreachable', before: 'connection lost', after: 'connection lost' }],
      [
        'with its shell',
        { code: 0, signal: undefined },
        become === undefined ? { kind: 'auth', before: 'no shell', after: 'shell ended' } : { kind: 'become', before: 'sudo failed', after: 'shell ended' },
      ],
    ] satisfies readonly [string, object, { kind: ErrorKind; before: string; after: string }][])
      it(`${name}, cut at any byte ${ended}, gives no session, and nothing is known of the host`, () =>
        withDirectory(async (directory) => {
          const entering: Entering = {
            ...{ hostName: 'host-01', loginUser: 'ops', become, shell: '/bin/sh', signal: opening.signal, deadlineMs: opening.deadlineMs },
            ...{ asks: hostAsks([question, { at: 'host', kind: 'stat', key: '/etc/absent' }]), holder: holder(), lockFile: `${directory}/lock` },
          };
          let answer = '';
          const real: Connection = {
            start: (command) => Promise.reject(new Error((answer = answerTo(command.replace(/^exec env .* -- /, 'exec '))))),
            [Symbol.asyncDispose]: () => Promise.resolve(),
          };
          await enter(real, entering).catch(() => undefined);
          const whole = Buffer.byteLength(answer.replaceAll('NONCE', '0'.repeat(24)), 'latin1');
          // From here on it is the shell that speaks: the first line is empty.
          const begun = `\nBEGIN ${'0'.repeat(24)}\n`.length;
          expect(answer).to.match(/^\nBEGIN NONCE\n(.+\n)+\nPROBE NONCE\n/);
          for (let bytes = 0; bytes < whole; bytes++) {
            const hasBegun = bytes >= begun;
            const error = await failureOf(enter(cutAt(answer, bytes, ending), entering), hasBegun ? 'unreachable' : kind);
            expect(error.short, `byte ${bytes} of ${whole}`).to.equal(hasBegun ? after : before);
          }
          const entered = await enter(cutAt(answer, whole, ending), entering);
          expect(entered.first?.size).to.equal(2);
        }));
});

describe('the end of a session', () => {
  /** A host whose shell never says that it has ended; gives how often it was told to. */
  function deaf(): { readonly session: FramedSession; readonly ends: () => number } {
    let ends = 0;
    const { channel } = scriptedChannel();
    return { session: sessionOn({ ...channel, end: () => (ends += 1) }), ends: () => ends };
  }
  const timed = async (session: FramedSession): Promise<number> => {
    const started = performance.now();
    await session[Symbol.asyncDispose]();
    return performance.now() - started;
  };

  it('is waited for where it frees a lock, and costs a session that only read no round trip', async () => {
    const [reader, writer] = [deaf(), deaf()];
    writer.session.live();
    const [read, wrote] = await Promise.all([timed(reader.session), timed(writer.session)]);
    expect([reader.ends(), writer.ends()]).to.deep.equal([1, 1]);
    // However busy the machine is: the one that holds a lock is given its 2 s.
    expect(wrote).to.be.at.least(1900);
    expect(read).to.be.below(wrote - 500);
  });
});
