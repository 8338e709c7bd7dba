import { expect } from 'chai';
import { refusals } from '../../../roles/gcp-instances/refusals.mts';
import { hostOf, inventory } from '../support.mts';
import { KeyPair } from './support.mts';

describe('what is refused about an instance before anything is asked', () => {
  const key = new KeyPair();
  after(() => {
    key[Symbol.dispose]();
  });
  const FINE = {
    host_provider: 'gcp',
    gcp_project: 'my-project',
    gcp_zone: 'asia-northeast3-a',
    gcp_subnet_range: '10.20.0.0/24',
    private_address: '10.20.0.11',
    ansible_user: 'ops',
    ansible_ssh_private_key_file: key.path,
  };
  const reasons = (change: Readonly<Record<string, unknown>>, { name = 'es-01', other = {} }: { readonly name?: string; readonly other?: object } = {}) => {
    const given = Object.fromEntries(Object.entries<unknown>({ ...FINE, ...change }).filter(([, value]) => value !== undefined));
    const from = inventory(
      `all: { hosts: { ${name}: ${JSON.stringify(given)}, zz-02: ${JSON.stringify({ ...FINE, private_address: '10.20.0.12', ...other })} } }`,
    );
    return refusals(hostOf(from, name), from);
  };

  it('nothing, where everything is said', () => expect(reasons({})).to.deep.equal([]));

  const cases: readonly (readonly [name: string, change: Readonly<Record<string, unknown>>, reason: RegExp, options?: Parameters<typeof reasons>[1]])[] = [
    ['no private address', { private_address: undefined }, /es-01 has no private_address/],
    ['one of IPv6', { private_address: 'fd00::1' }, /no private_address of IPv4: fd00::1/],
    ['one outside of the range', { private_address: '10.30.0.1' }, /10\.30\.0\.1 of es-01 is not in gcp_subnet_range 10\.20\.0\.0\/24/],
    ['the address of another', {}, /es-01 and zz-02 have the same private_address 10\.20\.0\.11/, { other: { private_address: '10.20.0.11' } }],
    ['this machine', { ansible_connection: 'local' }, /ansible_connection: local/],
    ['nobody who logs in', { ansible_user: undefined }, /has no ansible_user/],
    ['root', { ansible_user: 'root' }, /root, whom Google's images do not let in/],
    ['no key', { ansible_ssh_private_key_file: undefined }, /has no ansible_ssh_private_key_file/],
    [
      'a key without its public half',
      { ansible_ssh_private_key_file: '/nonexistent/key' },
      /\/nonexistent\/key\.pub, the public key that would let ops in, is no file/,
    ],
    ['a user where IAM names users', { gcp_login: 'os-login' }, /ansible_user ops and gcp_login: os-login/],
    ['two ways to it', { gcp_access: 'iap', connection_jump: 'zz-02' }, /connection_jump zz-02 and gcp_access: iap/],
    ['a name that Google does not take', {}, /1es cannot be a name/, { name: '1es' }],
    ['a name with dots', {}, /es\.example cannot be a name/, { name: 'es.example' }],
    ['a name too long for its disk', { gcp_data_disk_gb: 20 }, /-data cannot be a name/, { name: 'e'.repeat(60) }],
  ];
  for (const [name, change, reason, options] of cases)
    it(name, () => {
      const found = reasons(change, options);
      expect(found.map(({ kind }) => kind)).to.deep.equal(['usage']);
      expect(found[0]?.reason).to.match(reason);
      expect(found[0]?.hint).to.not.equal('');
    });

  it('no user where IAM names users, and a tunnel without a jump, are fine', () => {
    expect(reasons({ gcp_login: 'os-login', ansible_user: undefined, ansible_ssh_private_key_file: undefined })).to.deep.equal([]);
    expect(reasons({ gcp_access: 'iap' })).to.deep.equal([]);
  });

  it('labels and metadata that the program sets itself are errors of the inventory', () => {
    expect(() => reasons({ gcp_labels: { 'managed-by': 'me' } })).to.throw(/gcp_labels must be without managed-by, which this program sets/);
    expect(() => reasons({ gcp_metadata: { 'ssh-keys': 'x' } })).to.throw(/gcp_metadata must be without ssh-keys/);
    expect(() => reasons({ gcp_scopes: ['default'] })).to.throw(/must be an alias of gcloud such as cloud-platform/);
  });
});
