/** Links that break, fall silent or are taken away while a run is at work: the real program and a real sshd. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Program, said, type Ended } from '../cli/program.mts';
import { eventually, processesWith } from '../transport/support.mts';
import { freePort, startSshd, type Sshd } from '../transport/sshd.mts';
import { at, ending, hostsOf, WORK } from './support.mts';
import { CannotTry, row } from './table.mts';

/** What stands between the program and sshd, and can be taken away: `cut` ends every connection, `swallow` carries nothing more. */
class Line implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #from = new Set<net.Socket>();
  readonly address: string;
  readonly port: number;
  connections = 0;

  constructor(to: Sshd, port: number) {
    this.address = to.address;
    this.port = port;
    this.#server = net.createServer((from) => {
      this.connections += 1;
      const other = net.connect(to.port, to.address);
      this.#from.add(from);
      for (const socket of [from, other]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          from.destroy();
          other.destroy();
        });
      }
      from.pipe(other).pipe(from);
    });
    this.#server.listen(port, to.address);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** As a firewall that has forgotten the connection: nobody hears of it. */
  swallow(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.removeAllListeners('close');
      socket.on('data', () => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    for (const socket of this.#from) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const lineTo = async (sshd: Sshd): Promise<Line> => new Line(sshd, await freePort(sshd.address));

const times = (file: string): number => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);

/** Whether nobody has the lock that a host lets one run alone change it with. */
const isFree = (): boolean => {
  const script =
    'for directory in /tmp /var/lock /run/lock /run; do [ ! -w "$directory" ] || lock=$directory/kafka-elastic-monitoring.lock; done; flock -n "$lock" true';
  return spawnSync('sh', ['-c', script]).status === 0;
};

describe('faults of links', function () {
  this.timeout(150_000);
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(async () => {
    await sshd[Symbol.asyncDispose]();
  });

  /** A host whose step notes every begin of it, and is done when it has ended. */
  const through = (program: Program, line: Pick<Line, 'address' | 'port'>, script: string, more: Readonly<Record<string, unknown>> = {}): string =>
    program.write(
      'inventory.yaml',
      hostsOf({ one: at({ ...sshd, ...line, knownHosts: known(program, line) }, { work_done: program.path('done'), work_script: script, ...more }) }),
    );
  const known = (program: Program, { address, port }: Pick<Line, 'address' | 'port'>): string =>
    program.write('known_hosts', `[${address}]:${port.toString()} ${sshd.hostKey}\n`);
  const begun = (program: Program): string => program.path('begun');
  const noted = (program: Program, rest: string): string => `echo begun >>'${begun(program)}'; ${rest}`;

  row(
    24,
    {
      fault: 'a link that is cut before the first command',
      done: 'every connection ends as soon as it is made, for 1.5 s',
      expected: 'retried within bounds, then exit 0',
    },
    async () => {
      using program = new Program();
      const port = await freePort(sshd.address);
      const inventory = through(program, { address: sshd.address, port }, noted(program, `touch '${program.path('done')}'`));
      const refusing = net.createServer((socket) => socket.destroy()).listen(port, sshd.address);
      const run = program.start(WORK, ['-i', inventory]);
      await sleep(1_500);
      await new Promise((resolve) => refusing.close(resolve));
      await using _line = new Line(sshd, port);
      const seen = ending(await run.ended, 0, /changed/);
      expect(times(begun(program)), 'begun once').to.equal(1);
      return seen;
    },
  );

  row(
    24,
    {
      fault: 'a link that is cut during a step',
      done: 'all connections end while a step of 3 s runs',
      expected: 'the step is unknown: reconnected, asked, done again; never "ok" for what was not seen; exit 0',
    },
    async () => {
      using program = new Program();
      await using line = await lineTo(sshd);
      const inventory = through(program, line, noted(program, `sleep 3; touch '${program.path('done')}'`));
      const run = program.start(WORK, ['-i', inventory]);
      await eventually('the step', () => times(begun(program)) === 1, 15_000);
      line.cut();
      const ended = await run.ended;
      expect(said(ended)).to.include('connection went away').and.include('asked again');
      const seen = ending(ended, 0, /asked again/);
      expect(times(begun(program)), 'begun twice, since its end was not there').to.equal(2);
      return `${seen}; begun ${times(begun(program)).toString()} times`;
    },
  );

  row(
    24,
    {
      fault: 'a link that is cut after a step',
      done: 'all connections end when the step has done its work and nobody was told',
      expected: 'reconnected, found done, not done again; exit 0',
    },
    async () => {
      using program = new Program();
      await using line = await lineTo(sshd);
      const inventory = through(program, line, noted(program, `touch '${program.path('done')}'; sleep 3`), { work_whole: true });
      const run = program.start(WORK, ['-i', inventory]);
      await eventually('the step', () => existsSync(program.path('done')), 15_000);
      line.cut();
      const ended = await run.ended;
      const seen = ending(ended, 0, /asked again/);
      expect(times(begun(program)), 'begun once').to.equal(1);
      return `${seen}; begun once`;
    },
  );

  row(
    24,
    {
      fault: 'a link that is cut twice',
      done: 'all connections end under the step, and again under its second attempt',
      expected: 'exit 3, the step is not called done; the host ends it and is free again within 10 s',
    },
    async () => {
      using program = new Program();
      await using line = await lineTo(sshd);
      const inventory = through(program, line, noted(program, 'sleep 30'));
      const run = program.start(WORK, ['-i', inventory]);
      for (const count of [1, 2]) {
        await eventually(`begin ${count.toString()}`, () => times(begun(program)) === count, 30_000);
        line.cut();
      }
      const ended = await run.ended;
      expect(said(ended)).not.to.match(/changed +work/);
      const seen = ending(ended, 3, /connection lost/);
      await eventually('the host is free', isFree, 10_000);
      return seen;
    },
  );

  row(
    25,
    {
      fault: 'a half-open link',
      done: 'nothing is carried any more while a step runs; nobody hears of an end',
      expected: 'noticed within 70 s, reconnected, the step done once more: exit 0',
    },
    async () => {
      using program = new Program();
      await using line = await lineTo(sshd);
      const inventory = through(program, line, noted(program, `[ $(wc -l <'${begun(program)}') -gt 1 ] || sleep 100; touch '${program.path('done')}'`));
      const run = program.start(WORK, ['-i', inventory]);
      await eventually('the step', () => times(begun(program)) === 1, 15_000);
      const from = performance.now();
      line.swallow();
      await eventually('a second connection', () => line.connections === 2, 70_000);
      const noticed = performance.now() - from;
      const seen = ending(await run.ended, 0, /asked again/);
      expect(times(begun(program))).to.equal(2);
      return `${seen}; noticed after ${(noticed / 1000).toFixed(0)} s`;
    },
  );

  row(
    25,
    {
      fault: 'a laptop that sleeps',
      done: 'the program stands still for 90 s (SIGSTOP) while one host runs a step of 3 s and another one of 5 minutes',
      expected: 'said; what ended meanwhile is not begun again, what the host stopped is: exit 0',
    },
    async () => {
      if (process.getuid?.() !== 0) throw new CannotTry('two hosts with locks of their own take root');
      using program = new Program();
      await using stack = new AsyncDisposableStack();
      const [short, long] = [stack.use(await startSshd(undefined, true)), stack.use(await startSshd(undefined, true))];
      const noting = (name: string, rest: string): Readonly<Record<string, string>> => ({
        work_done: program.path(`${name}.done`),
        work_script: `echo begun >>'${program.path(name)}'; ${rest}; touch '${program.path(`${name}.done`)}'`,
      });
      const inventory = program.write(
        'inventory.yaml',
        hostsOf({
          short: at(short, noting('short', 'sleep 3')),
          long: at(long, { ...noting('long', `[ $(wc -l <'${program.path('long')}') -gt 1 ] || sleep 300`), work_seconds: 400 }),
        }),
      );
      const run = program.start(WORK, ['-i', inventory]);
      await eventually('both steps', () => times(program.path('short')) + times(program.path('long')) === 2, 15_000);
      run.child.kill('SIGSTOP');
      await sleep(90_000);
      run.child.kill('SIGCONT');
      const ended = await run.ended;
      const seen = ending(ended, 0, /stood still for 8\d s/);
      expect(said(ended)).to.match(/long: .*heard nothing from this program for 45 s, stopped what ran and freed its lock/);
      expect([times(program.path('short')), times(program.path('long'))]).to.deep.equal([1, 2]);
      expect((await program.run(WORK, ['-i', inventory, '--check'])).code, 'nothing is left').to.equal(0);
      return seen;
    },
  );

  /** Ends a server and all that it runs at once. */
  function end(server: Sshd): void {
    const below = (pid: number): readonly number[] => [
      ...readFileSync(`/proc/${pid.toString()}/task/${pid.toString()}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number).flatMap(below),
      pid,
    ];
    for (const pid of processesWith(`${server.directory}/sshd_config`).flatMap(below))
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It went with its parent.
      }
  }

  /** A run whose server ends under the step and is there again after 3 s, as `start` starts it. */
  async function restarted(program: Program, start: (server: Sshd) => readonly [string, ...string[]]): Promise<Ended> {
    await using server = await startSshd();
    const work = { work_done: program.path('done'), work_script: noted(program, `sleep 2; touch '${program.path('done')}'`) };
    const run = program.start(WORK, ['-i', program.write('inventory.yaml', hostsOf({ one: at(server, { ...work, work_file: program.path('file') }) }))]);
    await eventually('the step', () => times(begun(program)) === 1, 15_000);
    end(server);
    await sleep(3_000);
    const [command, ...args] = start(server);
    const again = spawn(command, args, { stdio: 'ignore' });
    try {
      return await run.ended;
    } finally {
      again.kill('SIGKILL');
    }
  }
  const sshdOf = ({ directory }: Sshd): readonly [string, ...string[]] => ['/usr/sbin/sshd', '-D', '-f', `${directory}/sshd_config`, '-E', `${directory}/log`];

  row(
    44,
    {
      fault: 'sshd restarted in the middle of a run',
      done: 'the server and its sessions are killed under a step, and it is there again after 3 s',
      expected: 'reconnected once, the step asked and done again; exit 0',
    },
    async () => {
      using program = new Program();
      const ended = await restarted(program, sshdOf);
      expect(times(begun(program))).to.equal(2);
      return `${ending(ended, 0, /the session is back/)}; begun twice`;
    },
  );

  row(
    43,
    {
      fault: 'a host that starts anew in the middle of a run',
      done: 'under a step all that serves it ends; after 3 s it is there again with another boot id',
      expected: 'waited for, the restart is told, everything is asked again; exit 0',
    },
    async () => {
      using program = new Program();
      const bootId = program.write('boot_id', '11111111-1111-4111-8111-111111111111\n');
      const bound = `mount --bind '${bootId}' /proc/sys/kernel/random/boot_id && exec "$@"`;
      const ended = await restarted(program, (server) => ['unshare', '--mount', 'sh', '-c', bound, 'sh', ...sshdOf(server)]);
      return ending(ended, 0, /started anew/);
    },
  );
});
