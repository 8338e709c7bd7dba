/** The tutorial's two errors on a kernel as the tutorial found it, what is said about them, what puts them right, and that it lasts over a reboot. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { changesIn, eventually, get, type Document } from '../lab/support.mts';
import { ADDRESS, boot, bootAfter, bootAlone, inventory, kernels, make, NAME, onHost, run, said } from './support.mts';

const MAP_COUNT = '/proc/sys/vm/max_map_count';
const START_MS = 900_000;
const squashed = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('what test/kernel/alone starts', () => {
  it('is gone when it is killed, and so are the mounts', async () => {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const child = bootAlone();
    await eventually('a kernel runs', 120_000, () => Promise.resolve(kernels().length > 0));
    child.kill('SIGKILL');
    await eventually('no kernel runs', 10_000, () => Promise.resolve(kernels().length === 0));
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.equal(mounts);
  });
});

describe('a host with a kernel of its own', () => {
  const ofMachine = readFileSync(MAP_COUNT, 'utf8');
  let bootId = '';

  before(async () => {
    await make();
    boot();
    bootId = await bootAfter('', 120_000);
  });

  it('has what the tutorial found: 4096 open files and 65530 memory maps', async () => {
    // Process 2 is the kernel's own: nobody has changed its limits.
    const [version, ...found] = (
      await said(`cat /proc/version; awk '/^Max open files/ { print $4, $5 }' /proc/2/limits /proc/self/limits; cat ${MAP_COUNT}`)
    ).split('\n');
    expect(version).to.not.equal(readFileSync('/proc/version', 'utf8').trim());
    expect(found).to.deep.equal(['1024 4096', '1024 4096', '65530']);
  });

  it('is refused by Elasticsearch in the words of the tutorial, and the run names cause and fix of both', async () => {
    const words = ['-i', inventory({ os_limits_nofile: 4096 }), '--role', 'java,elasticsearch'];
    const first = await run('site', ...words);
    const report = (await settled(first)) ? first : await run('site', ...words, '--verify-only');
    expect(report.exitCode, report.text).to.equal(1);
    const expected = [
      {
        cause: 'the process may open 4096 files and wants 65535',
        evidence: '[1]: max file descriptors [4096] for elasticsearch process is too low, increase to at least [65535]',
        fix: 'raise os_limits_nofile (now 4096) to at least 65535; the tutorial has 70000',
      },
      {
        cause: 'vm.max_map_count is 65530, Elasticsearch wants 262144',
        evidence: '[2]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]',
        fix: 'run the os-limits role, which sets it now and for the next boot: --role os-limits,elasticsearch',
      },
    ];
    expect(report.hosts[NAME]?.roles['elasticsearch']?.diagnoses).to.deep.equal(expected);
    for (const { cause, evidence, fix } of expected) {
      for (const part of [`cause: ${cause}`, `evidence: ${evidence}`, `fix: ${fix}`]) expect(squashed(report.text)).to.include(part);
      expect((await onHost(`journalctl -q -o cat -u elasticsearch | grep -qxF '${evidence}'`)).code, 'a line of Elasticsearch').to.equal(0);
    }
    expect(await said('systemctl show -p Result,ExecMainStatus --value elasticsearch')).to.equal('exit-code\n78');
  });

  it('is put right by what the fixes say', async () => {
    const words = ['-i', inventory({ os_limits_nofile: 'auto' }), '--role', 'os-limits,elasticsearch'];
    const first = await run('site', ...words);
    const report = (await settled(first)) ? first : await run('site', ...words);
    expect(report.exitCode, report.text).to.equal(0);
    expect(changesIn(first)).to.include.members([`${NAME} sysctl vm.max_map_count`, `${NAME} systemd default limits`, `${NAME} service elasticsearch.service`]);
    await expectCured();
  });

  it('is converged then: a check finds nothing to do', expectConverged);

  it('still is after a reboot, with Elasticsearch up by itself', async () => {
    await onHost('systemctl reboot');
    const after = await bootAfter(bootId, 180_000);
    expect(after).to.not.equal(bootId);
    await eventually('Elasticsearch answers', START_MS, answers);
    await expectCured();
    await expectConverged();
    const drift = await run('drift', '-i', inventory({ os_limits_nofile: 'auto' }));
    expect(drift.exitCode, drift.text).to.equal(0);
    expect(changesIn(drift)).to.deep.equal([]);
  });

  it('has changed nothing of the machine', () => {
    expect(readFileSync(MAP_COUNT, 'utf8')).to.equal(ofMachine);
  });

  /**
   * A run waits three minutes for a node to start, and on a busy machine this one takes longer. Then it has failed, and is repeated as soon as
   * the node answers or has given up: false.
   */
  async function settled({ exitCode }: Document): Promise<boolean> {
    if (exitCode === 0 || (await isOver())) return true;
    await eventually('Elasticsearch answers or gives up', START_MS, async () => (await answers()) || (await isOver()));
    return false;
  }
  const isOver = async (): Promise<boolean> => (await said('systemctl show -p ActiveState --value elasticsearch')) === 'failed';
  const answers = async (): Promise<boolean> => typeof (await get(`http://${ADDRESS}:9200/`)) === 'object';

  async function expectCured(): Promise<void> {
    expect(await said(`cat ${MAP_COUNT}`)).to.equal('262144');
    const limits = "awk '/^Max open files/ { print $4, $5 }'";
    expect(await said(`${limits} /proc/$(systemctl show -p MainPID --value elasticsearch)/limits /proc/self/limits`)).to.equal('70000 70000\n70000 70000');
    expect(await get(`http://${ADDRESS}:9200/_cluster/health`)).to.include({ status: 'green', number_of_nodes: 1 });
  }

  async function expectConverged(): Promise<void> {
    const report = await run('site', '-i', inventory({ os_limits_nofile: 'auto' }), '--check');
    expect(report.exitCode, report.text).to.equal(0);
    expect(changesIn(report)).to.deep.equal([]);
  }
});
