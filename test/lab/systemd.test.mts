/**
 * The lab on a machine whose process 1 is systemd, as on ordinary servers: there its hosts are transient units. The machine is a host of a lab
 * itself, and everything below runs on it: this working copy, its packages, its hosts.
 */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../lib/index.mts';
import type { LabStatus } from '../../roles/lab-hosts/status.mts';
import { borrow, command, eventually, must, play, ROOT, writeInventory, type Document, type Result, type Variables } from './support.mts';

const LAB = join(ROOT, '.lab-test-systemd');
const env = { LAB_DIR: LAB, RUNS_DIR: join(LAB, 'runs') };
const SERVER = 'server-01';
const ADDRESS = '127.84.0.11';
/** On the server: the working copy with its own lab in it. */
const HERE = '/srv/kem';
const NAME = 'es-01';
const VARS: Variables = { elasticsearch_source: 'assembled', elasticsearch_heap: '256m', os_limits_nofile: 'auto' };

const ssh = ['ssh', '-F', 'none', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR', '-o', `UserKnownHostsFile=${join(LAB, 'known_hosts')}`];
const login = [...ssh, '-i', join(LAB, 'id_ed25519'), '-p', '22022', `ops@${ADDRESS}`];
/** As root on the server, in a login of its own that ends with the command. */
const onServer = (script: string): Promise<Result> =>
  command(login[0]!, [...login.slice(1), `sudo sh -c ${quote(`cd ${HERE}; PATH=${HERE}/node_modules/.bin:$PATH; ${script}`)}`], { timeoutMs: 540_000 });
const said = async (script: string): Promise<string> => (await must(onServer(script))).trim();
const playbook = (name: string, words: string): string => `node node_modules/zx/build/cli.js playbooks/${name}.mts ${words}`;
const labUp = (): Promise<string> => said(playbook('lab', 'up -i hosts.yaml'));
const onHost = (words: string): Promise<string> => said(playbook('lab', `ssh ${NAME} -- ${words}`));

/** The server has a file system for it that can hold the disks of hosts: its own is an overlay already. */
async function moveIn(): Promise<void> {
  await must(onServer(`mkdir -p ${HERE} && mount -t tmpfs -o size=4g lab ${HERE}`));
  const parts = `tar -C ${quote(ROOT)} -cf - package.json inventory lib node_modules playbooks roles; tar -C ${quote(LAB)} -cf - images artifacts`;
  const unpack = `mkdir ${HERE}/.lab; tar -C ${HERE} -xf - && tar -C ${HERE}/.lab -xpf -`;
  await must(
    command('bash', ['-c', `set -o pipefail; { ${parts}; } | ${[...login, `sudo sh -c ${quote(unpack)}`].map(quote).join(' ')}`], { timeoutMs: 300_000 }),
  );
}

describe('the lab where process 1 is systemd', function () {
  this.bail(true);
  const settings = readFileSync('/proc/sys/vm/max_map_count', 'utf8');
  let unit = '';
  const ofUnit = (property: string): Promise<string> => said(`systemctl show -p ${property} --value ${unit}`);
  const units = (): Promise<string> => said("systemctl list-units --all --plain --no-legend 'lab-*' | awk '{ print $1 }'");
  const status = async (): Promise<LabStatus> => JSON.parse(await said(playbook('lab', 'status --json'))) as LabStatus;
  const stateOf = async (): Promise<string | undefined> => (await status()).hosts.find(({ name }) => name === NAME)?.state;

  before(async () => {
    await play('lab', ['down'], { env });
    await borrow(LAB);
    const server = { name: SERVER, address: ADDRESS, groups: ['es_masters'] };
    await must(play('lab', ['up', '-i', writeInventory('server.yaml', [server], VARS, LAB)], { env }));
    await moveIn();
    const file = writeInventory('hosts.yaml', [{ name: NAME, address: '127.84.0.21', groups: ['es_masters'] }], VARS, LAB);
    const inventory = readFileSync(file, 'utf8').replaceAll(LAB, `${HERE}/.lab`);
    await must(onServer(`printf %s ${quote(inventory)} >hosts.yaml`));
  });
  after(async () => {
    const down = await play('lab', ['down'], { env });
    expect(down.code, down.stderr).to.equal(0);
    expect(readFileSync('/proc/sys/vm/max_map_count', 'utf8')).to.equal(settings);
  });

  it('makes a host as a transient unit outside of every login', async () => {
    expect(await said('cat /proc/1/comm; systemctl is-system-running')).to.equal('systemd\nrunning');
    await labUp();
    unit = await units();
    expect(unit).to.match(/^lab-\d+-es-01\.service$/);
    expect(await said(`systemctl show -p Transient,Delegate,ControlGroup,ActiveState ${unit} | sort`)).to.equal(
      `ActiveState=active\nControlGroup=/system.slice/${unit}\nDelegate=yes\nTransient=yes`,
    );
    expect(await said(`tr '\\0' ' ' </proc/${await ofUnit('MainPID')}/cmdline`)).to.match(/^systemd-nspawn .*--keep-unit/);
    expect((await status()).supervisor).to.equal('systemd');
    expect(await onHost('systemctl is-system-running')).to.equal('running');
  });

  it('runs Elasticsearch in it, and finds nothing to do afterwards', async () => {
    const site = JSON.parse((await onServer(playbook('site', '-i hosts.yaml --json'))).stdout) as Document;
    expect(site.exitCode, JSON.stringify(site.hosts)).to.equal(0);
    // Its own systemd put it where the unit's cgroup is delegated.
    const [cgroup] = (await said(`cat /proc/$(pgrep -f org.elasticsearch.bootstrap | head -n 1)/cgroup | grep '^0::'`)).split('\n');
    expect(cgroup).to.equal(`0::/system.slice/${unit}/payload/system.slice/elasticsearch.service`);
    expect((await onServer(playbook('site', '-i hosts.yaml --check'))).code).to.equal(0);
  });

  it('starts a host again that reboots from inside, within the same unit', async () => {
    const first = await ofUnit('MainPID');
    await onServer(playbook('lab', `ssh ${NAME} -- sudo systemctl reboot`));
    await eventually('another process of the same unit', 60_000, async () => {
      const now = await ofUnit('MainPID');
      return now !== first && now !== '0';
    });
    expect(await ofUnit('NRestarts')).to.equal('1');
    await eventually('the host is up again', 60_000, async () => /^(running|starting)$/.test(await onHost('systemctl is-system-running')));
    await eventually('Elasticsearch is up again', 180_000, async () => (await onServer(playbook('drift', '-i hosts.yaml'))).code === 0);
  });

  it('knows a host that was powered off, and leaves no unit of it', async () => {
    await onServer(playbook('lab', `ssh ${NAME} -- sudo systemctl poweroff`));
    await eventually('it is stopped', 60_000, async () => (await stateOf()) === 'stopped');
    expect(await units()).to.equal('');
    await labUp();
    expect(await stateOf()).to.equal('running');
  });

  it('makes whole again what was killed', async () => {
    await said(`kill -KILL ${await ofUnit('MainPID')}`);
    await eventually('it is stopped', 30_000, async () => (await stateOf()) === 'stopped');
    expect(await said('pgrep -c systemd-nspawn || true')).to.equal('0');
    await labUp();
    expect(await onHost('hostname')).to.equal(NAME);
  });

  it('leaves no unit, process, cgroup or mount on down', async () => {
    expect(await said(playbook('lab', 'down'))).to.equal(`${NAME}: removed`);
    expect(await units()).to.equal('');
    expect(await said('pgrep -c systemd-nspawn || true')).to.equal('0');
    expect(await said("find /sys/fs/cgroup /run/systemd/nspawn /run/kafka-elastic-lab -name 'lab-*' 2>/dev/null || true")).to.equal('');
    expect(await said(`awk '{ print $5 }' /proc/self/mountinfo | grep '^${HERE}/' || true`)).to.equal('');
  });
});
