import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { compileSteps } from '../../../lib/shell/steps.mts';
import { foreignOwner, readOwners, takenOver } from '../../../roles/kibana/port.mts';

const SHELLS: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];
const SERVER = `require('node:http').createServer().listen(Number(process.argv[1]), process.argv[2], function () { console.log(this.address().port) })`;

/** A process on a port of its own. */
async function listen(address: string): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, ['-e', SERVER, '0', address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { process: child, port: Number(line.toString()) };
}

const script = (address: string, port: number): string => {
  const [ask] = foreignOwner({ address, port }).asks;
  return ask?.at === 'host' ? ask.key : '';
};

describe('the owner of a port, asked of this machine', () => {
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  const start = async (address: string): Promise<{ readonly process: ChildProcess; readonly port: number }> => {
    const started = await listen(address);
    running.push(started.process);
    return started;
  };

  for (const [shell, ...rest] of SHELLS) {
    const run = (text: string) => spawnSync(shell, [...rest, '-c', text], { encoding: 'utf8' });

    it(`is named in ${shell}, also where it has every address`, async () => {
      for (const address of ['127.85.9.1', '0.0.0.0', '::']) {
        const { process: child, port } = await start(address);
        const { status, stdout, stderr } = run(script('127.85.9.1', port));
        expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
        expect(readOwners(stdout)[0]?.process, address).to.deep.include({ pid: child.pid });
        expect(readOwners(stdout)[0]?.process?.command).to.match(/^\S*node\S* -e/);
        expect(run(script('127.85.9.2', port)).stdout === '').to.equal(address === '127.85.9.1');
      }
    });

    it(`is asked to end in ${shell}, and only then`, async () => {
      const { process: child, port } = await start('127.85.9.1');
      const ended = once(child, 'exit');
      const [step] = compileSteps(takenOver({ address: '127.85.9.1', port }), [{ field: 'owner', from: { kind: 'absent' }, to: { kind: 'absent' } }]);
      expect(run(step?.at === 'host' ? step.script : 'false')).to.deep.include({ status: 0, stderr: '' });
      expect((await ended)[1]).to.equal('SIGTERM');
      expect(run(script('127.85.9.1', port)).stdout).to.equal('');
    });
  }
});
