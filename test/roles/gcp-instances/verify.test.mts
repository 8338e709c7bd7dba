import { expect } from 'chai';
import { judgeAddresses, judgeKey, judgeRunning, writtenDown } from '../../../roles/gcp-instances/verify.mts';
import { hostOf } from '../support.mts';
import { ES_01, KeyPair, listed, PUBLIC_KEY, twoInstances } from './support.mts';

const OUTSIDE = { ...ES_01, networkInterfaces: [{ ...ES_01.networkInterfaces[0], accessConfigs: [{ name: 'external-nat', natIP: '34.64.1.9' }] }] };

describe('an instance that was made', () => {
  const key = new KeyPair();
  after(() => {
    key[Symbol.dispose]();
  });

  const states: readonly (readonly [name: string, list: readonly object[], found: RegExp, kind: 'pass' | 'fail'])[] = [
    ['runs', [OUTSIDE], /^e2-standard-4 in asia-northeast3-a at 10\.20\.0\.11, from outside 34\.64\.1\.9$/, 'pass'],
    ['is on its way', [{ ...ES_01, status: 'STAGING' }], /STAGING/, 'fail'],
    ['is not there', [], /no instance es-01/, 'fail'],
    ['can be deleted', [{ ...ES_01, deletionProtection: false }], /off/, 'fail'],
  ];
  for (const [name, list, found, kind] of states)
    it(name, () => {
      const judgement = judgeRunning(hostOf(twoInstances(key), 'es-01'), listed(...list)[0]);
      expect(judgement.kind).to.equal(kind);
      expect(judgement.found).to.match(found);
    });

  const written: readonly (readonly [vars: string, addresses: readonly string[]])[] = [
    ['', []],
    [', ansible_host: 34.64.1.2', ['ansible_host 34.64.1.2']],
    [', ansible_host: es-01.example.com', []],
    [', kibana_base_url: "http://34.64.1.3:5601"', ['kibana_base_url 34.64.1.3']],
    [', kibana_base_url: "https://kibana.example.com"', []],
    [', kibana_base_url: "http://10.20.0.99:5601"', []],
  ];
  for (const [vars, addresses] of written)
    it(`has ${addresses.length === 0 ? 'no address' : addresses.join()} written down in${vars || ' nothing'}`, () => {
      const inventory = twoInstances(key, { es: vars });
      expect(writtenDown(hostOf(inventory, 'es-01'), inventory).map(({ variable, address }) => `${variable} ${address}`)).to.deep.equal(addresses);
    });

  it('lets nobody in by OS Login whose key the account does not have', () => {
    const host = hostOf(twoInstances(key), 'es-01');
    const ours = { user: 'ops', type: 'ssh-ed25519', key: PUBLIC_KEY };
    expect(judgeKey(ours, host, [`ssh-ed25519 ${PUBLIC_KEY} me@here`])).to.include({ kind: 'pass' });
    const missing = judgeKey(ours, host, ['ssh-rsa AAAA other']);
    expect(missing.kind === 'fail' && missing.hint).to.equal(`run: gcloud compute os-login ssh-keys add --key-file=${key.path}.pub`);
    expect(judgeKey({ problem: 'none', hint: '' }, host, [])).to.include({ kind: 'skipped' });
  });

  it('is not where an address that was written down is any more', () => {
    const now = listed(OUTSIDE)[0];
    for (const [variable, hint] of [
      ['ansible_host', /leave ansible_host out/],
      ['kibana_base_url', /gcloud compute addresses create/],
    ] as const) {
      const stale = judgeAddresses([{ variable, address: '34.64.1.2' }], now);
      expect(stale).to.include({ kind: 'fail', found: '34.64.1.2', expected: `${variable} naming an address of the instance, 10.20.0.11 or 34.64.1.9` });
      expect(stale.kind === 'fail' && stale.hint).to.match(hint);
      expect(judgeAddresses([{ variable, address: '34.64.1.9' }], now).kind).to.equal('pass');
      expect(judgeAddresses([{ variable, address: '10.20.0.11' }], now).kind).to.equal('pass');
    }
  });
});
