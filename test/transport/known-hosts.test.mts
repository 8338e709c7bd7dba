import { execFileSync, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { RunFailure } from '../../lib/errors.mts';
import { fingerprint, keyPlace, keyType, KnownHosts, knownHostsName, matchesHosts, parseHostKeys, parseKnownHosts } from '../../lib/transport/known-hosts.mts';
import { withDirectory } from './support.mts';

/** A key as on the wire: ssh2 is not asked, since only the bytes are compared. */
function key(type = 'ssh-ed25519'): { wire: Buffer; line: string } {
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const wire = Buffer.concat([field(Buffer.from(type)), field(randomBytes(32))]);
  return { wire, line: `${type} ${wire.toString('base64')}` };
}

const judge = (text: string, wire: Buffer, address = 'db.example', port = 22): string =>
  new KnownHosts(parseKnownHosts(text, 'known_hosts'), '/nonexistent').judge(address, port, wire).kind;

describe('known hosts', () => {
  const [mine, other] = [key(), key()];
  const rsa = key('ssh-rsa');
  const hashed = (version: string): string => {
    const salt = Buffer.from('a salt');
    return `|${version}|${salt.toString('base64')}|${createHmac('sha1', salt).update('db.example').digest('base64')} ${mine.line}\n`;
  };
  const cases: readonly [name: string, text: string, verdict: string, port?: number][] = [
    ['a plain line', `db.example ${mine.line}\n`, 'known'],
    ['in upper case', `DB.Example ${mine.line}\n`, 'known'],
    ['CRLF and a comment', `# hosts\r\n\r\ndb.example ${mine.line} ann@laptop\r\n`, 'known'],
    ['a list of names', `10.0.0.1,db.example ${mine.line}\n`, 'known'],
    ['wildcards', `*.example,?? ${mine.line}\n`, 'known'],
    ['a negated pattern wins', `*.example,!db.* ${mine.line}\n`, 'unknown'],
    ['several keys', `db.example ${rsa.line}\ndb.example ${other.line}\ndb.example ${mine.line}\n`, 'known'],
    ['a line without a port, on another port,', `db.example ${mine.line}\n`, 'known', 2222],
    ['another key of a line without a port, on another port,', `db.example ${other.line}\n`, 'unknown', 2222],
    ['a changed key of the port, known without it,', `[db.example]:2222 ${other.line}\ndb.example ${mine.line}\n`, 'changed', 2222],
    ['a key revoked for the port, known without it,', `@revoked [db.example]:2222 ${mine.line}\ndb.example ${mine.line}\n`, 'revoked', 2222],
    ['its port', `[db.example]:2222 ${mine.line}\n`, 'known', 2222],
    ['the port of another', `[db.example]:2222 ${mine.line}\n`, 'unknown'],
    ['a changed key', `db.example ${other.line}\n`, 'changed'],
    ['a key of another type only', `db.example ${rsa.line}\n`, 'changed'],
    ['revoked wins over known', `db.example ${mine.line}\n@revoked * ${mine.line}\n`, 'revoked'],
    ['another key revoked', `db.example ${mine.line}\n@revoked db.example ${other.line}\n`, 'known'],
    ['an authority is no key', `@cert-authority *.example ${mine.line}\n`, 'unknown'],
    ['an unknown marker', `@later db.example ${mine.line}\n`, 'unknown'],
    ['a line whose type lies', `db.example ssh-rsa ${mine.line.split(' ')[1] ?? ''}\n`, 'unknown'],
    ['brackets are no character class', `[abc]b.example ${mine.line}\n`, 'unknown'],
    ['a line that is commented out', `#db.example ${mine.line}\n`, 'unknown'],
    ['a pattern that begins with a comment sign', `#*,db.example ${mine.line}\n`, 'unknown'],
    ['an indented line', `  \tdb.example\t ${mine.line}\n`, 'known'],
    ['a hash of another version', hashed('2'), 'unknown'],
    ['a hash', hashed('1'), 'known'],
    ['a hash that is cut', `|1|c2FsdA==|AAAA ${mine.line}\n`, 'unknown'],
    ['a salt without a hash', `|1|c2FsdA== ${mine.line}\n`, 'unknown'],
    ['a dot, which is no wildcard,', `dbxexample,?bxexample ${mine.line}\n`, 'unknown'],
    ['a key revoked without the port, on another port,', `@revoked db.example ${mine.line}\n`, 'unknown', 2222],
    ['nothing', '', 'unknown'],
    ['rubbish', `db.example\n\0\n@revoked\n|1|x ${mine.line}\n`, 'unknown'],
  ];
  for (const [name, text, verdict, port] of cases) {
    it(`${name} is ${verdict}`, () => {
      expect(judge(text, mine.wire, 'db.example', port)).to.equal(verdict);
    });
  }

  it('keeps no line that it does not understand', () => {
    expect(parseKnownHosts(`@later db.example ${mine.line}\n#db.example ${mine.line}\n@revoked\ndb.example ssh-rsa\n\n`, 'f')).to.deep.equal([]);
  });

  it('names the authority that it cannot use', () => {
    const hosts = new KnownHosts(parseKnownHosts(`@cert-authority *.example ${mine.line}\n`, 'f'), '/nonexistent');
    expect(hosts.judge('db.example', 22, other.wire)).to.deep.equal({ kind: 'unknown', authority: true });
    const without = new KnownHosts(parseKnownHosts(`@revoked db.example ${mine.line}\n`, 'f'), '/nonexistent');
    expect(without.judge('db.example', 22, other.wire)).to.deep.equal({ kind: 'unknown', authority: false });
    const among = new KnownHosts(parseKnownHosts(`@revoked db.example ${mine.line}\n@cert-authority * ${mine.line}\n`, 'f'), '/nonexistent');
    expect(among.judge('db.example', 22, other.wire)).to.deep.equal({ kind: 'unknown', authority: true });
  });

  it('reads the type of a key only where its length is that of a type', () => {
    const named = (length: number, bytes: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, length]), Buffer.from(bytes)]);
    expect(keyType(named(3, 'abc'))).to.equal('abc');
    expect(keyType(named(3, 'abcd'))).to.equal('abc');
    expect(keyType(named(4, 'abc')), 'cut').to.equal('');
    expect(keyType(named(64, 'a'.repeat(64)))).to.equal('a'.repeat(64));
    expect(keyType(named(65, 'a'.repeat(65))), 'nothing that long is a type').to.equal('');
    expect(keyType(Buffer.from([0, 0, 0])), 'not even a length').to.equal('');
    expect(keyType(Buffer.from([0, 0, 0, 0]))).to.equal('');
  });

  it('takes the keys that a provider tells, and nothing else', () => {
    expect(parseHostKeys([`  ${mine.line} root@host `, 'ssh-rsa is no key', '', `ssh-rsa ${mine.line.split(' ')[1] ?? ''}`, rsa.line])).to.deep.equal([
      mine.wire,
      rsa.wire,
    ]);
    for (const lines of [[], ['', 'ssh-rsa', 'ssh-rsa !!!']])
      expect(() => parseHostKeys(lines))
        .to.throw(RunFailure, 'it gave no host key')
        .with.nested.property('error.kind', 'unreachable');
  });

  it('names a server by its port when that is not 22, and an alias without one', () => {
    expect(knownHostsName('Db', 22)).to.equal('db');
    expect(knownHostsName('Db', 2222)).to.equal('[db]:2222');
    expect(keyPlace({ address: 'db', port: 2222 })).to.deep.equal(['db', 2222]);
    expect(keyPlace({ address: 'db', port: 2222, hostKeyAlias: 'compute.1' })).to.deep.equal(['compute.1', 22]);
  });

  it('tells a server by the key that is known for it, not by an authority', () => {
    const hosts = new KnownHosts(parseKnownHosts(`@cert-authority a,b ${other.line}\na ${mine.line}\n`, 'f'), '/nonexistent');
    expect(hosts.serverAt('a', 22)).to.equal(mine.wire.toString('base64'));
    expect(hosts.serverAt('b', 22)).to.equal(undefined);
    expect(hosts.serverAt('c', 22)).to.equal(undefined);
  });

  it('reads the files of the user first, and writes to the first of them', () =>
    withDirectory((directory) => {
      const home = process.env['HOME'];
      process.env['HOME'] = directory;
      try {
        const own = join(directory, 'own');
        writeFileSync(own, `db.example ${mine.line}\n`);
        expect(KnownHosts.load(undefined, [own]).judge('db.example', 22, mine.wire).kind).to.equal('known');
        expect(KnownHosts.load(own, ['/dev/null']).judge('db.example', 22, mine.wire).kind, 'a file alone').to.equal('known');
        expect(KnownHosts.load(undefined).judge('db.example', 22, mine.wire).kind).to.equal('unknown');
        mkdirSync(join(directory, '.ssh'));
        writeFileSync(join(directory, '.ssh/known_hosts2'), `two.example ${mine.line}\n`);
        const usual = KnownHosts.load(undefined);
        usual.add('one.example', 22, mine.wire);
        expect(usual.judge('two.example', 22, mine.wire).kind).to.equal('known');
        expect(readFileSync(join(directory, '.ssh/known_hosts'), 'utf8')).to.equal(`one.example ${mine.line}\n`);
        expect(KnownHosts.load(undefined, [own]).judge('two.example', 22, mine.wire).kind, 'files that were given stand for the usual ones').to.equal(
          'unknown',
        );
      } finally {
        process.env['HOME'] = home;
      }
    }));

  it('does not break a line that ends as it should', () =>
    withDirectory((directory) => {
      const file = join(directory, 'known_hosts');
      writeFileSync(file, `a ${mine.line}\n`);
      KnownHosts.load(file).add('b', 22, mine.wire);
      expect(readFileSync(file, 'utf8')).to.equal(`a ${mine.line}\nb ${mine.line}\n`);
      expect(KnownHosts.load(join(file, 'below')).judge('a', 22, mine.wire).kind, 'a file where a folder should be').to.equal('unknown');
    }));

  it('lists the types that may be negotiated', () => {
    const hosts = new KnownHosts(
      parseKnownHosts(
        `db.example ${mine.line}\ndb.example ${rsa.line}\ndb.example ${other.line}\n@revoked db.example ${key('ecdsa-sha2-nistp256').line}\n`,
        'f',
      ),
      '/nonexistent',
    );
    expect(hosts.types('db.example', 22)).to.deep.equal(['ssh-ed25519', 'ssh-rsa']);
  });

  it('agrees with ssh-keygen -F', () =>
    withDirectory((directory) => {
      const file = join(directory, 'known_hosts');
      const name = fc.stringMatching(/^[a-c]{1,3}(\.[a-c]{1,2})?$/);
      const pattern = fc.tuple(fc.constantFrom('', '!'), fc.stringMatching(/^[a-c*?]{1,3}(\.[a-c*?]{1,2})?$/)).map((parts) => parts.join(''));
      const hosts = fc
        .array(
          fc.oneof(
            name,
            pattern,
            name.map((each) => `[${each}]:2022`),
          ),
          { minLength: 1, maxLength: 4 },
        )
        .map((each) => each.join(','));
      fc.assert(
        fc.property(
          fc.array(fc.tuple(hosts, fc.constantFrom('', '@revoked ', '@cert-authority ')), { maxLength: 4 }),
          name,
          fc.constantFrom(22, 2022),
          fc.boolean(),
          (lines, address, port, hashed) => {
            const { line } = key();
            writeFileSync(file, lines.map(([field, marker]) => `${marker}${field} ${line}\n`).join(''));
            // Only plain names can be hashed; ssh-keygen leaves the others as they are.
            if (hashed) execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
            const found = spawnSync('ssh-keygen', ['-F', knownHostsName(address, port), '-f', file], { encoding: 'utf8' }).stdout;
            const theirs = [...found.matchAll(/found: line (\d+)/g)].map((match) => Number(match[1]));
            const ours = parseKnownHosts(readFileSync(file, 'latin1'), file).filter((each) => matchesHosts(each.hosts, knownHostsName(address, port)));
            expect(ours.map((each) => each.line)).to.deep.equal(theirs);
          },
        ),
        { numRuns: 150 },
      );
    })).timeout(60_000);

  it('shows fingerprints as ssh-keygen does', () =>
    withDirectory((directory) => {
      const file = join(directory, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', file]);
      const wire = Buffer.from(readFileSync(`${file}.pub`, 'utf8').split(' ')[1] ?? '', 'base64');
      expect(execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' })).to.contain(` ${fingerprint(wire)} `);
    }));

  it('appends a new key, private to the user, and knows it from then on', () =>
    withDirectory((directory) => {
      const file = join(directory, 'ssh', 'known_hosts');
      const hosts = KnownHosts.load(file);
      hosts.add('Db.Example', 2222, mine.wire);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      writeFileSync(file, readFileSync(file, 'latin1').trimEnd());
      hosts.add('db.example', 22, other.wire);
      expect(readFileSync(file, 'utf8')).to.equal(`[db.example]:2222 ${mine.line}\ndb.example ${other.line}\n`);
      for (const each of [hosts, KnownHosts.load(file)]) expect(each.judge('db.example', 2222, mine.wire).kind).to.equal('known');
    }));

  it('fails closed when a file cannot be read', () =>
    withDirectory((directory) => {
      // A directory cannot be read as a file, not even by root.
      expect(() => KnownHosts.load(directory))
        .to.throw(RunFailure)
        .with.nested.property('error.kind', 'refused');
      const file = join(directory, 'known_hosts');
      writeFileSync(file, '');
      chmodSync(file, 0o600);
      expect(KnownHosts.load(file).judge('db.example', 22, mine.wire).kind).to.equal('unknown');
    }));
});
