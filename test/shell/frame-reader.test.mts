import { expect } from 'chai';
import fc from 'fast-check';
import { Secret } from '../../lib/secret.mts';
import { FrameReader } from '../../lib/shell/frame-reader.mts';

describe('reading a frame', () => {
  const nonce = 'a1b2c3d4';
  const output = Buffer.from(
    `Welcome!\nBEGIN other\n\nBEGIN ${nonce}\n\nSTEP ${nonce} 0\nschön ☃\n\nPROGRESS ${nonce} 5 10\nlast\nEND x 0\n\nEXIT ${nonce} 0\n\nDONE ${nonce} 0 0 own\n\nPROBE ${nonce}\nälter\n\xff raw\n\nEND ${nonce} 1\n`,
  );
  const read = (pieces: readonly Uint8Array[]): { reader: FrameReader; progress: unknown[] } => {
    const progress: unknown[] = [];
    const reader = new FrameReader(nonce, (...told) => progress.push(told));
    for (const piece of pieces) reader.push(piece);
    return { reader, progress };
  };

  const tailOfStep = (pieces: readonly string[]): string | undefined =>
    read([`\nBEGIN ${nonce}\n\nSTEP ${nonce} 0\n`, ...pieces, `\nDONE ${nonce} 0 1 own\n`].map((piece) => Buffer.from(piece))).reader.steps[0]?.tail;

  it('is the same however the bytes arrive', () => {
    const whole = read([output]);
    expect(whole.reader.steps).to.deep.equal([{ index: 0, end: { kind: 'exited', code: 0 }, tail: 'schön ☃\nlast\nEND x 0' }]);
    expect(whole.reader.finished?.probe?.toString('utf8')).to.equal('älter\nÿ raw\n');
    expect(whole.progress).to.deep.equal([[0, 5, 10]]);
    fc.assert(
      fc.property(fc.array(fc.nat(output.length), { maxLength: 40 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), output.length];
        const { reader, progress } = read(at.slice(1).map((to, index) => output.subarray(at[index], to)));
        expect(reader.steps).to.deep.equal(whole.reader.steps);
        expect(reader.finished).to.deep.equal(whole.reader.finished);
        expect(progress).to.deep.equal(whole.progress);
      }),
    );
  });

  it('is unfinished wherever it is cut', () => {
    for (let length = 0; length < output.length; length++) expect(read([output.subarray(0, length)]).reader.finished, `${length} bytes`).to.equal(undefined);
  });

  it('tells what begins and ends as it happens', () => {
    const told: unknown[] = [];
    const reader = new FrameReader(nonce, undefined, (...each) => told.push(each));
    const say = (text: string): void => {
      reader.push(Buffer.from(text));
    };
    expect([reader.begun, reader.running, reader.head]).to.deep.equal([false, undefined, '']);
    say(`\nSTEP ${nonce} 0\nnoise\n\nBEGIN ${nonce}\nID=debian\n`);
    expect([reader.begun, reader.running, reader.head]).to.deep.equal([true, undefined, 'ID=debian\n']);
    say(`\nSTEP ${nonce} 0\na\n`);
    expect([reader.running, reader.head]).to.deep.equal([0, 'ID=debian\n\n']);
    expect(told).to.deep.equal([[0, undefined]]);
    say(`\nEXIT ${nonce} 0\n\nDONE ${nonce} 0 0 own\nnoise between\n`);
    const ended = { index: 0, end: { kind: 'exited', code: 0 }, tail: 'a' };
    expect([reader.running, reader.steps]).to.deep.equal([undefined, [ended]]);
    expect(told).to.deep.equal([
      [0, undefined],
      [0, ended],
    ]);
    say(`\nSTEP ${nonce} 1\nb\n\nDONE ${nonce} 1 0 own\n`);
    expect(reader.steps[1], 'nothing of the step before').to.deep.equal({ index: 1, end: { kind: 'exited', code: 0 }, tail: 'b' });
    expect(reader.finished).to.equal(undefined);
    say(`\nEND ${nonce} 2\n`);
    expect(reader.finished, 'its questions were not asked').to.deep.equal({ probe: undefined });
    say(`\nSTEP ${nonce} 2\n`);
    expect([reader.running, told.length], 'what comes after the end is not read').to.deep.equal([undefined, 4]);
  });

  for (const [name, said, end] of [
    ['its exit code', 'EXIT n 3|DONE n 0 3 own', { kind: 'exited', code: 3 }],
    ['what its script says, rather than its shell', 'EXIT n 0|DONE n 0 1 own', { kind: 'exited', code: 0 }],
    ['its status, where its script does not', 'DONE n 0 2 own', { kind: 'exited', code: 2 }],
    ['a high code of its script', 'EXIT n 137|DONE n 0 137 own', { kind: 'exited', code: 137 }],
    ['the highest status without a signal', 'DONE n 0 128 own', { kind: 'exited', code: 128 }],
    ['the lowest signal', 'DONE n 0 129 own', { kind: 'signalled', signal: 'SIGHUP' }],
    ['a signal without a name', 'DONE n 0 255 own', { kind: 'signalled', signal: 'signal 127' }],
    ['its time', 'EXIT n 0|DONE n 0 143 timeout', { kind: 'timeout' }],
    ['an abort', 'EXIT n 0|DONE n 0 143 abort', { kind: 'aborted' }],
    ['the end of the link', 'DONE n 0 143 gone', { kind: 'aborted' }],
  ] as const)
    it(`a step ended by ${name}`, () => {
      const text = ['BEGIN n', 'STEP n 0', ...said.split('|')].map((line) => `\n${line.replace(' n', ` ${nonce}`)}\n`).join('');
      expect(read([Buffer.from(text)]).reader.steps).to.deep.equal([{ index: 0, end, tail: '' }]);
    });

  it('takes what is no marker for what a step says', () => {
    const odd = [`DONE ${nonce} 1 0 own`, `STEP ${nonce} 0`, `STEP ${nonce} 7`, `OTHER ${nonce} 1`, `END${nonce} 0`, `x BEGIN ${nonce}`];
    const { reader } = read([Buffer.from(`\nBEGIN ${nonce}\n\nSTEP ${nonce} 0\n${odd.join('\n')}\n\nEXIT ${nonce} 0\n\nDONE ${nonce} 0 0 own\n`)]);
    // The one number that could come next is the next one.
    expect(reader.steps[0]?.tail.split('\n')).to.deep.equal(odd);
  });

  it('hears of no more steps than were sent', () => {
    const reader = new FrameReader(nonce, undefined, undefined, 1);
    const one = (index: number): string => `\nSTEP ${nonce} ${index}\n\nDONE ${nonce} ${index} 0 own\n`;
    reader.push(Buffer.from(`\nBEGIN ${nonce}\n${one(0)}${one(1)}\nEND ${nonce} 1\n`));
    expect(reader.steps.length).to.equal(1);
    expect(reader.finished).to.deep.equal({ probe: undefined });
  });

  it('hears of progress only while a step runs, with a total only where it is a number', () => {
    const told = ['1 2', '5', '6 x', '7 1x', '8 x1', 'x 3', '9 ', ' 4'].map((said) => `\nPROGRESS ${nonce} ${said}\n`).join('');
    const { reader, progress } = read([
      Buffer.from(
        `\nBEGIN ${nonce}\n\nPROGRESS ${nonce} 1 2\n\nSTEP ${nonce} 0\na\n${told}b\n\nEXIT ${nonce} 0\n\nDONE ${nonce} 0 0 own\n\nPROGRESS ${nonce} 1 2\n`,
      ),
    ]);
    expect(progress).to.deep.equal([
      [0, 1, 2],
      [0, 5, undefined],
      [0, 6, undefined],
      [0, 7, undefined],
      [0, 8, undefined],
      [0, 9, undefined],
      [0, 0, 4],
    ]);
    expect(reader.steps[0]?.tail, 'its own empty lines are no words of the step').to.equal('a\nb');
  });

  it('a long line is none of ours, whatever it begins with', () => {
    const longest = (length: number): Buffer => {
      const line = `END ${nonce} 0`;
      return Buffer.from(`\nBEGIN ${nonce}\n\nPROBE ${nonce}\nx\n\n${line}${' '.repeat(length - line.length - 1)}\n`);
    };
    expect(read([longest(300)]).reader.finished?.probe?.toString()).to.equal('x\n');
    expect(read([longest(301)]).reader.finished).to.equal(undefined);
  });

  it('keeps the last twenty lines of a step, also where it has just let go of others', () => {
    for (const count of [1, 20, 21, 79, 80, 81, 82, 120, 121, 200]) {
      const lines = Array.from({ length: count }, (_, index) => `line ${index}`);
      const { reader } = read([Buffer.from(`\nBEGIN ${nonce}\n\nSTEP ${nonce} 0\n${lines.join('\n')}\n\nEXIT ${nonce} 1\n\nDONE ${nonce} 0 1 own\n`)]);
      expect(reader.steps[0]?.tail.split('\n'), `${count} lines`).to.deep.equal(lines.slice(-20));
    }
  });

  it('begins no step but the next, and reads on after an end that cannot be', () => {
    const { reader } = read([
      Buffer.from(`\nBEGIN ${nonce}\n\nSTEP ${nonce} 7\n\nDONE ${nonce} 7 0 own\n\nPROBE ${nonce}\na\n\nEND ${nonce} 1\nb\n\nEND ${nonce} 0\n`),
    ]);
    expect(reader.steps).to.deep.equal([]);
    expect(reader.finished?.probe?.toString()).to.equal('a\n\nb\n');
  });

  it('takes nothing from what a step said for the sake of progress, also where nobody wants to hear of it', () => {
    const reader = new FrameReader(nonce);
    reader.push(Buffer.from(`\nBEGIN ${nonce}\n\nSTEP ${nonce} 0\na\n\nb\nno line end\nPROGRESS ${nonce} 1\n\nPROGRESS ${nonce} 2\n\nDONE ${nonce} 0 1 own\n`));
    expect(reader.steps[0]?.tail).to.equal('a\n\nb\nno line end');
  });

  it('takes a line for long by itself, and an answer never', () => {
    expect(tailOfStep([`${'x'.repeat(40_000)}\na${'y'.repeat(30_000)}`, '\n'])).to.equal(`${'x'.repeat(2000)}a${'y'.repeat(1999)}`);
    const answer = `a${'x'.repeat(200_000)}`;
    const { reader } = read([`\nBEGIN ${nonce}\n\nPROBE ${nonce}\n`, answer, answer, `\n\nEND ${nonce} 0\n`].map((piece) => Buffer.from(piece)));
    expect(reader.finished?.probe?.toString()).to.equal(`${answer}${answer}\n`);
  });

  it('keeps the beginning of a long line, and the end of one that never ended', () => {
    const tailOf = (line: string): string | undefined => tailOfStep([line, '\n']);
    expect(tailOf(`a${'x'.repeat(1998)}`), 'as long as it may be').to.equal(`a${'x'.repeat(1998)}`);
    expect(tailOf(`a${'x'.repeat(3000)}b`)).to.equal(`a${'x'.repeat(1999)}`);
    expect(tailOf(`a${'x'.repeat(65_535)}b`)).to.equal(`${'x'.repeat(1999)}b`);
    expect(tailOf(`a${'x'.repeat(65_534)}b`)).to.equal(`a${'x'.repeat(1999)}`);
  });

  it('cuts no secret in half, which nobody would know for one', () => {
    const secret = 'Half-of-me-1s-s3cret';
    new Secret(secret, 'test');
    for (const before of [1_985, 1_990, 1_999])
      expect(tailOfStep([`${'x'.repeat(before)}${secret}${'y'.repeat(500)}\n`]), `${before} before`).not.to.match(/Half-of|s3cret/);
    for (const after of [1_985, 1_990, 1_999])
      expect(tailOfStep([`${'x'.repeat(70_000)}${secret}${'y'.repeat(after)}`, '\n']), `${after} after`).not.to.match(/Half-of|s3cret/);
    for (const at of [1, 10, 19])
      expect(tailOfStep([`${'x'.repeat(70_000)}${secret.slice(0, at)}`, `${secret.slice(at)}\n`]), `in two pieces at ${at}`).not.to.match(/Half-of|s3cret/);
  });

  for (const [name, bytes] of [
    ['another nonce', `\nBEGIN zz\n\nPROBE zz\nx\n\nEND zz 0\n`],
    ['END without BEGIN', `\nEND ${nonce} 0\n`],
    ['a count that does not fit', `\nBEGIN ${nonce}\n\nPROBE ${nonce}\nx\n\nEND ${nonce} 1\n`],
    ['a marker inside a line', `\nBEGIN ${nonce}\n\nPROBE ${nonce}\nx END ${nonce} 0\n`],
  ] as const) {
    it(`${name} does not finish it`, () => {
      expect(read([Buffer.from(bytes)]).reader.finished).to.equal(undefined);
    });
  }

  it('stays small when a step floods', () => {
    const { reader } = read([Buffer.from(`\nBEGIN ${nonce}\n\nSTEP ${nonce} 0\n`)]);
    const flood = Buffer.alloc(64 * 1024, 'x');
    for (let round = 0; round < 200; round++) reader.push(flood);
    reader.push(Buffer.from(`\nDONE ${nonce} 0 137 own\n\nEND ${nonce} 1\n`));
    expect(reader.steps[0]?.end).to.deep.equal({ kind: 'signalled', signal: 'SIGKILL' });
    expect(reader.steps[0]?.tail.length).to.be.below(5000);
  });
});
