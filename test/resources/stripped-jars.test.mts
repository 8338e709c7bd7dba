import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import type { Change, Resource } from '../../lib/plan/model.mts';
import { directory, strippedJars } from '../../lib/resources/index.mts';
import { inputArguments, START_RECORD_SCRIPT, type Input } from '../../lib/resources/start-record.mts';
import { inputsDigest } from '../../lib/shell/digest.mts';
import { quoteAll } from '../../lib/shell/steps.mts';
import { answerOf, applyOn, converge, inTemporary, me, runSh, shells, valueOf, type Shell } from '../shell/hostlike.mts';

const ENTRY = 'org/apache/logging/log4j/core/lookup/JndiLookup.class';
const OTHER = 'org/apache/logging/log4j/core/lookup/Other.class';

/** A jar of real entries, among them one that only mentions the class as a class file does. */
function jar(path: string, entries: readonly string[] = [ENTRY, OTHER], level = '-6'): void {
  inTemporary((work) => {
    for (const entry of [...entries, 'META-INF/MANIFEST.MF']) {
      mkdirSync(dirname(`${work}/${entry}`), { recursive: true });
      writeFileSync(`${work}/${entry}`, 'org/apache/logging/log4j/core/lookup/JndiLookup\n');
    }
    mkdirSync(dirname(path), { recursive: true });
    execFileSync('zip', ['-q', '-r', level, path, '.'], { cwd: work });
  });
}
const entriesOf = (path: string): readonly string[] => execFileSync('unzip', ['-Z1', path], { encoding: 'utf8' }).split('\n');
const fieldsOf = (changes: readonly Change[]): readonly string[] => changes.map(({ field }) => field);

/** A product in two versions' layout: binaries in a folder of their own, `current` leading to it. */
function product(base: string): { readonly current: string; readonly wanted: Resource } {
  for (const path of ['lib/log4j-core-2.jar', 'plugins/a b/[x].jar', "lib/it's.jar"]) jar(`${base}/1.0/${path}`);
  jar(`${base}/1.0/lib/clean.jar`, [OTHER]);
  symlinkSync('1.0', `${base}/current`);
  return { current: `${base}/current`, wanted: strippedJars('log4shell', { under: `${base}/current/`, entry: ENTRY }) };
}

for (const shell of shells) {
  describe(`jars without a class under ${shell.name}`, function () {
    this.timeout(60_000);

    it('lose it wherever they are, keep everything else, and stay as they are after that', () => {
      inTemporary((base) => {
        const { current, wanted } = product(base);
        chmodSync(`${current}/lib/log4j-core-2.jar`, 0o640);
        const { before, ran, after } = converge(shell, wanted);
        expect(fieldsOf(before)).to.deep.equal(["lib/it's.jar", 'lib/log4j-core-2.jar', 'plugins/a b/[x].jar']);
        expect([ran.code, ran.stderr]).to.deep.equal([0, '']);
        expect(after).to.deep.equal([]);
        for (const { field } of before)
          expect(entriesOf(`${current}/${field}`))
            .to.include(OTHER)
            .and.not.to.include(ENTRY);
        expect(statSync(`${current}/lib/log4j-core-2.jar`).mode & 0o7777).to.equal(0o640);
        expect(readdirSync(`${current}/lib`)).to.have.members(['clean.jar', "it's.jar", 'log4j-core-2.jar']);
      });
    });

    it('keep the owner', function () {
      if (process.getuid?.() !== 0) this.skip();
      inTemporary((base) => {
        const { current, wanted } = product(base);
        execFileSync('chown', ['-R', '12345:23456', `${base}/1.0`]);
        expect(converge(shell, wanted).after).to.deep.equal([]);
        const { uid, gid } = statSync(`${current}/lib/log4j-core-2.jar`);
        expect([uid, gid]).to.deep.equal([12345, 23456]);
      });
    });

    it('are as they were when the disk is full, in whichever step', () => {
      inTemporary((base) => {
        const { current, wanted } = product(base);
        writeFileSync(`${base}/filler`, Buffer.alloc(300_000));
        const path = `${current}/lib/log4j-core-2.jar`;
        execFileSync('zip', ['-q', '-0', path, `${base}/filler`]);
        const [untouched, changes] = [readFileSync(path), valueOf(shell, wanted.differs)];
        const limited: Shell = { name: 'limited', argv: ['sh', '-c', 'ulimit -f 100; exec "$0" "$@"', ...shell.argv] };
        const noCopy = applyOn(limited, wanted, changes);
        expect(noCopy.code).to.not.equal(0);
        expect(noCopy.stderr).to.match(/lib\/log4j-core-2.jar could not be copied\n$/);
        mkdirSync(`${base}/bin`);
        writeFileSync(
          `${base}/bin/zip`,
          '#!/bin/sh\nfor each do case $each in *copy.zip) : >"$each" ;; esac; done\necho "zip I/O error: No space left on device"\nexit 14\n',
          {
            mode: 0o755,
          },
        );
        const noSpace = applyOn({ name: 'full', argv: ['env', `PATH=${base}/bin:${process.env['PATH'] ?? ''}`, ...shell.argv] }, wanted, changes);
        expect(noSpace.code).to.equal(1);
        expect(noSpace.stderr).to.match(/^zip ended with 14: .*\.jar is as it was\n$/);
        expect(readFileSync(path).equals(untouched)).to.equal(true);
        expect(readdirSync(`${current}/lib`)).to.have.members(['clean.jar', "it's.jar", 'log4j-core-2.jar']);
        expect(converge(shell, wanted).after).to.deep.equal([]);
      });
    });

    it('what a killed run left behind goes away', () => {
      inTemporary((base) => {
        const { current, wanted } = product(base);
        jar(`${current}/lib/.stripped-abcdef/copy.zip`);
        expect(converge(shell, wanted).after).to.deep.equal([]);
        expect(existsSync(`${current}/lib/.stripped-abcdef`)).to.equal(false);
      });
    });

    it('a copy packed without compression into another jar is seen, and said to need a hand', () => {
      inTemporary((base) => {
        jar(`${base}/inner.jar`);
        mkdirSync(`${base}/lib`);
        execFileSync('zip', ['-q', '-0', `${base}/lib/outer.jar`, 'inner.jar'], { cwd: base });
        const { before, ran } = converge(shell, strippedJars('x', { under: `${base}/lib`, entry: ENTRY }));
        expect(fieldsOf(before)).to.deep.equal(['outer.jar']);
        expect(ran.code).to.equal(1);
        expect(ran.stderr).to.match(/outer\.jar holds org.*class in a way that zip cannot remove: it is as it was\n$/);
      });
    });

    it('a jar that somebody stripped in between is no failure', () => {
      inTemporary((base) => {
        const { current, wanted } = product(base);
        const changes = valueOf(shell, wanted.differs);
        spawnSync('zip', ['-q', '-d', `${current}/lib/log4j-core-2.jar`, ENTRY]);
        expect(applyOn(shell, wanted, changes).code).to.equal(0);
        expect(valueOf(shell, wanted.differs)).to.deep.equal([]);
      });
    });

    it('without zip the host says what is missing', () => {
      inTemporary((base) => {
        const { wanted } = product(base);
        const changes = valueOf(shell, wanted.differs);
        mkdirSync(`${base}/bin`);
        const [command, ...rest] = shell.argv;
        const without: Shell = { name: 'without', argv: ['env', `PATH=${base}/bin`, execFileSync('which', [command], { encoding: 'utf8' }).trim(), ...rest] };
        expect(applyOn(without, wanted, changes).stderr).to.equal('zip is not installed\n');
      });
    });

    it('a directory that is not there is not known to be clean', () => {
      inTemporary((base) => {
        const wanted = strippedJars('x', { under: `${base}/none`, entry: ENTRY });
        expect(answerOf(shell, wanted.differs).kind).to.equal('unavailable');
      });
    });

    it('are unknown before what brings them, and stripped right after it', () => {
      inTemporary((base) => {
        const brings = directory(`${base}/opt`, me);
        const wanted = strippedJars('x', { under: `${base}/opt`, entry: ENTRY, after: [brings] });
        const changes = valueOf(shell, wanted.differs);
        expect(fieldsOf(changes)).to.deep.equal(['jars']);
        jar(`${base}/opt/a.jar`);
        expect(applyOn(shell, wanted, changes).code).to.equal(0);
        chmodSync(`${base}/opt`, 0o755);
        expect(valueOf(shell, wanted.differs)).to.deep.equal([]);
        expect(entriesOf(`${base}/opt/a.jar`)).not.to.include(ENTRY);
      });
    });

    it('a service that was started with one has another record than one started without', () => {
      inTemporary((base) => {
        const { current, wanted } = product(base);
        const inputs: readonly Input[] = [{ jars: current, without: ENTRY }];
        const started = (): string =>
          runSh(shell, `set -- --digest ${quoteAll(inputArguments(inputs))}\n${START_RECORD_SCRIPT}`)
            .stdout.toString()
            .trim();
        expect(started())
          .to.match(/^[0-9a-f]{64}$/)
          .and.not.equal(inputsDigest(inputs));
        converge(shell, wanted);
        expect(started()).to.equal(inputsDigest(inputs));
        expect(inputsDigest([{ jars: '/other', without: ENTRY }])).not.to.equal(inputsDigest(inputs));
      });
    });
  });
}
