import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Fetch, Proxy } from '../../lib/plan/model.mts';
import { archive, packages, unreached } from '../../lib/resources/index.mts';
import { change } from '../../lib/resources/resource.mts';
import { Secret } from '../../lib/secret.mts';
import { applyOn, shells, valueOf, withServer, type Shell } from '../shell/hostlike.mts';
import { fileServer, forwardProxy } from '../support/forward-proxy.mts';

const PASSWORD = `p@ss:w/rd"%'\\s`;
const LOGIN = `kem:${PASSWORD}`;
const login = { user: 'kem', password: new Secret(PASSWORD, 'env:X') };
/** How the password could show. */
const FORMS = [PASSWORD, encodeURIComponent(PASSWORD), Buffer.from(LOGIN).toString('base64')];
/** Nobody listens there. */
const CLOSED = 'http://127.0.0.1:1';

/** With `path` first where commands are looked for. */
const within = (shell: Shell, path: string, more: Readonly<Record<string, string>> = {}): Shell => ({
  name: shell.name,
  argv: ['env', `PATH=${path}:${process.env['PATH'] ?? ''}`, ...Object.entries(more).map(([name, value]) => `${name}=${value}`), ...shell.argv],
});

for (const shell of shells) {
  describe(`what a host fetches, under ${shell.name}`, function () {
    this.timeout(60_000);
    let directory = '';
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'kem-reach-'));
    });
    afterEach(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    const log = (): string => join(directory, 'asked');
    const asked = (url: string, more: { readonly proxy?: Proxy; readonly instead?: string } = {}): Fetch => ({
      kind: 'archive',
      url,
      stamp: { path: join(directory, 'stamp'), line: 'sha256:1' },
      ...more,
    });
    const tool = (name: string, script: string): void => {
      writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    };

    it('is reached when it begins to come, however long it is', async () => {
      await withServer(`response.writeHead(200, { 'content-length': 1e9 }); response.write('x'.repeat(100));`, (url) => {
        expect(valueOf(shell, unreached([asked(`${url}/big.tar.gz`)]))).to.deep.equal([]);
      });
    });

    it('is not reached where nobody listens, and where it does not exist', async () => {
      await withServer(`response.writeHead(404); response.end();`, (url) => {
        const missed = valueOf(shell, unreached([asked(`${CLOSED}/a`, { instead: 'a pack' }), asked(`${url}/b`)]));
        expect(missed.map(({ kind, url: at, instead }) => [kind, at, instead])).to.have.deep.members([
          ['archive', `${CLOSED}/a`, 'a pack'],
          ['archive', `${url}/b`, undefined],
        ]);
        const reasons = missed.map(({ reason }) => reason).join('\n');
        expect(reasons)
          .to.match(/Failed to connect to 127\.0\.0\.1 port 1\b/)
          .and.to.match(/404/);
      });
    });

    it('is nobody’s question where it is there already', () => {
      writeFileSync(join(directory, 'stamp'), 'sha256:1\nmore\n');
      tool('curl', `touch ${directory}/called`);
      tool('apt-get', `touch ${directory}/called`);
      tool('dpkg-query', 'echo installed');
      const fetches: readonly Fetch[] = [asked(`${CLOSED}/a`), { kind: 'packages', names: ['zip'] }];
      expect(valueOf(within(shell, directory), unreached(fetches))).to.deep.equal([]);
      expect(readdirSync(directory)).not.to.include('called');
      writeFileSync(join(directory, 'stamp'), 'sha256:2\n');
      valueOf(within(shell, directory), unreached(fetches));
      expect(readdirSync(directory)).to.include('called');
    });

    it('comes through a proxy, whose password no question holds', async () => {
      await using proxy = await forwardProxy(LOGIN, log());
      const question = unreached([asked('https://artifacts.example/a', { proxy: { url: proxy.url, ...login } })]);
      expect(valueOf(shell, question), 'it will be given the login').to.deep.equal([]);
      expect(proxy.asked()).to.deep.equal(['407 artifacts.example:443']);
      for (const form of FORMS) expect(JSON.stringify(question.asks)).not.to.include(form);
      const [missed] = valueOf(shell, unreached([asked('https://artifacts.example/a', { proxy: { url: proxy.url } })]));
      expect(missed).to.deep.include({ kind: 'archive', url: 'https://artifacts.example/a', proxy: proxy.url });
      expect(missed?.reason).to.match(/407/);
      const [closed] = valueOf(shell, unreached([asked('https://artifacts.example/a', { proxy: { url: CLOSED, ...login } })]));
      expect(closed?.reason).to.match(/Failed to connect to 127\.0\.0\.1 port 1\b/);
    });

    it('an archive is downloaded through CONNECT with the login, which is on no command line and in no environment', async () => {
      const [into, key, cert, packed] = ['opt', 'key', 'cert', 'p.tgz'].map((name) => join(directory, name)) as [string, string, string, string];
      mkdirSync(join(directory, 'source/product'), { recursive: true });
      writeFileSync(join(directory, 'source/product/x'), 'x');
      execFileSync('tar', ['-czf', packed, '-C', join(directory, 'source'), 'product']);
      const certificate = ['-newkey', 'rsa:2048', '-nodes', '-x509', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
      execFileSync('openssl', ['req', ...certificate, '-keyout', key, '-out', cert], { stdio: 'pipe' });
      const curl = execFileSync('sh', ['-c', 'command -v curl'], { encoding: 'utf8' }).trim();
      tool('curl', `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' >${directory}/seen\nexec ${curl} "$@"`);
      await using origin = await fileServer(directory, { key, cert });
      await using proxy = await forwardProxy(LOGIN, log());
      const download = (password: string): ReturnType<typeof applyOn> => {
        const through: Proxy = { url: proxy.url, user: 'kem', password: new Secret(password, 'env:X') };
        const [sha256, owner] = [createHash('sha256').update(readFileSync(packed)).digest('hex'), execFileSync('id', ['-un'], { encoding: 'utf8' }).trim()];
        const source = { from: 'host', url: `${origin.url}/p.tgz`, sha256, size: statSync(packed).size, proxy: through } as const;
        const changes = [change('unpacked', 'no', 'yes'), change('current', 'no', 'yes')];
        return applyOn(within(shell, directory, { CURL_CA_BUNDLE: cert }), archive({ name: 'p', version: '1', into, owner, source }), changes);
      };
      const wrong = download('wrong-password');
      expect(wrong.code).to.equal(1);
      expect(wrong.stderr).to.include(`p.tgz could not be downloaded through ${proxy.url}\n`).and.not.to.include('wrong-password');
      expect(readdirSync(into), 'nothing stays, least of all the password').to.deep.equal([]);
      expect(download(PASSWORD)).to.deep.include({ code: 0, stderr: '' });
      expect(proxy.asked().at(-1)).to.equal(`CONNECT ${origin.url.slice('https://'.length)}`);
      expect(readFileSync(join(into, 'current/x'), 'utf8')).to.equal('x');
      expect(readdirSync(into)).to.have.members(['1', 'current']);
      const seen = readFileSync(join(directory, 'seen'), 'utf8');
      expect(seen).to.include(`${origin.url}/p.tgz`);
      for (const form of FORMS) expect(seen).not.to.include(form);
    });

    it('apt goes through the proxy with the login, which is on no command line and in no environment', async function () {
      if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) this.skip();
      const root = join(directory, 'root');
      for (const each of ['repository', 'lists/partial', 'cache/archives/partial']) mkdirSync(join(root, each), { recursive: true });
      writeFileSync(join(root, 'repository/Packages'), '');
      execFileSync('chmod', ['-R', 'a+rX', directory]);
      await using origin = await fileServer(join(root, 'repository'));
      await using proxy = await forwardProxy(LOGIN, log());
      writeFileSync(join(root, 'sources.list'), `deb [trusted=yes] ${origin.url}/ ./\n`);
      tool('apt-cache', ':');
      const own = [
        'Dir::Etc::sourcelist=$root/sources.list',
        'Dir::Etc::sourceparts=-',
        'Dir::State::lists=$root/lists',
        'Dir::Cache=$root/cache',
        'APT::Sandbox::User=root',
      ];
      tool(
        'apt-get',
        `root=${root}
cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' >${directory}/seen
umask >${directory}/umask
case $* in *update) exec /usr/bin/apt-get ${own.map((word) => `-o "${word}"`).join(' ')} "$@" ;; esac`,
      );
      const given: Proxy = { url: proxy.url, ...login };
      const ran = applyOn(within(shell, directory), packages(['zip'], { proxy: given }), [change('zip', 'absent', 'installed')]);
      expect(ran).to.deep.include({ code: 0, stderr: '' });
      expect(proxy.asked()).to.include(`GET ${origin.url}/./Packages`);
      expect(existsSync('/run/kafka-elastic-monitoring.proxy')).to.equal(false);
      expect(readFileSync(join(directory, 'umask'), 'utf8').trim()).to.match(/^0*22$/);
      const seen = readFileSync(join(directory, 'seen'), 'utf8');
      expect(seen).to.include('APT_CONFIG=').and.to.include('DPkg::Lock::Timeout=120');
      for (const form of FORMS) expect(seen).not.to.include(form);
    });

    it('packages that are missing are looked for where apt would look, through the proxy', async function () {
      if (!existsSync('/usr/lib/apt/apt-helper')) this.skip();
      writeFileSync(join(directory, 'InRelease'), 'x');
      await using origin = await fileServer(directory);
      await using proxy = await forwardProxy(LOGIN, log());
      tool('dpkg-query', ':');
      tool('apt-get', `case $* in *update) echo "'${origin.url}/InRelease' InRelease 0" ;; esac`);
      const missing = (given?: Proxy) =>
        valueOf(within(shell, directory), unreached([{ kind: 'packages', names: ['zip'], ...(given === undefined ? {} : { proxy: given }) }]));
      expect(missing()).to.deep.equal([]);
      expect(proxy.asked()).to.deep.equal([]);
      expect(missing({ url: proxy.url, ...login })).to.deep.equal([]);
      expect(proxy.asked()).to.deep.equal([`407 ${origin.url}/InRelease`]);
      const [closed] = missing({ url: CLOSED, ...login });
      expect(closed).to.deep.include({ kind: 'packages', url: `${origin.url}/InRelease`, proxy: CLOSED });
      expect(closed?.reason).to.match(/connect/i);
      tool('apt-get', `case $* in *update) echo "'${CLOSED}/InRelease' InRelease 0" ;; esac`);
      expect(missing().map(({ url }) => url)).to.deep.equal([`${CLOSED}/InRelease`]);
    });
  });
}
