/** Hosts that will not be reached, known, logged in to or become: the real program against real and false servers. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { Program, said, SITE } from '../cli/program.mts';
import { freePort, startSshd, type Sshd } from '../transport/sshd.mts';
import { at, ending, hostsOf, lineOf, readOnly, WORK } from './support.mts';
import { CannotTry, row } from './table.mts';

const logins = (sshd: Sshd): number => sshd.log().split('Connection from').length - 1;
const fingerprint = (publicKey: string): string => execFileSync('ssh-keygen', ['-lf', publicKey], { encoding: 'utf8' }).split(' ')[1] ?? '';

describe('faults of hosts and of the way to them', function () {
  this.timeout(90_000);
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(async () => {
    await sshd[Symbol.asyncDispose]();
  });

  /** A server whose every command goes through a script, which finds the real one in `$SSH_ORIGINAL_COMMAND`. */
  const forced = (script: string, more = ''): Promise<Sshd> =>
    startSshd((directory) => {
      writeFileSync(join(directory, 'forced'), `#!/bin/sh\n${script}\n`);
      chmodSync(join(directory, 'forced'), 0o755);
      return `ForceCommand ${join(directory, 'forced')}\n${more}`;
    });
  const check = (program: Program, hosts: Readonly<Record<string, string>>): ReturnType<Program['run']> =>
    program.run(WORK, ['-i', program.write('inventory.yaml', hostsOf(hosts)), '--check']);
  const strangerKey = (program: Program): string => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', program.path('stranger')]);
    return program.path('stranger');
  };

  row(17, { fault: 'an unknown host key', done: 'known_hosts is empty', expected: 'exit 5, the fingerprint and how to pin it; one attempt' }, async () => {
    using program = new Program();
    const before = logins(sshd);
    const ended = await check(program, { one: at(sshd, { connection_known_hosts_file: program.write('known', '') }) });
    const shown = fingerprint(join(sshd.directory, 'host.pub'));
    expect(said(ended)).to.include('ssh-keygen -lf').and.include(sshd.hostKey);
    expect(logins(sshd) - before, 'attempts').to.equal(1);
    return ending(ended, 5, new RegExp(`is not known.*${shown.replaceAll(/[+/]/g, '.')}`));
  });

  row(
    18,
    { fault: 'a changed host key', done: 'known_hosts has another key for the server', expected: 'exit 5, loud, both fingerprints; one attempt' },
    async () => {
      using program = new Program();
      const before = logins(sshd);
      const other = `${strangerKey(program)}.pub`;
      const known = program.write('known', `[${sshd.address}]:${sshd.port.toString()} ${execFileSync('cat', [other], { encoding: 'utf8' })}`);
      const ended = await check(program, { one: at(sshd, { connection_known_hosts_file: known }) });
      for (const key of [other, join(sshd.directory, 'host.pub')]) expect(said(ended)).to.include(fingerprint(key));
      expect(said(ended)).to.include('HOST KEY CHANGED');
      expect(logins(sshd) - before, 'attempts').to.equal(1);
      return ending(ended, 5, /has changed; someone may be listening/);
    },
  );

  row(19, { fault: 'a revoked key', done: 'known_hosts has the right key, and the same one as @revoked', expected: 'exit 5' }, async () => {
    using program = new Program();
    const place = `[${sshd.address}]:${sshd.port.toString()} ${sshd.hostKey}\n`;
    return ending(
      await check(program, { one: at(sshd, { connection_known_hosts_file: program.write('known', `${place}@revoked ${place}`) }) }),
      5,
      /is revoked/,
    );
  });

  row(19, { fault: 'hashed names', done: 'known_hosts has name and port hashed by ssh-keygen -H', expected: 'exit 0' }, async () => {
    using program = new Program();
    const known = program.write('known', `[${sshd.address}]:${sshd.port.toString()} ${sshd.hostKey}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' });
    expect(execFileSync('cat', [known], { encoding: 'utf8' })).to.match(/^\|1\|/);
    return ending(await check(program, { one: at(sshd, { connection_known_hosts_file: known }) }), 0, /one/);
  });

  row(20, { fault: 'a refused login', done: 'a key that the server does not know', expected: 'exit 3, one attempt' }, async () => {
    using program = new Program();
    const before = logins(sshd);
    const ended = await check(program, { one: at(sshd, { ansible_ssh_private_key_file: strangerKey(program) }) });
    expect(logins(sshd) - before, 'attempts').to.equal(1);
    return ending(ended, 3, /login refused/);
  });

  row(
    21,
    {
      fault: 'hosts that are down',
      done: 'of three hosts one has a port that nobody serves, one a name without an address',
      expected: 'exit 3 within 10 s, the other is looked at',
    },
    async () => {
      using program = new Program();
      const hosts = { one: at(sshd), down: at(sshd, { ansible_port: 9 }), nameless: at(sshd, { ansible_host: 'nowhere.invalid' }) };
      const ended = await program.run(SITE, ['-i', program.write('inventory.yaml', hostsOf(hosts, 'es_masters')), '--role', 'os-limits', '--check']);
      expect(ended.ms).to.be.below(10_000);
      lineOf(ended, /one +os-limits/);
      return `${ending(ended, 3, /down.*(unreachable|refused)/)}; ${lineOf(ended, /nameless.*(address|resolved)/)}`;
    },
  );

  row(
    21,
    {
      fault: 'a black hole',
      done: 'a port whose listener is stopped with a full queue, so that no SYN is answered, beside a host that is well',
      expected: 'exit 3 within 90 s, the other is looked at',
    },
    async () => {
      using program = new Program();
      const port = await freePort(sshd.address);
      const listen = `require('node:net').createServer().listen({ port: ${String(port)}, host: '${sshd.address}', backlog: 1 }, () => console.log('listening'))`;
      const holder = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(holder.stdout, 'data');
      holder.kill('SIGSTOP');
      const waiting = Array.from({ length: 4 }, () => net.connect(port, sshd.address).on('error', () => undefined));
      try {
        await once(waiting[0] ?? holder, 'connect');
        const hosts = { one: at(sshd), hole: at(sshd, { ansible_port: port }) };
        const ended = await program.run(SITE, ['-i', program.write('inventory.yaml', hostsOf(hosts, 'es_masters')), '--role', 'os-limits', '--check']);
        expect(ended.ms).to.be.below(90_000);
        lineOf(ended, /one +os-limits/);
        return ending(ended, 3, /hole.*(unreachable|no answer|timed out)/);
      } finally {
        for (const socket of waiting) socket.destroy();
        holder.kill('SIGKILL');
      }
    },
  );

  row(21, { fault: 'no route', done: 'the program in a network without any interface, a host at 10.9.8.7', expected: 'exit 3 within 30 s' }, () => {
    if (process.getuid?.() !== 0) throw new CannotTry('a network of its own needs root');
    using program = new Program();
    const inventory = program.write('inventory.yaml', hostsOf({ far: at(sshd, { ansible_host: '10.9.8.7' }) }));
    const begun = performance.now();
    const { status, stdout, stderr } = spawnSync('unshare', ['--net', process.execPath, WORK, '-i', inventory, '--check'], {
      cwd: program.directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: program.directory },
    });
    const ended = { code: status, stdout, stderr, ms: performance.now() - begun };
    expect(ended.ms).to.be.below(30_000);
    return ending(ended, 3, /far.*(no route|unreachable|ENETUNREACH)/);
  });

  /** A server of the tests' own that does with each connection what it is told. */
  async function serving(program: Program, what: (socket: net.Socket) => void): Promise<{ ended: Awaited<ReturnType<Program['run']>>; peak: number }> {
    const port = await freePort(sshd.address);
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      what(socket);
    });
    await new Promise<void>((resolve) => server.listen(port, sshd.address, resolve));
    try {
      return { ended: await check(program, { one: at(sshd), odd: at(sshd, { ansible_port: port }) }), peak: sockets.size };
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  }

  row(22, { fault: 'a server that never speaks', done: 'accepts connections and says nothing', expected: 'exit 3 within 60 s, says so' }, async () => {
    using program = new Program();
    const { ended } = await serving(program, () => undefined);
    expect(ended.ms).to.be.below(60_000);
    return ending(ended, 3, /odd.*(said nothing|no ssh answer|no session in time|no login)/);
  });

  row(
    23,
    { fault: 'an endless banner', done: 'a server that writes lines for ever before its version', expected: 'exit 3 at once, says that it is no sshd' },
    async () => {
      using program = new Program();
      const line = Buffer.from('blah blah blah\r\n'.repeat(1000));
      const { ended } = await serving(program, (socket) => {
        const pour = (): void => {
          while (socket.writable && socket.write(line));
          if (socket.writable) socket.once('drain', pour);
        };
        pour();
      });
      expect(ended.ms).to.be.below(20_000);
      return ending(ended, 3, /odd.*no ssh answer/);
    },
  );

  row(23, { fault: 'endless output', done: 'a login that prints for ever', expected: 'ended at a cap, exit 3' }, async () => {
    using program = new Program();
    await using server = await forced('exec yes');
    return ending(await check(program, { one: at(server) }), 3, /printed more than \d+ bytes/);
  });

  row(26, { fault: 'noise on stderr', done: 'every command writes warnings to stderr first', expected: 'exit 0' }, async () => {
    using program = new Program();
    await using server = await forced('echo "warning: setlocale failed" >&2; exec sh -c "$SSH_ORIGINAL_COMMAND"');
    return ending(await check(program, { one: at(server) }), 0, /one/);
  });

  row(30, { fault: 'a start-up file that prints', done: 'every login prints a greeting and false markers', expected: 'exit 0' }, async () => {
    using program = new Program();
    await using server = await forced(`echo Welcome; echo 'BEGIN 1'; printf 'no newline'; exec sh -c "$SSH_ORIGINAL_COMMAND"`);
    return ending(await check(program, { one: at(server) }), 0, /one/);
  });

  row(30, { fault: 'an account without a shell', done: 'nologin is what every login runs', expected: 'exit 3, says so' }, async () => {
    using program = new Program();
    await using server = await startSshd(() => 'ForceCommand /usr/sbin/nologin');
    return ending(await check(program, { one: at(server) }), 3, /not available/);
  });

  row(
    31,
    { fault: 'a server that drops logins', done: '12 hosts are one sshd with MaxStartups 2:100:3 and MaxSessions 2', expected: 'all answer, exit 0' },
    async () => {
      using program = new Program();
      const places = Array.from({ length: 12 }, (_, index) => ({
        name: `h${index.toString()}`,
        address: `127.79.${(process.pid % 250).toString()}.${(index + 1).toString()}`,
      }));
      const port = await freePort('127.0.0.1');
      const listens = places.map(({ address }) => `ListenAddress ${address}:${port.toString()}\n`).join('');
      await using server = await startSshd(() => `${listens}MaxStartups 2:100:3\nMaxSessions 2`);
      const knownHosts = program.write('known', places.map(({ address }) => `[${address}]:${port.toString()} ${server.hostKey}\n`).join(''));
      const hosts = Object.fromEntries(places.map(({ name, address }) => [name, at({ ...server, address, port, knownHosts })]));
      const ended = await check(program, hosts);
      return `${ending(ended, 0, /h11/)}; sshd dropped ${(server.log().split(/drop connection|beginning MaxStartups/).length - 1).toString()}`;
    },
  );

  for (const [done, address, code, says] of [
    [
      'private_address is a public one',
      { private_address: '34.1.2.3' },
      5,
      /Elasticsearch without a login would listen on 34\.1\.2\.3, which is no private address/,
    ],
    ['there is none, and only ~/.ssh/config says where it is', { ansible_host: undefined }, 4, /has no private address for Elasticsearch to bind/],
  ] as const)
    row(
      15,
      {
        fault: 'a service on a public address',
        done: `${done}, of a host that is logged in to and asked for its facts first; apply`,
        expected: `exit ${code.toString()}, nothing is changed`,
      },
      async () => {
        using program = new Program();
        await using server = await readOnly();
        const known = program.write('known', ['odd', server.address].map((name) => `[${name}]:${server.port.toString()} ${server.hostKey}\n`).join(''));
        program.write('.ssh/config', `Host odd\n  HostName ${server.address}\n`);
        const hosts = { odd: at(server, { connection_known_hosts_file: known, ...address }) };
        const ended = await program.run(SITE, ['-i', program.write('inventory.yaml', hostsOf(hosts, 'es_masters')), '--role', 'elasticsearch']);
        expect(server.log(), 'it was logged in to').to.include('Accepted publickey');
        lineOf(ended, /0 changed/);
        return ending(ended, code, says);
      },
    );

  const sudos: readonly { readonly name: string; readonly sudo?: string; readonly says: RegExp }[] = [
    { name: 'not installed', says: /sudo missing/ },
    { name: 'not in sudoers', sudo: 'echo "root is not in the sudoers file." >&2; exit 1', says: /not in sudoers/ },
    { name: 'needs a password', sudo: 'echo "sudo: a password is required" >&2; exit 1', says: /sudo needs a password/ },
    { name: 'wants a terminal', sudo: 'echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1', says: /sudo needs a tty/ },
    { name: 'hangs', sudo: 'exec sleep 60', says: /sudo hangs/ },
  ];
  for (const { name, sudo, says } of sudos)
    row(
      name === 'hangs' ? 33 : 32,
      {
        fault: `sudo ${name}`,
        done: 'become is asked for, and this is what the login finds as sudo',
        expected: `exit 3: ${says.source}; the other host is looked at`,
      },
      async () => {
        using program = new Program();
        mkdirSync(program.path('bin'));
        for (const tool of ['env', 'sleep']) symlinkSync(`/bin/${tool}`, program.path(`bin/${tool}`));
        if (sudo !== undefined) {
          program.write('bin/sudo', `#!/bin/sh\n${sudo}\n`);
          chmodSync(program.path('bin/sudo'), 0o755);
        }
        await using server = await forced(`PATH=${program.path('bin')}; export PATH; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"`);
        const ended = await check(program, { one: at(sshd), odd: at(server, { ansible_become: true, ansible_become_user: 'daemon' }) });
        lineOf(ended, /one/);
        return ending(ended, 3, says);
      },
    );
});
