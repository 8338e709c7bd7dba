import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Identities } from '../../lib/transport/identities.mts';
import { failureOf, withDirectory } from './support.mts';

describe('private keys', () => {
  const make = (file: string, ...more: readonly string[]): string => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file, ...more]);
    return file;
  };
  const cases: readonly { name: string; prepare: (directory: string) => string; short: string; hint: RegExp }[] = [
    { name: 'missing', prepare: (directory) => join(directory, 'none'), short: 'private key unreadable', hint: /--private-key/ },
    {
      name: 'readable by others',
      prepare: (directory) => {
        const file = make(join(directory, 'key'));
        chmodSync(file, 0o644);
        return file;
      },
      short: 'private key unprotected',
      hint: /chmod 600/,
    },
    {
      name: 'encrypted',
      prepare: (directory) => {
        const file = join(directory, 'key');
        execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret words', '-f', file]);
        return file;
      },
      short: 'private key encrypted',
      hint: /ssh-add/,
    },
    {
      name: 'public',
      prepare: (directory) => {
        const file = `${make(join(directory, 'key'))}.pub`;
        chmodSync(file, 0o600);
        return file;
      },
      short: 'public key',
      hint: /key$/,
    },
    {
      name: 'public, and readable by others as it should be',
      prepare: (directory) => `${make(join(directory, 'key'))}.pub`,
      short: 'public key',
      hint: /key$/,
    },
    {
      name: 'a directory',
      prepare: (directory) => {
        chmodSync(directory, 0o755);
        return directory;
      },
      short: 'private key unreadable',
      hint: /--private-key/,
    },
    {
      name: 'no key at all',
      prepare: (directory) => {
        const file = join(directory, 'key');
        writeFileSync(file, 'hello\n', { mode: 0o600 });
        return file;
      },
      short: 'not a private key',
      hint: /ssh-keygen -t ed25519/,
    },
    ...(
      [
        ['X25519, which signs nothing', ['genpkey', '-algorithm', 'X25519']],
        ['Ed25519 in PKCS#8', ['genpkey', '-algorithm', 'ed25519']],
        ['RSA in PKCS#8', ['genpkey', '-algorithm', 'RSA']],
        ['a curve that ssh does not have', ['ecparam', '-name', 'secp256k1', '-genkey', '-noout']],
      ] as const
    ).map(([name, openssl]) => ({
      name,
      prepare: (directory: string): string => {
        const file = join(directory, 'key');
        writeFileSync(file, execFileSync('openssl', openssl, { stdio: ['ignore', 'pipe', 'ignore'] }), { mode: 0o600 });
        return file;
      },
      short: 'not a private key',
      hint: /ssh-keygen -t ed25519/,
    })),
    {
      name: 'cut off in the middle',
      prepare: (directory) => {
        const file = make(join(directory, 'key'));
        writeFileSync(file, readFileSync(file, 'utf8').replace(/^(.+\n.+\n)[^]*?(?=-----END)/, '$1'));
        return file;
      },
      short: 'not a private key',
      hint: /ssh-keygen -t ed25519/,
    },
  ];
  for (const { name, prepare, short, hint } of cases) {
    it(`${name}: wrong usage, before anything is contacted`, () =>
      withDirectory(async (directory) => {
        const file = prepare(directory);
        for (const refused of [new Identities().of(file), new Identities().looksUsable(file)]) {
          const error = await failureOf(refused, 'usage');
          expect(error.short).to.equal(short);
          expect(error.message).to.contain(directory);
          expect(error.hint).to.match(hint);
        }
      }));
  }

  for (const [name, ...more] of [
    ['Ed25519', '-t', 'ed25519'],
    ['RSA', '-t', 'rsa', '-b', '2048'],
    ['RSA in PEM', '-t', 'rsa', '-b', '2048', '-m', 'PEM'],
    ['ECDSA', '-t', 'ecdsa', '-b', '384'],
    ['ECDSA in PEM', '-t', 'ecdsa', '-m', 'PEM'],
  ] as const)
    it(`${name}: usable`, () =>
      withDirectory(async (directory) => {
        const file = join(directory, 'key');
        execFileSync('ssh-keygen', ['-q', ...more, '-N', '', '-f', file]);
        expect(await new Identities().looksUsable(file)).to.equal(true);
        expect((await new Identities().of(file))[0]).to.have.property('path', file);
      }));

  it('come in the order: named, agent, defaults; none twice', () =>
    withDirectory(async (directory) => {
      const file = make(join(directory, 'key'));
      const [home, agent] = [process.env['HOME'], process.env['SSH_AUTH_SOCK']];
      process.env['HOME'] = directory;
      process.env['SSH_AUTH_SOCK'] = join(directory, 'agent');
      try {
        execFileSync('mkdir', [join(directory, '.ssh')]);
        make(join(directory, '.ssh', 'id_ed25519'));
        execFileSync('cp', ['-p', file, join(directory, '.ssh', 'id_ecdsa')]);
        const found = await new Identities().of(file);
        expect(found.map((identity) => (identity.kind === 'key' ? identity.path.slice(directory.length) : identity.kind))).to.deep.equal([
          '/key',
          'agent',
          '/.ssh/id_ed25519',
        ]);
      } finally {
        for (const [name, value] of [
          ['HOME', home],
          ['SSH_AUTH_SOCK', agent],
        ] as const) {
          if (value === undefined) Reflect.deleteProperty(process.env, name);
          else process.env[name] = value;
        }
      }
    }));
});
