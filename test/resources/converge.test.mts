import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Resource } from '../../lib/plan/model.mts';
import { known, shellOutput } from '../../lib/plan/questions.mts';
import { absent, archive, block, command, daemon, directory, file, httpObject, line, packages } from '../../lib/resources/index.mts';
import { REFUSED } from '../../lib/shell/steps.mts';
import { change } from '../../lib/resources/resource.mts';
import { Secret } from '../../lib/secret.mts';
import { quote } from '../../lib/shell/quote.mts';
import { answerOf, applyOn, askHost, converge, dash, inTemporary, me, runSh, shells, valueOf, withServer, type Shell } from '../shell/hostlike.mts';

/** Applying puts it right, and the second check finds nothing. */
function settles(shell: Shell, resource: Resource, fields: readonly string[]): void {
  const { before, ran, after } = converge(shell, resource);
  expect(ran.stderr).to.equal('');
  expect(ran.code).to.equal(0);
  expect(before.map(({ field }) => field)).to.deep.equal(fields);
  expect(after).to.deep.equal([]);
}

const modeOf = (path: string): number => statSync(path).mode & 0o7777;
const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A process that nobody has waited for yet is none. */
const isAlive = (pid: string): boolean => existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** Whether a shell takes busybox' tar for the word, as busybox-static's does. */
const ownTar = (shell: Shell): boolean => runSh(shell, 'tar --version').stdout.includes('busybox');

for (const shell of shells) {
  describe(`check, apply, check under ${shell.name}`, function () {
    this.timeout(60_000);

    it('file: content, mode and nothing left beside it', () => {
      inTemporary((directory) => {
        const path = `${directory}/it's "a" file`;
        const content = `a\n'"$\`\\ KEM é\u0001\n\nno line end`;
        settles(shell, file(path, { content, mode: 0o640, ...me }), ['content']);
        expect(readFileSync(path, 'utf8')).to.equal(content);
        expect(modeOf(path)).to.equal(0o640);
        chmodSync(path, 0o600);
        settles(shell, file(path, { content, mode: 0o640, ...me }), ['mode']);
        settles(shell, file(path, { content: '', mode: 0o640, ...me }), ['content']);
        expect(readdirSync(directory)).to.have.length(1);
      });
    });

    it('file: bytes and secrets', () => {
      inTemporary((directory) => {
        const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
        settles(shell, file(`${directory}/bytes`, { content: bytes, ...me }), ['content']);
        expect(readFileSync(`${directory}/bytes`).equals(Buffer.from(bytes))).to.equal(true);
        settles(shell, file(`${directory}/secret`, { content: { confidential: ['a=', new Secret("p'w\n", 'env:X')] }, mode: 0o600, ...me }), ['content']);
        expect(readFileSync(`${directory}/secret`, 'utf8')).to.equal("a=p'w\n");
      });
    });

    it('file: what a killed run left behind goes away', () => {
      inTemporary((directory) => {
        writeFileSync(`${directory}/.x.new-abcdef`, 'half');
        settles(shell, file(`${directory}/x`, { content: 'a', ...me }), ['content']);
        expect(readdirSync(directory)).to.deep.equal(['x']);
      });
    });

    it('file: no link is written through, even one made since the check', () => {
      inTemporary((directory) => {
        writeFileSync(`${directory}/target`, 'precious');
        const wanted = file(`${directory}/x`, { content: 'a', ...me });
        const changes = valueOf(shell, wanted.differs);
        symlinkSync('target', `${directory}/x`);
        expect(answerOf(shell, wanted.differs)).to.deep.include({ kind: 'unavailable' });
        const ran = applyOn(shell, wanted, changes);
        expect(ran.code).to.equal(1);
        expect(ran.stderr).to.equal(`${directory}/x is a symbolic link: not written through it\n`);
        expect(readFileSync(`${directory}/target`, 'utf8')).to.equal('precious');
        expect(lstatSync(`${directory}/x`).isSymbolicLink()).to.equal(true);
      });
    });

    it('file: a missing directory is said in one line', () => {
      inTemporary((directory) => {
        const wanted = file(`${directory}/no/x`, { content: 'a', ...me });
        const ran = applyOn(shell, wanted, valueOf(shell, wanted.differs));
        expect(ran.code).to.not.equal(0);
        expect(ran.stderr.trim().split('\n')).to.have.length(1);
        expect(ran.stderr).to.include('No such file or directory');
      });
    });

    it('directory, with what may be in it', () => {
      inTemporary((base) => {
        const path = `${base}/a/b c`;
        settles(shell, directory(path, { mode: 0o2750, ...me }), ['exists']);
        expect(modeOf(path)).to.equal(0o2750);
        expect(modeOf(`${base}/a`)).to.equal(0o755);
        for (const name of ['kept', '.hidden', '-rf', 'odd\nname', '..x']) writeFileSync(`${path}/${name}`, '');
        mkdirSync(`${path}/sub`);
        symlinkSync('/nowhere', `${path}/dangling`);
        const wanted = directory(path, { mode: 0o2750, ...me, exclusive: ['kept'] });
        const { before, after } = converge(shell, wanted);
        expect(before.map(({ field }) => field)).to.have.members(['entry .hidden', 'entry -rf', 'entry odd\nname', 'entry ..x', 'entry dangling']);
        expect(after).to.deep.equal([]);
        expect(readdirSync(path)).to.have.members(['kept', 'sub']);
      });
    });

    it('directory: what may not be listed is not known to be empty', function () {
      if (process.getuid?.() !== 0) return;
      inTemporary((base) => {
        chmodSync(base, 0o755);
        const path = `${base}/d`;
        const wanted = directory(path, { mode: 0o711, ...me, exclusive: ['kept'] });
        const nobody: Shell = { name: shell.name, argv: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...shell.argv] };
        expect(valueOf(nobody, wanted.differs).map(({ field }) => field)).to.deep.equal(['exists']);
        mkdirSync(path);
        writeFileSync(`${path}/extra`, '');
        for (const mode of [0o711, 0o700]) {
          chmodSync(path, mode);
          expect(answerOf(nobody, wanted.differs)).to.deep.equal({ kind: 'unavailable', reason: `${path} cannot be listed` });
        }
      });
    });

    it('packages: a list of packages that another process holds is waited for, any other failure is told at once', () => {
      inTemporary((base) => {
        const tool = (name: string, script: string): void => {
          writeFileSync(`${base}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        };
        tool('apt-cache', ':');
        const withTools: Shell = { name: shell.name, argv: ['env', `PATH=${base}:${process.env['PATH'] ?? ''}`, ...shell.argv] };
        const install = (): ReturnType<typeof applyOn> => applyOn(withTools, packages(['zip']), [change('zip', 'absent', 'installed')]);
        const log = `echo "$*" | tr ' ' '\\n' | grep -Ex 'update|install|zip' >>${base}/log`;
        tool(
          'apt-get',
          `${log}; case $* in *update) [ -e ${base}/free ] || { touch ${base}/free; echo 'E: Could not get lock /var/lib/apt/lists/lock.' >&2; exit 100; } ;; esac`,
        );
        expect(install()).to.deep.include({ code: 0, stderr: '' });
        expect(readFileSync(`${base}/log`, 'utf8')).to.equal('update\nupdate\ninstall\nzip\n');
        tool('apt-get', `echo 'E: The repository is not signed.' >&2; exit 100`);
        expect(install()).to.deep.include({ code: 1, stderr: 'E: The repository is not signed.\n' });
      });
    });

    it('absent', () => {
      inTemporary((directory) => {
        writeFileSync(`${directory}/x`, '');
        settles(shell, absent(`${directory}/x`), ['exists']);
        symlinkSync('/etc', `${directory}/x`);
        settles(shell, absent(`${directory}/x`), ['exists']);
        writeFileSync(`${directory}/f`, '');
        settles(shell, absent(`${directory}/f/below`), []);
      });
    });

    it('block and line keep the rest and its mode', () => {
      inTemporary((directory) => {
        const path = `${directory}/hosts`;
        writeFileSync(path, '\ufeff127.0.0.1 localhost\r\nlast');
        chmodSync(path, 0o604);
        settles(shell, block(path, { marker: 'm', content: 'x' }), ['content']);
        settles(shell, line(path, { line: 'a = 1', match: '^a *=' }), ['content']);
        settles(shell, line(path, { line: 'a = 2', match: '^a *=' }), ['content']);
        expect(readFileSync(path, 'utf8')).to.equal('\ufeff127.0.0.1 localhost\r\nlast\n# BEGIN m\nx\n# END m\na = 2\n');
        expect(modeOf(path)).to.equal(0o604);
        settles(shell, block(path, { marker: 'm', content: '' }), ['content']);
        expect(readFileSync(path, 'utf8')).to.equal('\ufeff127.0.0.1 localhost\r\nlast\na = 2\n');
      });
    });

    it('line: one that its pattern would not find again is no line', () => {
      inTemporary((base) => {
        expect(() => line(`${base}/x`, { line: 'b=1', match: '^a=' })).to.throw('never be found again');
        const asked = line(`${base}/x`, { line: shellOutput('printf b=1').map(({ output }) => output), match: '^a=' });
        expect(answerOf(shell, asked.differs)).to.deep.equal({ kind: 'unavailable', reason: `${base}/x: "b=1" is no such line` });
      });
    });

    it('command', () => {
      inTemporary((directory) => {
        const path = `${directory}/mark`;
        const missing = shellOutput(`[ -e ${quote(path)} ]`).map(({ code }) => (code === 0 ? [] : [change('mark', 'missing', 'there')]));
        settles(
          shell,
          command('mark', {
            differs: missing,
            run: (steps) => {
              steps.sh`: >${path}`;
            },
          }),
          ['mark'],
        );
        const failing = command('mark', {
          differs: { ...missing, read: () => known([change('a', 'b', 'c')]) },
          run: (steps) => {
            steps.sh`false; echo not reached >${path}.2`;
          },
        });
        expect(applyOn(shell, failing, [change('a', 'b', 'c')]).code).to.equal(1);
        expect(existsSync(`${path}.2`)).to.equal(false);
      });
    });

    it('daemon: started, left alone, restarted for its inputs, and a recycled pid is not mistaken', () => {
      inTemporary((directory) => {
        const configuration = `${directory}/c`;
        const pidFile = `${directory}/pid`;
        writeFileSync(configuration, 'a=1\n# comment\n');
        const running = (content: string): Resource =>
          daemon('sleeper', {
            user: execFileSync('id', ['-un'], { encoding: 'utf8' }).trim(),
            start: ['sleep', '300'],
            pidFile,
            logFile: `${directory}/log`,
            inputs: [{ path: configuration, content }],
          });
        try {
          settles(shell, running('a=1\n'), ['active']);
          const first = readFileSync(pidFile, 'utf8');
          writeFileSync(configuration, '# other\n\na=1\n');
          settles(shell, running('# third\na=1'), []);
          writeFileSync(configuration, 'a=2\n');
          settles(shell, running('a=1\n'), []);
          const { before, after } = converge(shell, running('a=2\n'));
          expect(before).to.have.length(1);
          expect(before[0]).to.include({ field: 'started-with', disrupts: true });
          expect(after).to.deep.equal([]);
          expect(readFileSync(pidFile, 'utf8')).to.not.equal(first);
          expect(isAlive(first.trim())).to.equal(false);
          const record = readFileSync(`${pidFile}.record`, 'utf8');
          writeFileSync(`${pidFile}.record`, record.replace(/ \d+ /, ' 1 '));
          expect(valueOf(shell, running('a=2\n').differs).map(({ field }) => field)).to.deep.equal(['active']);
          writeFileSync(`${pidFile}.record`, record);
        } finally {
          process.kill(Number(readFileSync(pidFile, 'utf8')));
        }
        const broken = daemon('broken', {
          user: execFileSync('id', ['-un'], { encoding: 'utf8' }).trim(),
          start: ['sh', '-c', 'echo no good; exit 3'],
          pidFile,
          logFile: `${directory}/log`,
          inputs: [],
        });
        const ran = converge(shell, broken).ran;
        expect(ran.code).to.equal(1);
        expect(ran.stderr).to.equal('broken ended at once\n');
        expect(ran.stdout.toString()).to.include('no good');
      });
    });

    describe('archive', () => {
      /** A product in an archive with one top folder. */
      function packed(directory: string, version: string): { readonly path: string; readonly sha256: string; readonly size: number } {
        mkdirSync(`${directory}/src/product-${version}/bin`, { recursive: true });
        writeFileSync(`${directory}/src/product-${version}/bin/run`, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
        symlinkSync('../bin/run', `${directory}/src/product-${version}/bin/again`);
        const path = `${directory}/${version}.tar.gz`;
        execFileSync('tar', ['-czf', path, '-C', `${directory}/src`, `product-${version}`]);
        return { path, sha256: digestOf(path), size: statSync(path).size };
      }
      const owner = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();

      it('is unpacked beside earlier versions, and current moves', () => {
        inTemporary((directory) => {
          const into = `${directory}/opt/product`;
          for (const version of ['1.0.0', '1.1.0']) {
            const { path, sha256, size } = packed(directory, version);
            settles(shell, archive({ name: 'product', version, into, owner, source: { from: 'controller', localPath: path, sha256, size } }), [
              'unpacked',
              'current',
            ]);
            expect(readlinkSync(`${into}/current`)).to.equal(version);
            expect(execFileSync(`${into}/current/bin/again`, { encoding: 'utf8' })).to.equal(`${version}\n`);
          }
          expect(readdirSync(into)).to.have.members(['1.0.0', '1.1.0', 'current']);
        });
      });

      it('of another digest keeps nothing and changes nothing', () => {
        inTemporary((directory) => {
          const { path, size } = packed(directory, '1.0.0');
          const into = `${directory}/opt`;
          const { ran, after } = converge(
            shell,
            archive({ name: 'product', version: '1.0.0', into, owner, source: { from: 'controller', localPath: path, sha256: '0'.repeat(64), size } }),
          );
          expect(ran.code).to.equal(REFUSED);
          expect(ran.stderr).to.equal(`the archive of product 1.0.0 has the sha256 ${digestOf(path)}, not ${'0'.repeat(64)}: nothing was unpacked\n`);
          expect(readdirSync(into)).to.deep.equal([]);
          expect(after).to.have.length(2);
        });
      });

      for (const [what, make] of Object.entries({
        'an entry that leaves it: top/../../escaped': (directory: string) => {
          writeFileSync(`${directory}/x`, 'x');
          execFileSync('tar', ['-czPf', `${directory}/a.tgz`, '-C', directory, '--transform=s,^x$,top/../../escaped,', 'x']);
        },
        'an entry that is neither a file nor a folder nor a link: top/b/pipe': (directory: string) => {
          mkdirSync(`${directory}/top/b`, { recursive: true });
          execFileSync('mkfifo', [`${directory}/top/b/pipe`]);
          execFileSync('tar', ['-czf', `${directory}/a.tgz`, '-C', directory, 'top']);
        },
        'a link that leaves it: b/link': (directory: string) => {
          mkdirSync(`${directory}/top/b`, { recursive: true });
          symlinkSync('../../../etc', `${directory}/top/b/link`);
          execFileSync('tar', ['-czf', `${directory}/a.tgz`, '-C', directory, 'top']);
        },
        'a link that leaves it: top/abs': (directory: string) => {
          mkdirSync(`${directory}/top`, { recursive: true });
          symlinkSync('/etc/passwd', `${directory}/top/abs`);
          execFileSync('tar', ['-czf', `${directory}/a.tgz`, '-C', directory, 'top']);
        },
        'a link that leaves it: sly': (directory: string) => {
          mkdirSync(`${directory}/top/.../here`, { recursive: true });
          symlinkSync('.../here/../../../x', `${directory}/top/sly`);
          execFileSync('tar', ['-czf', `${directory}/a.tgz`, '-C', directory, 'top']);
        },
      })) {
        it(`with ${what} is refused`, () => {
          inTemporary((directory) => {
            make(directory);
            const path = `${directory}/a.tgz`;
            const into = `${directory}/opt`;
            const source = { from: 'controller', localPath: path, sha256: digestOf(path), size: statSync(path).size } as const;
            const { ran } = converge(shell, archive({ name: 'p', version: '1', into, owner, source }));
            expect(readdirSync(directory).filter((name) => name.startsWith('escaped'))).to.deep.equal([]);
            // busybox' own tar drops what leads out of an entry's name by itself, in its listing too.
            if (ownTar(shell) && what.includes('escaped')) {
              expect(readdirSync(into)).to.have.members(['1', 'current']);
              return;
            }
            expect(ran.code).to.equal(REFUSED);
            expect(ran.stderr).to.equal(`the archive of p 1 has ${what}\n`);
            expect(readdirSync(into)).to.deep.equal([]);
          });
        });
      }

      it('that does not fit is refused before it is fetched', () => {
        inTemporary((directory) => {
          const source = { from: 'controller', localPath: '/nonexistent', sha256: '0'.repeat(64), size: 1e15 } as const;
          const { ran } = converge(shell, archive({ name: 'p', version: '1', into: directory, owner, source }));
          expect(ran.code).to.equal(1);
          expect(ran.stderr).to.match(/MiB free, but p 1 needs 2384185791 MiB while it is unpacked\n$/);
        });
      });

      it('is downloaded, and a refused download leaves nothing', async () => {
        await withServer(
          `if (request.url === '/gone') { response.writeHead(404); response.end('no'); } else require('node:fs').createReadStream(decodeURIComponent(request.url.slice(1))).pipe(response);`,
          (url) => {
            inTemporary((directory) => {
              const { path, sha256, size } = packed(directory, '1.0.0');
              const into = `${directory}/opt`;
              const gone = converge(shell, archive({ name: 'p', version: '1', into, owner, source: { from: 'host', url: `${url}/gone`, sha256, size } }));
              expect(gone.ran.code).to.equal(1);
              expect(gone.ran.stderr)
                .to.include('404')
                .and.to.match(/gone could not be downloaded\n$/);
              expect(readdirSync(into)).to.deep.equal([]);
              settles(
                shell,
                archive({ name: 'p', version: '1', into, owner, source: { from: 'host', url: `${url}/${encodeURIComponent(path)}`, sha256, size } }),
                ['unpacked', 'current'],
              );
            });
          },
        );
      });
    });

    it('httpObject: put once, equal after', async () => {
      const body = `let body = ''; request.on('data', (part) => (body += part)); request.on('end', () => {
        globalThis.kept ??= {};
        if (request.method === 'PUT' && request.headers['x-need'] !== 'yes') { response.writeHead(400); response.end('{"error":\\n"header"}'); }
        else if (request.method === 'PUT') { kept[request.url] = body; response.end('{}'); }
        else if (kept[request.url] === undefined) { response.writeHead(404); response.end('{}'); }
        else response.end(kept[request.url]); });`;
      await withServer(body, (url) => {
        const want = { text: `it's "$HOME" \\ @é\n`, list: [1, { a: null }], '@odd': true };
        const object = httpObject('object', { url: `${url}/x/a?b[]=c`, want, headers: { 'x-need': 'yes' } });
        settles(shell, object, ['object']);
        const refused = httpObject('object', { url: `${url}/y`, want });
        const { ran } = converge(shell, refused);
        expect(ran.code).to.equal(1);
        expect(ran.stderr).to.equal(`PUT ${url}/y was answered: {"error": "header"} 400\n`);
      });
    });
  });
}

describe('check after apply is empty', function () {
  this.timeout(120_000);
  const text = fc
    .oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: fc.constantFrom('\n', '#', ' ', 'a', "'", '\\', '$', '\r'), maxLength: 40 }))
    .map((value) => value.toWellFormed().replaceAll('\0', ''));
  const name = fc
    .string({ unit: fc.constantFrom('a', 'b', "'", '"', ' ', '-', '$', '*', 'é', '\\', '.', '`', '!'), minLength: 1, maxLength: 10 })
    .map((value) => `n${value}`);
  it('for any set of files, directories and blocks', () => {
    const wish = fc.record({ name, text, mode: fc.integer({ min: 0o400, max: 0o777 }), kind: fc.constantFrom('file', 'directory', 'block') });
    fc.assert(
      fc.property(fc.uniqueArray(wish, { selector: (each) => each.name, minLength: 1, maxLength: 4 }), fc.constantFrom(...shells), (wishes, shell) => {
        inTemporary((base) => {
          const wanted = wishes.map((each) => {
            const path = `${base}/${each.name}`;
            if (each.kind === 'directory') return directory(path, { mode: each.mode, ...me });
            return each.kind === 'file' ? file(path, { content: each.text, mode: each.mode | 0o400, ...me }) : block(path, { marker: 'm', content: each.text });
          });
          for (const resource of wanted) {
            const { ran, after } = converge(shell, resource);
            expect(ran.stderr).to.equal('');
            expect(after).to.deep.equal([]);
          }
        });
      }),
      { numRuns: 60 },
    );
  });
  it('for any set of resources, whatever was there before; or what stands in the way is said', () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '=', ' ', '#', "'", '$', '\\', 'é'), maxLength: 6 }), { maxLength: 4 });
    const before = fc.oneof(
      fc.constant({ is: 'nothing' } as const),
      fc.record({ is: fc.constant('file' as const), text, mode: fc.integer({ min: 0o400, max: 0o777 }) }),
      fc.record({ is: fc.constant('directory' as const), names: fc.uniqueArray(name, { maxLength: 3 }) }),
      fc.record({ is: fc.constant('link' as const), target: fc.constantFrom('/nonexistent', '.', 'n') }),
    );
    const mode = fc.integer({ min: 0o400, max: 0o777 }).map((bits) => bits | 0o400);
    const wish = fc.oneof(
      fc.record({ is: fc.constant('file' as const), content: fc.oneof(text, fc.uint8Array({ maxLength: 40 })), mode, below: fc.boolean() }),
      fc.record({ is: fc.constant('settings' as const), content: lines.map((all) => all.join('\n')), mode }),
      fc.record({ is: fc.constant('secret' as const), content: text, mode }),
      fc.record({ is: fc.constant('directory' as const), mode, exclusive: fc.option(fc.uniqueArray(name, { maxLength: 2 }), { nil: undefined }) }),
      fc.record({ is: fc.constant('absent' as const) }),
      fc.record({ is: fc.constant('edits' as const), blocks: fc.tuple(lines, lines), line: fc.stringMatching(/^[xyz][xyz ='$]{0,5}$/), match: fc.boolean() }),
    );
    type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;
    const resourcesOf = (path: string, wanted: Wish): readonly Resource[] => {
      switch (wanted.is) {
        case 'file':
          return [file(wanted.below ? `${path}/below/it` : path, { content: wanted.content, mode: wanted.mode, parents: true, ...me })];
        case 'settings':
          return [file(path, { content: wanted.content, mode: wanted.mode, syntax: 'settings', ...me })];
        case 'secret':
          return [file(path, { content: { confidential: ['a', new Secret(wanted.content, 'test')] }, mode: wanted.mode, ...me })];
        case 'directory':
          return [directory(path, { mode: wanted.mode | 0o500, ...me, ...(wanted.exclusive === undefined ? {} : { exclusive: wanted.exclusive }) })];
        case 'absent':
          return [absent(path)];
        case 'edits':
          return [
            ...wanted.blocks.map((block_, index) => block(path, { marker: String(index), content: block_.join('\n') })),
            line(path, { line: wanted.line, ...(wanted.match ? { match: '^[xyz]' } : {}) }),
          ];
      }
    };
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ name, before, wish }), { selector: (each) => each.name, minLength: 1, maxLength: 4 }),
        fc.constantFrom(...shells),
        (places, shell) => {
          inTemporary((base) => {
            const converged: Resource[] = [];
            for (const { name: called, before: there, wish: wanted } of places) {
              const path = `${base}/${called}`;
              if (there.is === 'file') writeFileSync(path, there.text, { mode: there.mode });
              if (there.is === 'link') symlinkSync(there.target, path);
              if (there.is === 'directory') {
                mkdirSync(path);
                for (const inside of there.names) writeFileSync(`${path}/${inside}`, 'x');
              }
              for (const resource of resourcesOf(path, wanted)) {
                const changes = answerOf(shell, resource.differs);
                const ran = changes.kind === 'known' ? applyOn(shell, resource, changes.value) : undefined;
                if (changes.kind === 'unavailable') expect(changes.reason).to.match(/directory|link|regular file|\S/);
                else if (ran?.code !== 0) expect(ran?.stderr.trim(), resource.id).to.not.equal('');
                else converged.push(resource);
              }
            }
            const answers = askHost(
              shell,
              converged.flatMap(({ differs }) => differs.asks),
            );
            for (const { id, differs } of converged)
              expect(
                differs.read((ask) => answers.get(ask) ?? { kind: 'unavailable', reason: 'not asked' }),
                id,
              ).to.deep.equal({ kind: 'known', value: [] });
          });
        },
      ),
      { numRuns: 80 },
    );
  });
  it('and a block leaves everything around it as it was', () => {
    fc.assert(
      fc.property(text, text, (around, content) => {
        inTemporary((base) => {
          const path = `${base}/x`;
          writeFileSync(path, around);
          converge(dash, block(path, { marker: 'm', content }));
          converge(dash, block(path, { marker: 'm', content: '' }));
          const ended = around === '' || around.endsWith('\n') || content === '' ? around : `${around}\n`;
          expect(readFileSync(path, 'utf8')).to.equal(ended);
        });
      }),
      { numRuns: 40 },
    );
  });
});
