import { expect } from 'chai';
import { hostName } from '../../../lib/index.mts';
import { decide, type Situation } from '../../../roles/kafka/founding.mts';
import { readNode } from '../../../roles/kafka/node.mts';
import { blank, CLUSTER, formatted, known, peers, unasked } from './support.mts';

const situation = (states: Parameters<typeof peers>[0], more: Partial<Situation> = {}): Situation => ({
  wanted: undefined,
  controllers: ['c-1', 'c-2', 'c-3'].map(hostName),
  peers: peers(states),
  name: 'kafka',
  observed: false,
  ...more,
});
const data = known({ storage: formatted(1) });
const empty = known({ storage: blank });

describe('the id of a cluster', () => {
  it('is made when every controller was asked and nobody has data, the same for all', () => {
    const all = { 'c-1': empty, 'c-2': known({ seed: 'other' }), 'c-3': empty, 'b-9': empty };
    const first = decide(situation(all));
    expect(first.kind).to.equal('found');
    expect(first)
      .to.have.property('clusterId')
      .that.matches(/^[A-Za-z0-9_][\w-]{21}$/);
    expect(decide(situation(all))).to.deep.equal(first);
    expect(decide(situation({ ...all, 'c-1': known({ seed: 'machine two' }) }))).not.to.deep.equal(first);
    expect(decide(situation(all, { name: 'kafka two' }))).not.to.deep.equal(first);
  });
  it('never starts with a hyphen, which tools would take for an option', () => {
    for (let at = 0; at < 300; at += 1) {
      const found = decide(situation({ 'c-1': known({ seed: String(at) }), 'c-2': empty, 'c-3': empty }));
      expect(found.kind === 'found' && found.clusterId.length === 22 && !found.clusterId.startsWith('-'), String(at)).to.equal(true);
    }
  });
  it('is taken from whoever has it: a lone blank node joins', () => {
    const joining = { kind: 'join', clusterId: CLUSTER };
    expect(decide(situation({ 'c-1': empty, 'c-2': data, 'c-3': data }))).to.deep.equal(joining);
    expect(decide(situation({ 'c-1': empty, 'c-2': data, 'c-3': unasked }))).to.deep.equal(joining);
  });
  it('is not made while a controller could not be asked', () => {
    expect(decide(situation({ 'c-1': empty, 'c-2': unasked, 'c-3': empty }))).to.deep.equal({ kind: 'blocked', unasked: ['c-2'] });
    expect(decide(situation({ 'c-1': empty }))).to.deep.equal({ kind: 'blocked', unasked: ['c-2', 'c-3'] });
  });
  it('is not made beside brokers that have data of a cluster whose controllers are blank', () => {
    expect(decide(situation({ 'c-1': empty, 'c-2': empty, 'c-3': empty, 'b-9': data }))).to.deep.equal({ kind: 'lost', clusterId: CLUSTER, holders: ['b-9'] });
    expect(decide(situation({ 'c-1': empty, 'c-2': empty, 'c-3': unasked, 'b-9': data })).kind).to.equal('join');
  });
  it('is one: data of two is refused', () => {
    const other = known({ storage: formatted(2, 'xxxxxxxxxxxxxxxxxxxxxx') });
    expect(decide(situation({ 'c-1': data, 'c-2': other, 'c-3': empty })).kind).to.equal('several');
    expect(decide(situation({ 'c-1': data }, { wanted: 'xxxxxxxxxxxxxxxxxxxxxx' })).kind).to.equal('several');
  });
  it('is given where others run the controllers', () => {
    expect(decide(situation({ 'c-1': empty, 'c-2': empty, 'c-3': empty }, { observed: true })).kind).to.equal('blocked');
    expect(decide(situation({ 'c-1': empty, 'c-2': empty, 'c-3': empty }, { observed: true, wanted: CLUSTER }))).to.deep.equal({
      kind: 'join',
      clusterId: CLUSTER,
    });
  });
});

describe('what a node says about itself', () => {
  const META =
    'node /var/lib/kafka\n#\n#Tue Nov 24 09:48:51 UTC 2026\nnode.id=1\ndirectory.id=cBFsCKTOQGWxTWp9VEJIRg\nversion=1\ncluster.id=Db25pXvezFVHQaO_jsSwXA\n';
  const QUORUM = '{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}';
  it('is read from its files', () => {
    expect(readNode(`${META}quorum ${QUORUM}\nseed abc`, true)).to.deep.equal({
      storage: { kind: 'node', clusterId: 'Db25pXvezFVHQaO_jsSwXA', nodeId: 1, mode: 'kraft' },
      running: true,
      leader: 1,
      voters: [1],
      seed: 'abc',
    });
  });
  it('is blank without any, and foreign with other files', () => {
    expect(readNode('seed abc', false)).to.deep.equal({ storage: blank, running: false, leader: undefined, voters: [], seed: 'abc' });
    expect(readNode('foreign /data\nseed abc', false).storage).to.deep.equal({ kind: 'foreign', path: '/data' });
  });
  it('tells ZooKeeper data, and no leader', () => {
    expect(readNode('node /d\nbroker.id=3\nversion=0\ncluster.id=x\nseed a', true).storage).to.deep.equal({
      kind: 'node',
      clusterId: 'x',
      nodeId: 3,
      mode: 'zookeeper',
    });
    expect(readNode(`${META}quorum ${QUORUM.replace('"leaderId":1', '"leaderId":-1')}\nseed a`, true).leader).to.equal(undefined);
    expect(readNode(`${META}quorum {torn\nseed a`, true).voters).to.deep.equal([]);
  });
});
