import { expect } from 'chai';
import fc from 'fast-check';
import { hostName, type Answer, type HostName } from '../../../lib/index.mts';
import { bootstrap, matches, strangers, type Bootstrap } from '../../../roles/elasticsearch/bootstrap.mts';
import type { NodeState } from '../../../roles/elasticsearch/node.mts';

const node = (more: Partial<NodeState>): Answer<NodeState> => ({
  kind: 'known',
  value: { fresh: false, running: false, clusterUuid: undefined, master: undefined, nodes: [], ...more },
});
const STATES = {
  empty: node({ fresh: true }),
  /** Runs, waits for a cluster, never was in one. */
  waiting: node({ fresh: true, running: true }),
  member: node({ running: true, clusterUuid: 'u', master: 'b' }),
  stopped: node({}),
  unasked: { kind: 'unavailable', reason: 'no route' },
} as const satisfies Record<string, Answer<NodeState>>;
type State = keyof typeof STATES;

const world = (states: readonly State[]): ReadonlyMap<HostName, Answer<NodeState>> =>
  new Map(states.map((state, at) => [hostName('abcde'.charAt(at)), STATES[state]]));
const decide = (self: string, ...states: State[]): Bootstrap['kind'] => bootstrap(hostName(self), world(states)).kind;

describe('founding a cluster', () => {
  const table: readonly (readonly [what: string, self: string, states: readonly State[], decision: Bootstrap['kind']])[] = [
    ['three empty nodes', 'a', ['empty', 'empty', 'empty'], 'found'],
    ['one empty node alone', 'a', ['empty'], 'found'],
    ['refused first starts left files behind', 'b', ['waiting', 'empty', 'waiting'], 'found'],
    ['a lone wiped node beside a cluster', 'a', ['empty', 'member', 'member'], 'join'],
    ['a lone wiped node, the others stopped', 'a', ['empty', 'stopped', 'stopped'], 'join'],
    ['two of three wiped', 'a', ['empty', 'empty', 'stopped'], 'join'],
    ['all stopped', 'a', ['stopped', 'stopped', 'stopped'], 'join'],
    ['one empty, one unasked', 'a', ['empty', 'unasked', 'empty'], 'blocked'],
    ['all others unasked', 'a', ['empty', 'unasked', 'unasked'], 'blocked'],
    ['one unasked, but there is a cluster', 'a', ['empty', 'unasked', 'member'], 'join'],
    ['the node itself could not be looked at', 'a', ['unasked', 'empty'], 'blocked'],
    ['one unasked, but there is data', 'a', ['empty', 'unasked', 'stopped'], 'join'],
    ['a node of the data tier, which founds nothing', 'z', ['unasked', 'member'], 'join'],
    ['a node of the data tier while others found', 'z', ['empty', 'empty'], 'join'],
    ['a new master joins', 'd', ['member', 'member', 'member', 'empty'], 'join'],
  ];
  for (const [what, self, states, decision] of table) {
    it(`${what}: ${decision}`, () => {
      expect(decide(self, ...states)).to.equal(decision);
    });
  }

  it('never happens while anybody has data, is in a cluster, or was not asked', () => {
    const state = fc.constantFrom<State[]>('empty', 'waiting', 'member', 'stopped', 'unasked');
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 5 }), (states) => {
        const found = decide('a', ...states) === 'found';
        expect(found).to.equal(states.every((each) => each === 'empty' || each === 'waiting'));
      }),
    );
  });

  it('is decided the same by every candidate', () => {
    const state = fc.constantFrom<State[]>('empty', 'waiting', 'member', 'stopped');
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 5 }), (states) => {
        const decisions = new Set(states.map((_, at) => decide('abcde'.charAt(at), ...states)));
        expect(decisions.size).to.equal(1);
      }),
    );
  });
});

describe('entries of initial_master_nodes', () => {
  const nodes = [
    { name: 'kafka-monitoring', address: '10.0.0.31', transportPort: 9300 },
    { name: 'es-02', address: 'fd00::2', transportPort: 9301 },
  ];
  const cases: readonly (readonly [string, boolean])[] = [
    ['kafka-monitoring', true],
    ['10.0.0.31', true],
    ['10.0.0.31:9300', true],
    ['fd00::2', true],
    ['[fd00::2]:9301', true],
    ['10.0.0.31:9301', false],
    ['kafka-monitoring:9300', false],
    ['34.64.85.12', false],
    ['kakfa-monitoring', false],
    ['KAFKA-MONITORING', false],
  ];
  for (const [entry, is] of cases) it(`${entry} is ${is ? 'a node' : 'nobody'}`, () => expect(nodes.some((each) => matches(entry, each))).to.equal(is));

  it('strangers come with the nearest name', () => {
    expect(strangers(['kakfa-monitoring', 'es-02'], nodes, (_, names) => names[0])).to.deep.equal([{ entry: 'kakfa-monitoring', meant: 'kafka-monitoring' }]);
  });
});
