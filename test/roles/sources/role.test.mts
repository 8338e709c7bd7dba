import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Inventory, Refusal } from '../../../lib/index.mts';
import { artifacts, mirrored } from '../../../lib/index.mts';
import { RunFailure } from '../../../lib/errors.mts';
import { java, logstash, sources } from '../../../roles/index.mts';
import logstashJmx from '../../../roles/logstash-jmx/role.mts';
import { proxyOf, reachable } from '../../../roles/sources/contract.mts';
import { valueOf, shells } from '../../shell/hostlike.mts';
import { Program, SITE } from '../../cli/program.mts';
import { chain } from '../logstash/world.mts';
import { context, find, hostOf, inventory, steps } from '../support.mts';

const one = (vars: string): Inventory => inventory(`all: {hosts: {a: {private_address: 10.0.0.1}}, vars: {${vars}}}`);
const reasons = (refusals: readonly Refusal[] | undefined): readonly string[] => (refusals ?? []).map(({ reason }) => reason);
const CLOSED = '127.0.0.1:1';

describe('sources', () => {
  it('takes addresses without a login, in the protocols that there are', () => {
    for (const wrong of [
      'sources_https_proxy: "https://proxy:3128"',
      'sources_https_proxy: "http://me:secret@proxy:3128"',
      'sources_https_proxy: proxy',
      'sources_artifacts_mirror: "http://mirror/x"',
      'sources_artifacts_mirror: "https://me@mirror/x"',
      'sources_artifacts_mirror: "https://mirror/x?token=1"',
      'sources_https_proxy_password: secret',
    ])
      expect(() => one(wrong), wrong).to.throw(RunFailure);
  });

  it('refuses half a login, and one for no proxy', () => {
    const refused = (vars: string) => sources.refuses?.(context(sources.contract, one(vars), 'a'));
    expect(reasons(refused('sources_https_proxy_user: me'))).to.deep.equal(['a has sources_https_proxy_user without sources_https_proxy']);
    expect(reasons(refused(`sources_https_proxy: "http://p:1", sources_https_proxy_password: {secret: 'env:USER'}`))).to.deep.equal([
      'a has sources_https_proxy_password without sources_https_proxy_user',
    ]);
    expect(refused(`sources_https_proxy: "http://p:1", sources_https_proxy_user: me, sources_https_proxy_password: {secret: 'env:USER'}`)).to.deep.equal([]);
    expect(refused('sources_https_proxy: "http://p:1"')).to.deep.equal([]);
  });

  it('gives archives the mirror, else the proxy, and leaves alone what the controller sends', () => {
    const url = 'https://artifacts.elastic.co/downloads/kibana/kibana-oss-7.10.2.tar.gz';
    const from = { from: 'host', url, sha256: 'a'.repeat(64) } as const;
    const sent = { from: 'controller', localPath: '/x', sha256: 'a'.repeat(64) } as const;
    const proxy = 'sources_https_proxy: "http://p:1"';
    const mirror = 'sources_artifacts_mirror: "https://m.example/raw/"';
    expect(reachable(hostOf(one(''), 'a'), from)).to.deep.equal(from);
    expect(reachable(hostOf(one(proxy), 'a'), from)).to.deep.equal({ ...from, proxy: { url: 'http://p:1' } });
    expect(reachable(hostOf(one(`${proxy}, ${mirror}`), 'a'), from)).to.deep.equal({ ...from, url: 'https://m.example/raw/kibana/kibana-oss-7.10.2.tar.gz' });
    expect(reachable(hostOf(one(`${proxy}, ${mirror}`), 'a'), sent)).to.deep.equal(sent);
    expect(proxyOf(hostOf(one(''), 'a'))).to.deep.equal({});
  });

  it('finds every archive of the list in a mirror by a path of its own', () => {
    const urls = Object.values(artifacts()).flatMap((versions) => Object.values(versions).map(({ official }) => official.url));
    const there = urls.map((url) => mirrored(url, 'https://m'));
    expect(urls.length).to.be.greaterThan(3);
    expect(new Set(there).size).to.equal(new Set(urls).size);
    for (const [index, url] of urls.entries()) expect(url.endsWith((there[index] ?? '').slice('https://m'.length))).to.equal(true);
  });

  it('asks nothing where nothing of what comes fetches anything', () => {
    expect(sources.objects?.(context(sources.contract, one(''), 'a')).asks).to.deep.equal([]);
  });

  for (const shell of shells)
    it(`names every way out, for what cannot be fetched only (${shell.name})`, () => {
      const from = one(`sources_artifacts_mirror: "https://${CLOSED}/mirror", host_provider: gcp, logstash_source: official`);
      const upcoming = logstash.resources(context(logstash.contract, from, 'a')).filter(({ id }) => id.startsWith('archive'));
      const question = sources.objects?.({ ...context(sources.contract, from, 'a'), upcoming: () => upcoming });
      if (question === undefined) throw new Error('it never objects');
      const [refusal, ...others] = valueOf(shell, question);
      expect(others).to.deep.equal([]);
      expect(refusal?.kind).to.equal('refused');
      expect(refusal?.reason).to.match(
        /^a cannot fetch an archive it needs: https:\/\/127\.0\.0\.1:1\/mirror\/logstash\/logstash-oss-7\.10\.2\S*: .*Failed to connect/,
      );
      expect(refusal?.hint).to.equal(
        'nothing was changed there; give it a way: gcp_network_managed: true (Cloud NAT); sources_https_proxy; another sources_artifacts_mirror; PRODUCT_delivery: controller, which sends the archive from here',
      );
    });

  it('names the time on the host first where a certificate is not valid by it', () => {
    const from = one('logstash_source: official');
    const upcoming = logstash.resources(context(logstash.contract, from, 'a')).filter(({ id }) => id.startsWith('archive'));
    const [fetch] = upcoming.flatMap(({ fetches }) => fetches ?? []);
    if (fetch?.kind !== 'archive') throw new Error('no archive is fetched');
    const said = `0\narchive\tmissed\t${fetch.url}\t(60) SSL certificate problem: certificate is not yet valid\n`;
    const answer = sources
      .objects?.({ ...context(sources.contract, from, 'a'), upcoming: () => upcoming })
      .read(() => ({ kind: 'value', bytes: Buffer.from(said) }));
    expect(answer)
      .to.have.nested.property('value[0].hint')
      .that.matches(/^nothing was changed there; give it a way: the right time, should its clock be wrong \(chrony/);
  });

  describe('the plugin that speaks JMX', () => {
    const plugin = (vars: string) => {
      const from = chain({ vars: `{${vars}}` });
      return find(logstashJmx.resources(context(logstashJmx.contract, from, 'mon')), 'plugin logstash-input-jmx');
    };
    it('is fetched from rubygems.org, through a proxy without a login, unless a pack is given', () => {
      const fetches = plugin('logstash_source: official').fetches;
      expect(fetches).to.deep.include({ kind: 'archive', url: 'https://rubygems.org/' });
      expect(fetches).not.to.have.property('proxy');
      expect(fetches).to.have.property('instead').that.includes('logstash_jmx_plugin_pack');
      const through = plugin('logstash_source: official, sources_https_proxy: "http://p:1"');
      expect(through.fetches).to.have.nested.property('proxy.url', 'http://p:1');
    });
    it('is tried without a proxy where that wants a login: the tool would have it in its environment', () => {
      const login = `logstash_source: official, sources_https_proxy: "http://p:1", sources_https_proxy_user: me, sources_https_proxy_password: {secret: 'env:USER'}`;
      const resource = plugin(login);
      expect(resource.fetches).not.to.have.property('proxy');
      expect(steps(resource)).not.to.include('http://p:1');
    });
  });

  it('java comes through the proxy', () => {
    const from = one('sources_https_proxy: "http://p:1"');
    expect(java.resources(context(java.contract, from, 'a'))[0]?.fetches).to.deep.include({ kind: 'packages', proxy: { url: 'http://p:1' } });
  });

  describe('with dnf', () => {
    let directory = '';
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'kem-dnf-'));
    });
    after(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    /** The part of a script that is dnf's, on files of the test. */
    it('takes the proxy into a configuration of its own, and nothing else away', () => {
      const conf = join(directory, 'dnf.conf');
      writeFileSync(conf, '[main]\ngpgcheck=1\nproxy = http://old:1\nbest=True');
      const from = one(`sources_https_proxy: "http://p:1", sources_https_proxy_user: me, sources_https_proxy_password: {secret: 'env:USER'}`);
      const [resource] = java.resources(context(java.contract, from, 'a'));
      if (resource === undefined) throw new Error('java installs nothing');
      const script = steps({
        ...resource,
        apply: (_changes, to) => {
          resource.apply([{ field: 'zip', from: { kind: 'absent' }, to: { kind: 'absent' } }], to);
        },
      });
      const begin = script.indexOf('  elif [ -f /etc/dnf/dnf.conf ]; then');
      const body = script.slice(script.indexOf('\n', begin) + 1, script.indexOf('\n  fi\n', begin)).replaceAll('/etc/dnf/dnf.conf', conf);
      writeFileSync(join(directory, 'dnf'), `#!/bin/sh\necho "$@"\ncat "$2"\n`, { mode: 0o755 });
      for (const { argv } of shells) {
        const input = `set -eu\nPATH=${directory}:$PATH\nscratch=$(mktemp -d)\ntrap 'rm -rf "$scratch"' EXIT\nproxy=http://me:pw@p:1\n${body}\ndnf -q -y install -- zip\n`;
        const ran = spawnSync(argv[0], argv.slice(1), { input, encoding: 'utf8' });
        expect(ran.stderr).to.equal('');
        const [line, ...rest] = ran.stdout.split('\n');
        expect(line).to.match(/^--config \S+\/dnf\.conf -q -y install -- zip$/);
        expect(rest.join('\n').trim()).to.equal('[main]\nproxy=http://me:pw@p:1\ngpgcheck=1\nbest=True');
      }
    });
  });

  it('in a run: a host without a way out is refused, exit 5, with every way named, and its secret shown nowhere', async function () {
    this.timeout(60_000);
    using program = new Program();
    const password = 'pr0xy-p@ssword';
    const file = program.write(
      'inventory.yaml',
      `all:
  vars:
    elasticsearch_source: official
    sources_https_proxy: http://${CLOSED}
    sources_https_proxy_user: kem
    sources_https_proxy_password: {secret: 'env:PLANTED'}
  children:
    es_masters: {hosts: {here: {ansible_connection: local, private_address: 127.0.0.1}}}
`,
    );
    const ended = await program.run(SITE, ['-i', file, '--check', '--diff', '-vv', '--role', 'sources,elasticsearch', '--events', program.path('events')], {
      env: { PLANTED: password },
    });
    const output = ended.stdout + ended.stderr;
    expect(ended.code, output).to.equal(5);
    const words = output.replaceAll(/\s+/g, ' ');
    expect(words).to.include(
      `here cannot fetch an archive it needs: https://artifacts.elastic.co/downloads/elasticsearch/elasticsearch-oss-7.10.2-linux-x86_64.tar.gz through http://${CLOSED}`,
    );
    for (const way of ['sources_https_proxy', 'sources_artifacts_mirror', 'PRODUCT_delivery: controller']) expect(words).to.include(way);
    for (const form of [password, encodeURIComponent(password), Buffer.from(`kem:${password}`).toString('base64')]) expect(output).not.to.include(form);
  });
});
