import { expect } from 'chai';
import { loadedFounders } from '../../../roles/elasticsearch/late-founder.mts';

const answered = (settings: object, status = 200) =>
  ({ kind: 'answered', status, body: JSON.stringify({ nodes: { a1: { name: 'es-01', settings } } }) }) as const;

describe('the founders that a waiting node was started with', () => {
  it('are a list, or one word as it stands in the file', () => {
    expect(loadedFounders(answered({ 'cluster.initial_master_nodes': ['kakfa-monitoring', '34.64.85.12'] }))).to.deep.equal([
      'kakfa-monitoring',
      '34.64.85.12',
    ]);
    expect(loadedFounders(answered({ 'cluster.initial_master_nodes': 'es-01, es-02' }))).to.deep.equal(['es-01', 'es-02']);
    expect(loadedFounders(answered({ 'node.name': 'es-01' }))).to.deep.equal([]);
  });

  it('are unknown when the node cannot say', () => {
    for (const answer of [
      { kind: 'refused', reason: 'Connection refused' } as const,
      { kind: 'answered', status: 200, body: '<html>' } as const,
      { kind: 'answered', status: 200, body: '{"nodes":{}}' } as const,
      answered({}, 503),
    ])
      expect(loadedFounders(answer)).to.equal(undefined);
  });
});
