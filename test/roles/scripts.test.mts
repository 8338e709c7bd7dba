import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { hostName, type AnyHostRole, type Answer, type Ask, type Facts, type HostName } from '../../lib/index.mts';
import type { ElasticsearchVars } from '../../roles/elasticsearch/contract.mts';
import type { NodeState } from '../../roles/elasticsearch/node.mts';
import { elasticsearch, java, kafkaManager, kibana, kibanaDashboards, osLimits } from '../../roles/index.mts';
import { context, hostOf, steps, threeMasters } from './support.mts';

const fresh: Answer<NodeState> = { kind: 'known', value: { fresh: true, running: false, clusterUuid: undefined, master: undefined, nodes: [] } };
const member: Answer<NodeState> = { kind: 'known', value: { fresh: false, running: true, clusterUuid: 'u', master: 'es-01', nodes: [] } };
const SHELLS: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];

/** The context of any role: what its peers are is the role's own affair. */
const peersOf = (state: Answer<NodeState>): ReadonlyMap<HostName, Answer<never>> =>
  new Map(['es-01', 'es-02', 'es-03'].map((name) => [hostName(name), state as Answer<never>]));

/** Every script that a role asks with or takes steps with. */
function scripts(role: AnyHostRole, facts: Partial<Facts>, state: Answer<NodeState>): readonly string[] {
  const from = threeMasters();
  const here = context(role.contract, from, 'es-02', facts, peersOf(state));
  const resources = [...role.resources(here), ...(role.rollout?.during?.(here) ?? [])];
  const checks = [...(role.verify?.(here) ?? []), ...(role.ready?.(here) ?? []), ...(role.rollout?.gate(here) ?? [])];
  const questions = [
    ...resources.map(({ differs }) => differs),
    ...checks.map(({ ask }) => ask),
    ...(role.diagnose === undefined ? [] : [role.diagnose(here)]),
    ...(role.peers === undefined ? [] : [role.peers.ask(hostOf(from, 'es-02'), from)]),
  ];
  const asked = questions.flatMap(({ asks }) => asks).flatMap((ask: Ask) => (ask.at === 'host' && ask.kind === 'shell' ? [ask.key] : []));
  return [...new Set([...asked, ...resources.map(steps).filter((text) => text !== '' && !text.startsWith('{'))])];
}

describe('scripts of the roles', () => {
  const worlds: readonly (readonly [string, Partial<Facts>, Answer<NodeState>])[] = [
    ['on an empty host', {}, fresh],
    ['on a member', {}, member],
    ['without systemd', { init: 'none' }, fresh],
  ];
  for (const role of [osLimits, java, elasticsearch, kibana, kibanaDashboards, kafkaManager] as readonly AnyHostRole[]) {
    for (const [what, facts, state] of worlds) {
      it(`of ${role.name} ${what} are POSIX`, () => {
        const all = scripts(role, facts, state);
        expect(all).not.to.deep.equal([]);
        for (const [shell, ...rest] of SHELLS) {
          for (const script of all) expect(spawnSync(shell, [...rest, '-n'], { input: script, encoding: 'utf8' }).stderr, script).to.equal('');
        }
      });
    }
  }

  it('that only look end well where there is nothing to see', () => {
    const from = threeMasters();
    const here = context<ElasticsearchVars, NodeState>(elasticsearch.contract, from, 'es-02');
    const asks = elasticsearch.diagnose?.(here).asks ?? [];
    for (const ask of asks) {
      if (ask.at !== 'host' || ask.kind !== 'shell') continue;
      for (const [shell, ...rest] of SHELLS) {
        const { status, stderr } = spawnSync(
          shell,
          [
            ...rest,
            '-c',
            `${ask.key}
:`,
          ],
          { encoding: 'utf8' },
        );
        expect({ status, stderr }, ask.key).to.deep.equal({ status: 0, stderr: '' });
      }
    }
  });
});
