/** The lab itself: two hosts beside any other lab of this machine, through everything that may happen to them. */
import { execFile, execFileSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces, totalmem } from 'node:os';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import type { LabStatus } from '../../roles/lab-hosts/status.mts';

const ROOT = resolve(import.meta.dirname, '../..');
const OWN_IMAGES = join(ROOT, '.lab/images');
const ADDRESSES = { 'one-01': '127.78.0.11', 'one-02': '127.78.0.12' };
const PORT = 22022;

const inventory = (directory: string, hosts: Readonly<Record<string, string>>, port = PORT): string => `all:
  vars: { host_provider: lab, ansible_user: ops, ansible_port: ${port.toString()}, ansible_ssh_private_key_file: ${directory}/lab/id_ed25519, connection_known_hosts_file: ${directory}/lab/known_hosts }
  hosts:
${Object.entries(hosts)
  .map(([name, address]) => `    ${name}: { ansible_host: ${address} }\n`)
  .join('')}`;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the lab', function () {
  this.timeout(300_000);
  let directory = '';
  let lab = '';
  let beforehand: readonly string[] = [];
  const started = new Set<ChildProcess>();

  const play = (playbook: string, words: readonly string[], labDirectory = lab): Promise<Ended> =>
    new Promise((done) => {
      const env = { ...process.env, LAB_DIR: labDirectory, RUNS_DIR: join(directory, 'runs') };
      const child = execFile(process.execPath, [join(ROOT, playbook), ...words], { env, cwd: ROOT }, (error, stdout, stderr) => {
        started.delete(child);
        done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
      });
      started.add(child);
    });
  const command = (...words: readonly string[]): Promise<Ended> => play('playbooks/lab.mts', words);
  /** An `up` that must end before anything is made. */
  const refused = async (name: string, wanted: string, labDirectory = lab): Promise<string> => {
    const file = join(directory, name);
    writeFileSync(file, wanted);
    const before = existsSync(labDirectory) ? readdirSync(labDirectory) : undefined;
    const { code, stdout, stderr } = await play('playbooks/lab.mts', ['up', '-i', file], labDirectory);
    expect(code, stdout + stderr).to.equal(4);
    expect(existsSync(labDirectory) ? readdirSync(labDirectory) : undefined, 'nothing is made').to.deep.equal(before);
    expect(machine()).to.deep.equal(beforehand);
    return stdout + stderr;
  };
  const up = (): Promise<Ended> => command('up', '-i', join(directory, 'inventory.yaml'));
  const status = async (): Promise<LabStatus> => JSON.parse((await command('status', '--json')).stdout) as LabStatus;
  const onHost = (...words: readonly string[]): Promise<Ended> => command('ssh', 'one-01', '--', ...words);
  const bootId = async (): Promise<string> => (await onHost('cat', '/proc/1/stat')).stdout.split(' ')[21] ?? '';

  before(() => {
    directory = mkdtempSync('/var/tmp/lab-test-');
    lab = join(directory, 'lab');
    writeFileSync(join(directory, 'inventory.yaml'), inventory(directory, ADDRESSES));
    // Half a minute less where this project's own lab has an image already: links to the same files.
    mkdirSync(lab);
    if (existsSync(OWN_IMAGES)) execFileSync('cp', ['-al', OWN_IMAGES, join(lab, 'images')]);
    beforehand = machine();
  });

  after(async () => {
    await command('down', '--purge');
    rmSync(directory, { recursive: true, force: true });
  });

  it('refuses to begin where somebody else has an address of it, and names them', async () => {
    const server = createServer().listen(PORT, ADDRESSES['one-02']);
    await once(server, 'listening');
    try {
      const refused = await up();
      expect(refused.code, refused.stdout + refused.stderr).to.equal(4);
      expect(refused.stdout + refused.stderr).to.include(`(pid ${process.pid.toString()}) already listens on ${ADDRESSES['one-02']}:${PORT.toString()}`);
      expect((await status()).hosts).to.deep.equal([]);
    } finally {
      server.close();
    }
  });

  it('refuses to begin where somebody listens on a port of it on every address, and names them', async () => {
    const server = createServer().listen(0, '0.0.0.0');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const said = await refused('taken.yaml', inventory(directory, ADDRESSES, port));
      for (const [name, address] of Object.entries(ADDRESSES))
        expect(said).to.match(
          new RegExp(
            `${name} is to serve ${address}:${port.toString()}, but \\S+ \\(pid ${process.pid.toString()}\\) already listens on 0\\.0\\.0\\.0:${port.toString()}`,
          ),
        );
    } finally {
      server.close();
    }
  });

  it('refuses to begin where its hosts would need more memory than there is', async () => {
    const many = Array.from(
      { length: Math.ceil(totalmem() / 2 ** 30) + 2 },
      (_, index) => `es-${index.toString()}: { ansible_host: 127.78.1.${(index + 1).toString()} }`,
    );
    const vars = inventory(directory, {}).replace(/ {2}hosts:\n/, '');
    const said = await refused('many.yaml', `${vars}  children: { es_data: { hosts: { ${many.join(', ')} } } }\n`);
    expect(said)
      .to.match(/more hosts of the lab take \d+\.\d GiB of memory, and \d+\.\d GiB are free/)
      .and.match(/lower their heaps/);
  });

  it('refuses to begin where the disk is too small', async () => {
    const small = join(directory, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m', 'small', small]);
    const mounted = machine();
    try {
      beforehand = mounted;
      const said = await refused('small.yaml', inventory(directory, ADDRESSES), join(small, 'lab'));
      expect(said)
        .to.match(/the lab takes \d\.\d GiB of disk, and 0\.1 GiB are free/)
        .and.match(/set LAB_DIR to a directory with more room/);
    } finally {
      execFileSync('umount', [small]);
      beforehand = machine();
    }
  });

  it('lists the hosts to make before they are there, and makes nothing', async () => {
    const checked = await command('up', '--check', '-i', join(directory, 'inventory.yaml'));
    expect(checked.code, checked.stdout).to.equal(2);
    expect(checked.stdout).to.include('lab host one-01').and.to.include('lab host one-02');
    expect((await status()).hosts).to.deep.equal([]);
  });

  it('makes the hosts once', async () => {
    const made = await up();
    expect(made.code, made.stdout + made.stderr).to.equal(0);
    expect((await status()).hosts.map(({ name, state, listening }) => ({ name, state, listening }))).to.deep.equal([
      { name: 'one-01', state: 'running', listening: true },
      { name: 'one-02', state: 'running', listening: true },
    ]);
    const again = await up();
    expect(again.code).to.equal(0);
    expect(again.stdout).to.include('0 changed');
  });

  it('gives a host its neighbours, sudo, and a systemd without failed units', async () => {
    const said = await onHost('sh', '-c', 'getent hosts one-02; hostname; sudo -n id -u; systemctl is-system-running; systemctl --failed --no-legend | wc -l');
    expect(said.stdout.trim().split(/\s*\n\s*/)).to.deep.equal([`${ADDRESSES['one-02']}     one-02`, 'one-01', '0', 'running', '0']);
  });

  it('a package installation goes on to its end when Ctrl-C is pressed twice, and leaves nothing half done', async () => {
    // As a mirror that is far away: dpkg begins late, and is at work when the keys are pressed.
    await onHost('sudo', 'sh', '-c', `echo 'DPkg::Pre-Invoke { "touch /run/begun; sleep 6"; };' >/etc/apt/apt.conf.d/99late`);
    const file = join(directory, 'packages.yaml');
    const vars = `ansible_become: true, work_packages: [hello], work_script: 'touch /root/after', work_done: /root/after, `;
    writeFileSync(file, inventory(directory, { 'one-01': ADDRESSES['one-01'] }).replace('vars: { ', `vars: { ${vars}`));
    const install = (): Promise<Ended> => play('test/faults/playbooks/work.mts', ['-i', file]);
    const running = install();
    const [child] = started;
    for (let attempt = 0; attempt < 300 && (await onHost('test', '-e', '/run/begun')).code !== 0; attempt += 1)
      await new Promise((done) => setTimeout(done, 100));
    child?.kill('SIGINT');
    await new Promise((done) => setTimeout(done, 500));
    child?.kill('SIGINT');
    const { code, stdout, stderr } = await running;
    const said = stdout + stderr;
    expect(code, said).to.equal(130);
    expect(said).to.include('packages hello on one-01 must not be cut off and is waited for').and.include('run again to finish');
    expect((await onHost('sh', '-c', 'dpkg-query -W -f "\\${Status}" hello; dpkg --audit; test -e /root/after || echo , not after')).stdout).to.equal(
      'install ok installed, not after\n',
    );
    const next = await install();
    expect(next.code, next.stdout + next.stderr).to.equal(0);
    expect(next.stdout).to.include('changed: work').and.not.include('changed: packages');
  });

  for (const words of [
    ['a  b', '$HOME', "it's"],
    ['*', '', '--'],
    ['"; rm -rf /', 'ü\n', '\\'],
  ]) {
    it(`carries ${JSON.stringify(words)} to a command as they are, and its exit code back`, async () => {
      const { code, stdout } = await onHost('sh', '-c', 'for word in "$@"; do printf "<%s>" "$word"; done; exit 23', 'sh', ...words);
      expect({ code, stdout }).to.deep.equal({ code: 23, stdout: words.map((word) => `<${word}>`).join('') });
    });
  }

  it('puts right what somebody changed in /etc/hosts, and leaves other lines alone', async () => {
    await onHost('sudo', 'sh', '-c', "sed -i '/one-02/d' /etc/hosts; echo 10.0.0.9 other >>/etc/hosts");
    expect((await up()).code).to.equal(0);
    const hosts = (await onHost('cat', '/etc/hosts')).stdout;
    expect(hosts).to.include(`${ADDRESSES['one-02']} one-02`).and.to.include('10.0.0.9 other');
  });

  it('brings a host back after a reboot from inside, by itself', async () => {
    const first = await bootId();
    await onHost('sudo', 'systemctl', 'reboot');
    for (let attempt = 0; attempt < 100 && ['', first].includes(await bootId()); attempt += 1) await new Promise((done) => setTimeout(done, 200));
    expect(await bootId()).to.not.be.oneOf(['', first]);
    expect((await up()).stdout).to.include('0 changed');
  });

  it('repairs a host whose supervisor was killed', async () => {
    kill(processes(lab).filter(({ words }) => words.some((word) => word.endsWith('lab-supervise.sh')) && words.includes('one-01')));
    expect((await status()).hosts.map(({ state }) => state)).to.deep.equal(['unsupervised', 'running']);
    expect((await up()).code).to.equal(0);
    expect((await status()).hosts.map(({ state }) => state)).to.deep.equal(['running', 'running']);
  });

  it('repairs hosts whose supervisor and systemd-nspawn were killed, while the host went on', async () => {
    await onHost('sudo', 'sh', '-c', 'echo kept >/root/mark');
    kill(processes(lab).filter(({ words }) => words.some((word) => word.endsWith('lab-supervise.sh') || word.includes('--machine='))));
    const repaired = await up();
    expect(repaired.code, repaired.stdout + repaired.stderr).to.equal(0);
    expect((await onHost('sudo', 'cat', '/root/mark')).stdout).to.equal('kept\n');
    expect(processes(lab).filter(({ words }) => words.some((word) => word.startsWith('--machine=')))).to.have.length(2);
  });

  it('repairs everything after every one of its processes was killed at once', async () => {
    kill([...processes(lab), ...insiders(lab)]);
    const repaired = await up();
    expect(repaired.code, repaired.stdout + repaired.stderr).to.equal(0);
    expect((await onHost('sudo', 'cat', '/root/mark')).stdout).to.equal('kept\n');
  });

  it('keeps the disks on down --keep', async () => {
    const ended = await command('down', '--keep');
    expect(ended.code, ended.stderr).to.equal(0);
    expect((await status()).hosts.map(({ state }) => state)).to.deep.equal(['stopped', 'stopped']);
    expect((await command('ssh', 'one-01', '--', 'true')).code).to.equal(3);
    expect((await up()).code).to.equal(0);
    expect((await onHost('sudo', 'cat', '/root/mark')).stdout).to.equal('kept\n');
  });

  it('leaves the machine as it was on down, and keeps the image', async () => {
    const ended = await command('down');
    expect(ended.code, ended.stderr).to.equal(0);
    expect(machine()).to.deep.equal(beforehand);
    expect([...processes(lab), ...insiders(lab)]).to.deep.equal([]);
    expect(readdirSync(lab)).to.deep.equal(['images']);
    await command('down', '--purge');
    expect(existsSync(lab)).to.equal(false);
  });
});

interface Process {
  readonly pid: number;
  readonly words: readonly string[];
}

/** What a kernel counts for itself, or draws anew. */
const MOVING =
  /^(fs\.(dentry-state|file-nr|inode-(nr|state)|quota|aio-nr)|kernel\.(random|ns_last_pid|perf_event_max_sample_rate|pty\.nr|sched_domain)|net\.netfilter\.nf_conntrack_count|vm\.stat_refresh)/;

/** Whatever one of the lab's programs left on the machine would show here. */
function machine(): readonly string[] {
  const settings = execFileSync('sysctl', ['-a'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n')
    .filter((line) => !MOVING.test(line));
  const addresses = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ cidr }) => `address ${cidr ?? ''}`));
  const cgroups = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd']
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root).map((name) => `${root}/${name}`));
  const runtime = ['/run', '/run/systemd/nspawn/propagate']
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root).filter((name) => name.includes('lab')));
  return [...settings, ...addresses, ...readFileSync('/proc/self/mounts', 'utf8').trim().split('\n'), ...cgroups, ...runtime];
}

/** The lab's own processes outside its hosts. */
function processes(lab: string): readonly Process[] {
  return all().filter(({ pid, words }) => pid !== process.pid && words.some((word) => word === lab || word.startsWith(`--directory=${lab}/`)));
}

/** Processes inside its hosts: their root is an overlay of the lab's. */
function insiders(lab: string): readonly Process[] {
  const roots = execFileSync('sh', ['-c', `. ${ROOT}/roles/lab-hosts/bin/lab-common.sh; enter_lab "$1"; echo "$SCOPE"`, 'sh', lab], {
    encoding: 'utf8',
  }).trim();
  return all().filter(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid.toString()}/mountinfo`, 'utf8')
        .split('\n')
        .some((line) => line.split(' ')[4] === '/' && line.includes(` ${roots}-`));
    } catch {
      return false;
    }
  });
}

function all(): readonly Process[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [{ pid: Number(name), words: readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0') }] : [];
    } catch {
      return [];
    }
  });
}

function kill(list: readonly Process[]): void {
  expect(list).to.not.deep.equal([]);
  for (const { pid } of list) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended with another one of the list.
    }
  }
}
