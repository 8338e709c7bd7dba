/** A package manager that is busy or broken: the real apt and dpkg of this machine on a throw-away copy of its state, behind an sshd with mounts of its own. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { Program, type Ended } from '../cli/program.mts';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { at, ending, hostsOf, lineOf, WORK } from './support.mts';
import { CannotTry, row } from './table.mts';

/** Writes a package whose scripts are those, and gives what a repository says of it. */
function packed(directory: string, name: string, scripts: Readonly<Record<string, string>> = {}): string {
  const root = join(directory, name);
  mkdirSync(join(root, 'DEBIAN'), { recursive: true });
  const control = `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: tests <tests@example.com>\nDescription: ${name}\n`;
  writeFileSync(join(root, 'DEBIAN/control'), control);
  for (const [script, text] of Object.entries(scripts)) {
    writeFileSync(join(root, 'DEBIAN', script), `#!/bin/sh\n${text}\n`);
    chmodSync(join(root, 'DEBIAN', script), 0o755);
  }
  const file = `${root}.deb`;
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', root, file], { stdio: 'ignore' });
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  return `${control}Filename: ./${name}.deb\nSize: ${statSync(file).size.toString()}\nSHA256: ${sha256}\n`;
}

/** What a login finds is this machine, but what it writes there is in memory and gone with the server; the one repository is in the directory. */
async function busyHost(make: (directory: string) => string = () => ':'): Promise<Sshd> {
  if (process.getuid?.() !== 0) throw new CannotTry('mounts of its own need root');
  return startSshd((directory) => {
    const packages = [packed(directory, 'kem-wanted'), packed(directory, 'kem-broken', { postinst: 'echo out of order >&2; exit 3' })];
    writeFileSync(join(directory, 'Packages'), packages.join('\n'));
    const layers = ['etc', 'usr', 'var'].map(
      (name) => `mkdir -p /run/layers/${name} /run/layers/work-${name}
mount -t overlay overlay -o lowerdir=/${name},upperdir=/run/layers/${name},workdir=/run/layers/work-${name} /${name}`,
    );
    writeFileSync(
      join(directory, 'login'),
      `#!/bin/sh
if mkdir /run/layers 2>/dev/null; then
${layers.join('\n')}
rm -rf /etc/apt/sources.list.d
echo 'deb [trusted=yes] file:${directory} ./' >/etc/apt/sources.list
apt-get -qq update
( ${make(directory)} ) >/run/made 2>&1 </dev/null
fi
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
`,
    );
    chmodSync(join(directory, 'login'), 0o755);
    return `ForceCommand ${join(directory, 'login')}`;
  }, true);
}

/** Another's dpkg that is busy for so long; the login goes on once it holds the lock. */
const busyFor =
  (seconds: number) =>
  (directory: string): string => {
    packed(directory, 'kem-slow', { preinst: `touch ${directory}/busy; sleep ${seconds.toString()}` });
    return `setsid dpkg -i ${directory}/kem-slow.deb & while [ ! -e ${directory}/busy ]; do sleep 0.1; done`;
  };

/** What the daily update of a new host does: the package lists are not there yet, and who fetches them holds their lock. */
const fetchingFor =
  (seconds: number) =>
  (directory: string): string =>
    `rm -rf /var/lib/apt/lists/*; setsid python3 -c 'import fcntl, time
lock = open("/var/lib/apt/lists/lock", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
open("${directory}/busy", "w")
time.sleep(${seconds.toString()})' & while [ ! -e ${directory}/busy ]; do sleep 0.1; done`;

describe('faults of packages', function () {
  this.timeout(300_000);

  const install = (program: Program, sshd: Sshd, ...work_packages: readonly string[]): Promise<Ended> =>
    program.run(WORK, ['-i', program.write('inventory.yaml', hostsOf({ there: at(sshd, { work_packages }) }))]);
  const state = readFileSync('/var/lib/dpkg/status', 'utf8');
  after(() => {
    expect(readFileSync('/var/lib/dpkg/status', 'utf8'), 'packages of this machine').to.equal(state);
  });

  row(41, { fault: 'the lock of dpkg is held for a while', done: 'another dpkg runs for 20 s', expected: 'exit 0 after it: it is waited for' }, async () => {
    await using sshd = await busyHost(busyFor(20));
    using program = new Program();
    const ended = await install(program, sshd, 'kem-wanted');
    expect(ended.ms).to.be.above(19_000);
    return ending(ended, 0, /changed: packages kem-wanted/);
  });

  row(
    41,
    {
      fault: 'the lock of dpkg is held for ever',
      done: 'another dpkg runs for an hour',
      expected: 'exit 1 after two minutes, names the holder: pid and command',
    },
    async () => {
      await using sshd = await busyHost(busyFor(3600));
      using program = new Program();
      const ended = await install(program, sshd, 'kem-wanted');
      expect(ended.ms).to.be.within(115_000, 180_000);
      return ending(ended, 1, /held by process \d+ \(dpkg\)/);
    },
  );

  row(41, { fault: 'the lock of the package lists is held for a while', done: 'it is for 10 s', expected: 'exit 0 after it: it is waited for' }, async () => {
    await using sshd = await busyHost(fetchingFor(10));
    using program = new Program();
    const ended = await install(program, sshd, 'kem-wanted');
    expect(ended.ms).to.be.above(9_000);
    return ending(ended, 0, /changed: packages kem-wanted/);
  });

  row(
    41,
    {
      fault: 'the lock of the package lists is held for ever',
      done: 'it is for an hour',
      expected: 'exit 1 after two minutes, names the holder: pid and command',
    },
    async () => {
      await using sshd = await busyHost(fetchingFor(3600));
      using program = new Program();
      const ended = await install(program, sshd, 'kem-wanted');
      expect(ended.ms).to.be.within(115_000, 180_000);
      return ending(ended, 1, /held by process \d+ \(python3\)/);
    },
  );

  row(
    41,
    {
      fault: 'a dpkg that was interrupted',
      done: 'another was killed while it set up a package',
      expected: 'exit 0: what it left is finished, and then the rest',
    },
    async () => {
      await using sshd = await busyHost((directory) => {
        packed(directory, 'kem-killed', {
          postinst: `[ -e ${directory}/again ] || { touch ${directory}/again; kill -9 "$PPID"; sleep 1; exit 1; }; touch ${directory}/finished`,
        });
        return `dpkg -i ${directory}/kem-killed.deb`;
      });
      using program = new Program();
      const ended = await install(program, sshd, 'kem-wanted');
      expect(['again', 'finished'].map((name) => existsSync(join(sshd.directory, name)))).to.deep.equal([true, true]);
      return ending(ended, 0, /changed: packages kem-wanted/);
    },
  );

  row(
    41,
    {
      fault: 'a dpkg that is broken',
      done: 'a package is there half, since its own script fails every time',
      expected: 'exit 1, names the package and `dpkg --configure -a`',
    },
    async () => {
      await using sshd = await busyHost((directory) => `dpkg -i ${directory}/kem-broken.deb`);
      using program = new Program();
      const ended = await install(program, sshd, 'kem-wanted');
      lineOf(ended, /kem-broken/);
      return ending(ended, 1, /dpkg --configure -a/);
    },
  );

  row(
    41,
    { fault: 'a package that cannot be set up', done: 'its own script fails', expected: 'exit 1, names the package and `dpkg --configure -a`' },
    async () => {
      await using sshd = await busyHost();
      using program = new Program();
      const ended = await install(program, sshd, 'kem-broken');
      lineOf(ended, /out of order/);
      return ending(ended, 1, /dpkg --configure -a/);
    },
  );
});
