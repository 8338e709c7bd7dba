import { expect } from 'chai';
import { KnownHosts, parseKnownHosts } from '../../lib/transport/known-hosts.mts';

/** sshd counts handshakes for all its addresses together, and its host key is what tells it from others. */
describe('which addresses are one server', () => {
  const key = (fill: number): string =>
    Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from([0, 0, 0, 32]), Buffer.alloc(32, fill)]).toString('base64');
  const hosts = new KnownHosts(
    parseKnownHosts(
      `[10.0.0.1]:22022 ssh-ed25519 ${key(1)}\n[10.0.0.2]:22022 ssh-ed25519 ${key(1)}\n10.0.0.3 ssh-ed25519 ${key(2)}\n@revoked 10.0.0.4 ssh-ed25519 ${key(3)}\n`,
      'f',
    ),
    '/nonexistent',
  );
  it('those with the same key', () => {
    expect(hosts.serverAt('10.0.0.1', 22022)).to.be.a('string').and.equal(hosts.serverAt('10.0.0.2', 22022));
  });
  it('not those with another key', () => {
    expect(hosts.serverAt('10.0.0.3', 22)).to.be.a('string').and.not.equal(hosts.serverAt('10.0.0.1', 22022));
  });
  it('nobody knows without a key that counts', () => {
    expect([hosts.serverAt('10.0.0.4', 22), hosts.serverAt('10.0.0.5', 22)]).to.deep.equal([undefined, undefined]);
  });
});
