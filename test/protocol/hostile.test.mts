/** Servers and hosts that mean harm, or die at the worst moment: the others of the run must not notice. */
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameReader } from '../../lib/shell/frame-reader.mts';
import { parseProbe } from '../../lib/shell/probe.mts';
import { openTransport } from '../../lib/transport/index.mts';
import { failureOf, limits, makeHost, me, opening, step, text } from '../transport/support.mts';
import { scripted } from './scripted.mts';
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
    withServer({ cutForward: true }, async (server) => {
      await using transport = openTransport();
      const error = await failureOf(transport.read(behind(server), { ...opening, deadlineMs: 8000 }), 'unreachable');
      expect(error.short).to.equal('jump host cannot reach it');
      expect(server.logins).to.equal(3);
    }));

  it('a jump host that refuses the login is asked once, however many hosts are behind it', () =>
    withServer({ noLogin: true }, async (server) => {
      await using transport = openTransport();
      for (let each = 0; each < 3; each++) await failureOf(transport.read(behind(server), opening), 'auth');
      expect(server.logins).to.equal(1);
    }));
});

describe('a host that lies about its frame', () => {
  for (const [what, answer] of [
    ['begins a step that was not sent', (nonce: string) => `\nBEGIN ${nonce}\n\nSTEP ${nonce} 7\n\nDONE ${nonce} 7 0 own\n\nEND ${nonce} 1\n`],
    ['begins no number', (nonce: string) => `\nBEGIN ${nonce}\n\nSTEP ${nonce} x\n\nDONE ${nonce} x 0 own\n\nEND ${nonce} 1\n`],
    ['ends a step that did not begin', (nonce: string) => `\nBEGIN ${nonce}\n\nDONE ${nonce} 0 0 own\n\nEND ${nonce} 1\n`],
    [
      'does a step twice',
      (nonce: string) => `\nBEGIN ${nonce}\n${`\nSTEP ${nonce} 0\n\nDONE ${nonce} 0 0 own\n`.repeat(2)}\nPROGRESS ${nonce} 1 x\n\nEND ${nonce} 2\n`,
    ],
  ] as const) {
    it(`and ${what} is lost, and harms nobody else`, async () => {
      const told: unknown[] = [];
      const frame = await scripted(answer).apply([step('true')], [], limits({ onStep: (each) => told.push(each), onProgress: (each) => told.push(each) }));
      expect(frame.kind).to.equal('lost');
      expect(told).to.have.length.lessThan(3);
    });
  }

  const nonce = 'a'.repeat(24);
  const within = (ms: number, body: () => void): void => {
    const started = performance.now();
    body();
    expect(performance.now() - started).to.be.lessThan(ms);
  };

  it('and sends one line without an end costs no more than its bytes', () => {
    const reader = new FrameReader(nonce);
    reader.push(Buffer.from(`\nBEGIN ${nonce}\n\nPROBE ${nonce}\n`));
    const piece = Buffer.alloc(4096, 'x');
    within(2000, () => {
      for (let each = 0; each < 4096; each++) reader.push(piece);
      reader.push(Buffer.from(`\n\nEND ${nonce} 0\n`));
    });
    expect(reader.finished?.probe?.length).to.equal(4096 * 4096 + 1);
  });

  it('and sends sections or lines that nobody asked for costs no more than their bytes', () => {
    const sections = Buffer.from(`\n${nonce} shell\n\n${nonce} status 0\n`.repeat(120_000));
    within(3000, () => parseProbe(sections, [{ at: 'host', kind: 'shell', key: 'x' }], nonce));
    const lines = Buffer.from(`\n${nonce} stat\n${'::::::x\n'.repeat(250_000)}\n${nonce} status 0\n\n${nonce} end\n`);
    const asks = Array.from({ length: 60 }, (_, index) => ({ at: 'host', kind: 'stat', key: `/etc/a/path/of/number/${index}` }) as const);
    within(3000, () => parseProbe(lines, asks, nonce));
  });
});

describe('an answer that says less than it seems to', () => {
  const nonce = 'a'.repeat(24);

  it('an error belongs to its own file, and a file that went away meanwhile is not absent', () => {
    const [a, ab] = [text('/etc/a'), text('/etc/ab')];
    const output = `
${nonce} stat
81a4:6:0:0:root:root:"/etc/a"
81a4:3:0:0:root:root:"/etc/ab"

${nonce} status 0

${nonce} text
rr
KEM=${nonce}\0hello
KEM=${nonce}\0
${nonce} status 1
head: cannot open '/etc/ab' for reading: No such file or directory

${nonce} end
`;
    const answers = parseProbe(Buffer.from(output), [a, ab] as Parameters<typeof parseProbe>[1], nonce);
    expect(answers.get(a)).to.deep.equal({ kind: 'value', bytes: Buffer.from('hello\n') });
    expect(answers.get(ab)?.kind).to.equal('unavailable');
  });

  it('a kernel setting of which nothing was printed is not empty', () => {
    const ask = { at: 'host', kind: 'sysctl', key: 'vm.swappiness' } as const;
    expect(parseProbe(Buffer.from(`\n${nonce} sysctl\n\n${nonce} status 137\n\n${nonce} end\n`), [ask], nonce).get(ask)?.kind).to.equal('unavailable');
  });
});
