/** What every way to a host must do alike; run locally and through a real sshd. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Connection } from '../../lib/inventory/model.mts';
import { openTransport, type OpenedTransport } from '../../lib/transport/index.mts';
import type { Frame, Progress, Session } from '../../lib/transport/session.mts';
import { startSshd, type Sshd } from './sshd.mts';
import {
  eventually,
  failureOf,
  holder,
  limits,
  makeHost,
  mark,
  opening,
  processesWith,
  relay,
  SHELLS,
  sshTo,
  step,
  text,
  uploadStep,
  withDirectory,
} from './support.mts';

const CLIENT = fileURLToPath(new URL('client.mts', import.meta.url));

function contract(name: string, connection: () => Connection): void {
  describe(`a session ${name}`, () => {
    const withSession = (body: (session: Session, directory: string, transport: OpenedTransport) => Promise<void>, shell?: string): Promise<void> =>
      withDirectory(async (directory) => {
        await using transport = openTransport({ lockFile: join(directory, 'lock'), ...(shell === undefined ? {} : { shell }) });
        await using session = await transport.write(makeHost(connection()), { ...opening, holder: holder() });
        await body(session, directory, transport);
      });

    it('knows the facts and answers riding questions with one round trip', async () => {
      await using transport = openTransport();
      const [there, not] = [text('/etc/hostname'), text('/etc/there is none')];
      await using reader = await transport.read(makeHost(connection()), { ...opening, asks: [there, not] });
      expect(reader.counters).to.include({ roundTrips: 1 });
      expect(reader.counters.connectMs).to.be.above(0);
      expect(reader.first.get(there)).to.deep.include({ kind: 'value' });
      expect(reader.first.get(not)).to.deep.equal({ kind: 'absent' });
      const { facts } = reader;
      expect(facts.os).to.equal(/^ID=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]);
      expect(facts.bootId).to.equal(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
      const capabilities = /^CapEff:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
      expect(facts.mayRaiseLimits).to.equal(/[13579bdf].{6}$/.test(capabilities));
      expect(facts.nrOpen).to.equal(Number(readFileSync('/proc/sys/fs/nr_open', 'utf8')));
      expect(facts.memoryBytes).to.be.above(1e8);
      expect(facts.cpus).to.be.above(0);
      expect(facts.arch).to.match(/^(x86_64|aarch64)$/);
      expect(facts.uid).to.equal(process.getuid?.());
      expect([...facts.tools]).to.include.members(['base64', 'flock', 'setsid', 'sha256sum', 'stat']);
      expect(facts.limits.nofile.hard).to.be.at.least(facts.limits.nofile.soft);
      const frame = await reader.ask([there], limits());
      expect(frame.kind === 'complete' && frame.answers.get(there)).to.deep.equal(reader.first.get(there));
      expect(reader.counters).to.include({ roundTrips: 2 });
    });

    it('asks by a frame what is too long for a command', async () => {
      await using transport = openTransport();
      const asks = Array.from({ length: 3000 }, (_, index) => text(`/etc/a rather long name of a file that is not there/${index}`));
      await using reader = await transport.read(makeHost(connection()), { ...opening, asks });
      expect(reader.counters.roundTrips).to.equal(2);
      expect(reader.first.size).to.equal(asks.length);
      expect(new Set([...reader.first.values()].map(({ kind }) => kind))).to.deep.equal(new Set(['absent']));
    });

    it('asks by a frame what is too long in bytes only', async () => {
      await using transport = openTransport();
      const ask = { at: 'host', kind: 'shell', key: `printf %s '${'é'.repeat(80_000)}' | wc -c` } as const;
      await using reader = await transport.read(makeHost(connection()), { ...opening, asks: [ask] });
      const answer = reader.first.get(ask);
      expect(answer?.kind === 'value' && Buffer.from(answer.bytes).toString()).to.equal('0\n160000\n');
    });

    it('uploads what needs many turns without leaving a listener for each', () =>
      withSession(async (session, directory) => {
        const warnings: string[] = [];
        const note = ({ message }: Error): number => warnings.push(message);
        process.on('warning', note);
        try {
          const from = join(directory, 'from');
          writeFileSync(from, '');
          truncateSync(from, 40 * 1024 * 1024);
          const frame = await session.apply([uploadStep(from, join(directory, 'to'))], [], limits());
          expect(frame.kind === 'complete' && frame.steps.map(({ end }) => end)).to.deep.equal([{ kind: 'exited', code: 0 }]);
          await sleep(20);
        } finally {
          process.off('warning', note);
        }
        expect(warnings).to.deep.equal([]);
      }));

    for (const shell of SHELLS) {
      it(`applies, asks again and counts in ${shell}`, () =>
        withSession(async (session, directory) => {
          const file = join(directory, 'out');
          const again = text(file);
          const frame = await session.apply([step(`payload 0 >'${file}'; echo said; echo noise >&2`, { payloads: ['schön\n'] })], [again], limits());
          expect(frame).to.deep.include({ kind: 'complete', steps: [{ id: 'step', end: { kind: 'exited', code: 0 }, tail: 'said\nnoise' }] });
          expect(frame.kind === 'complete' && frame.answers.get(again)).to.deep.equal({ kind: 'value', bytes: Buffer.from('schön\n') });
          expect(session.counters.roundTrips).to.equal(2);
        }, shell));
    }

    it('asks also after a step failed, and runs no further step', () =>
      withSession(async (session, directory) => {
        const again = text(join(directory, 'never'));
        const frame = await session.apply([step('exit 7', { id: 'first' }), step(`echo x >'${directory}/never'`)], [again], limits());
        expect(frame.kind === 'complete' && frame.answers.get(again)).to.deep.equal({ kind: 'absent' });
        expect(frame.steps).to.deep.equal([{ id: 'first', end: { kind: 'exited', code: 7 }, tail: '' }]);
      }));

    it('uploads between steps, in order, with progress', () =>
      withSession(async (session, directory) => {
        const [from, to] = [join(directory, 'from'), join(directory, 'to it')];
        const bytes = randomBytes(5_000_000);
        writeFileSync(from, bytes);
        const told: Progress[] = [];
        const frame = await session.apply(
          [step(`test ! -e '${to}'`), uploadStep(from, to), step(`sha256sum <'${to}'`)],
          [text('/etc/hostname')],
          limits({ onProgress: (progress) => told.push(progress) }),
        );
        expect(frame.kind, JSON.stringify(frame)).to.equal('complete');
        expect(frame.steps.map(({ end }) => end)).to.deep.equal(Array.from({ length: 3 }, () => ({ kind: 'exited', code: 0 })));
        expect(frame.steps[2]?.tail).to.equal(`${createHash('sha256').update(bytes).digest('hex')}  -`);
        expect(told.at(-1)).to.deep.equal({ id: 'upload', done: bytes.length, total: bytes.length });
        expect(statSync(to).mode & 0o777).to.equal(0o600);
        expect(session.counters.roundTrips).to.equal(4);
        expect(session.counters.bytesSent).to.be.above(bytes.length);
      }));

    it('keeps nothing of an upload that is aborted', () =>
      withSession(async (session, directory) => {
        const [from, to] = [join(directory, 'from'), join(directory, 'to')];
        writeFileSync(from, '');
        truncateSync(from, 40 * 1024 * 1024);
        const abort = new AbortController();
        let arrived = false;
        const onProgress = (): void => {
          arrived ||= existsSync(to);
          if (arrived) abort.abort();
        };
        const frame = await session.apply([uploadStep(from, to)], [], limits({ signal: abort.signal, onProgress }));
        expect(frame.kind).to.equal('aborted');
        await eventually('what had arrived is gone', () => !existsSync(to));
      }));

    it('reports an upload that fails as a failed step and still asks', () =>
      withSession(async (session, directory) => {
        const again = text('/etc/hostname');
        for (const [from, to] of [
          ['/etc/hostname', join(directory, 'no such directory', 'x')],
          [join(directory, 'none'), join(directory, 'x')],
        ] as const) {
          const frame = await session.apply([uploadStep(from, to), step('echo never')], [again], limits());
          expect(frame.steps.length).to.equal(1);
          expect(frame.steps[0]?.end).to.include({ kind: 'exited' }).and.not.include({ code: 0 });
          expect(frame.steps[0]?.tail).to.match(/no such file|nonexistent/i);
          expect(frame.kind === 'complete' && frame.answers.get(again)?.kind).to.equal('value');
        }
      }));

    it('aborts a step and goes on', () =>
      withSession(async (session) => {
        const word = mark();
        const abort = new AbortController();
        const aborted = session.apply(
          [step(`progress 1; sh -c 'sleep 60; : ${word}'`)],
          [text('/etc/hostname')],
          limits({
            signal: abort.signal,
            onProgress: () => {
              abort.abort();
            },
          }),
        );
        expect(await aborted).to.deep.include({ kind: 'aborted', steps: [{ id: 'step', end: { kind: 'aborted' }, tail: '' }] });
        expect(processesWith(word)).to.deep.equal([]);
        expect((await session.apply([step('echo on')], [], limits())).steps[0]?.tail).to.equal('on');
      }));

    it('aborts before anything began', () =>
      withSession(async (session) => {
        const frame = await session.apply([step('echo never')], [], limits({ signal: AbortSignal.abort() }));
        expect(frame).to.deep.include({ kind: 'aborted', steps: [] });
      }));

    it('ends a frame at its deadline and goes on', () =>
      withSession(async (session) => {
        const frame = await session.apply([step('sleep 60')], [], limits({ deadlineMs: 300 }));
        expect(frame).to.deep.include({ kind: 'timeout' });
        expect(frame.kind !== 'complete' && frame.error.kind).to.equal('timeout');
        expect((await session.apply([step('echo on')], [], limits())).steps[0]?.tail).to.equal('on');
      }));

    it('ends a question at its deadline, and the session with it', () =>
      withSession(async (session) => {
        const hangs = { at: 'host', kind: 'shell', key: 'sleep 3' } as const;
        expect((await session.ask([hangs], limits({ deadlineMs: 200 }))).kind).to.equal('timeout');
        expect((await session.ask([text('/etc/hostname')], limits())).kind).to.be.oneOf(['lost', 'timeout']);
      }));

    it('cuts endless output', () =>
      withSession(async (session) => {
        const frame = await session.apply(
          [step('while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done')],
          [],
          limits({ maxBytes: 100_000 }),
        );
        expect(frame.kind === 'lost' && frame.error.message).to.match(/more than 100000 bytes/);
      }));

    it('sends one frame at a time', () =>
      withSession(async (session) => {
        const frames = await Promise.all(['a', 'b', 'c'].map((word) => session.apply([step(`echo ${word}; sleep 0.1; echo ${word}`)], [], limits())));
        expect(frames.map((frame: Frame) => frame.steps[0]?.tail)).to.deep.equal(['a\na', 'b\nb', 'c\nc']);
      }));

    it('is lost when its shell is killed, and the lock is free', () =>
      withSession(async (session, _directory, transport) => {
        const frame = await session.apply([step('kill -s KILL $PPID; sleep 5')], [], limits());
        expect(frame.kind === 'lost' && frame.error.kind).to.equal('lost');
        await eventually('the lock', async () => {
          try {
            await (await transport.write(makeHost(connection()), { ...opening, holder: holder('run-2') }))[Symbol.asyncDispose]();
            return true;
          } catch {
            return false;
          }
        });
      }));

    it('refuses a host that is locked, naming the holder, and reads it nevertheless', () =>
      withSession(async (_session, _directory, transport) => {
        const host = makeHost(connection());
        const error = await failureOf(transport.write(host, { ...opening, holder: holder('run-2') }), 'locked');
        expect(error.message).to.equal('host-01 is locked by run run-1 of ann on laptop (pid 4711, since 2026-01-01T00:00:00Z)');
        await (await transport.read(host, opening))[Symbol.asyncDispose]();
      }));

    it('frees the lock when it is disposed of, also for what a step left running', () =>
      withDirectory(async (directory) => {
        await using transport = openTransport({ lockFile: join(directory, 'lock') });
        const host = makeHost(connection());
        const word = mark();
        for (const run of ['run-1', 'run-2']) {
          await using session = await transport.write(host, { ...opening, holder: holder(run) });
          await session.apply([step(`setsid sh -c 'sleep 60; : ${word}' >/dev/null 2>&1 &`)], [], limits());
        }
        expect(processesWith(word).length).to.be.above(0);
        for (const pid of processesWith(word)) process.kill(pid);
      }));

    it('leaves no child when this program is killed', () =>
      withDirectory(async (directory) => {
        const word = mark();
        const client = spawn(
          process.execPath,
          [CLIENT, JSON.stringify(connection()), join(directory, 'lock'), `trap '' TERM; while :; do sleep 1; : ${word}x; done`],
          {
            stdio: ['ignore', 'pipe', 'inherit'],
          },
        );
        await new Promise((resolve) => client.stdout.once('data', resolve));
        const running = (): boolean => processesWith(`${word}x`).some((pid) => pid !== client.pid);
        expect(running()).to.equal(true);
        client.kill('SIGKILL');
        await eventually('no child is left', () => !running(), 7_500);
        await using transport = openTransport({ lockFile: join(directory, 'lock') });
        await (await transport.write(makeHost(connection()), { ...opening, holder: holder('run-2') }))[Symbol.asyncDispose]();
      })).timeout(20_000);
  });
}

contract('on this machine', () => ({ kind: 'local' }));

describe('through sshd', () => {
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(() => sshd[Symbol.asyncDispose]());
  contract('over ssh', () => sshTo(sshd));
  contract('over ssh through a proxy command', () => sshTo(sshd, { proxyCommand: relay(sshd) }));
});
