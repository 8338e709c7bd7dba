import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { daemon } from '../../lib/resources/index.mts';
import { change } from '../../lib/resources/resource.mts';
import { START_RECORD_SCRIPT } from '../../lib/resources/start-record.mts';
import { bytesOf } from '../../lib/secret.mts';
import { compileSteps } from '../../lib/shell/steps.mts';
import { answersOf, build, CASES, golden, loadCases, plain, scriptOf, type Case } from './cases.mts';

function judge(folder: string, wanted: Case): void {
  const resource = build(wanted);
  const answer = resource.differs.read(answersOf(resource, wanted.answers));
  if (answer.kind === 'unavailable') {
    expect(answer.reason).to.equal(wanted.unavailable);
    return;
  }
  expect(wanted.unavailable, 'it was available').to.equal(undefined);
  expect(plain(answer.value)).to.deep.equal(wanted.changes);
  const script = scriptOf(resource, answer.value);
  if (wanted.script !== undefined) expect(script).to.equal(golden(folder, wanted.script, script));
  const payloads = compileSteps(resource, answer.value).flatMap((step) =>
    step.at === 'host' ? step.payloads.map((content) => Buffer.from(bytesOf(content)).toString()) : [],
  );
  if (wanted.payloads !== undefined) expect(payloads).to.deep.equal(wanted.payloads);
}

describe('resources, by cases', () => {
  for (const { folder, cases } of loadCases()) {
    describe(folder, () => {
      for (const each of cases) {
        it(each.name, () => {
          judge(folder, each);
        });
      }
    });
  }
  it('a case that answers what nobody asks fails', () => {
    const wanted: Case = { name: 'x', want: ['absent', '/etc/x'], answers: { 'stat /etc/y': null }, changes: [] };
    expect(() => {
      judge('file', wanted);
    }).to.throw('nobody asks stat /etc/y');
  });
  it('a case that lacks an answer fails', () => {
    expect(() => {
      judge('file', { name: 'x', want: ['absent', '/etc/x'], answers: {}, changes: [] });
    }).to.throw('no answer for stat /etc/x');
  });
});

describe('generated scripts', () => {
  it('pass shellcheck', function () {
    this.timeout(60_000);
    const scripts = loadCases().flatMap(({ folder }) => readdirSync(join(CASES, folder)).flatMap((name) => (name.endsWith('.sh') ? [join(folder, name)] : [])));
    expect(scripts.length).to.be.greaterThan(5);
    // SC2034: positions that are read past. SC2317: `put` and `say` are called by some scripts only. SC2154: read by `read`.
    const ran = spawnSync('shellcheck', ['--shell=sh', '--exclude=SC2034,SC2317', '--severity=warning', ...scripts.map((name) => join(CASES, name))], {
      encoding: 'utf8',
    });
    expect(ran.error).to.equal(undefined);
    expect(ran.stdout).to.equal('');
  });

  it('so do the start record and a launcher', () => {
    const launcher = daemon('d', { user: 'kafka', start: ['/bin/true', "it's"], pidFile: '/run/d', inputs: [{ path: '/etc/x', content: '' }] });
    const scripts = compileSteps(launcher, [change('active', 'stopped', 'running')]).flatMap((step) => (step.at === 'host' ? [step.script] : []));
    for (const script of [START_RECORD_SCRIPT, ...scripts]) {
      // SC2034: read for the caller.
      const ran = spawnSync('shellcheck', ['--shell=sh', '--exclude=SC2034', '--severity=warning', '-'], { input: script, encoding: 'utf8' });
      expect(ran.error).to.equal(undefined);
      expect(ran.stdout).to.equal('');
    }
  });
});
