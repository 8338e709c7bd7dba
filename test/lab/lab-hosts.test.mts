/** The lab itself: two hosts beside any other lab of this machine, through everything that may happen to them. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import type { LabStatus } from '../../roles/lab-hosts/status.mts';

const ROOT = resolve(import.meta.dirname, '../..');
const OWN_IMAGES = join(ROOT, '.lab/images');
const ADDRESSES = { 'one-01': '127.78.0.11', 'one-02': '127.78.0.12' };
const PORT = 22022;

const inventory = (directory: string, hosts: Readonly<Record<string, string>>): string => `all:
  vars: { host_provider: lab, ansible_user: ops, ansible_port: ${PORT.toString()}, ansible_ssh_private_key_file: ${directory}/lab/id_ed25519, connection_known_hosts_file: ${directory}/lab/known_hosts }
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

  const command = (...words: readonly string[]): Promise<Ended> =>
    new Promise((done) => {
      const env = { ...process.env, LAB_DIR: lab, RUNS_DIR: join(directory, 'runs') };
      execFile(process.execPath, [join(ROOT, 'playbooks/lab.mts'), ...words], { env, cwd: ROOT }, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
      });
    });
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

/** Whatever one of the lab's programs left on the machine would show here. */
function machine(): readonly string[] {
  const settings = ['fs/file-max', 'net/unix/max_dgram_qlen', 'vm/max_map_count'].map((key) => `${key} ${readFileSync(`/proc/sys/${key}`, 'utf8').trim()}`);
  const cgroups = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd']
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root).map((name) => `${root}/${name}`));
  const runtime = ['/run', '/run/systemd/nspawn/propagate']
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root).filter((name) => name.includes('lab')));
  return [...settings, ...readFileSync('/proc/self/mounts', 'utf8').trim().split('\n'), ...cgroups, ...runtime];
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
