import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { httpKey } from '../../lib/plan/http.mts';
import type { Ask, Raw } from '../../lib/plan/model.mts';
import { http, passwd, sha256, shellOutput, stat, sysctlValue, text, unitState } from '../../lib/plan/questions.mts';
import { sysctlPath } from '../../lib/shell/probe-answers.mts';
import { compileProbe, parseProbe, type HostAsk } from '../../lib/shell/probe.mts';
import { quote } from '../../lib/shell/quote.mts';
import { answerOf, askHost, dash, inTemporary, runSh, shells, valueOf, withServer, type Shell } from './hostlike.mts';

const NONCE = 'abcdefgh12345678';
const ask = (kind: HostAsk['kind'], key: string): HostAsk => ({ at: 'host', kind, key });
const bytes = (raw: Raw | undefined): string => (raw?.kind === 'value' ? Buffer.from(raw.bytes).toString('latin1') : JSON.stringify(raw));

/** Commands that stand in for those of a host. */
function withTools(tools: Readonly<Record<string, string>>, use: (env: { readonly PATH: string }) => void): void {
  inTemporary((directory) => {
    for (const [name, script] of Object.entries(tools)) writeFileSync(`${directory}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    use({ PATH: `${directory}:${process.env['PATH'] ?? ''}` });
  });
}

function askWith(shell: Shell, env: Readonly<Record<string, string>>, asks: readonly HostAsk[]): ReadonlyMap<Ask, Raw> {
  return parseProbe(runSh(shell, compileProbe(asks, NONCE), env).stdout, asks, NONCE);
}

for (const shell of shells) {
  describe(`probe under ${shell.name}`, function () {
    this.timeout(60_000);

    it('nothing asked is nothing run', () => {
      const ran = runSh(shell, compileProbe([], NONCE));
      expect(ran).to.deep.include({ code: 0, stderr: '' });
      expect(ran.stdout.toString()).to.equal(`\n${NONCE} end\n`);
    });

    it('absent is ENOENT or ENOTDIR, everything else says why it is not known', () => {
      inTemporary((directory) => {
        writeFileSync(`${directory}/file`, 'x');
        mkdirSync(`${directory}/folder`);
        symlinkSync('nowhere', `${directory}/dangling`);
        symlinkSync('loop', `${directory}/loop`);
        symlinkSync('file', `${directory}/good`);
        spawnSync('mkfifo', [`${directory}/fifo`]);
        for (const missing of [`${directory}/none`, `${directory}/file/below`, `${directory}/dangling/below`]) {
          expect(answerOf(shell, text(missing))).to.deep.equal({ kind: 'known', value: undefined });
          expect(answerOf(shell, sha256(missing))).to.deep.equal({ kind: 'known', value: undefined });
          expect(answerOf(shell, stat(missing))).to.deep.equal({ kind: 'known', value: { kind: 'absent' } });
        }
        for (const [path, reason] of Object.entries({
          folder: 'not a regular file',
          fifo: 'not a regular file',
          dangling: 'a symbolic link that leads nowhere',
          loop: 'a symbolic link that leads nowhere',
        })) {
          expect(answerOf(shell, text(`${directory}/${path}`))).to.deep.equal({ kind: 'unavailable', reason });
          expect(answerOf(shell, sha256(`${directory}/${path}`))).to.deep.equal({ kind: 'unavailable', reason });
        }
        expect(answerOf(shell, stat(`${directory}/loop/below`))).to.deep.equal({
          kind: 'unavailable',
          reason: 'Too many levels of symbolic links',
        });
        expect(valueOf(shell, text(`${directory}/good`))).to.equal('x');
        expect(valueOf(shell, stat(`${directory}/good`))).to.deep.include({ kind: 'there', type: 'link', target: 'file' });
        expect(valueOf(shell, stat(`${directory}/fifo`))).to.deep.include({ type: 'other' });
      });
    });

    it('what may not be read is unavailable, not absent', () => {
      inTemporary((directory) => {
        chmodSync(directory, 0o755);
        mkdirSync(`${directory}/closed`);
        writeFileSync(`${directory}/closed/x`, '');
        writeFileSync(`${directory}/secret`, '');
        chmodSync(`${directory}/secret`, 0o000);
        chmodSync(`${directory}/closed`, 0o000);
        const nobody: Shell =
          process.getuid?.() === 0 ? { name: shell.name, argv: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...shell.argv] } : shell;
        const refused = { kind: 'unavailable', reason: 'Permission denied' };
        expect(answerOf(nobody, text(`${directory}/secret`))).to.deep.equal(refused);
        expect(answerOf(nobody, sha256(`${directory}/secret`))).to.deep.equal(refused);
        for (const question of [text(`${directory}/closed/x`), sha256(`${directory}/closed/x`), stat(`${directory}/closed/x`)])
          expect(answerOf<unknown>(nobody, question)).to.deep.equal(refused);
        chmodSync(`${directory}/closed`, 0o700);
      });
    });

    it('a text has a largest size', () => {
      inTemporary((directory) => {
        writeFileSync(`${directory}/x`, '');
        truncateSync(`${directory}/x`, 256 * 1024);
        expect(valueOf(shell, text(`${directory}/x`))).to.have.length(256 * 1024);
        truncateSync(`${directory}/x`, 256 * 1024 + 1);
        expect(answerOf(shell, text(`${directory}/x`))).to.deep.equal({ kind: 'unavailable', reason: 'larger than 256 KiB' });
      });
    });

    it('files of /proc and bytes of any value', () => {
      expect(valueOf(shell, text('/proc/sys/kernel/ostype'))).to.equal('Linux\n');
      expect(valueOf(shell, sysctlValue('kernel.ostype'))).to.equal('Linux');
      expect(valueOf(shell, sysctlValue('kernel/ostype'))).to.equal('Linux');
      expect(valueOf(shell, sysctlValue('net.ipv4.ip_local_port_range'))).to.match(/^\d+ \d+$/);
      expect(valueOf(shell, sysctlValue('kernel.no_such_key'))).to.equal(undefined);
      inTemporary((directory) => {
        const all = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
        writeFileSync(`${directory}/x`, all);
        const asked = ask('text', `${directory}/x`);
        expect(bytes(askHost(shell, [asked]).get(asked))).to.equal(all.toString('latin1'));
        expect(answerOf(shell, text(`${directory}/x`))).to.deep.equal({ kind: 'unavailable', reason: 'not UTF-8 text' });
      });
    });

    it('equal asks are asked once and all answered', () => {
      const asks = [ask('passwd', 'root'), ask('passwd', 'root'), ask('shell', 'echo once; exit 4'), ask('shell', 'echo once; exit 4')];
      const script = compileProbe(asks, NONCE);
      expect(script.split("'root'")).to.have.length(2);
      const answers = askHost(shell, asks);
      expect(asks.map((each) => bytes(answers.get(each)).split(':')[0])).to.deep.equal(['root', 'root', '4\nonce\n', '4\nonce\n']);
      expect(valueOf(shell, passwd('no-such-user'))).to.equal(undefined);
    });

    it('a snippet sees no stdin, leaves no trace, and a broken one breaks only itself', () => {
      const snippets = ['read -r line; echo "[$line]"', 'kept=1; set -e; cd /; exit 3', 'echo "${kept-none}"; pwd', 'if (', 'echo err >&2', "printf 'no end'"];
      const asks = snippets.map((snippet) => ask('shell', snippet));
      const answers = askHost(shell, asks);
      const [empty, exit, trace, broken, error, unended] = asks.map((each) => bytes(answers.get(each)));
      expect(empty).to.equal('0\n[]\n');
      expect(exit).to.equal('3\n');
      expect(trace).to.equal(`0\nnone\n${process.cwd()}\n`);
      expect(broken).to.match(/^[12]\n.*[Ss]yntax error/);
      expect(error).to.equal('0\nerr\n');
      expect(unended).to.equal('0\nno end');
      expect(valueOf(shell, shellOutput('echo a; exit 1'))).to.deep.equal({ code: 1, output: 'a\n' });
      expect(valueOf(shell, shellOutput('printf %s "${QUOTING_STYLE-none}"'))).to.deep.equal({ code: 0, output: 'none' });
    });

    it('a tool that is missing is named', () => {
      const tools = { unit: 'systemctl', passwd: 'getent', listeners: 'ss', http: 'curl' } as const;
      const keys = { unit: 'a.service', passwd: 'root', listeners: 'tcp', http: httpKey({ url: 'http://127.0.0.1/' }), package: 'dash' } as const;
      inTemporary((nowhere) => {
        // busybox brings stat, rpm and others itself.
        const own = shell.name === 'busybox' ? {} : { stat: 'stat', sha256: 'sha256sum', sysctl: 'grep', package: 'neither dpkg-query nor rpm' };
        const argv = [spawnSync('which', [shell.argv[0]], { encoding: 'utf8' }).stdout.trim(), ...shell.argv.slice(1)] as const;
        writeFileSync(`${nowhere}/x`, '');
        const asks = Object.entries({ ...tools, ...own }).map(([kind, tool]) => ({
          tool,
          asked: ask(kind as HostAsk['kind'], (keys as Record<string, string>)[kind] ?? (kind === 'sysctl' ? 'kernel.ostype' : `${nowhere}/x`)),
        }));
        const answers = askWith(
          { name: shell.name, argv: argv },
          { PATH: nowhere },
          asks.map(({ asked }) => asked),
        );
        for (const { tool, asked } of asks)
          expect(answers.get(asked), asked.kind).to.deep.equal({
            kind: 'unavailable',
            reason: tool.startsWith('neither') ? `${tool} is installed` : `${tool} is not installed`,
          });
      });
    });

    it('units: by order, since an alias has another Id; a name systemd refuses takes no other with it', () => {
      const block = (id: string, state: string): string => `Id=${id}\\nLoadState=loaded\\nActiveState=${state}\\nMainPID=7\\nNeedDaemonReload=yes\\n`;
      withTools({ systemctl: `printf '${block('dbus-broker.service', 'active')}\\n${block('b.service', 'failed')}'` }, (env) => {
        const [alias, other] = [ask('unit', 'dbus.service'), ask('unit', 'b.service')];
        const answers = askWith(shell, env, [alias, other]);
        expect(bytes(answers.get(alias)))
          .to.include('ActiveState=active')
          .and.not.include('failed');
        expect(bytes(answers.get(other))).to.include('ActiveState=failed');
        expect(unitState('dbus.service').read(() => answers.get(alias) ?? { kind: 'absent' })).to.deep.include({ kind: 'known' });
      });
      withTools(
        {
          systemctl: `printf '${block('a.service', 'active')}'; echo 'Failed to get properties: Unit name x@.service is missing the instance name.' >&2; exit 1`,
        },
        (env) => {
          const asks = [ask('unit', 'a.service'), ask('unit', 'x@.service'), ask('unit', 'c.service')] as const;
          const answers = askWith(shell, env, asks);
          expect(bytes(answers.get(asks[0]))).to.include('ActiveState=active');
          for (const lost of asks.slice(1))
            expect(answers.get(lost)).to.deep.equal({
              kind: 'unavailable',
              reason: 'Failed to get properties: Unit name x@.service is missing the instance name.',
            });
        },
      );
    });

    it('http: each answer is its own, whatever is in it', async () => {
      const server = `let body = ''; request.on('data', (part) => (body += part)); request.on('end', () => {
        if (request.url === '/cut') { response.writeHead(200, { 'content-length': 100 }); response.write('half'); setTimeout(() => response.destroy(), 20); return; }
        if (request.url === '/slow') return;
        if (request.url === '/huge') { response.end('x'.repeat(40 * 1024 * 1024)); return; }
        if (request.url === '/big') { response.write(''); response.end('x'.repeat(1024 * 1024 + 1)); return; }
        if (request.url === '/hostile') { response.end('\\n000000000000 http 200 0\\n\\n000000000000 status 0\\n\\n000000000000 end\\n'); return; }
        response.writeHead(request.url === '/404' ? 404 : 200); response.end(request.method + ' ' + request.url + ' ' + (request.headers['content-type'] ?? '') + ' ' + (request.headers['x-a'] ?? '') + ' ' + body); });`;
      await withServer(server, (url) => {
        const requests = [
          { url: `${url}/a?b[]={c}` },
          { url: 'http://127.0.0.1:9/' },
          { url: `${url}/cut` },
          { url: `${url}/hostile` },
          { url: `${url}/404`, method: 'DELETE' },
          { url: `${url}/slow`, timeoutMs: 100 },
          { url: `${url}/big` },
          { url: `${url}/huge` },
          { url: 'http://127.0.0.1:9/after' },
          { url: `${url}/post`, body: '@/etc/passwd "\\\n\t é\'', headers: { 'x-a': 'q"\\' } },
        ];
        const answers = requests.map((request) => http(request));
        const raws = askHost(
          shell,
          answers.flatMap((each) => each.asks),
        );
        const [plain, refused, cut, hostile, gone, slow, big, huge, after, post] = answers.map((each) =>
          each.read((asked) => raws.get(asked) ?? { kind: 'absent' }),
        );
        expect(plain).to.deep.equal({ kind: 'known', value: { kind: 'answered', status: 200, body: 'GET /a?b[]={c}   ' } });
        expect(refused)
          .to.deep.include({ kind: 'known' })
          .and.nested.property('value.reason')
          .that.match(/^Failed to connect to 127.0.0.1 port 9/);
        expect(cut)
          .to.have.nested.property('value.reason')
          .that.match(/^transfer closed with 96 bytes/);
        expect(hostile)
          .to.have.nested.property('value.body')
          .that.match(/^\n000000000000 http 200 0\n/);
        expect(gone).to.have.nested.property('value.status', 404);
        expect(gone)
          .to.have.nested.property('value.body')
          .that.match(/^DELETE/);
        expect(slow)
          .to.have.nested.property('value.reason')
          .that.match(/timed out/i);
        expect(big).to.deep.equal({ kind: 'unavailable', reason: 'the answer is larger than 1 MiB' });
        expect(huge).to.deep.equal(big);
        expect(after)
          .to.have.nested.property('value.reason')
          .that.match(/^Failed to connect/);
        expect(post).to.have.nested.property('value.body', 'POST /post application/json q"\\ @/etc/passwd "\\\n\t é\'');
      });
    });

    it('one command of a kind, however many are asked', () => {
      inTemporary((directory) => {
        const log = `${directory}/log`;
        const real = (tool: string): string => spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim();
        const tools = ['stat', 'sha256sum', 'head', 'grep', 'getent', 'dpkg-query', 'ss', 'curl'];
        withTools(Object.fromEntries(tools.map((tool) => [tool, `echo ${tool} >>${quote(log)}; exec ${real(tool)} "$@"`])), (env) => {
          const paths = Array.from({ length: 20 }, (_, index) => `${directory}/${index.toString()}`);
          for (const path of paths) writeFileSync(path, path);
          const asks = [
            ...paths.flatMap((path) => [ask('stat', path), ask('sha256', path), ask('text', path)]),
            ...['kernel.ostype', 'vm.swappiness', 'fs.nr_open'].map((key) => ask('sysctl', key)),
            ...['root', 'daemon', 'bin'].map((key) => ask('passwd', key)),
            ask('package', 'dash'),
            ask('listeners', 'tcp'),
            ...[1, 2, 3].map((port) => ask('http', httpKey({ url: `http://127.0.0.1:${port.toString()}/` }))),
          ];
          // env runs its own head: the default path of a cleared environment.
          const answers = askWith(shell, env, asks);
          for (const path of paths)
            expect(asks.filter(({ key, kind }) => key === path && kind === 'text').map((each) => bytes(answers.get(each)))).to.deep.equal([path]);
          const ran = readFileSync(log, 'utf8').trim().split('\n');
          expect(ran).to.deep.equal([...new Set(ran)]);
          expect(ran).to.include.members(['getent', 'dpkg-query', 'ss', 'curl']);
        });
      });
    });
  });
}

describe('probe, hostile contents', function () {
  this.timeout(120_000);
  const fragment = fc.constantFrom(
    `\n${NONCE.slice(0, -1)}`,
    '\n0000000000000000 end\n',
    'KEM=',
    'KEM=0000\0',
    '\0',
    '\n',
    '==> /etc/passwd <==\n',
    'rrrr\n',
    ' status 0\n',
    '\nEND ',
    "'",
    '$(id)',
    '\u00ff',
  );
  const content = fc
    .array(fc.oneof(fragment, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 12 })
    .map((parts) => Buffer.from(parts.join('').toWellFormed()));
  const name = fc
    .string({ unit: fc.constantFrom('a', "'", '"', ' ', '-', '$', '*', 'é', '\\', ':', '%', '`', '|', '😀', '>'), minLength: 1, maxLength: 12 })
    .map((value) => `n${value}`);

  it('every file is answered with exactly its own bytes and digest', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ name, content }), { selector: (each) => each.name, minLength: 1, maxLength: 5 }),
        fc.constantFrom(...shells),
        (files, shell) => {
          inTemporary((directory) => {
            for (const each of files) writeFileSync(`${directory}/${each.name}`, each.content);
            const texts = files.map((each) => ask('text', `${directory}/${each.name}`));
            const digests = files.map((each) => ask('sha256', `${directory}/${each.name}`));
            const missing = files.map((each) => ask('text', `${directory}/missing/${each.name}`));
            const answers = askHost(shell, [...missing, ...texts, ...digests]);
            expect(texts.map((each) => bytes(answers.get(each)))).to.deep.equal(files.map((each) => each.content.toString('latin1')));
            expect(digests.map((each) => bytes(answers.get(each)))).to.deep.equal(files.map((each) => valueOf(dash, sha256(`${directory}/${each.name}`))));
            for (const each of missing) expect(answers.get(each)).to.deep.equal({ kind: 'absent' });
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('every request arrives as it was meant', async () => {
    const server = `const parts = []; request.on('data', (part) => parts.push(part)); request.on('end', () =>
      response.end(JSON.stringify([request.method, request.url, request.headers['x-a'] ?? null, Buffer.concat(parts).toString('base64')])));`;
    const odd = fc.string({
      unit: fc.constantFrom('a', '"', "'", '\\', '\n', '\r', '\t', '\v', '\f', '\u0001', '$', '`', '%', '@', '#', '&', '=', ' ', 'é', '😀', '\nnext\n'),
      maxLength: 12,
    });
    const body = fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 12 })).map((value) => value.toWellFormed().replaceAll('\0', ''));
    const header = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/);
    const path = fc.stringMatching(/^\/[!-"$-~]{0,12}$/).filter((each) => !/\/\.{1,2}(\/|$|\?)|\\/.test(each));
    const request = fc.record({
      path,
      body: fc.option(body, { nil: undefined }),
      header: fc.option(header, { nil: undefined }),
      method: fc.constantFrom(undefined, 'PUT', 'DELETE'),
    });
    await withServer(server, (url) => {
      fc.assert(
        fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), fc.constantFrom(...shells), (requests, shell) => {
          const questions = requests.map((each) =>
            http({
              url: `${url}${each.path}`,
              ...(each.body === undefined ? {} : { body: each.body }),
              ...(each.method === undefined ? {} : { method: each.method }),
              ...(each.header === undefined ? {} : { headers: { 'x-a': each.header } }),
            }),
          );
          const answers = askHost(
            shell,
            questions.flatMap(({ asks }) => asks),
          );
          const heard = questions
            .map((each) => each.read((one) => answers.get(one) ?? { kind: 'absent' }))
            .map((answer) => (answer.kind === 'known' && answer.value.kind === 'answered' ? (JSON.parse(answer.value.body) as unknown) : answer));
          const meant = requests.map(({ path: at, body: sent = '', header: said = null, method }, index) => [
            method ?? (requests[index]?.body === undefined ? 'GET' : 'POST'),
            at,
            said,
            Buffer.from(sent).toString('base64'),
          ]);
          expect(heard).to.deep.equal(meant);
        }),
        { numRuns: 60 },
      );
    });
  });

  it('a link shows its target, whatever that is', () => {
    fc.assert(
      fc.property(fc.oneof(name, fc.constantFrom('a\n81a4:0:0:0:root:root:"/etc/shadow"', '" -> "x', '\\', 'tab\there', '\u0001\u007f')), (target) => {
        inTemporary((directory) => {
          symlinkSync(target, `${directory}/li"nk`);
          expect(valueOf(dash, stat(`${directory}/li"nk`))).to.deep.include({ type: 'link', target });
        });
      }),
      { numRuns: 40 },
    );
  });

  it('output that was cut anywhere answers rightly or not at all', () => {
    inTemporary((directory) => {
      writeFileSync(`${directory}/a`, 'one');
      writeFileSync(`${directory}/b`, '');
      const asks = [
        ask('stat', `${directory}/a`),
        ask('text', `${directory}/a`),
        ask('text', `${directory}/b`),
        ask('text', `${directory}/c`),
        ask('sysctl', 'kernel.ostype'),
        ask('shell', 'echo x'),
        ask('shell', 'echo y'),
      ];
      const { stdout } = runSh(dash, compileProbe(asks, NONCE));
      const whole = parseProbe(stdout, asks, NONCE);
      for (let length = 0; length < stdout.length; length++) {
        const part = parseProbe(stdout.subarray(0, length), asks, NONCE);
        for (const each of asks) if (part.get(each)?.kind !== 'unavailable') expect(part.get(each)).to.deep.equal(whole.get(each));
      }
      const others = parseProbe(stdout, asks, 'another0nonce000');
      for (const each of asks) expect(others.get(each)?.kind).to.equal('unavailable');
    });
  });

  it('a curl without exit codes: what failed is known by its status', () => {
    const asks = ['http://127.0.0.1:1/', 'http://127.0.0.1:2/'].map((url) => ask('http', httpKey({ url })));
    const output = (errors: string): Buffer =>
      Buffer.from(`\n${NONCE} http\nbody\n${NONCE} http 200 \n\n${NONCE} http 000 \n\n${NONCE} status 7\n${errors}\n${NONCE} end\n`);
    const read = (errors: string): readonly string[] => asks.map((each) => bytes(parseProbe(output(errors), asks, NONCE).get(each)));
    expect(read("curl: unknown --write-out variable: 'exitcode'\ncurl: (7) refused")).to.deep.equal(['{"status":200}\nbody', '{"refused":"refused"}\n']);
    expect(read('curl: (18) cut off\ncurl: (7) refused')[0]).to.equal('{"kind":"unavailable","reason":"an answer was cut off"}');
  });

  it('packages by rpm where there is no dpkg', () => {
    const asks = [ask('package', 'bash'), ask('package', 'zzz')] as const;
    inTemporary((nowhere) => {
      writeFileSync(`${nowhere}/rpm`, `#!/bin/sh\nprintf 'bash\\tii\\t5.1.8-6.el9\\npackage zzz is not installed\\n'; exit 1\n`, { mode: 0o755 });
      const argv = [spawnSync('which', [dash.argv[0]], { encoding: 'utf8' }).stdout.trim()] as const;
      const answers = askWith({ name: 'dash', argv }, { PATH: nowhere }, asks);
      expect(bytes(answers.get(asks[0]))).to.equal('5.1.8-6.el9');
      expect(answers.get(asks[1])).to.deep.equal({ kind: 'absent' });
    });
  });

  it('sysctl keys have two spellings', () => {
    expect(sysctlPath('net.ipv4.conf.eth0/100.rp_filter')).to.equal('/proc/sys/net/ipv4/conf/eth0.100/rp_filter');
    expect(sysctlPath('net/ipv4/conf/eth0.100/rp_filter')).to.equal('/proc/sys/net/ipv4/conf/eth0.100/rp_filter');
  });

  it('a nonce that a shell could read is refused', () => {
    expect(() => compileProbe([], "a'; reboot; '")).to.throw(TypeError);
  });

  it('passes shellcheck', () => {
    const asks = (['stat', 'sha256', 'text'] as const).flatMap((kind) => [ask(kind, '/etc/a'), ask(kind, '/etc/b')]);
    const script = compileProbe(
      [
        ...asks,
        ask('sysctl', 'vm.swappiness'),
        ask('unit', 'a.service'),
        ask('passwd', 'root'),
        ask('group', 'root'),
        ask('package', 'dash'),
        ask('listeners', 'tcp'),
        ask('http', httpKey({ url: 'http://127.0.0.1/' })),
        ask('shell', 'true'),
      ],
      NONCE,
    );
    // SC2015: skip cannot fail. SC2294: a snippet comes as one word.
    const ran = spawnSync('shellcheck', ['--shell=sh', '--severity=warning', '--exclude=SC2294', '-'], { input: script, encoding: 'utf8' });
    expect(ran.error).to.equal(undefined);
    expect(ran.stdout).to.equal('');
  });
});
