import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type { AnyHostRole, Ask, Change } from '../../../lib/index.mts';
import { compileSteps } from '../../../lib/shell/steps.mts';
import { logstash, logstashJmx, tracksConsumer, tracksProducer } from '../../../roles/index.mts';
import { SHELLS } from '../../shell/hostlike.mts';
import { context } from '../support.mts';
import { chain } from './world.mts';

const HOSTS: readonly (readonly [AnyHostRole, string])[] = [
  [logstash, 'mon'],
  [logstashJmx, 'mon'],
  [tracksProducer, 'client-01'],
  [tracksConsumer, 'client-01'],
];

describe('scripts of Logstash and what runs on it', () => {
  for (const [role, host] of HOSTS) {
    const here = context(role.contract, chain(), host);
    const resources = role.resources(here);
    const questions = [
      ...resources.map(({ differs }) => differs),
      ...[...(role.verify?.(here) ?? []), ...(role.ready?.(here) ?? [])].map(({ ask }) => ask),
      ...(role.diagnose === undefined ? [] : [role.diagnose(here)]),
    ];
    const asked = [...new Set(questions.flatMap(({ asks }) => asks).flatMap((ask: Ask) => (ask.at === 'host' && ask.kind === 'shell' ? [ask.key] : [])))];
    const changes = ['content', 'active', 'unpacked', 'installed', 'jars', 'exists'].map((field): Change => ({
      field,
      from: { kind: 'absent' },
      to: { kind: 'absent' },
    }));
    const done = resources.flatMap((resource) => compileSteps(resource, changes)).flatMap((step) => (step.at === 'host' ? [step.script] : []));

    it(`of ${role.name} are POSIX`, () => {
      for (const [shell, ...rest] of Object.values(SHELLS)) {
        for (const script of [...asked, ...done]) expect(spawnSync(shell, [...rest, '-n'], { input: script, encoding: 'utf8' }).stderr, script).to.equal('');
      }
    });

    it(`of ${role.name} that only look say nothing but what was asked, where there is nothing to see`, function () {
      this.timeout(30_000);
      for (const script of asked) {
        const { stderr } = spawnSync('dash', ['-c', `{ ${script}\n} 2>&1 >/dev/null`], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
        expect(stderr, script).to.equal('');
      }
    });
  }
});
