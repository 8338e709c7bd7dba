/** Downloads that go wrong and archives that mean ill: the real program, curl and tar, with an http server of the tests. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { expect } from 'chai';
import { Program, type Ended } from '../cli/program.mts';
import { startSshd } from '../transport/sshd.mts';
import { at, ending, hostsOf, lineOf, WORK } from './support.mts';
import { CannotTry, row } from './table.mts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('faults of downloads and archives', function () {
  this.timeout(60_000);

  interface Between {
    readonly host?: (work: Readonly<Record<string, unknown>>) => string;
    readonly secure?: { readonly key: Buffer; readonly cert: Buffer };
  }
  const local = (work: Readonly<Record<string, unknown>>): string => JSON.stringify({ ansible_connection: 'local', ...work });

  /** Runs with an archive that a server answers with, and gives how it ended and how often it was asked. */
  async function fetched(
    program: Program,
    archive: Buffer,
    answer: (response: ServerResponse, count: number) => void,
    { host = local, secure }: Between = {},
  ): Promise<{ ended: Ended; asked: number }> {
    let asked = 0;
    const answering = (_: unknown, response: ServerResponse): void => {
      asked += 1;
      answer(response, asked);
    };
    const server = secure === undefined ? createServer(answering) : createSecureServer(secure, answering);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const url = `http${secure === undefined ? '' : 's'}://127.0.0.1:${port.toString()}/thing.tar.gz`;
      const work_archive = { url, sha256: sha256(archive), into: program.path('into') };
      return { ended: await program.run(WORK, ['-i', program.write('inventory.yaml', hostsOf({ here: host({ work_archive }) }))]), asked };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  /** Nothing was unpacked, and nothing of the download is left. */
  const nothingIn = (program: Program): void => {
    expect(existsSync(program.path('into')) ? readdirSync(program.path('into')) : []).to.deep.equal([]);
  };

  /** An archive that `make`, a line of shell in an empty directory, writes to `$1`. */
  function packed(program: Program, make = 'mkdir thing && echo hello >thing/file && tar -czf "$1" thing'): Buffer {
    mkdirSync(program.path('making'), { recursive: true });
    execFileSync('sh', ['-ec', make, 'sh', program.path('made.tar.gz')], { cwd: program.path('making') });
    return readFileSync(program.path('made.tar.gz'));
  }

  const answers: readonly {
    readonly done: string;
    readonly code: number;
    readonly says: RegExp;
    readonly answer: (whole: Buffer) => Parameters<typeof fetched>[2];
  }[] = [
    { done: 'the server answers 404', code: 1, says: /404|could not be downloaded/, answer: () => (response) => response.writeHead(404).end() },
    {
      done: 'the server answers 500 once, and then the archive',
      code: 0,
      says: /changed: archive|changed: .*thing/,
      answer: (whole) => (response, count) => (count === 1 ? response.writeHead(500).end() : response.end(whole)),
    },
    {
      done: 'the answer ends half way, every time',
      code: 1,
      says: /could not be downloaded|bytes/,
      answer: (whole) => (response) => {
        response.writeHead(200, { 'content-length': whole.length });
        response.write(whole.subarray(0, 50), () => response.destroy());
      },
    },
    { done: 'half of the archive is given as the whole', code: 5, says: /sha256/, answer: (whole) => (response) => response.end(whole.subarray(0, 50)) },
    {
      done: 'it is redirected to another protocol',
      code: 1,
      says: /could not be downloaded/,
      answer: () => (response) => response.writeHead(302, { location: 'ftp://127.0.0.1/thing' }).end(),
    },
  ];
  for (const { done, code, says, answer } of answers)
    row(
      37,
      { fault: 'a download that goes wrong', done, expected: `exit ${code.toString()}${code === 0 ? ', unpacked' : ', nothing of it is kept'}` },
      async () => {
        using program = new Program();
        const whole = packed(program);
        const { ended, asked } = await fetched(program, whole, answer(whole));
        const seen = ending(ended, code, says);
        if (code === 0) expect(readFileSync(program.path('into/current/file'), 'utf8')).to.equal('hello\n');
        else nothingIn(program);
        return `${seen}; asked ${asked.toString()} times`;
      },
    );

  for (const [done, offset, says] of [
    ['10 min behind, so that the certificate, made just now, is not valid yet', '-10m', /not yet valid/],
    ['10 days ahead, which the certificate does not last', '+10d', /has expired/],
  ] as const)
    row(
      42,
      {
        fault: 'a certificate is judged by a wrong clock',
        done: `the host is ${done} (libfaketime)`,
        expected: 'exit 1, the time on the host is named as a cause',
      },
      async () => {
        const library = spawnSync('faketime', ['-f', offset, 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' });
        if (library.status !== 0) throw new CannotTry('faketime is not installed');
        using program = new Program();
        const [key, cert] = [program.path('key.pem'), program.path('cert.pem')];
        const names = ['-subj', '/CN=here', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '5'];
        execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
        await using sshd = await startSshd(() => `SetEnv CURL_CA_BUNDLE=${cert} LD_PRELOAD=${library.stdout.trim()} FAKETIME=${offset}`);
        const whole = packed(program);
        const secure = { key: readFileSync(key), cert: readFileSync(cert) };
        const { ended } = await fetched(program, whole, (response) => response.end(whole), { secure, host: (work) => at(sshd, work) });
        nothingIn(program);
        const theirs = new Date(Date.now() + (offset === '-10m' ? -600_000 : 864_000_000)).toISOString();
        return `${ending(ended, 1, new RegExp(`${theirs.slice(0, 10)} \\d\\d:\\d\\d UTC.*chrony`))}; ${lineOf(ended, says)}`;
      },
    );

  for (const [what, make] of [
    ['../', 'mkdir a && echo x >evil && cd a && tar -czPf "$1" ../evil'],
    ['an absolute path', 'echo x >evil && tar -czPf "$1" "$PWD/evil"'],
    ['a symlink that leaves it', 'mkdir thing && ln -s /etc/passwd thing/link && tar -czf "$1" thing'],
    [
      'a hard link to a file outside',
      `mkdir thing && echo x >thing/a && ln thing/a thing/b && tar -czPf "$1" --transform='flags=h;s,thing/.*,/etc/passwd,' thing`,
    ],
    [
      'a hard link to a file above',
      `mkdir thing && echo x >thing/a && ln thing/a thing/b && tar -czPf "$1" --transform='flags=h;s,thing/.*,thing/../../secret,' thing`,
    ],
    [
      'a file behind a symlink that leaves it',
      'mkdir out thing && ln -s "$PWD/out" thing/way && tar -cf made.tar thing && rm thing/way && mkdir thing/way && echo x >thing/way/evil && tar -rf made.tar thing/way/evil && gzip -c made.tar >"$1"',
    ],
    ['a device', 'mkdir thing && mknod thing/null c 1 3 && tar -czf "$1" thing'],
  ] as const)
    row(
      39,
      {
        fault: 'an archive that means ill',
        done: `it has ${what}`,
        expected: 'refused: exit 5, nothing is unpacked',
      },
      async () => {
        using program = new Program();
        const whole = packed(program, make);
        const { ended } = await fetched(program, whole, (response) => response.end(whole));
        nothingIn(program);
        expect(existsSync(program.path('making/out/evil'))).to.equal(false);
        return ending(ended, 5, /leaves it|neither a file/);
      },
    );

  row(
    40,
    {
      fault: 'an archive that is there already',
      done: 'the same run twice, then with a program whose digest is noted wrong',
      expected: 'fetched once; the second run fetches nothing; the third again',
    },
    async () => {
      using program = new Program();
      const whole = packed(program);
      const first = await fetched(program, whole, (response) => response.end(whole));
      ending(first.ended, 0, /changed/);
      const second = await fetched(program, whole, (response) => response.end(whole));
      expect(second.asked).to.equal(0);
      const noted = program.path('into/1/.archive-digest');
      writeFileSync(noted, 'sha256:0000\n');
      const third = await fetched(program, whole, (response) => response.end(whole));
      return `${ending(third.ended, 0, /changed/)}; asked ${[first, second, third].map(({ asked }) => asked.toString()).join(', ')} times`;
    },
  );
});
