import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { sshArgv, statusTable } from '../../../roles/lab-hosts/cli.mts';
import { judgeMachine, toMake, type Machine, type ToMake } from '../../../roles/lab-hosts/preflight.mts';
import { hostChanges, readDocument, readLabStatus, type LabStatus, type MadeHost } from '../../../roles/lab-hosts/status.mts';
import { neighbours, wantedHost, wantedHosts } from '../../../roles/lab-hosts/wanted.mts';
import { differing } from '../../../roles/lab-image/archives.mts';
import { z } from 'zod';
import { hostOf, inventory } from '../support.mts';

const BIN = join(import.meta.dirname, '../../../roles/lab-hosts/bin');
const ES_01 = { name: 'es-01', address: '127.77.0.11', port: 22022 };
const NEAR = 'es-01=127.77.0.11,es-02=127.77.0.12';

const made = (more: Partial<MadeHost> = {}): MadeHost => ({ ...ES_01, image: 'bookworm-1', state: 'running', listening: true, neighbours: NEAR, ...more });
const status = (...hosts: readonly MadeHost[]): LabStatus => ({ user: 'ops', supervisor: 'lab', openFiles: 524288, hosts: [...hosts] });

describe('how a host of the lab differs', () => {
  const cases: readonly { readonly name: string; readonly found: readonly MadeHost[]; readonly fields: readonly string[]; readonly disrupts?: true }[] = [
    { name: 'as wanted', found: [made()], fields: [] },
    { name: 'not made', found: [made({ name: 'es-02' })], fields: ['host'] },
    { name: 'stopped', found: [made({ state: 'stopped', listening: false })], fields: ['state'] },
    { name: 'stopped, while something else listens at its address', found: [made({ state: 'stopped' })], fields: ['state'] },
    { name: 'running, but sshd is not', found: [made({ listening: false })], fields: ['state'], disrupts: true },
    { name: 'without its supervisor', found: [made({ state: 'unsupervised' })], fields: ['state'], disrupts: true },
    { name: 'at another address', found: [made({ address: '127.77.0.99' })], fields: ['address'], disrupts: true },
    { name: 'at another port', found: [made({ port: 2222 })], fields: ['address'], disrupts: true },
    { name: 'made from an older image', found: [made({ image: 'bookworm-0' })], fields: [] },
    { name: 'ignorant of a neighbour', found: [made({ neighbours: 'es-01=127.77.0.11' })], fields: ['/etc/hosts'] },
  ];
  for (const { name, found, fields, disrupts } of cases) {
    it(name, () => {
      const changes = hostChanges(ES_01, NEAR, status(...found));
      expect(changes.map(({ field }) => field)).to.deep.equal(fields);
      expect(changes.some((one) => one.disrupts === true)).to.equal(disrupts === true);
    });
  }
});

describe('what a program of the lab printed', () => {
  const cases: readonly { readonly name: string; readonly output: { code: number; stdout: string; stderr: string }; readonly reason: string }[] = [
    { name: 'a failure says why', output: { code: 1, stdout: '', stderr: 'no room\n' }, reason: 'no room' },
    { name: 'a silent failure has its code', output: { code: 9, stdout: '', stderr: '' }, reason: 'exit code 9' },
    { name: 'half a document is shown', output: { code: 0, stdout: '{"user":', stderr: '' }, reason: 'unexpected output: {"user":' },
    { name: 'another document is shown', output: { code: 0, stdout: '{}', stderr: '' }, reason: 'unexpected output: {}' },
  ];
  for (const { name, output, reason } of cases) it(name, () => expect(readLabStatus(output)).to.deep.equal({ kind: 'unavailable', reason }));

  it('is read as it is', () => {
    expect(readDocument({ code: 0, stdout: '{"a":1}', stderr: 'noise' }, z.object({ a: z.int() }))).to.deep.equal({ kind: 'known', value: { a: 1 } });
  });
});

const MACHINE: Machine = {
  system: 'Linux',
  root: true,
  mayMount: true,
  overlay: true,
  cgroups: true,
  memoryKib: 8 << 20,
  diskKib: 20 << 20,
  fileSystem: 'ext2/ext3',
  listeners: [],
};
const LISTENER = { address: '0.0.0.0', port: 9200, process: 'java', pid: 4711, labHost: '' };
const WISH: ToMake = { hosts: [ES_01], memoryKib: 900 * 1024, image: true, listeners: [{ host: 'es-01', address: '127.77.0.11', port: 9200 }] };

describe('whether a lab can be made here', () => {
  const cases: readonly {
    readonly name: string;
    readonly machine: Parameters<typeof judgeMachine>[0];
    readonly wish?: Partial<ToMake>;
    readonly reason?: RegExp;
  }[] = [
    { name: 'a fit machine', machine: MACHINE },
    { name: 'macOS', machine: { system: 'Darwin' }, reason: /needs Linux, and this is macOS/ },
    { name: 'macOS, with nothing to make', machine: { system: 'Darwin' }, wish: { hosts: [], image: false } },
    { name: 'no root', machine: { ...MACHINE, root: false }, reason: /needs root/ },
    { name: 'an unprivileged container', machine: { ...MACHINE, mayMount: false }, reason: /may not mount/ },
    { name: 'no overlay', machine: { ...MACHINE, overlay: false }, reason: /no overlay/ },
    { name: 'no cgroups', machine: { ...MACHINE, cgroups: false }, reason: /cgroup version 2/ },
    { name: 'a directory on an overlay', machine: { ...MACHINE, fileSystem: 'overlayfs' }, reason: /on overlayfs/ },
    { name: 'little memory', machine: { ...MACHINE, memoryKib: 100_000 }, reason: /1 more host of the lab take 0\.9 GiB of memory, and 0\.1 GiB are free/ },
    { name: 'little disk', machine: { ...MACHINE, diskKib: 1 << 20 }, reason: /1\.9 GiB of disk, and 1\.0 GiB/ },
    { name: 'enough disk where the image exists', machine: { ...MACHINE, diskKib: 1 << 20 }, wish: { image: false } },
    {
      name: 'a wildcard listener',
      machine: { ...MACHINE, listeners: [LISTENER] },
      reason: /es-01 is to serve 127\.77\.0\.11:9200, but java \(pid 4711\) already listens on 0\.0\.0\.0:9200/,
    },
    { name: 'a wildcard listener of IPv6', machine: { ...MACHINE, listeners: [{ ...LISTENER, address: '*' }] }, reason: /\*:9200/ },
    { name: 'a listener on the very address', machine: { ...MACHINE, listeners: [{ ...LISTENER, address: '127.77.0.11' }] }, reason: /java/ },
    { name: 'a Java one, as IPv6 writes it', machine: { ...MACHINE, listeners: [{ ...LISTENER, address: '[::ffff:127.77.0.11]' }] }, reason: /java/ },
    { name: 'a listener whose owner is hidden', machine: { ...MACHINE, listeners: [{ ...LISTENER, process: '', pid: 0 }] }, reason: /does not show itself/ },
    { name: 'a listener on another address', machine: { ...MACHINE, listeners: [{ ...LISTENER, address: '127.0.0.1' }] } },
    { name: 'a listener on another port', machine: { ...MACHINE, listeners: [{ ...LISTENER, port: 9201 }] } },
    { name: 'what is left of the host itself', machine: { ...MACHINE, listeners: [{ ...LISTENER, address: '127.77.0.11', labHost: 'es-01' }] } },
  ];
  for (const { name, machine, wish, reason } of cases) {
    it(name, () => {
      const refusals = judgeMachine(machine, { ...WISH, ...wish });
      expect(refusals.map(({ kind }) => kind)).to.deep.equal(reason === undefined ? [] : ['usage']);
      if (reason !== undefined) expect(refusals[0]?.reason).to.match(reason);
    });
  }
});

const TWO = (vars = ''): string => `all:
  vars: { host_provider: lab, ansible_user: ops, ansible_port: 22022${vars} }
  children:
    es_masters:
      hosts: { es-01: { ansible_host: 127.77.0.11 }, es-02: { ansible_host: 127.77.0.12 } }
    other:
      hosts: { away: { ansible_host: 10.0.0.1, host_provider: gcp } }
`;

describe('hosts that the lab makes', () => {
  it('are those of its provider, and know each other', () => expect(neighbours(wantedHosts(inventory(TWO())))).to.equal(NEAR));

  it('are made only where they are not up', () => {
    const image = { image: 'bookworm-1', hasImage: true, hasKey: true, missingPackages: '' };
    const { hosts, listeners, image: needsImage } = toMake(inventory(TWO()), status(made()), image);
    expect(hosts.map(({ name }) => name)).to.deep.equal(['es-02']);
    expect(listeners.map(({ port }) => port)).to.deep.equal([22022, 9200, 9300]);
    expect(needsImage).to.equal(false);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['ansible_user: root', /login user root/],
    ['ansible_port: 22', /ssh port 22/],
    ['ansible_host: 10.1.2.3', /address 10\.1\.2\.3/],
    ['ansible_connection: local', /ansible_connection: local/],
  ];
  for (const [setting, problem] of wrong) {
    it(`cannot have ${setting}`, () => {
      const found = wantedHost(
        hostOf(
          inventory(
            `all: { hosts: { a: { host_provider: lab, ansible_host: 127.77.0.9, ansible_user: ops, ansible_port: 22022 } } }`.replace(
              new RegExp(`${setting.split(':')[0] ?? ''}: [^,}]+|(?= } } })`),
              (old) => (old === '' ? `, ${setting}` : setting),
            ),
          ),
          'a',
        ),
      );
      expect('problem' in found ? found.problem : '').to.match(problem);
    });
  }
});

describe('the archive that the lab keeps', () => {
  const cases = [
    ['auto', 'missing', 1],
    ['auto', 'outdated', 1],
    ['auto', 'official', 0],
    ['auto', 'assembled', 0],
    ['assembled', 'official', 1],
    ['assembled', 'missing', 1],
    ['assembled', 'outdated', 1],
    ['assembled', 'assembled', 0],
  ] as const;
  for (const [source, found, changes] of cases)
    it(`${source} wanted, ${found}: ${changes === 0 ? 'stays' : 'is made'}`, () => expect(differing(source, found)).to.have.length(changes));
});

describe('lab status', () => {
  it('has one line a host', () => {
    const table = statusTable(
      status(
        made(),
        made({ name: 'kafka-monitoring', state: 'unsupervised' }),
        made({ name: 'b', listening: false }),
        made({ name: 'c', state: 'stopped', listening: false }),
      ),
    );
    expect(table).to.equal(`HOST              ADDRESS            STATE
es-01             127.77.0.11:22022  running
kafka-monitoring  127.77.0.11:22022  unsupervised: would not come back from a reboot
b                 127.77.0.11:22022  running, does not answer
c                 127.77.0.11:22022  stopped
`);
  });
  it('says what a machine does not grant', () =>
    expect(statusTable({ ...status(made()), openFiles: 20000 })).to.include('no process more than 20000 open files'));
  it('says how a lab is made where there is none', () => expect(statusTable(status())).to.include('lab.mts up'));
});

describe('lab ssh', () => {
  it('reaches a shell without a command', () => {
    const argv = sshArgv('ops', made(), '/a b/.lab', []);
    expect(argv.slice(0, 3)).to.deep.equal(['ssh', '-F', 'none']);
    expect(argv.slice(-5)).to.deep.equal(['-i', '/a b/.lab/id_ed25519', '-p', '22022', 'ops@127.77.0.11']);
  });

  it('hands every word over as it is, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'binary' }).filter((word) => !word.includes('\0')),
          { minLength: 1, maxLength: 5 },
        ),
        (words) => {
          const remote = sshArgv('ops', made(), '/lab', ['printf', '%s\\0', ...words]).at(-1) ?? '';
          const { stdout } = spawnSync('sh', ['-c', remote], { encoding: 'utf8' });
          expect(stdout).to.equal(words.map((word) => `${Buffer.from(word).toString('utf8')}\0`).join(''));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('programs of the lab', () => {
  const programs = readdirSync(BIN).filter((name) => name.endsWith('.sh'));

  it('pass shellcheck', () => {
    const { stdout, status: code } = spawnSync(
      'shellcheck',
      ['--shell=sh', '--external-sources', '--source-path=SCRIPTDIR', '--severity=warning', ...programs.map((name) => join(BIN, name))],
      { encoding: 'utf8' },
    );
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: '' });
  });

  for (const shell of [['dash'], ['bash', '--posix'], ['busybox', 'sh']] as const) {
    it(`are understood by ${shell[0]}`, () => {
      const [file, ...rest] = shell;
      for (const name of programs) expect(spawnSync(file, [...rest, '-n', join(BIN, name)], { encoding: 'utf8' }).stderr, name).to.equal('');
    });
    it(`print a status in ${shell[0]} where there is no lab`, () => {
      const [file, ...rest] = shell;
      const { stdout, stderr } = spawnSync(file, [...rest, join(BIN, 'lab-host.sh'), '/nonexistent/lab', 'status'], { encoding: 'utf8' });
      expect(readLabStatus({ code: 0, stdout, stderr })).to.deep.include({ kind: 'known' });
      expect(stderr).to.equal('');
    });
  }

  const bad = [
    ['up', '../x', '127.77.0.1', '22022', ''],
    ['up', 'es-01', '10.0.0.1', '22022', ''],
    ['up', 'es-01', '127.77.0.1;id', '22022', ''],
    ['up', 'es-01', '127.77.0.1', '22 22', ''],
    ['up', 'UPPER', '127.77.0.1', '22022', ''],
    ['nonsense'],
  ];
  for (const words of bad) {
    it(`refuse ${words.join(' ')}`, () => {
      const { status: code, stderr } = spawnSync('sh', [join(BIN, 'lab-host.sh'), '/nonexistent/lab', ...words], { encoding: 'utf8' });
      expect(code).to.equal(1);
      expect(stderr.trim().split('\n')).to.have.length(1);
    });
  }
});
