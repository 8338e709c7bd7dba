/** The data disk on real block devices: loop devices of this machine, mounted in a namespace of its own whose /etc is a copy. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { judge, type Judged } from '../../../lib/plan/verdict.mts';
import type { Change, Check, Refusal, Resource } from '../../../lib/index.mts';
import { REFUSED } from '../../../lib/shell/steps.mts';
import { gcp } from '../../../roles/gcp-instances/contract.mts';
import { gcpDataDisk } from '../../../roles/index.mts';
import { applyOn, askHost, valueOf, type Shell } from '../../shell/hostlike.mts';
import { context, inventory } from '../support.mts';

const GIBIBYTE = 1024 ** 3;
const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

interface Work {
  readonly resource: Resource;
  readonly changes: readonly Change[];
}

/** One partition of Linux from the first megabyte on. */
function partitioned(device: string): void {
  const sector = Buffer.alloc(512);
  sector[450] = 0x83;
  sector.writeUInt32LE(2048, 454);
  sector.writeUInt32LE(20480, 458);
  sector.writeUInt16LE(0xaa55, 510);
  writeFileSync(device, sector, { flag: 'r+' });
}

/** A disk in a file, a mount point, and a mount namespace with its own /etc. */
class Machine implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'kem-disk-'));
  readonly mount = join(this.directory, 'mount');
  readonly #image = join(this.directory, 'image');
  readonly device: string;
  readonly #holder: ChildProcess;
  readonly shell: Shell;

  private constructor(shell: string, holder: ChildProcess, prepare: (directory: string) => string) {
    this.device = prepare(this.directory);
    this.#holder = holder;
    this.shell = { name: shell, argv: ['nsenter', `--mount=/proc/${String(holder.pid)}/ns/mnt`, '--', shell] };
  }

  static async start(shell: string, gibibytes = 10): Promise<Machine> {
    const holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'echo ready; read -r _'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    const machine = new Machine(shell, holder, (directory) => {
      writeFileSync(join(directory, 'image'), '');
      truncateSync(join(directory, 'image'), gibibytes * GIBIBYTE);
      return run('losetup', '--find', '--show', join(directory, 'image'));
    });
    machine.inside(`cp -a /etc ${machine.directory}/etc && mount --bind ${machine.directory}/etc /etc && : >/etc/fstab`);
    return machine;
  }

  inside(script: string): string {
    const { status, stdout, stderr } = spawnSync(this.shell.argv[0], [...this.shell.argv.slice(1), '-c', `set -e\n${script}`], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  get fstab(): string {
    return readFileSync(join(this.directory, 'etc/fstab'), 'utf8');
  }

  grow(gibibytes: number): void {
    truncateSync(this.#image, gibibytes * GIBIBYTE);
    run('losetup', '--set-capacity', this.device);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.stdin?.end();
    await once(this.#holder, 'exit');
    run('losetup', '--detach', this.device);
    rmSync(this.directory, { recursive: true });
  }

  get #here() {
    const from = inventory(`all:
  vars: { host_provider: gcp, gcp_project: my-project, gcp_zone: asia-northeast3-a, gcp_data_disk_gb: 10, gcp_data_disk_device: ${this.device}, gcp_data_disk_mount: ${this.mount} }
  children: { es_masters: { hosts: { es-01: { private_address: 10.0.0.11 } } } }
`);
    return context(gcp, from, 'es-01', { init: 'none' });
  }

  objections(): readonly Refusal[] {
    const question = gcpDataDisk.objects?.(this.#here);
    return question === undefined ? [] : valueOf(this.shell, question);
  }

  judged(): readonly Judged[] {
    const resources = gcpDataDisk.resources(this.#here);
    const answers = askHost(
      this.shell,
      resources.flatMap(({ differs }) => differs.asks),
    );
    return judge(resources, (ask) => answers.get(ask) ?? { kind: 'unavailable', reason: 'not asked' });
  }

  #pending(): readonly Work[] {
    return this.judged().flatMap(({ resource, verdict }) => (verdict.kind === 'pending' ? [{ resource, changes: verdict.changes }] : []));
  }

  /** What is to be done first. */
  first(): Work {
    const [work] = this.#pending();
    if (work === undefined) throw new Error('nothing is pending');
    return work;
  }

  /** `resource: verdict field …`, without what is converged. */
  open(): readonly string[] {
    return this.judged().flatMap(({ resource, verdict }) => {
      if (verdict.kind === 'converged') return [];
      if (verdict.kind === 'failed') return [`${resource.id}: ${verdict.error.message}`];
      return [`${resource.id}: ${verdict.kind}${verdict.kind === 'pending' ? ` ${verdict.changes.map(({ field }) => field).join(' ')}` : ''}`];
    });
  }

  /** As the engine does it: round by round, until nothing is pending. */
  converge(): readonly string[] {
    const done: string[] = [];
    for (let round = 1; round <= 6; round += 1) {
      const pending = this.#pending();
      if (pending.length === 0) return done;
      for (const { resource, changes } of pending) {
        const ran = applyOn(this.shell, resource, changes);
        if (ran.code !== 0) throw new Error(`${resource.id}: ${ran.stderr}`);
        done.push(resource.id);
      }
    }
    throw new Error('it never ends');
  }

  verify(): ReturnType<Check['judge']> {
    const [check] = gcpDataDisk.verify?.(this.#here) ?? [];
    if (check === undefined) throw new Error('no check');
    const seen = valueOf(this.shell, check.ask);
    return check.judge(seen, seen);
  }
}

describe('gcp-data-disk on a real disk', function () {
  this.timeout(60_000);

  before(function () {
    // Only root has loop devices and mounts.
    if (process.getuid?.() !== 0) this.skip();
  });

  for (const shell of ['dash', 'bash'])
    it(`formats a blank disk, mounts it by UUID, and is done (${shell})`, async () => {
      await using machine = await Machine.start(shell);
      const filesystem = 'data disk file system';
      const line = `line /etc/fstab ^[^#]*\\s${machine.mount}\\s`;
      expect(machine.objections()).to.deep.equal([]);
      expect(machine.open()).to.deep.equal([
        `${filesystem}: pending type`,
        `${line}: unknown`,
        `mount ${machine.mount}: unknown`,
        'data disk size: unknown',
        `lost+found of ${machine.mount}: unknown`,
      ]);
      expect(machine.verify()).to.deep.include({ kind: 'fail', found: `${machine.device}, not mounted there` });

      expect(machine.converge()).to.deep.equal([filesystem, line, `mount ${machine.mount}`]);
      const uuid = run('blkid', '-p', '-s', 'UUID', '-o', 'value', machine.device);
      expect(machine.fstab).to.equal(`UUID=${uuid} ${machine.mount} ext4 discard,defaults,nofail 0 2\n`);
      expect(machine.inside(`ls -A ${machine.mount}; findmnt -no SOURCE,FSTYPE --mountpoint ${machine.mount}`)).to.match(
        new RegExp(`^${machine.device} +ext4$`),
      );
      expect(machine.objections()).to.deep.equal([]);
      expect(machine.verify()).to.deep.equal({ kind: 'pass', found: `10.0 GiB of ext4 at ${machine.mount}, UUID ${uuid}` });

      machine.inside(`echo precious >${machine.mount}/file; umount ${machine.mount}; : >/etc/fstab`);
      expect(machine.converge(), 'an instance made anew keeps its disk').to.deep.equal([line, `mount ${machine.mount}`]);
      expect(machine.inside(`cat ${machine.mount}/file`)).to.equal('precious');
    });

  const contents: Readonly<Record<string, readonly [(device: string) => void, RegExp]>> = {
    'another file system': [(device) => run('mkfs.ext2', '-q', device), /TYPE=ext2/],
    'a swap space': [(device) => run('mkswap', device), /TYPE=swap/],
    'a partition table': [partitioned, /PTTYPE=dos/],
    'nothing that anybody knows, at its begin': [
      (device) => run('sh', '-c', `echo x | dd of=${device} bs=1 seek=70000 conv=notrunc`),
      /data without a known signature/,
    ],
    'nothing that anybody knows, at its end': [
      (device) => run('sh', '-c', `echo x | dd of=${device} bs=1M oflag=seek_bytes seek=$((10 * 1024 * 1024 * 1024 - 100)) conv=notrunc`),
      /data without a known signature/,
    ],
  };
  for (const [name, [write, what]] of Object.entries(contents))
    it(`refuses a disk with ${name}, and leaves it as it is`, async () => {
      await using machine = await Machine.start('dash');
      const { resource, changes } = machine.first();
      write(machine.device);
      const [refusal, ...others] = machine.objections();
      expect(others).to.deep.equal([]);
      expect(refusal).to.include({ kind: 'refused' });
      expect(refusal?.reason).to.match(what).and.to.include(machine.device);
      expect(machine.open().filter((line) => line.includes('pending'))).to.deep.equal([]);

      const bytes = (): string => run('sh', '-c', `for at in 0 10236; do dd if=${machine.device} bs=1M skip=$at count=4 2>/dev/null; done | sha256sum`);
      const digest = bytes();
      const ran = applyOn(machine.shell, resource, changes);
      expect(ran.code, 'also when it was blank a moment ago').to.equal(REFUSED);
      expect(ran.stderr).to.match(/is not blank any more/);
      expect(bytes()).to.equal(digest);
    });

  it('refuses to hide what is in the directory, and a disk that is mounted elsewhere', async () => {
    await using machine = await Machine.start('dash');
    mkdirSync(machine.mount);
    writeFileSync(join(machine.mount, 'nodes'), '');
    expect(machine.objections().map(({ reason }) => reason)).to.deep.equal([
      `${machine.mount} of es-01 is not empty (nodes): a disk mounted over it would hide what is there`,
    ]);
    const { resource, changes } = machine.first();
    expect(applyOn(machine.shell, resource, changes).code).to.equal(0);
    machine.inside(`mkdir ${machine.directory}/elsewhere; mount ${machine.device} ${machine.directory}/elsewhere`);
    expect(machine.objections().map(({ reason }) => reason)[0]).to.equal(
      `the data disk of es-01 is mounted at ${machine.directory}/elsewhere, and not at ${machine.mount}`,
    );
    machine.inside(`umount ${machine.directory}/elsewhere; rm ${machine.mount}/nodes; mount -t tmpfs nothing ${machine.mount}`);
    expect(machine.objections().map(({ reason }) => reason)).to.deep.equal([`nothing is mounted at ${machine.mount} of es-01`]);
  });

  it('sees a disk that was grown, a full fsck, a read-only mount and a missing line', async () => {
    await using machine = await Machine.start('dash');
    machine.converge();
    machine.grow(11);
    expect(machine.open()).to.deep.equal(['data disk size: pending size']);
    const before = run('blkid', '-p', '-s', 'UUID', '-o', 'value', machine.device);
    machine.inside(
      `umount ${machine.mount}; e2fsck -fy ${machine.device} >/dev/null || [ $? = 1 ]; resize2fs ${machine.device} 2>/dev/null; mount ${machine.mount}`,
    );
    expect(machine.open(), 'e2fsck made it again').to.deep.equal([`lost+found of ${machine.mount}: pending directory`]);
    expect(machine.converge()).to.deep.equal([`lost+found of ${machine.mount}`]);
    expect(machine.verify()).to.deep.equal({ kind: 'pass', found: `11.0 GiB of ext4 at ${machine.mount}, UUID ${before}` });
    machine.inside(`mkdir -p ${machine.mount}/lost+found; : >${machine.mount}/lost+found/#12`);
    expect(machine.open()).to.deep.equal([]);
    expect(machine.verify()).to.deep.include({ kind: 'fail', found: `files in ${machine.mount}/lost+found` });
    machine.inside(`rm -r ${machine.mount}/lost+found; mount -o remount,ro ${machine.mount}`);
    expect(machine.verify()).to.deep.include({ kind: 'fail', found: 'mounted read-only' });
    machine.inside(`mount -o remount,rw ${machine.mount}; mount -t tmpfs nothing ${machine.mount}`);
    expect(machine.verify()).to.deep.include({ kind: 'fail', found: 'nothing is mounted over it' });
    machine.inside(`umount ${machine.mount}; : >/etc/fstab`);
    expect(machine.verify()).to.deep.include({ kind: 'fail', found: 'not in /etc/fstab: it would be missing after a reboot' });
  });

  it('grows the file system while it is mounted', async () => {
    await using machine = await Machine.start('dash');
    machine.converge();
    machine.grow(11);
    const { resource, changes } = machine.first();
    const ran = applyOn(machine.shell, resource, changes);
    // The kernel wants CAP_SYS_RESOURCE for it, which no container has; that it was asked for the right thing shows either way.
    if (mayResize()) {
      expect(ran.code, ran.stderr).to.equal(0);
      expect(machine.open()).to.deep.equal([]);
    } else {
      expect(ran.code).to.equal(1);
      expect(ran.stderr).to.match(/Permission denied to resize filesystem/);
    }
  });
});

const mayResize = (): boolean => (BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`) & (1n << 24n)) !== 0n;
