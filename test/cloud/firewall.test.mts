/** The firewall role as its users have it: the program in a process of its own, the real gcloud, and the double of the Compute API. */
import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { DRIFT, Program, said, SITE, type Ended } from '../cli/program.mts';
import { startDouble, type Double } from './support.mts';

const PROJECT = 'demo-project';
const PREFIX = `projects/${PROJECT}/global`;
const rulePath = (name: string): string => `${PREFIX}/firewalls/${name}`;

interface Options {
  readonly operators?: string;
  readonly vars?: string;
  readonly clients?: boolean;
}
/** One master, one broker and Kibana, which is the bastion. */
const inventory = ({ operators = '203.0.113.7/32', vars = '', clients = true }: Options = {}): string => `all:
  vars:
    host_provider: gcp
    gcp_project: ${PROJECT}
    gcp_zone: asia-northeast3-a
    gcp_network: metrics
    gcp_subnet: metrics
    gcp_subnet_range: 10.20.0.0/24
    gcp_network_managed: true
    gcp_nat: false
    ansible_user: ops
    ansible_ssh_private_key_file: key
    connection_jump: kibana-01
    firewall_gcloud_operators: [${operators}]
    ${vars}
  children:
    es_masters: {hosts: {es-01: {private_address: 10.20.0.11}}}
    brokers: {hosts: {broker-01: {private_address: 10.20.0.21}}}
    controllers: {hosts: {broker-01: }}
    monitoring: {hosts: {kibana-01: {private_address: 10.20.0.31, connection_jump: none}}}
${clients ? '    clients: {hosts: {client-01: {private_address: 10.20.0.41}}}\n' : ''}`;

const RULES = [
  'elasticsearch-http',
  'kafka',
  'kafka-jmx',
  'kibana-operators',
  'ssh-bastion',
  'ssh-operators',
  'tracks-consumer-api',
  'tracks-consumer-jmx',
  'tracks-producer-api',
  'tracks-producer-jmx',
].map((name) => `kafka-mon-${name}`);

interface Report {
  readonly exitCode: number;
  readonly hosts: Readonly<
    Record<
      string,
      {
        readonly error?: { readonly kind: string; readonly message: string; readonly hint?: string };
        readonly roles: Readonly<
          Record<
            string,
            {
              readonly verdict: string;
              readonly changes: readonly { readonly resource: string; readonly field: string; readonly from: unknown; readonly to: unknown }[];
              readonly checks: readonly { readonly id: string; readonly outcome: string; readonly found?: string; readonly hint?: string }[];
            }
          >
        >;
      }
    >
  >;
}

describe('the firewall of Google Cloud', function () {
  this.timeout(600_000);
  let double: Double;
  let program: Program;
  let file: string;

  before(async () => {
    double = await startDouble();
    program = new Program();
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', program.path('key')]);
    file = program.write('gcp.yaml', inventory());
  });
  after(async () => {
    program[Symbol.dispose]();
    await double.close();
  });

  const play = (args: readonly string[], playbook = SITE): Promise<Ended> => program.run(playbook, ['-i', file, ...args], { env: double.environment });
  const firewall = (...args: readonly string[]): Promise<Ended> => play(['--role', 'firewall-gcloud', ...args]);
  const reportOf = ({ stdout }: Ended): Report => JSON.parse(stdout) as Report;
  const ofRole = (ended: Ended): Report['hosts'][string]['roles'][string] => {
    const [role] = Object.values(reportOf(ended).hosts).flatMap(({ roles }) => roles['firewall-gcloud'] ?? []);
    if (role === undefined) throw new Error(`no role in ${said(ended)}`);
    return role;
  };
  const rules = async (): Promise<readonly string[]> =>
    (await double.resources(PROJECT))
      .filter(({ kind }) => kind === 'compute#firewall')
      .map(({ name }) => name)
      .filter((name) => name.startsWith('kafka-mon-'))
      .sort();
  /** What was asked of the API to change rules, such as `PATCH kafka-mon-kafka`, in its order. */
  const writes = async (): Promise<readonly string[]> =>
    (await double.requests())
      .filter(({ method, path }) => method !== 'GET' && path.includes('/firewalls'))
      .map(({ method, path, body }) => `${method} ${method === 'POST' ? (body as { name: string }).name : (path.split('/').at(-1) ?? '')}`);
  /** A rule of somebody else. */
  const foreign = (name: string, more: Readonly<Record<string, unknown>>): Promise<unknown> =>
    double.perform('POST', `${PREFIX}/firewalls`, {
      name,
      network: `${PREFIX}/networks/metrics`,
      direction: 'INGRESS',
      allowed: [{ IPProtocol: 'tcp', ports: ['9200'] }],
      ...more,
    });

  it('is what the inventory says, after one run that makes the network, the instances and every rule', async () => {
    const ended = await play(['--role', 'gcp-instances,firewall-gcloud']);
    expect(ended.code, said(ended)).to.equal(0);
    expect(await rules()).to.deep.equal(RULES);
    const made = (await double.perform('GET', rulePath('kafka-mon-elasticsearch-http'))) as Readonly<Record<string, unknown>>;
    expect(made).to.deep.include({
      direction: 'INGRESS',
      priority: 1000,
      disabled: false,
      allowed: [{ IPProtocol: 'tcp', ports: ['9200'] }],
      sourceTags: ['kafka-mon-es-masters', 'kafka-mon-monitoring'],
      targetTags: ['kafka-mon-es-masters'],
    });
    expect(made).to.not.have.property('sourceRanges');
    expect(said(ended)).to.match(/open to people +kibana http:\/\/10\.20\.0\.31:5601 \(inside the network only\) from 203\.0\.113\.7\/32/);
  });

  it('is left alone by the next run, which asks each list once', async () => {
    await double.forget();
    const ended = await play(['--role', 'gcp-instances,firewall-gcloud', '--json']);
    expect(ended.code, said(ended)).to.equal(0);
    expect(ofRole(ended).changes).to.deep.equal([]);
    expect(await writes()).to.deep.equal([]);
    const commands = await double.commands();
    expect(new Set(commands).size, commands.join()).to.equal(commands.length);
    await double.forget();
    const checked = await play(['--role', 'gcp-instances,firewall-gcloud', '--check']);
    expect(checked.code, said(checked)).to.equal(0);
    expect((await double.commands()).sort()).to.deep.equal(['compute.firewall-rules.list', 'compute.instances.list', 'compute.networks.subnets.list']);
  });

  it('shows a rule that somebody edited, that field and no other, and puts it back', async () => {
    await double.edit(rulePath('kafka-mon-kibana-operators'), { sourceRanges: ['0.0.0.0/0'] });
    const checked = await firewall('--check', '--diff');
    expect(checked.code, said(checked)).to.equal(2);
    expect(said(checked)).to.match(/kafka-mon-kibana-operators[^]*sourceRanges[^]*0\.0\.0\.0\/0[^]*203\.0\.113\.7\/32/);
    const { changes } = ofRole(await firewall('--check', '--json'));
    expect(changes.map(({ resource, field, from, to }) => ({ resource, field, from, to }))).to.deep.equal([
      { resource: `firewall rule ${PROJECT}/kafka-mon-kibana-operators`, field: 'sourceRanges', from: '0.0.0.0/0', to: '203.0.113.7/32' },
    ]);
    const drifted = await play(['--role', 'firewall-gcloud', '--json'], DRIFT);
    expect(drifted.code, said(drifted)).to.equal(1);
    expect(ofRole(drifted).checks.find(({ id }) => id === 'closed')?.found).to.match(
      /^kibana 5601 of kibana-01 from 0\.0\.0\.0\/0 \(kafka-mon-kibana-operators\)/,
    );
    await double.forget();
    const repaired = await firewall();
    expect(repaired.code, said(repaired)).to.equal(0);
    expect(await writes()).to.deep.equal(['PATCH kafka-mon-kibana-operators']);
    const again = await firewall('--check');
    expect(again.code, said(again)).to.equal(0);
  });

  it('is put back whole where a rule was switched off, opened to every instance and widened', async () => {
    await double.edit(rulePath('kafka-mon-kafka-jmx'), {
      disabled: true,
      targetTags: null,
      allowed: [{ IPProtocol: 'all' }],
      sourceRanges: ['10.0.0.0/8'],
      priority: 1,
    });
    const ended = await firewall('--json');
    expect(ended.code, said(ended)).to.equal(0);
    expect(ofRole(ended).changes.map(({ field }) => field)).to.deep.equal(['disabled', 'traffic', 'sourceRanges', 'targetTags', 'priority']);
    const now = await double.perform('GET', rulePath('kafka-mon-kafka-jmx'));
    expect(now).to.deep.include({ disabled: false, priority: 1000, targetTags: ['kafka-mon-brokers'], sourceTags: ['kafka-mon-monitoring'] });
    expect(now).to.not.have.property('sourceRanges');
  });

  it('makes a rule anew where gcloud cannot change it: with a yes, and the new one first', async () => {
    await double.edit(rulePath('kafka-mon-kafka'), { allowed: null, denied: [{ IPProtocol: 'tcp', ports: ['9092'] }] });
    await double.forget();
    const asked = await firewall();
    expect(asked.code, said(asked)).to.equal(5);
    expect(said(asked)).to.match(/needs a yes: firewall rule demo-project\/kafka-mon-kafka: it is made anew/);
    expect(await writes()).to.deep.equal([]);
    const ended = await firewall('--yes');
    expect(ended.code, said(ended)).to.equal(0);
    expect(await writes()).to.deep.equal(['POST kafka-mon-kafka-next', 'DELETE kafka-mon-kafka', 'POST kafka-mon-kafka', 'DELETE kafka-mon-kafka-next']);
    expect(await rules()).to.deep.equal(RULES);
  });

  it('goes on where a run ended in the middle of that', async () => {
    const { kind, id, selfLink, creationTimestamp, ...whole } = (await double.perform('GET', rulePath('kafka-mon-kafka'))) as Record<string, unknown>;
    expect([kind, id, selfLink, creationTimestamp]).to.not.include(undefined);
    await foreign('kafka-mon-kafka-next', { ...whole, name: 'kafka-mon-kafka-next' });
    await double.remove(rulePath('kafka-mon-kafka'));
    await double.forget();
    const ended = await firewall();
    expect(ended.code, said(ended)).to.equal(0);
    expect(await writes()).to.deep.equal(['POST kafka-mon-kafka', 'DELETE kafka-mon-kafka-next']);
  });

  it('deletes what the inventory does not want any more, with a yes; what only has its name is not its own', async () => {
    await foreign('kafka-mon-by-hand', { allowed: [{ IPProtocol: 'tcp', ports: ['8080'] }], sourceRanges: ['10.20.0.0/24'] });
    file = program.write('gcp.yaml', inventory({ clients: false }));
    const checked = ofRole(await firewall('--check', '--json'));
    const [unwanted] = checked.changes.filter(({ resource }) => resource.includes('no longer wanted'));
    expect(unwanted).to.deep.include({ field: 'kafka-mon-tracks-consumer-api', to: null });
    const asked = await firewall();
    expect(asked.code, said(asked)).to.equal(5);
    expect(said(asked)).to.match(/deletion of kafka-mon-tracks-producer-jmx/);
    const ended = await firewall('--yes');
    expect(ended.code, said(ended)).to.equal(0);
    expect(await rules()).to.deep.equal(['kafka-mon-by-hand', ...RULES.filter((name) => !name.includes('tracks'))].sort());
    await double.remove(rulePath('kafka-mon-by-hand'));
    file = program.write('gcp.yaml', inventory());
    expect((await firewall()).code).to.equal(0);
  });

  it('names a rule of others that opens more, and the command that ends it', async () => {
    await foreign('temporary', { sourceRanges: ['0.0.0.0/0'] });
    const ended = await firewall('--verify-only', '--json');
    expect(ended.code, said(ended)).to.equal(1);
    const checks = ofRole(ended).checks;
    const found = checks.find(({ id }) => id === 'foreign-rules');
    expect(found).to.include({ outcome: 'fail', found: 'temporary lets 0.0.0.0/0 reach elasticsearch-http (9200) of es-01' });
    expect(found?.hint).to.match(/^gcloud compute firewall-rules delete temporary --project=demo-project\n/);
    expect(checks.find(({ id }) => id === 'closed')?.found).to.match(/^elasticsearch-http 9200 of es-01 from 0\.0\.0\.0\/0 \(temporary\)$/);
    expect(checks.find(({ id }) => id === 'outside')?.outcome).to.equal('skipped');
    await double.remove(rulePath('temporary'));
  });

  it('sees what policies of the organization deny', async () => {
    await double.policies(`${PREFIX}/networks/metrics`, [
      {
        name: '1234',
        type: 'HIERARCHY',
        rules: [
          {
            priority: 7,
            direction: 'INGRESS',
            action: 'deny',
            match: { srcIpRanges: ['203.0.113.0/24'], layer4Configs: [{ ipProtocol: 'tcp', ports: ['5601'] }] },
          },
        ],
      },
    ]);
    const ended = await firewall('--verify-only', '--json');
    expect(ended.code, said(ended)).to.equal(1);
    expect(ofRole(ended).checks.find(({ id }) => id === 'flows')?.found).to.equal('203.0.113.7/32 to kibana-01 5601 (kibana): rule 7 of policy 1234');
    await double.policies(`${PREFIX}/networks/metrics`, []);
    expect((await firewall('--verify-only')).code).to.equal(0);
  });

  it("warns of the default network's own rules, and does not fail for them", async () => {
    file = program.write(
      'default.yaml',
      `all:
  vars: {host_provider: gcp, gcp_project: other-project, gcp_zone: asia-northeast3-a, gcp_nat: false, firewall_gcloud_operators: [203.0.113.7/32]}
  children:
    monitoring: {hosts: {kibana-01: {private_address: 10.178.0.31}}}
`,
    );
    const ended = await firewall('--json');
    expect(ended.code, said(ended)).to.equal(0);
    const found = ofRole(ended).checks.find(({ id }) => id === 'foreign-rules');
    expect(found?.outcome).to.equal('pass');
    expect(found?.found).to.match(/^warning: default-allow-internal lets 10\.128\.0\.0\/9 reach .*default-allow-ssh lets 0\.0\.0\.0\/0 reach ssh/);
    file = program.write('gcp.yaml', inventory());
  });

  it('is refused, before anything is asked, where it would open to the internet what must not be', async () => {
    await double.forget();
    const refusedWith = async (options: Options): Promise<string> => {
      file = program.write('gcp.yaml', inventory(options));
      const ended = await play([]);
      return `${String(ended.code)} ${said(ended)}`;
    };
    expect(await refusedWith({ operators: '0.0.0.0/0' })).to.match(
      /^5 [^]*firewall_gcloud_operators \(\S*gcp\.yaml:14:5\) has 0\.0\.0\.0\/0: that is everybody on the internet/,
    );
    const extra = (port: string, from: string): string => `firewall_gcloud_extra: [{name: mine, ports: ["${port}"], from: [${from}], to: [es_masters]}]`;
    expect(await refusedWith({ vars: extra('9200', '0.0.0.0/0') })).to.match(/^5 [^]*everybody on the internet/);
    expect(await refusedWith({ vars: 'firewall_gcloud_private_ranges: {elasticsearch-http: [34.0.0.0/8]}' })).to.match(
      /^5 [^]*34\.0\.0\.0\/8 for elasticsearch-http: it has no login/,
    );
    expect(await refusedWith({ vars: extra('9200', '34.0.0.0/8') })).to.match(/^5 [^]*34\.0\.0\.0\/8 for elasticsearch-http: it has no login/);
    expect(await refusedWith({ operators: '203.0.113.0/20' })).to.match(/^4 [^]*203\.0\.113\.0\/20/);
    expect(await refusedWith({ operators: '203.0.113' })).to.match(/^4 [^]*an address range/);
    expect(await double.requests()).to.deep.equal([]);
    file = program.write('gcp.yaml', inventory());
  });

  it('is checked with one list of each sort, with fifty rules and fifty instances too', async () => {
    const hosts = Array.from({ length: 50 }, (_, index) => index + 1);
    const many = (prefix: string): string => hosts.map((n) => `        ${prefix}-${String(n)}: {private_address: 10.20.0.${String(n + 100)}}\n`).join('');
    const extra = hosts.map((n) => `{name: rule-${String(n)}, ports: ["${String(10_000 + n)}"], from: [monitoring], to: [es_data]}`).join(', ');
    file = program.write('gcp.yaml', `${inventory({ vars: `firewall_gcloud_extra: [${extra}]` })}    es_data:\n      hosts:\n${many('data')}`);
    await double.forget();
    const ended = await play(['--role', 'gcp-instances,firewall-gcloud', '--check', '--json']);
    expect(ended.code, said(ended)).to.equal(2);
    expect(ofRole(ended).changes.filter(({ field }) => field === 'rule').length).to.be.at.least(50);
    const commands = await double.commands();
    expect(commands.length, commands.join()).to.be.at.most(4);
  });
});
