import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { osLimits, parseProcessLimits } from '../../../roles/os-limits/contract.mts';
import { limitsFile } from '../../../roles/os-limits/limits.mts';
import { refusals } from '../../../roles/os-limits/refusals.mts';
import role from '../../../roles/os-limits/role.mts';
import { MANAGER_FILE, readDefaults } from '../../../roles/os-limits/systemd.mts';
import { judgeSession, mapCount, readSession } from '../../../roles/os-limits/verify.mts';
import { context, find, inventory, steps } from '../support.mts';

const one = (vars: string) => inventory(`all:\n  hosts:\n    a: ${vars}\n`);
const LIMITS = 'file /etc/security/limits.d/90-kafka-elastic-monitoring.conf';

describe('the limits file', () => {
  it("says the tutorial's four lines", () => {
    const lines = limitsFile({ nofile: 70000 })
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).to.have.members(['* soft nofile 70000', '* hard nofile 70000', 'root soft nofile 70000', 'root hard nofile 70000']);
  });
  it('says others only when they are given', () => {
    expect(limitsFile({ nofile: 70000, nproc: 8192, memlock: 'unlimited' }))
      .to.include('root hard nproc 8192\n')
      .and.to.include('* soft memlock unlimited\n');
  });
});

describe('what os-limits refuses', () => {
  const facts = { os: 'debian', version: '12', nrOpen: 1048576 };
  it('nothing, when all is well', () => {
    expect(refusals({ nofile: 1048576 }, facts)).to.deep.equal([]);
  });
  it('more open files than the kernel has: nobody could log in any more', () => {
    expect(refusals({ nofile: 1048577 }, facts)[0]?.reason).to.match(/1048577 is above fs\.nr_open 1048576/);
  });
  it('CentOS 7, with the reason', () => {
    expect(refusals({ nofile: 70000 }, { ...facts, os: 'centos', version: '7' })[0]?.reason).to.match(/centos 7 is out of support/);
    expect(refusals({ nofile: 70000 }, { ...facts, os: 'centos', version: '7.9.2009' })).to.have.length(1);
    expect(refusals({ nofile: 70000 }, { ...facts, os: 'rocky', version: '9.4' })).to.deep.equal([]);
  });
});

describe('the os-limits role', () => {
  it('writes limits and the kernel setting', () => {
    const some = role.resources(context(osLimits, one('{os_limits_nofile: 80000}'), 'a'));
    expect(some.map(({ id }) => id)).to.deep.equal([LIMITS, `file ${MANAGER_FILE}`, 'systemd default limits', 'sysctl vm.max_map_count']);
    expect(steps(find(some, `file ${MANAGER_FILE}`))).to.include('DefaultLimitNOFILE=80000');
    expect(steps(find(some, LIMITS))).to.include('* hard nofile 80000');
  });

  it('gives as many open files as the tutorial where root may raise the limit of sessions, and no more than they have where nobody may', () => {
    const here = context(osLimits, one('{os_limits_nofile: auto}'), 'a');
    const files = (facts: Partial<typeof here.facts>): string =>
      steps(find(role.resources({ ...here, facts: { ...here.facts, ...facts } }), `file ${MANAGER_FILE}`));
    const limits = { ...here.facts.limits, nofile: { soft: 1024, hard: 4096 } };
    expect(files({ limits, mayRaiseLimits: true })).to.include('DefaultLimitNOFILE=70000');
    expect(files({ limits, mayRaiseLimits: true, nrOpen: 65536 })).to.include('DefaultLimitNOFILE=65536');
    expect(files({ limits, mayRaiseLimits: false })).to.include('DefaultLimitNOFILE=4096');
  });

  it('sets no default for services where systemd is absent', () => {
    const here = context(osLimits, one('{}'), 'a');
    const some = role.resources({ ...here, facts: { ...here.facts, init: 'none' } });
    expect(some.map(({ id }) => id)).to.deep.equal([LIMITS, 'sysctl vm.max_map_count']);
  });

  it('judges the default for services by what systemd has loaded', () => {
    expect(readDefaults('DefaultLimitNOFILE=70000\nDefaultLimitNOFILESoft=70000\n', 70000)).to.deep.equal([]);
    expect(readDefaults('DefaultLimitNOFILE=524288\nDefaultLimitNOFILESoft=1024\n', 70000).map(({ field }) => field)).to.deep.equal([
      'DefaultLimitNOFILE',
      'DefaultLimitNOFILESoft',
    ]);
    expect(readDefaults('', 70000)).to.have.length(2);
  });

  it('tries a limit before it writes it, in every shell', () => {
    const script = /^wanted=.*\n\(ulimit.*$/m.exec(steps(find(role.resources(context(osLimits, one('{os_limits_nofile: 4096}'), 'a')), LIMITS)))?.[0] ?? '';
    expect(script).to.match(/^wanted='?4096'?\n/);
    for (const [shell, ...rest] of [['dash'], ['bash'], ['busybox', 'sh']] as const) {
      const run = (limit: number) =>
        spawnSync(
          'sh',
          [
            '-c',
            `ulimit -n 1024; exec "$@"`,
            'sh',
            'setpriv',
            '--bounding-set',
            '-sys_resource',
            '--inh-caps',
            '-sys_resource',
            shell,
            ...rest,
            '-c',
            script.replaceAll('4096', String(limit)),
          ],
          { encoding: 'utf8' },
        );
      expect(run(1024).status, shell).to.equal(0);
      const refused = run(2 ** 30);
      expect(refused.status, shell).to.equal(1);
      expect(refused.stderr, shell).to.match(
        /^this host does not grant \d+ open files \(its hard limit is 1024\): writing that limit would end every login; lower os_limits_nofile\n$/,
      );
    }
  });
});

describe('limits of a new session', () => {
  const session = (nofile: string, capabilities: string) =>
    readSession(`Limit                     Soft Limit           Hard Limit           Units
Max processes             96365                unlimited            processes
Max open files            ${nofile}                files
Max locked memory         8388608              8388608              bytes
Name:\tcat
CapEff:\t${capabilities}
`);
  const ROOT = '000001ffffffffff';
  const LESS = '000001fffeffffff';

  it('are read', () => {
    expect(session('1024 20000', ROOT)).to.deep.equal({
      nofile: { soft: 1024, hard: 20000 },
      nproc: { soft: 96365, hard: Infinity },
      memlock: { soft: 8388608, hard: 8388608 },
      mayRaise: true,
    });
    expect(session('1024 20000', LESS).mayRaise).to.equal(false);
    expect(parseProcessLimits('').nofile.soft).to.be.NaN;
  });

  it('are read from this very machine', () => {
    const here = parseProcessLimits(readFileSync('/proc/self/limits', 'utf8'));
    expect(here.nofile.soft).to.equal(Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })));
  });

  it('suffice, or why they do not', () => {
    expect(judgeSession({ nofile: 70000 }, session('70000 70000', ROOT))).to.include({ kind: 'pass' });
    expect(judgeSession({ nofile: 70000 }, session('unlimited unlimited', ROOT))).to.include({ kind: 'pass' });
    const ignored = judgeSession({ nofile: 70000 }, session('1024 1048576', ROOT));
    expect(ignored).to.include({ kind: 'fail', expected: '70000 open files', found: '1024/1048576 open files (soft/hard) in a new session' });
    expect(ignored)
      .to.have.property('hint')
      .that.matches(/UsePAM no/);
    expect(judgeSession({ nofile: 70000 }, session('1024 20000', LESS)))
      .to.have.property('hint')
      .that.matches(/no CAP_SYS_RESOURCE.*lower os_limits_nofile to 20000/);
    expect(judgeSession({ nofile: 1024, memlock: 'unlimited' }, session('1024 20000', ROOT))).to.include({ expected: 'unlimited bytes of locked memory' });
    expect(judgeSession({ nofile: 1024, memlock: 8192 }, session('1024 20000', ROOT))).to.include({ kind: 'pass' });
    expect(judgeSession({ nofile: 70000 }, session('? ?', ROOT))).to.include({
      kind: 'fail',
      found: 'unknown/unknown open files (soft/hard) in a new session',
    });
  });

  it('are asked in a session of their own', () => {
    const asks = role.verify?.(context(osLimits, one('{}'), 'a')).find(({ id }) => id === 'session-limits')?.ask.asks ?? [];
    expect(asks).to.have.length(1);
    expect(asks[0]).to.include({ at: 'host', fresh: true });
  });

  it('of memory maps are those of the running kernel', () => {
    expect(mapCount(262144).judge('262144', '0').kind).to.equal('pass');
    expect(mapCount(262144).judge('1048576', '0').kind).to.equal('pass');
    expect(mapCount(262144).judge('65530', '0')).to.include({ kind: 'fail', found: '65530' });
    expect(mapCount(262144).judge(undefined, undefined).kind).to.equal('fail');
  });
});
