import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { compileFrame, type FrameText, type HostStep } from '../../lib/shell/frame.mts';
import { FrameReader } from '../../lib/shell/frame-reader.mts';
import { ABORT } from '../../lib/shell/lifeline.mts';
import { quote, sh } from '../../lib/shell/quote.mts';
import { eventually, mark, processesWith, SHELLS, step, withDirectory } from '../transport/support.mts';

/** A persistent shell, as a session has one. */
class Shell {
  readonly child;
  readonly #shell: string;
  readonly #exited: Promise<void>;
  constructor(shell: string, setup = '') {
    this.#shell = shell;
    const [command = '', ...args] = shell.split(' ');
    this.child = spawn(command, [...args, '-c', `${setup}exec ${shell}`], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.child.stdin.on('error', () => undefined);
    this.#exited = new Promise((resolve) =>
      this.child.once('exit', () => {
        resolve();
      }),
    );
  }
  async run(frame: Partial<FrameText>, during?: (output: string, reader: FrameReader) => void): Promise<{ reader: FrameReader; progress: unknown[] }> {
    const nonce = randomBytes(12).toString('hex');
    const progress: unknown[] = [];
    const reader = new FrameReader(nonce, (...told) => progress.push(told));
    let output = '';
    await new Promise<void>((resolve) => {
      this.child.stdout.removeAllListeners('data').on('data', (bytes: Buffer) => {
        output += bytes.toString('latin1');
        reader.push(bytes);
        during?.(output, reader);
        if (reader.finished !== undefined) resolve();
      });
      void this.#exited.then(resolve);
      this.child.stdin.write(compileFrame({ nonce, steps: [], probe: '', shell: this.#shell, ...frame }));
    });
    return { reader, progress };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin.end();
    await Promise.race([this.#exited, sleep(8000, undefined, { ref: false })]);
    this.child.kill('SIGKILL');
  }
}

const probeOf = (reader: FrameReader): string | undefined => reader.finished?.probe?.toString('utf8');

for (const shell of SHELLS) {
  describe(`frames in ${shell}`, () => {
    const ends: readonly { name: string; steps: readonly HostStep[]; expected: readonly object[] }[] = [
      {
        name: 'success',
        steps: [step('echo one'), step('printf two')],
        expected: [
          { end: { kind: 'exited', code: 0 }, tail: 'one' },
          { end: { kind: 'exited', code: 0 }, tail: 'two' },
        ],
      },
      {
        name: 'the first failure ends the steps',
        steps: [step('echo one >&2; exit 7'), step('echo never')],
        expected: [{ end: { kind: 'exited', code: 7 }, tail: 'one' }],
      },
      { name: 'a failing command fails the step', steps: [step('false\necho never')], expected: [{ end: { kind: 'exited', code: 1 }, tail: '' }] },
      { name: 'code 137 is no signal', steps: [step('exit 137')], expected: [{ end: { kind: 'exited', code: 137 }, tail: '' }] },
      {
        name: 'a killed step is signalled',
        steps: [step('echo x; kill -s KILL $$; sleep 0.2')],
        expected: [{ end: { kind: 'signalled', signal: 'SIGKILL' }, tail: 'x' }],
      },
      { name: 'a syntax error is a failure', steps: [step('if then')], expected: [{ end: { kind: 'exited', code: 2 } }] },
      {
        name: 'the deadline',
        steps: [step('echo a; sleep 60', { deadlineMs: 1000 }), step('echo never')],
        expected: [{ end: { kind: 'timeout' }, tail: 'a' }],
      },
      {
        name: 'the deadline of an uninterruptible step',
        steps: [step('echo a; sleep 60', { deadlineMs: 1000, interruptible: false })],
        expected: [{ end: { kind: 'timeout' }, tail: 'a' }],
      },
      {
        name: 'an uninterruptible step',
        steps: [step('echo a; exit 3', { interruptible: false })],
        expected: [{ end: { kind: 'exited', code: 3 }, tail: 'a' }],
      },
      {
        name: 'stdin is empty and the lock is closed',
        steps: [step('cat; if true 2>/dev/null >&9; then echo open; else echo closed; fi')],
        expected: [{ end: { kind: 'exited', code: 0 }, tail: 'closed' }],
      },
      {
        name: 'neither in an uninterruptible body',
        steps: [step('cat; if true 2>/dev/null >&9; then echo open; else echo closed; fi', { interruptible: false })],
        expected: [{ end: { kind: 'exited', code: 0 }, tail: 'closed' }],
      },
    ];
    for (const { name, steps, expected } of ends) {
      it(name, async () => {
        await using session = new Shell(shell, 'exec 9>/dev/null; ');
        const { reader } = await session.run({ steps, probe: 'echo answer' });
        expect(reader.steps.length).to.equal(expected.length);
        for (const [index, want] of expected.entries()) expect(reader.steps[index]).to.deep.include(want);
        expect(probeOf(reader), 'the probe runs also after a failure').to.equal('answer\n');
      });
    }

    it('carries payloads of any bytes and reports progress as it happens', async () => {
      await using session = new Shell(shell);
      const bytes = randomBytes(300_000);
      const script = 'progress 1 2; payload 0 | sha256sum; payload 1; progress 2';
      const { reader, progress } = await session.run({ steps: [step(script, { payloads: [bytes, "it's\n$HOME `id` \\ \n"] })] });
      const { createHash } = await import('node:crypto');
      expect(reader.steps[0]?.tail).to.equal(`${createHash('sha256').update(bytes).digest('hex')}  -\nit's\n$HOME \`id\` \\ `);
      expect(progress).to.deep.equal([
        [0, 1, 2],
        [0, 2, undefined],
      ]);
    });

    it('one word aborts the step, not the session', async () => {
      await using session = new Shell(shell);
      const word = mark();
      let sent = false;
      const { reader } = await session.run({ steps: [step(`echo ready; sh -c 'sleep 50; : ${word}'`), step('echo never')], probe: 'echo answer' }, (output) => {
        if (output.includes('ready') && !sent) {
          sent = true;
          session.child.stdin.write(`${ABORT}\n`);
        }
      });
      expect(reader.steps).to.deep.equal([{ index: 0, end: { kind: 'aborted' }, tail: 'ready' }]);
      expect(probeOf(reader)).to.equal(undefined);
      expect(processesWith(word)).to.deep.equal([]);
      expect((await session.run({ steps: [step('echo again')] })).reader.steps[0]?.tail).to.equal('again');
    });

    it('an aborted step may clean up before it ends', async () => {
      await using session = new Shell(shell);
      let sent = false;
      const script = `trap 'sleep 0.4; echo cleaned; exit 1' TERM; echo ready; sleep 50 & wait`;
      const { reader } = await session.run({ steps: [step(script)] }, (output) => {
        if (output.includes('ready') && !sent) {
          sent = true;
          session.child.stdin.write(`${ABORT}\n`);
        }
      });
      expect(reader.steps[0]).to.deep.include({ end: { kind: 'aborted' } });
      expect(reader.steps[0]?.tail).to.match(/^ready\n(.*\n)?cleaned$/);
    });

    it('an uninterruptible step is not aborted, the next one is not begun', async () => {
      await using session = new Shell(shell);
      const steps = [step('echo ready; sleep 1; echo finished', { interruptible: false }), step('sleep 50')];
      let sent = false;
      const { reader } = await session.run({ steps }, (output) => {
        if (output.includes('ready') && !sent) {
          sent = true;
          session.child.stdin.write(`${ABORT}\n`);
        }
      });
      expect(reader.steps.map(({ end }) => end.kind)).to.deep.equal(['exited']);
      expect(probeOf(reader)).to.equal(undefined);
      expect(reader.steps[0]?.tail).to.equal('ready\nfinished');
    });

    it('end of file ends the step, its children and the session', async () => {
      const session = new Shell(shell);
      const word = mark();
      const stubborn = `trap '' TERM; echo ready; while :; do sleep 1; : ${word}; done`;
      const ended = session.run({ steps: [step(`sh -c '${stubborn.replaceAll("'", `'\\''`)}'`)] }, (output) => {
        if (output.includes('ready')) session.child.stdin.end();
      });
      await ended;
      await eventually('no child is left', () => processesWith(word).length === 0 && session.child.exitCode !== null);
    });

    it('an uninterruptible step outlives the link', async () => {
      const session = new Shell(shell);
      const file = `/tmp/${mark()}`;
      const script = `echo ready; sleep 1; i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i + 1)); done; echo survived >${file}; sleep 0.2; rm ${file}; echo gone >${file}`;
      const nonce = randomBytes(12).toString('hex');
      session.child.stdin.write(compileFrame({ nonce, steps: [step(script, { interruptible: false })], probe: '', shell }));
      await once(session.child.stdout, 'data');
      await sleep(200);
      session.child.stdin.destroy();
      session.child.stdout.destroy();
      const { readFileSync, rmSync } = await import('node:fs');
      const content = (): string => {
        try {
          return readFileSync(file, 'utf8');
        } catch {
          return '';
        }
      };
      await eventually('the step to end by itself', () => content() === 'gone\n');
      rmSync(file);
      await eventually('the shell to end', () => session.child.exitCode !== null || session.child.signalCode !== null);
    });

    it('two hundred frames in a row are answered in order', async () => {
      await using session = new Shell(shell);
      for (let index = 0; index < 200; index++) {
        const { reader } = await session.run({ steps: index % 10 === 0 ? [step('echo x')] : [], probe: `echo ${index}; printf end` });
        expect(probeOf(reader)).to.equal(`${index}\nend`);
      }
    }).timeout(60_000);

    it('no timer outlives its step, however short that was', async () => {
      await using session = new Shell(shell);
      const seconds = 70_000 + SHELLS.indexOf(shell);
      const steps = Array.from({ length: 200 }, () => step(':', { deadlineMs: seconds * 1000 }));
      await session.run({ steps });
      await sleep(200);
      const left = processesWith(`sleep\0${seconds}\0`);
      for (const pid of left) process.kill(pid);
      expect(left).to.deep.equal([]);
    });

    it('questions alone start no process: they work where there is no command at all', async () => {
      await using session = new Shell(shell, 'PATH=/nonexistent; ');
      const { reader } = await session.run({ probe: 'echo $PATH' });
      expect(probeOf(reader)).to.equal('/nonexistent\n');
      const bare = compileFrame({ nonce: 'n', steps: [], probe: '' });
      expect(bare, 'no substitution, pipe, subshell or job').not.to.match(/[`|(]|\$\(|[^>]&[^-]/);
    });

    it('keeps the last lines of what a step says', async () => {
      await using session = new Shell(shell);
      const { reader } = await session.run({ steps: [step('i=0; while [ $i -lt 500 ]; do echo "line $i"; i=$((i + 1)); done; exit 1')] });
      expect(reader.steps[0]?.tail.split('\n')).to.deep.equal(Array.from({ length: 20 }, (_, index) => `line ${480 + index}`));
    });
  });
}

describe('the text of a frame', () => {
  it('runs steps in /bin/sh unless told otherwise, also those with empty lines and with lines like its own', async () => {
    await using session = new Shell('/bin/sh');
    const script = `ls -l "/proc/$$/exe" | sed 's/.* -> //'

echo "STEP_0 PAYLOAD_0"
cat <<'PAYLOAD'

STEP__0
PAYLOAD`;
    const nonce = randomBytes(12).toString('hex');
    const reader = new FrameReader(nonce);
    session.child.stdin.write(compileFrame({ nonce, steps: [step(script), step('echo after')], probe: '' }));
    for await (const bytes of session.child.stdout) {
      reader.push(bytes as Buffer);
      if (reader.finished !== undefined) break;
    }
    expect(reader.steps.map(({ tail }) => tail)).to.deep.equal([`${realpathSync('/bin/sh')}\nSTEP_0 PAYLOAD_0\n\nSTEP__0`, 'after']);
  });

  it('is little longer than what it carries', () => {
    const size = (bytes: number): number => compileFrame({ nonce: 'n', steps: [step('true', { payloads: [randomBytes(bytes)] })], probe: '' }).length;
    expect(size(600_000) - size(0)).to.be.within(800_000, 802_000);
  });
});

/** Hosts are of all sorts, and so is what is written and read there. */
describe('whatever bytes a frame carries', function () {
  this.timeout(60_000);
  const mine = fc.constantFrom(
    '\nEND n 0\n',
    '\nDONE n 0 0 own\n',
    '\nBEGIN n\n',
    'PROBE',
    '\n',
    "'",
    '"',
    '\\',
    '$HOME',
    '`id`',
    '\0',
    '\r',
    '%s',
    '-n',
    '\\c',
    'é',
    'STEP_',
    'PAYLOAD_',
    'EOF',
    '#',
    '_',
  );
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.oneof(mine, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''))),
  );
  for (const shell of SHELLS)
    it(`they arrive and come back as they are in ${shell}`, () =>
      withDirectory(async (directory) => {
        await using session = new Shell(shell);
        await fc.assert(
          fc.asyncProperty(
            fc.array(content, { minLength: 1, maxLength: 3 }),
            fc.string({ unit: fc.constantFrom('a', ' ', "'", '\\', '$', '"', '`', '%', '-'), maxLength: 12 }),
            async (contents, word) => {
              const paths = contents.map((_, index) => join(directory, String(index)));
              const steps = contents.map((bytes, index) =>
                step(sh`payload 0 >${paths[index] ?? ''}; printf '%s\\n' ${word}`, { payloads: [bytes], interruptible: index % 2 === 0 }),
              );
              const { reader } = await session.run({ steps, probe: `cat ${paths.map(quote).join(' ')}` });
              expect(contents.map((_, index) => readFileSync(paths[index] ?? ''))).to.deep.equal(contents);
              expect(reader.finished?.probe).to.deep.equal(Buffer.concat(contents));
              expect(reader.steps).to.deep.equal(contents.map((_, index) => ({ index, end: { kind: 'exited', code: 0 }, tail: word })));
            },
          ),
          { numRuns: 60 },
        );
      }));
});
