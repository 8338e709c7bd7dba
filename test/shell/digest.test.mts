import { symlinkSync, writeFileSync, readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { inputsDigest, meaningless, meaningOf, posixPattern, type Input, type Syntax } from '../../lib/shell/digest.mts';
import { quote } from '../../lib/shell/quote.mts';
import { quoteAll } from '../../lib/shell/steps.mts';
import { inputArguments, START_RECORD_SCRIPT, startRecordDropIn, systemdWord } from '../../lib/resources/start-record.mts';
import { inTemporary, runSh, shells, type Shell } from './hostlike.mts';

const digestOnHost = (shell: Shell, inputs: readonly Input[]): string =>
  runSh(shell, `set -- --digest ${quoteAll(inputArguments(inputs))}\n${START_RECORD_SCRIPT}`)
    .stdout.toString()
    .trim();

describe('patterns of ignored lines', () => {
  const accepted = [
    '^#',
    '^[[:space:]]*(#|$)',
    '^[^]a\\b]+$',
    '[.*]',
    'a{2,3}',
    '\\.$',
    '(a|b)+c?',
    '^;|^//',
    '[a-]',
    '[]x]',
    '[^[:digit:]]',
    'a\\|b',
    '\\\\',
    'x^',
  ];
  const line = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '#', '\t', '.', '\\', ']', '[', '|', '-', '/', ';', '1', '\r'), maxLength: 8 }),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const syntaxes: readonly Syntax[] = ['lines', 'settings', 'unit'];
  for (const shell of shells) {
    it(`mean the same to grep under ${shell.name}`, function () {
      this.timeout(30_000);
      fc.assert(
        fc.property(
          fc.array(
            line.map((each) => each.toWellFormed().replaceAll(/[\0\n]/g, '')),
            { maxLength: 12 },
          ),
          fc.constantFrom(...accepted),
          fc.constantFrom(...syntaxes),
          fc.boolean(),
          (lines, pattern, syntax, ended) => {
            const content = lines.join('\n') + (ended ? '\n' : '');
            const ours = meaningOf(Buffer.from(content).toString('latin1'), syntax, pattern);
            const ordered = syntax === 'settings' ? 'sort' : 'cat';
            const ran = runSh(shell, `export LC_ALL=C; printf '%s' ${quote(content)} | grep -Ev -e ${quote(meaningless(syntax, pattern))} | ${ordered}`);
            expect(ran.stdout.toString('latin1')).to.equal(ours);
          },
        ),
        { numRuns: 80 },
      );
    });
  }
  for (const refused of ['', '\\d', '\\bx', '(?:a)', '*a', 'a**', 'a+?', 'é', '[[:nope:]]', '\\<a', '(|*)', 'a{,2}', 'x{a', '[[.hyphen.]]', '[[=a=]]']) {
    it(`${JSON.stringify(refused)} is refused`, () => {
      expect(() => posixPattern(refused)).to.throw(TypeError);
    });
  }
});

describe('start record', () => {
  const text = fc
    .array(
      fc.oneof(
        fc.constantFrom('# c', '', ' ', 'a=1', '  # x', 'é=ü', '\r', "it's", '$HOME', '\\n', 'file /etc/x', '-n'),
        fc.string({ unit: 'binary', maxLength: 10 }),
      ),
      { maxLength: 8 },
    )
    .chain((lines) => fc.constantFrom(lines.join('\n'), `${lines.join('\n')}\n`));
  for (const shell of shells) {
    it(`digest of the wanted and of the disk agree under ${shell.name}`, function () {
      this.timeout(60_000);
      fc.assert(
        fc.property(
          fc.array(
            text.map((each) => each.toWellFormed().replaceAll('\0', '')),
            { minLength: 1, maxLength: 3 },
          ),
          fc.constantFrom({}, { ignore: '^;' }, { ignore: 'x^' }, { syntax: 'settings' as const }, { syntax: 'unit' as const, ignore: '^a' }),
          (contents, how) => {
            inTemporary((directory) => {
              symlinkSync('7.10.2', `${directory}/current`);
              const inputs: readonly Input[] = [
                ...contents.map((content, index) => ({ path: `${directory}/it's ${index.toString()}`, content, ...how })),
                { link: `${directory}/current`, target: '7.10.2' },
              ];
              contents.forEach((content, index) => {
                writeFileSync(`${directory}/it's ${index.toString()}`, content);
              });
              expect(digestOnHost(shell, inputs)).to.equal(inputsDigest(inputs));
            });
          },
        ),
        { numRuns: 25 },
      );
    });

    it(`every difference that means something is one under ${shell.name}`, () => {
      inTemporary((directory) => {
        const path = `${directory}/x`;
        const wanted: readonly Input[] = [{ path, content: 'a=1\nb=2\n' }];
        const onDisk = (content: string): boolean => {
          writeFileSync(path, content);
          return digestOnHost(shell, wanted) === inputsDigest(wanted);
        };
        expect(digestOnHost(shell, wanted))
          .to.match(/^[0-9a-f]{64}$/)
          .and.not.equal(inputsDigest(wanted));
        expect(onDisk('# new\n\na=1\n\t# x\nb=2')).to.equal(true);
        for (const other of ['a=1\n', 'b=2\na=1\n', 'a=1 \nb=2\n', 'a=1\r\nb=2\n', 'a=1\nb=2\0\n', ''])
          expect(onDisk(other), JSON.stringify(other)).to.equal(false);
      });
    });

    it(`settings mean the same in any order, and not twice, under ${shell.name}`, () => {
      inTemporary((directory) => {
        const path = `${directory}/x`;
        const wanted: readonly Input[] = [{ path, content: 'b: 2\na: 1\n', syntax: 'settings' }];
        const onDisk = (content: string): boolean => {
          writeFileSync(path, content);
          return digestOnHost(shell, wanted) === inputsDigest(wanted);
        };
        for (const same of ['b: 2\na: 1\n', '# new\na: 1\n\nb: 2', 'a: 1\n  # b: 3\nb: 2\n']) expect(onDisk(same), JSON.stringify(same)).to.equal(true);
        for (const other of ['a: 1\nb: 2\na: 1\n', 'a: 1\n b: 2\n', 'b: 1\na: 2\n', 'a: 1\n', '']) expect(onDisk(other), JSON.stringify(other)).to.equal(false);
      });
    });

    it(`is written whole, with the invocation, under ${shell.name}`, () => {
      inTemporary((directory) => {
        writeFileSync(`${directory}/x`, 'a\n');
        const inputs: readonly Input[] = [{ path: `${directory}/x`, content: 'a' }];
        const script = START_RECORD_SCRIPT.replaceAll('/run/kafka-elastic-monitoring', `${directory}/run/records`);
        const ran = runSh(shell, `set -- a.service ${quoteAll(inputArguments(inputs))}\n${script}`, { INVOCATION_ID: 'ffff' });
        expect(ran).to.deep.include({ code: 0, stderr: '' });
        expect(readFileSync(`${directory}/run/records/a.service`, 'utf8')).to.equal(`ffff ${inputsDigest(inputs)}\n`);
        expect(readdirSync(`${directory}/run/records`)).to.deep.equal(['a.service']);
      });
    });
  }

  it('its drop-in says to systemd exactly the words', () => {
    expect(systemdWord('a b\\"%$x')).to.equal('"a b\\\\\\"%%$$x"');
    expect(
      startRecordDropIn('a.service', [
        { path: '/etc/a', content: '' },
        { link: '/opt/x/current', target: '1' },
      ]),
    ).to.equal(
      '[Service]\nExecStartPre=-+/bin/sh "/usr/local/lib/kafka-elastic-monitoring/start-record" "a.service" "file" "^[[:space:]]*(#|$$)" "/etc/a" "link" "/opt/x/current"\n',
    );
  });

  it('a binary input is refused', () => {
    expect(() => inputsDigest([{ path: '/x', content: 'a\0b' }])).to.throw(TypeError);
  });
});
