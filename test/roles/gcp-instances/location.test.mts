import { homedir } from 'node:os';
import { expect } from 'chai';
import { consoleHostKeys, guestHostKeys, locates, locationOf } from '../../../roles/gcp-instances/location.mts';
import { hostOf } from '../support.mts';
import { answerOf, ES_01, KeyPair, listed, PUBLIC_KEY, twoInstances } from './support.mts';

const OUTSIDE = { ...ES_01, networkInterfaces: [{ ...ES_01.networkInterfaces[0], accessConfigs: [{ name: 'external-nat', natIP: '34.64.1.9' }] }] };
/** Another key whose first field says ecdsa-sha2-nistp256. */
const ECDSA = Buffer.concat([Buffer.from([0, 0, 0, 19]), Buffer.from('ecdsa-sha2-nistp256'), Buffer.alloc(40, 7)]).toString('base64');

describe('where an instance is', () => {
  const key = new KeyPair();
  after(() => {
    key[Symbol.dispose]();
  });
  const host = (vars = '') => hostOf(twoInstances(key, { es: vars }), 'es-01');

  const ways: readonly (readonly [name: string, vars: string, now: object, address: string])[] = [
    ['its external address', '', OUTSIDE, '34.64.1.9'],
    ['its private one where it has no other', '', ES_01, '10.20.0.11'],
    ['its private one behind a jump host', ', connection_jump: kibana-01', OUTSIDE, '10.20.0.11'],
    ['its private one by a tunnel', ', gcp_access: iap', OUTSIDE, '10.20.0.11'],
  ];
  for (const [name, vars, now, address] of ways)
    it(`is ${name}`, () => {
      const [instance] = listed(now);
      const location = instance === undefined ? undefined : locationOf(host(vars), instance, undefined);
      expect(location).to.include({
        address,
        hostKeyAlias: 'compute.4512345678901234567',
        knownHostsFile: `${homedir()}/.ssh/google_compute_known_hosts`,
        startedAt: '2026-11-24T05:56:43.302-07:00',
      });
      expect(location?.proxyCommand).to.deep.equal(
        vars.includes('iap')
          ? [
              'gcloud',
              'compute',
              'start-iap-tunnel',
              'es-01',
              '22',
              '--listen-on-stdin',
              '--zone=asia-northeast3-a',
              '--project=my-project',
              '--format=json',
              '--quiet',
            ]
          : undefined,
      );
    });

  it('is nowhere while it is not made, or does not run', () => {
    for (const list of [[], [{ ...ES_01, status: 'TERMINATED' }]])
      expect(answerOf(locates(host()), { stdout: JSON.stringify(list) })).to.deep.equal({ kind: 'known', value: undefined });
  });

  it("with OS Login has the user of gcloud's account, the primary one", () => {
    const question = locates(host(', gcp_login: os-login'));
    const profile = { name: '1', posixAccounts: [{ username: 'old' }, { primary: true, username: 'me_example_com', uid: '1' }] };
    const answer = answerOf(question, { call: 'describe-profile', stdout: JSON.stringify(profile) }, { stdout: JSON.stringify([ES_01]) });
    expect(answer.kind === 'known' && answer.value?.user).to.equal('me_example_com');
  });
});

describe('host keys that Google vouches for', () => {
  const guest = (...items: readonly (readonly [string, string, string])[]): string =>
    JSON.stringify(items.map(([namespace, name, value]) => ({ namespace, key: name, value })));

  it('are those of the guest attributes', () => {
    const stdout = guest(
      ['hostkeys', 'ssh-ed25519', `${PUBLIC_KEY} root@es-01\n`],
      ['hostkeys', 'ecdsa-sha2-nistp256', ECDSA],
      ['other', 'ssh-ed25519', PUBLIC_KEY],
    );
    expect(guestHostKeys(stdout)).to.deep.equal([`ecdsa-sha2-nistp256 ${ECDSA}`, `ssh-ed25519 ${PUBLIC_KEY}`]);
  });

  const nothing: readonly (readonly [name: string, stdout: string])[] = [
    ['no JSON', 'ERROR'],
    ['an empty list', '[]'],
    ['a type that nobody uses', guest(['hostkeys', 'ssh-dss', PUBLIC_KEY])],
    ['a key of another type than it says', guest(['hostkeys', 'ssh-rsa', PUBLIC_KEY])],
    ['what is no base64', guest(['hostkeys', 'ssh-ed25519', '*.example.com'])],
    ['a line break that would begin another line', guest(['hostkeys', 'ssh-ed25519', `\n@cert-authority * ssh-ed25519 ${PUBLIC_KEY}`])],
  ];
  for (const [name, stdout] of nothing)
    it(`are none in ${name}`, () => {
      expect(guestHostKeys(stdout)).to.deep.equal([]);
    });

  it('are what cloud-init printed at the last boot, whatever stands in front', () => {
    const block = (lines: readonly string[]): string => ['-----BEGIN SSH HOST KEY KEYS-----', ...lines, '-----END SSH HOST KEY KEYS-----'].join('\r\n');
    const contents = `BIOS\r\n${block([`ssh-ed25519 ${PUBLIC_KEY.replace('OUP', 'AAA')} old`])}\r\n[   12.3] boot\r\n${block([
      `<14>Nov 24 12:00:00 cloud-init: ssh-ed25519 ${PUBLIC_KEY} root@es-01`,
      `ecdsa-sha2-nistp256 ${ECDSA} root@es-01`,
    ])}\r\nlogin:`;
    expect(consoleHostKeys(JSON.stringify({ contents, next: '9' }))).to.deep.equal([`ecdsa-sha2-nistp256 ${ECDSA}`, `ssh-ed25519 ${PUBLIC_KEY}`]);
    expect(consoleHostKeys(JSON.stringify({ contents: `ssh-ed25519 ${PUBLIC_KEY} outside of a block` }))).to.deep.equal([]);
    expect(consoleHostKeys('')).to.deep.equal([]);
  });

  it('come from the console only where the guest says nothing', () => {
    const key = new KeyPair();
    const host = hostOf(twoInstances(key), 'es-01');
    key[Symbol.dispose]();
    const [instance] = listed(ES_01);
    const question = instance === undefined ? undefined : locationOf(host, instance, undefined)?.hostKeys;
    if (question === undefined) throw new Error('no question');
    const contents = `-----BEGIN SSH HOST KEY KEYS-----\necdsa-sha2-nistp256 ${ECDSA} x\n-----END SSH HOST KEY KEYS-----`;
    const serial = { call: 'get-serial-port-output es-01 --zone=asia-northeast3-a', stdout: JSON.stringify({ contents }) };
    const says = { call: 'get-guest-attributes es-01 --zone=asia-northeast3-a --query-path=hostkeys/', stdout: guest(['hostkeys', 'ssh-ed25519', PUBLIC_KEY]) };
    expect(answerOf(question, says, serial)).to.deep.equal({ kind: 'known', value: [`ssh-ed25519 ${PUBLIC_KEY}`] });
    expect(answerOf(question, serial)).to.deep.equal({ kind: 'known', value: [`ecdsa-sha2-nistp256 ${ECDSA}`] });
    expect(answerOf(question)).to.deep.equal({ kind: 'known', value: [] });
  });
});
