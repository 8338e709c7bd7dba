/** Hosts and links that go silent: nothing runs on unwatched, no lock is left, and the run says what happened. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Connection } from '../../lib/inventory/model.mts';
import { guard, MEET_GUARD } from '../../lib/shell/lifeline.mts';
import { openTransport, type TransportOptions } from '../../lib/transport/index.mts';
import type { Frame, Session } from '../../lib/transport/session.mts';
import { startSshd, type Sshd } from './sshd.mts';
import {
  eventually,
  holder,
  limits,
  makeHost,
  mark,
  opening,
  processesWith,
  shell as asking,
  SHELLS,
  sshTo,
  step,
  together,
  withDirectory,
} from './support.mts';

const CLIENT = fileURLToPath(new URL('client.mts', import.meta.url));
const LOCAL: Connection = { kind: 'local' };
const NEVER_MS = 3_600_000;
const SILENT = { silenceSeconds: 2, everyMs: NEVER_MS };

/** The guard's patience, one tick of the step's timer, and the time between TERM and KILL. */
const ALL_OVER_MS = 2_000 + 2_000 + 5_000 + 5_000 + 3_000;

const isFree = (lock: string): boolean => spawnSync('flock', ['-n', lock, 'true']).status === 0;
const stubborn = (word: string): string => `trap '' TERM; while :; do sleep 1; : ${word}; done`;
const quoted = (script: string): string => `sh -c '${script.replaceAll("'", `'\\''`)}'`;

async function withSession(options: TransportOptions, connection: Connection, body: (session: Session, lock: string) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const lock = join(directory, 'lock');
    await using transport = openTransport({ lockFile: lock, ...options });
    await using session = await transport.write(makeHost(connection), { ...opening, holder: holder() });
    await body(session, lock);
  });
}

const inEveryShell = async (body: (shell: string) => Promise<void>): Promise<void> => {
  await Promise.all(SHELLS.map(body));
};

describe('a session that hears nothing any more', function () {
  this.timeout(40_000);

  together('ends while it is idle, and its lock is free', () =>
    inEveryShell((shell) =>
      withSession({ shell, life: SILENT }, LOCAL, async (session, lock) => {
        expect(isFree(lock), shell).to.equal(false);
        await eventually(`the lock of ${shell}`, () => isFree(lock), 8_000);
        const frame = await session.apply([step('echo never')], [], limits());
        expect(frame.kind !== 'complete' && frame.error.kind, shell).to.equal('lost');
        expect(frame.kind !== 'complete' && frame.error.message, shell).to.include('heard nothing from this program');
        expect(frame.kind !== 'complete' && frame.error.hint, shell).to.include('asleep');
      }),
    ),
  );

  together('ends its step, also one that ignores TERM, and begins no other', () =>
    inEveryShell((shell) =>
      withSession({ shell, life: SILENT }, LOCAL, async (session, lock) => {
        const word = mark();
        const started = performance.now();
        const frame = await session.apply([step(quoted(stubborn(word))), step('echo never')], [], limits({ deadlineMs: 30_000 }));
        expect(frame.kind !== 'complete' && frame.error.message, shell).to.include('heard nothing');
        expect(frame.steps, shell).to.deep.equal([]);
        await eventually('no child', () => processesWith(word).length === 0, ALL_OVER_MS);
        expect(performance.now() - started, shell).to.be.lessThan(ALL_OVER_MS);
        expect(isFree(lock), shell).to.equal(true);
      }),
    ),
  );

  together('lets an uninterruptible step end by itself, with the lock, and begins no other', () =>
    inEveryShell((shell) =>
      withSession({ shell, life: SILENT }, LOCAL, async (session, lock) => {
        const file = `/tmp/${mark()}`;
        const applied = session.apply(
          [step(`sleep 8; echo whole >${file}`, { interruptible: false, deadlineMs: 30_000 }), step(`echo never >>${file}`)],
          [],
          limits({ deadlineMs: 30_000 }),
        );
        await sleep(6_000);
        expect(isFree(lock), `${shell} while it runs`).to.equal(false);
        await eventually('the step to end', () => existsSync(file));
        await eventually(`the lock of ${shell}`, () => isFree(lock), 8_000);
        expect((await applied).kind).to.equal('lost');
        expect(readFileSync(file, 'utf8'), shell).to.equal('whole\n');
        rmSync(file);
      }),
    ),
  );

  for (const [when, steps] of [
    ['asked by itself', []],
    ['asked after a step', [step('true')]],
  ] as const)
    together(`ends a question that never ends, ${when}, also one that ignores TERM`, () =>
      inEveryShell((shell) =>
        withSession({ shell, life: SILENT }, LOCAL, async (session, lock) => {
          const word = mark();
          const frame = await session.apply(steps, [asking(`${quoted(stubborn(word))} | cat`)], limits());
          expect(frame.kind !== 'complete' && frame.error.message, shell).to.include('heard nothing');
          await eventually(`no child of ${shell}`, () => processesWith(word).length === 0, 1_000);
          expect(isFree(lock), shell).to.equal(true);
        }),
      ),
    );

  together('lives on while it hears something: idle, in a step, and in one that cannot be interrupted', () =>
    inEveryShell((shell) =>
      withSession({ shell, life: { silenceSeconds: 2, everyMs: 300 } }, LOCAL, async (session) => {
        await sleep(4_000);
        const steps = [step('sleep 4; echo one'), step('sleep 4; echo two', { interruptible: false })];
        const frame: Frame = await session.apply(steps, [], limits());
        expect(
          frame.steps.map(({ tail }) => tail),
          shell,
        ).to.deep.equal(['one', 'two']);
      }),
    ),
  );

  together('leaves no guard behind when it ends in order', () =>
    inEveryShell(async (shell) => {
      const seconds = 20 + SHELLS.findIndex((each) => each === shell);
      const word = `kem_quiet" -lt ${seconds} `;
      await withSession({ shell, life: { silenceSeconds: seconds, everyMs: 300 } }, LOCAL, async (session) => {
        await session.apply([step('echo one')], [], limits());
        // It is started beside the shell, which does not wait for it.
        await eventually(`a guard of ${shell}`, () => processesWith(word).length === 1);
      });
      await eventually(`the guard of ${shell}`, () => processesWith(word).length === 0, 5_000);
    }),
  );
});

describe('the guard of a session', () => {
  for (const [index, shell] of SHELLS.entries())
    it(`${shell}: outlives children of the shell that are ended before they have begun, and ends with the shell`, () => {
      const [program = '', ...words] = shell.split(' ');
      const children = 'for each in 1 2 3 4 5 6 7 8 9; do ( while :; do read -r x </dev/null; done ) & kill "$!"; wait "$!"; done 2>/dev/null';
      const seconds = 30 + index;
      const script = `exec 9>/dev/null\n${guard(9, seconds)}set -- "$kem_guard"\n${MEET_GUARD}${children}\nkill -0 "$kem_guard" && echo "$kem_guard"`;
      const { stdout } = spawnSync(program, [...words, '-c', script], { encoding: 'utf8', timeout: 20_000 });
      expect(stdout, 'the guard lived while the shell did').to.match(/^\d+\n$/);
      return eventually('its end', () => processesWith(`kem_quiet" -lt ${seconds} `).length === 0);
    });
});

/** Between the program and sshd: carries bytes until told to swallow them, without closing anything. */
async function startSwallower(to: {
  readonly address: string;
  readonly port: number;
}): Promise<{ readonly port: number; swallow(): void; [Symbol.dispose](): void }> {
  const sockets: net.Socket[] = [];
  let open = true;
  const server = net.createServer((near) => {
    const far = net.connect(to.port, to.address);
    sockets.push(near, far);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => undefined).on('data', (bytes) => open && into.write(bytes));
      from.on('close', () => open && into.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, to.address, resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    swallow: () => (open = false),
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('a link that goes silent', function () {
  this.timeout(60_000);
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(() => sshd[Symbol.asyncDispose]());

  /** A session whose link is dead after a second, without anybody closing it. */
  async function halfOpen(body: (session: Session, lock: string) => Promise<void>): Promise<void> {
    using swallower = await startSwallower(sshd);
    const knownHosts = join(sshd.directory, `known_hosts.${swallower.port}`);
    writeFileSync(knownHosts, `[${sshd.address}]:${swallower.port} ${sshd.hostKey}\n`);
    const connection = sshTo({ ...sshd, port: swallower.port, knownHosts });
    await withSession({ keepaliveMs: 500, life: { silenceSeconds: 2, everyMs: 300 } }, connection, (session, lock) => {
      setTimeout(() => {
        swallower.swallow();
      }, 1_000);
      return body(session, lock);
    });
  }

  together('half open: the run hears of it, the host ends the step and frees the lock', async () => {
    await halfOpen(async (session, lock) => {
      const word = mark();
      const frame = await session.apply([step(quoted(stubborn(word)))], [], limits({ deadlineMs: 30_000 }));
      expect(frame.kind !== 'complete' && frame.error, 'said by keepalive').to.deep.include({ kind: 'lost', short: 'connection lost' });
      expect(processesWith(word), 'it runs on at first').to.not.deep.equal([]);
      await eventually('no child', () => processesWith(word).length === 0, ALL_OVER_MS);
      await eventually('the lock', () => isFree(lock), 1_000);
    });
  });

  together('half open under a question: the host ends it', async () => {
    await halfOpen(async (session, lock) => {
      const word = mark();
      const frame = await session.apply([], [asking(quoted(stubborn(word)))], limits());
      expect(frame.kind !== 'complete' && frame.error.kind).to.equal('lost');
      await eventually('no child', () => processesWith(word).length === 0, 5_000);
      await eventually('the lock', () => isFree(lock), 1_000);
    });
  });

  for (const [name, connection] of [
    ['over ssh', () => sshTo(sshd)],
    ['on this machine', () => LOCAL],
  ] as const)
    for (const what of ['step', 'question', 'first question'])
      together(`a program that is killed ${name} under a ${what}: nothing of it runs 5 s later`, () =>
        withDirectory(async (directory) => {
          const word = mark();
          const running = (): boolean => processesWith(`${word}x`).some((pid) => pid !== client.pid);
          const client = spawn(process.execPath, [CLIENT, JSON.stringify(connection()), join(directory, 'lock'), `sleep 60; : ${word}x`, '{}', what]);
          try {
            await eventually(`the ${what}`, running, 30_000);
            // The first command names what it asks before it asks it.
            await sleep(500);
            client.kill('SIGKILL');
            await eventually('no child', () => !running(), 5_000);
          } finally {
            client.kill('SIGKILL');
          }
        }),
      );

  for (const [name, connection] of [
    ['over ssh', () => sshTo(sshd)],
    ['on this machine', () => LOCAL],
  ] as const)
    together(`a program that stands still ${name}: the host ends its step, and the program says why when it wakes`, () =>
      withDirectory(async (directory) => {
        const word = mark();
        const lock = join(directory, 'lock');
        const life = JSON.stringify({ silenceSeconds: 2, everyMs: 300 });
        const client = spawn(process.execPath, [CLIENT, JSON.stringify(connection()), lock, stubborn(`${word}x`), life], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        try {
          let said = '';
          client.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
          await eventually('the step', () => said.includes('running'), 30_000);
          client.kill('SIGSTOP');
          const running = (): boolean => processesWith(`${word}x`).some((pid) => pid !== client.pid);
          expect(running()).to.equal(true);
          await eventually('no child', () => !running(), ALL_OVER_MS);
          expect(isFree(lock), 'the lock').to.equal(true);
          client.kill('SIGCONT');
          await eventually('its end', () => client.exitCode !== null);
          expect(said).to.include('heard nothing from this program');
        } finally {
          client.kill('SIGKILL');
        }
      }),
    );
});
