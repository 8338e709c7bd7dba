/** However far a run came before it was killed, the next one ends where an undisturbed one does: the same files, and nothing restarted twice. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { Program, said, type Ended } from '../cli/program.mts';

const SHAPES = join(import.meta.dirname, 'shapes.mts');

/** Everything below `base` with modes and contents, but for what no two versions have alike. */
function stateOf(base: string, version: string): readonly string[] {
  const neutral = (text: string): string =>
    text
      .replaceAll(version, 'VERSION')
      .replaceAll(base, 'BASE')
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'DIGEST');
  return readdirSync(base, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== 'starts' && !/\/v\d+(\/|$)/.test(name.replace(version, 'VERSION')))
    .sort()
    .map((name) => {
      const path = join(base, name);
      const status = lstatSync(path);
      const content = status.isSymbolicLink() ? readlinkSync(path) : !status.isFile() ? '' : /pid/.test(name) ? 'PID' : readFileSync(path, 'utf8');
      return neutral(`${name} ${(status.mode & 0o7777).toString(8)} ${content}`);
    });
}

interface World {
  readonly program: Program;
  readonly bases: readonly string[];
  readonly upgrade: (version: string, env?: Readonly<Record<string, string>>) => Promise<Ended>;
}

async function withWorld(group: string, hosts: number, body: (world: World) => Promise<void>): Promise<void> {
  using program = new Program();
  await using stack = new AsyncDisposableStack();
  const sshds: Sshd[] = [];
  for (let each = 0; each < hosts; each += 1) sshds.push(stack.use(await startSshd(undefined, true)));
  const bases = sshds.map((_, index) => program.path(`host-${index.toString()}`));
  for (const base of bases) mkdirSync(base);
  const inventory = (version: string): string =>
    program.write(
      'inventory.yaml',
      `all:
  vars: {ansible_user: ${userInfo().username}}
  children:
    ${group}:
      hosts:
${sshds
  .map((sshd, index) => {
    const base = bases[index] ?? '';
    const own =
      group === 'members'
        ? `member_base: ${base}, member_version: ${version}`
        : `tree_base: ${base}, tree_version: ${version}, tree_archive: ${archiveOf(program, version)}, service_base: ${base}, service_version: ${version}`;
    return `        h${index.toString()}: {ansible_host: ${sshd.address}, ansible_port: ${sshd.port.toString()}, ansible_ssh_private_key_file: ${sshd.keyFile}, connection_known_hosts_file: ${sshd.knownHosts}, ${own}}`;
  })
  .join('\n')}
`,
    );
  await body({
    program,
    bases,
    upgrade: (version, env = {}) => program.run(SHAPES, ['-i', inventory(version), '--yes', '--events', 'events'], { env }),
  });
}

function archiveOf(program: Program, version: string): string {
  const folder = program.path(`source/${version}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'about'), `version ${version}\n`);
  const file = program.path(`${version}.tgz`);
  execFileSync('tar', ['-czf', file, '--mtime=2026-01-01', '-C', program.path('source'), version]);
  return file;
}

/** The steps of the run that has just been, in their order. */
const stepsIn = (program: Program): readonly string[] =>
  readFileSync(program.path('events'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"kind":"step.end"'))
    .map((line) => (JSON.parse(line) as { readonly resource: string }).resource);

/** The hosts' locks go with the steps, which have their time to end. */
async function untilFree(run: () => Promise<Ended>): Promise<Ended> {
  const until = performance.now() + 15_000;
  for (;;) {
    const ended = await run();
    if (ended.code !== 6 || performance.now() > until) return ended;
    await sleep(100);
  }
}

/** Upgrades from version to version, each killed at another step and then finished, and compares with one that nobody disturbed. */
async function killedEverywhere({ program, bases, upgrade }: World, how: 'CRASH_AFTER' | 'CRASH_IN'): Promise<void> {
  for (const version of ['v1000', 'v1001']) {
    const ended = await upgrade(version);
    expect(ended.code, said(ended)).to.equal(0);
  }
  const steps = stepsIn(program);
  expect(steps.length).to.be.greaterThan(5);
  const undisturbed = bases.map((base) => stateOf(base, 'v1001'));
  const versions = ['v1000', 'v1001'];
  for (let step = 1; step <= steps.length; step += 1) {
    const version = `v${(1001 + step).toString()}`;
    versions.push(version);
    const killed = await upgrade(version, { [how]: step.toString() });
    expect(killed.code, `${how} ${step.toString()}: ${said(killed)}`).to.equal(null);
    const next = await untilFree(() => upgrade(version));
    expect(next.code, `after ${how} ${step.toString()}: ${said(next)}`).to.equal(0);
    expect(said(next), `${how} ${step.toString()}`).to.include('ended in the middle of');
    expect(
      bases.map((base) => stateOf(base, version)),
      `${how} ${step.toString()}`,
    ).to.deep.equal(undisturbed);
  }
  for (const base of bases) {
    const starts = readFileSync(join(base, 'starts'), 'utf8').trimEnd().split('\n');
    expect([...new Set(starts)]).to.deep.equal(versions.map((version) => `version ${version}`));
    // One that was killed while it restarts has to be restarted again: its host had begun with that before it missed this program.
    for (const twice of starts.filter((start, index) => starts.indexOf(start) !== index)) {
      const killedAt = versions.indexOf(twice.replace('version ', '')) - 1;
      expect([steps[killedAt - 1], steps[killedAt]], `${how} ${killedAt.toString()} restarted twice`).to.include('daemon worker');
    }
  }
  const last = await upgrade(versions.at(-1) ?? '');
  expect([last.code, stepsIn(program)], said(last)).to.deep.equal([0, []]);
}

describe('command line: a run that is killed', function () {
  this.timeout(600_000);
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  for (const how of ['CRASH_AFTER', 'CRASH_IN'] as const)
    for (const [what, group, hosts] of [
      ['files, an archive and a process that is restarted', 'singles', 1],
      ['members that are restarted one after the other', 'members', 2],
    ] as const)
      it(`${how === 'CRASH_AFTER' ? 'after' : 'in'} any step of ${what} is finished by the next`, () =>
        withWorld(group, hosts, (world) => killedEverywhere(world, how)));
});
