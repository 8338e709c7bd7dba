import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { sha256, stat, sysctlValue, text } from '../../lib/plan/questions.mts';
import type { Question } from '../../lib/plan/model.mts';
import { compileBootstrap } from '../../lib/shell/bootstrap.mts';
import { compileFrame } from '../../lib/shell/frame.mts';
import { compileProbe, type HostAsk } from '../../lib/shell/probe.mts';

const NONCE = 'a1b2c3d4e5f6';
const OWN_PIDS = process.getuid?.() === 0 ? ['--pid', '--fork'] : ['--user', '--map-root-user', '--pid', '--fork'];

/** Processes that `script` starts: in a PID namespace of its own they are numbered from 2. */
function processesOf(script: string, stdin: string): number {
  const { stdout, stderr } = spawnSync('unshare', [...OWN_PIDS, '/bin/sh', '-c', script], {
    input: `${stdin}\n/bin/sh -c 'echo LAST $$'\n`,
    encoding: 'latin1',
  });
  const last = Number(/^LAST (\d+)$/m.exec(stdout)?.[1]);
  expect(last, stderr).to.be.greaterThan(1);
  return last - 2;
}

const asksOf = (questions: readonly Question<unknown>[]): readonly HostAsk[] => questions.flatMap(({ asks }) => asks).filter((ask) => ask.at === 'host');
const frameOf = (questions: readonly Question<unknown>[]): string =>
  compileFrame({ nonce: NONCE, steps: [], probe: compileProbe(asksOf(questions), `${NONCE}p`) });

const ONE = [text('/etc/passwd'), sysctlValue('vm.max_map_count')];
const MANY = [
  ...ONE,
  ...['/etc/group', '/etc/hostname', '/etc/fstab', '/bin/sh', '/nonexistent'].flatMap((path) => [text(path), stat(path)]),
  ...['fs.nr_open', 'kernel.ostype', 'kernel.pid_max'].map(sysctlValue),
];

/** What a check costs a host is counted, since time is the machine's. The shell is dash, as on Debian and Ubuntu. */
describe('processes that a check starts on a host', () => {
  it('none but the shell itself to begin with', () => {
    expect(processesOf('exec /bin/sh', '')).to.equal(0);
  });
  it('for the first command: grep for the facts', () => {
    expect(processesOf(compileBootstrap({ nonce: NONCE, probe: '' }), '')).to.equal(1);
  });
  it('for a file and a kernel setting: the probe, and one for each kind of question', () => {
    expect(processesOf('exec /bin/sh', frameOf(ONE))).to.equal(1 + 3);
  });
  it('for many of them: no more', () => {
    expect(processesOf('exec /bin/sh', frameOf(MANY))).to.equal(processesOf('exec /bin/sh', frameOf(ONE)));
  });
  it('digests are one kind more', () => {
    expect(processesOf('exec /bin/sh', frameOf([...MANY, sha256('/etc/passwd'), sha256('/etc/group')]))).to.equal(1 + 4);
  });
  it('few bytes travel for it', () => {
    expect(compileBootstrap({ nonce: NONCE, probe: '' }).length).to.be.at.most(2500);
    expect(frameOf(ONE).length).to.be.at.most(1500);
  });
});
