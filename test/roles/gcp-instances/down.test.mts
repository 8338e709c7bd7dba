import { expect } from 'chai';
import { downArguments, statusTable } from '../../../roles/gcp-instances/cli.mts';
import { goneChanges, teardown, type Teardown } from '../../../roles/gcp-instances/teardown.mts';
import { gcp } from '../../../roles/gcp-instances/contract.mts';
import { wantedInstance } from '../../../roles/gcp-instances/wanted.mts';
import { compileSteps } from '../../../lib/shell/steps.mts';
import { context, hostOf } from '../support.mts';
import { answerOf, ES_01, KeyPair, link, listed, twoInstances } from './support.mts';

describe('the end of instances', () => {
  const key = new KeyPair();
  after(() => {
    key[Symbol.dispose]();
  });
  const YES: Teardown = { typed: 'my-project', disks: false, onlyShown: false };
  const changes = (now: object, disks = false) => goneChanges(wantedInstance(hostOf(twoInstances(key), 'es-01')), listed({ ...ES_01, ...now })[0], disks);

  it('says what goes and what stays', () => {
    expect(changes({}).map(({ field, consent }) => [field, consent])).to.deep.equal([
      ['instance in asia-northeast3-a', 'deletes es-01 and its boot disk'],
      ['deletion protection', undefined],
      ['disk es-01-data', undefined],
    ]);
    expect(changes({ deletionProtection: false }, true).map(({ field }) => field)).to.deep.equal(['instance in asia-northeast3-a']);
  });

  it('is refused for what somebody else made', () => {
    const [only, ...rest] = changes({ labels: {} });
    expect(rest).to.deep.equal([]);
    expect(only?.refused?.reason).to.match(/not made by this installation/);
  });

  const roles = (options: Teardown) => teardown(options).flatMap((stage) => stage.roles);
  const calls = (options: Teardown, index: number, stdout: string): readonly string[] => {
    const from = twoInstances(key);
    const [role] = roles(options).slice(index);
    if (role?.runs !== 'controller') throw new Error('no such role');
    return role.resources(context(gcp, from, 'es-01')).flatMap((resource) => {
      const answer = answerOf(resource.differs, { stdout });
      const found = answer.kind === 'known' ? answer.value : [];
      return found.length === 0 ? [] : compileSteps(resource, found).map((step) => (step.at === 'controller' ? step.argv.slice(2, -3).join(' ') : ''));
    });
  };

  it('takes the protection off, and keeps every data disk, whatever is written on it', () => {
    expect(calls(YES, 0, JSON.stringify([{ ...ES_01, zone: link('zones/asia-northeast3-c') }]))).to.deep.equal([
      'instances update es-01 --zone=asia-northeast3-c --no-deletion-protection',
      'instances delete es-01 --zone=asia-northeast3-c --keep-disks=data',
    ]);
  });

  it('takes rules of ours with it, and no others', () => {
    const ours = 'Kept by kafka-elastic-monitoring, prefix kafka-mon: changes made elsewhere are put back.';
    const network = link('global/networks/net');
    const rules = [
      { name: 'kafka-mon-kafka', description: ours, network },
      { name: 'kafka-mon-by-hand', network },
      { name: 'default-allow-ssh', description: 'x', network },
      { name: 'kafka-mon-elsewhere', description: ours, network: link('global/networks/other') },
    ];
    expect(calls(YES, 1, JSON.stringify(rules))).to.deep.equal(['firewall-rules delete kafka-mon-kafka']);
  });

  const typed: readonly (readonly [options: Partial<Teardown>, reason: RegExp | undefined])[] = [
    [{}, undefined],
    [{ typed: undefined, onlyShown: true }, undefined],
    [{ typed: undefined }, /nothing of project my-project is deleted without --yes and its name/],
    [{ typed: 'my-projekt' }, /the name that was typed is my-projekt, and the instances are in project my-project/],
  ];
  for (const [options, reason] of typed)
    it(`${reason === undefined ? 'goes on' : 'is refused'} with ${JSON.stringify(options)}`, () => {
      const [role] = roles({ ...YES, ...options });
      const question = role?.runs === 'controller' ? role.refuses?.(context(gcp, twoInstances(key), 'es-01')) : undefined;
      expect(question?.asks).to.deep.equal([]);
      const answer = question === undefined ? undefined : answerOf(question);
      const found = answer?.kind === 'known' ? answer.value : [];
      expect(found.map(({ kind }) => kind)).to.deep.equal(reason === undefined ? [] : ['refused']);
      if (reason !== undefined) expect(found[0]?.reason).to.match(reason);
    });

  it('has words of its own beside those of every playbook', () => {
    expect(downArguments(['-i', 'x.yaml', '--project', 'p', '--disks', '--yes'])).to.deep.equal({ typed: 'p', disks: true, rest: ['-i', 'x.yaml', '--yes'] });
    expect(downArguments(['--project=p'])).to.deep.equal({ typed: 'p', disks: false, rest: [] });
    expect(downArguments(['--limit', 'es-01'])).to.deep.equal({ typed: undefined, disks: false, rest: ['--limit', 'es-01'] });
  });
});

describe('the status of instances', () => {
  it('has one line each', () => {
    expect(
      statusTable([
        { name: 'es-01', state: 'RUNNING', inside: '10.20.0.11', outside: '-', differs: [] },
        { name: 'kafka-monitoring', state: 'absent', inside: '-', outside: '-', differs: ['instance'] },
      ]),
    ).to.equal(`INSTANCE          STATE    ADDRESS     FROM OUTSIDE  AS IN THE INVENTORY
es-01             RUNNING  10.20.0.11  -             yes
kafka-monitoring  absent   -           -             no: instance
`);
  });
});
