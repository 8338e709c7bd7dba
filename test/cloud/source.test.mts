/** Hosts that others made: found by the real gcloud in a project of the double, and reached by ssh where they are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Program, ROOT, said, SITE } from '../cli/program.mts';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { me } from '../transport/support.mts';
import { startDouble, type Double } from './support.mts';

const PROJECT = 'demo-project';
const ZONE = 'zones/asia-northeast3-a';
const INVENTORY = join(ROOT, 'playbooks/inventory.mts');

describe('hosts found in Google Cloud', function () {
  this.timeout(60_000);
  let sshd: Sshd;
  let double: Double;
  let program: Program;
  let source: string;
  let vars: string;

  before(async () => {
    sshd = await startSshd();
    double = await startDouble({ onInstance: () => ({ natIP: sshd.address, hostKeys: [sshd.hostKey] }) });
    program = new Program();
    const make = (name: string, networkIP: string, labels: object): Promise<object> =>
      double.perform('POST', `projects/${PROJECT}/${ZONE}/instances`, {
        name,
        machineType: `projects/${PROJECT}/${ZONE}/machineTypes/e2-standard-2`,
        disks: [{ boot: true, initializeParams: { sourceImage: 'projects/debian-cloud/global/images/family/debian-12' } }],
        networkInterfaces: [{ networkIP, accessConfigs: [{ type: 'ONE_TO_ONE_NAT', name: 'external-nat' }] }],
        metadata: { items: [{ key: 'enable-guest-attributes', value: 'TRUE' }] },
        labels,
      });
    await Promise.all([make('kafka-1', '10.178.0.21', { role: 'broker' }), make('kafka-2', '10.178.0.22', { role: 'broker' }), make('web', '10.178.0.5', {})]);
    await double.perform('POST', `projects/${PROJECT}/${ZONE}/instances/kafka-2/stop`);
    source = program.write(
      'found.gcp.yml',
      `plugin: google.cloud.gcp_compute
projects: [${PROJECT}]
filters: [labels.role = broker]
keyed_groups: [{ key: labels.role, prefix: is }]
groups: { brokers: { labels: { role: broker } } }
`,
    );
    vars = program.write(
      'vars.yaml',
      `all:
  vars: { host_provider: gcp, ansible_user: ${me}, ansible_port: ${String(sshd.port)}, ansible_ssh_private_key_file: ${sshd.keyFile}, kafka_jmx_authentication: false }
  children:
    brokers:
      vars: { kafka_managed: false }
`,
    );
  });
  after(async () => {
    program[Symbol.dispose]();
    await double.close();
    await sshd[Symbol.asyncDispose]();
  });
  beforeEach(() => double.forget());

  const run = (playbook: string, ...args: string[]): ReturnType<Program['run']> => program.run(playbook, args, { env: double.environment });

  it('are in their groups, with what is known of them and from where', async () => {
    const listed = await run(INVENTORY, 'groups', '-i', vars, '-i', source);
    expect(listed.stdout, said(listed)).to.equal('all: kafka-1, kafka-2\nbrokers: kafka-1, kafka-2\nis_broker: kafka-1, kafka-2\n');
    const explained = await run(INVENTORY, 'explain', 'kafka-1', 'private_address', '-i', source);
    expect(explained.stdout, said(explained)).to.match(/^private_address +10\.178\.0\.21 +google cloud +\S+found\.gcp\.yml:2\n$/);
    expect(await double.commands()).to.deep.equal(['compute.instances.list', 'compute.instances.list']);
  });

  it('are listed by the playbooks as well, and a mistake in a file is said before anything is asked', async () => {
    const listed = await run(SITE, '-i', vars, '-i', source, '--list-hosts');
    expect(listed.stdout, said(listed)).to.equal('kafka-1\nkafka-2\n');
    expect(await double.commands()).to.deep.equal(['compute.instances.list']);
    await double.forget();
    const wrong = await run(SITE, '-i', vars, '-i', source, '-e', 'kafka_prot=1', '--syntax-check');
    expect(wrong.code, said(wrong)).to.equal(4);
    expect(await double.commands()).to.deep.equal([]);
  });

  it('are reached where they are, by the keys that Google vouches for; nobody makes or changes them, and one list serves all', async () => {
    const ended = await run(SITE, '-i', vars, '-i', source, '--role', 'gcp-network,gcp-instances,os-limits', '--check', '--json');
    const { hosts } = JSON.parse(ended.stdout) as { hosts: Record<string, { outcome: string; roles: Record<string, unknown>; error?: { message: string } }> };
    expect(hosts['kafka-1']?.roles, said(ended)).to.have.all.keys('os-limits');
    expect(hosts['kafka-2']?.error?.message).to.include('kafka-2 does not run');
    const calls = await double.commands();
    expect(calls.filter((call) => call === 'compute.instances.list')).to.have.length(1);
    expect(calls.filter((call) => /create|add|set|update|enable/.test(call))).to.deep.equal([]);
    const { id } = (await double.perform('GET', `projects/${PROJECT}/${ZONE}/instances/kafka-1`)) as { readonly id: string };
    expect(readFileSync(program.path('.ssh/google_compute_known_hosts'), 'utf8')).to.equal(`compute.${id} ${sshd.hostKey}\n`);
  });

  it('are a usage error with the way out where the API is off, and unreadable where the list fails', async () => {
    await double.fault({ path: 'aggregated/instances', answer: { kind: 'error', status: 400 } });
    const failed = await run(SITE, '-i', source, '--syntax-check');
    expect(failed.code, said(failed)).to.equal(3);
    expect(failed.stderr).to.include(`the instances of project ${PROJECT} could not be listed: `);
    await double.clearFaults();
    await double.disable(PROJECT, 'compute.googleapis.com');
    const off = await run(SITE, '-i', source, '--syntax-check');
    expect(off.code, said(off)).to.equal(4);
    expect(off.stderr).to.include(`gcloud services enable compute.googleapis.com --project=${PROJECT}`);
  });
});
