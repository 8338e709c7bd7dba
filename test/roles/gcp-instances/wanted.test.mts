import { expect } from 'chai';
import fc from 'fast-check';
import { creation, dictionary, diskCreation, wantedInstance } from '../../../roles/gcp-instances/wanted.mts';
import { loginKey, withKey } from '../../../roles/gcp-instances/login.mts';
import { hostOf } from '../support.mts';
import { KeyPair, PUBLIC_KEY, twoInstances } from './support.mts';

describe('an instance that is made', () => {
  const key = new KeyPair();
  after(() => {
    key[Symbol.dispose]();
  });
  const argv = (name: string, more: Parameters<typeof twoInstances>[1] = {}): readonly string[] =>
    creation(wantedInstance(hostOf(twoInstances(key, more), name)));

  it('has everything that the inventory says, in one call', () => {
    expect(argv('es-01')).to.deep.equal([
      'gcloud',
      'compute',
      'instances',
      'create',
      'es-01',
      '--zone=asia-northeast3-a',
      '--machine-type=e2-standard-4',
      '--image-family=debian-12',
      '--image-project=debian-cloud',
      '--boot-disk-size=30GB',
      '--boot-disk-type=pd-balanced',
      '--disk=name=es-01-data,device-name=data,auto-delete=no',
      '--network=net',
      '--subnet=sub',
      '--private-network-ip=10.20.0.11',
      '--no-address',
      '--tags=kafka-mon-es-masters',
      '--labels=managed-by=kafka-mon',
      `--metadata=enable-guest-attributes=TRUE,enable-oslogin=FALSE,ssh-keys=ops:ssh-ed25519 ${PUBLIC_KEY} ops`,
      '--no-service-account',
      '--no-scopes',
      '--deletion-protection',
      '--project=my-project',
      '--format=json',
      '--quiet',
    ]);
  });

  it('has its data disk made before, which an earlier one of that name stays', () => {
    const { es, kibana } = { es: wantedInstance(hostOf(twoInstances(key), 'es-01')), kibana: wantedInstance(hostOf(twoInstances(key), 'kibana-01')) };
    expect(diskCreation(kibana)).to.deep.equal([]);
    expect(diskCreation(es).map((words) => words.slice(0, 9))).to.deep.equal([
      ['gcloud', 'compute', 'disks', 'create', 'es-01-data', '--zone=asia-northeast3-a', '--size=100GB', '--type=pd-balanced', '--labels=managed-by=kafka-mon'],
    ]);
  });

  const flags: readonly (readonly [vars: string, has: readonly string[], hasNot: readonly RegExp[]])[] = [
    [', gcp_external_address: ephemeral', [], [/address=\d/, /--no-address/]],
    [', gcp_external_address: 34.64.1.2', ['--address=34.64.1.2'], [/--no-address/]],
    [
      ', gcp_service_account: sa@my-project.iam.gserviceaccount.com, gcp_scopes: [logging-write, storage-ro]',
      ['--service-account=sa@my-project.iam.gserviceaccount.com', '--scopes=logging-write,storage-ro'],
      [/--no-service-account/, /--no-scopes/],
    ],
    [', gcp_deletion_protection: false', ['--no-deletion-protection'], [/--deletion-protection/]],
    [', gcp_tags: [web], gcp_prefix: lab', ['--tags=lab-es-masters,web', '--labels=managed-by=lab'], []],
    [', gcp_labels: {team: data}', ['--labels=team=data,managed-by=kafka-mon'], []],
    [
      ', gcp_metadata: {startup-script: "echo a,b"}',
      [`--metadata=^;^startup-script=echo a,b;enable-guest-attributes=TRUE;enable-oslogin=FALSE;ssh-keys=ops:ssh-ed25519 ${PUBLIC_KEY} ops`],
      [],
    ],
  ];
  for (const [vars, has, hasNot] of flags)
    it(`follows${vars.slice(1)}`, () => {
      const words = argv('es-01', { es: vars });
      expect(words).to.include.members([...has]);
      for (const pattern of hasNot) expect(words.filter((word) => pattern.test(word))).to.deep.equal([]);
    });

  it('has no key in its metadata where IAM decides who logs in', () => {
    const metadata = argv('es-01', { es: ', gcp_login: os-login' }).find((word) => word.startsWith('--metadata='));
    expect(metadata).to.equal('--metadata=enable-guest-attributes=TRUE,enable-oslogin=TRUE');
  });
});

describe('a dictionary for gcloud', () => {
  /** As googlecloudsdk/calliope/arg_parsers.py splits it. */
  const split = (text: string): readonly string[] => {
    const [, delimiter = ',', rest = text] = /^\^([^^]+)\^([^]*)$/.exec(text) ?? [];
    return rest.split(delimiter);
  };

  it('is read as it was meant, whatever is in its values', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,8}$/), fc.string({ unit: fc.constantFrom(',', ';', '|', '~', ':', '0', '^', '=', 'x', '\n') }), {
          minKeys: 1,
        }),
        (entries) => {
          expect(split(dictionary(entries))).to.deep.equal(Object.entries(entries).map(([key, value]) => `${key}=${value}`));
        },
      ),
    );
  });
});

describe('keys in metadata', () => {
  const ours = { user: 'ops', type: 'ssh-ed25519', key: PUBLIC_KEY };
  const OTHER = 'eve:ssh-rsa AAAAB3Nza eve@example.com';

  it('keep those of others, and ours is added once', () => {
    const both = withKey(OTHER, ours);
    expect(both).to.equal(`${OTHER}\nops:ssh-ed25519 ${PUBLIC_KEY} ops`);
    expect(withKey(both, ours)).to.equal(both);
  });
  it('know ours by user and key, whatever its comment', () => {
    const said = `ops:ssh-ed25519 ${PUBLIC_KEY} {"userName":"x"}\n${OTHER}`;
    expect(withKey(said, ours)).to.equal(said);
    expect(withKey(`eve:ssh-ed25519 ${PUBLIC_KEY} eve`, ours)).to.contain(`\nops:ssh-ed25519 ${PUBLIC_KEY}`);
    expect(withKey(`ops:ssh-ed25519 ${PUBLIC_KEY}X ops`, ours)).to.contain(`\nops:ssh-ed25519 ${PUBLIC_KEY} `);
  });

  const lines: readonly (readonly [line: string, type: string | undefined])[] = [
    [`ssh-ed25519 ${PUBLIC_KEY}`, 'ssh-ed25519'],
    [`ecdsa-sha2-nistp256 ${PUBLIC_KEY} with a comment\n`, 'ecdsa-sha2-nistp256'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\n', undefined],
    ['', undefined],
  ];
  for (const [line, type] of lines)
    it(`${type === undefined ? 'are not' : 'are'} made of ${JSON.stringify(line.slice(0, 25))}`, () => {
      using key = new KeyPair(line);
      const read = loginKey(hostOf(twoInstances(key), 'es-01'));
      expect('problem' in read ? undefined : read.type).to.equal(type);
    });
});
