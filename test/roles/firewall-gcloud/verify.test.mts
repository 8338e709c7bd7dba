import { execFile } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import type { CheckOutcome, Inventory } from '../../../lib/index.mts';
import { effectiveFirewalls } from '../../../roles/firewall-gcloud/effective.mts';
import { foreignRules, isOfDefaultNetwork } from '../../../roles/firewall-gcloud/foreign.mts';
import type { Machines } from '../../../roles/firewall-gcloud/machines.mts';
import { doorsOf, judgeDoors } from '../../../roles/firewall-gcloud/outside.mts';
import { flowsOf, judgeClosed, judgeFlows, judgeForeign, peopleText, realmChecks, type InForce } from '../../../roles/firewall-gcloud/verify.mts';
import { wantedRules } from '../../../roles/firewall-gcloud/wanted.mts';
import { hostName } from '../../../lib/index.mts';
import { inventory } from '../support.mts';
import { asListed, listed, realmOf, world } from './world.mts';

type Raw = Readonly<Record<string, unknown>>;

const from = world();
const realm = realmOf(from);
const rules = wantedRules(from, realm);

const NONE: Machines = new Map();
const effective = (more: readonly Raw[] = [], without: readonly string[] = [], existing = NONE): InForce => ({
  existing,
  effective: effectiveFirewalls.parse({ firewalls: [...rules.filter(({ name }) => !without.includes(name)).map(asListed), ...more] }),
});
const open = (name: string, more: Raw): Raw => ({
  ...asListed({ ...listed({ name, network: 'x/metrics' }), priority: 500 }),
  allowed: [{ IPProtocol: 'tcp' }],
  ...more,
});
const text = (outcome: CheckOutcome): string => ('found' in outcome ? `${outcome.kind}: ${outcome.found}` : `${outcome.kind}: ${outcome.because}`);
const hint = (outcome: CheckOutcome): string => ('hint' in outcome ? outcome.hint : '');

/** As Google makes them. */
const DEFAULTS: readonly Raw[] = [
  {
    name: 'default-allow-internal',
    sourceRanges: ['10.128.0.0/9'],
    priority: 65534,
    allowed: [{ IPProtocol: 'tcp', ports: ['0-65535'] }, { IPProtocol: 'udp', ports: ['0-65535'] }, { IPProtocol: 'icmp' }],
  },
  { name: 'default-allow-ssh', sourceRanges: ['0.0.0.0/0'], priority: 65534, allowed: [{ IPProtocol: 'tcp', ports: ['22'] }] },
  { name: 'default-allow-rdp', sourceRanges: ['0.0.0.0/0'], priority: 65534, allowed: [{ IPProtocol: 'tcp', ports: ['3389'] }] },
  { name: 'default-allow-icmp', sourceRanges: ['0.0.0.0/0'], priority: 65534, allowed: [{ IPProtocol: 'icmp' }] },
].map((each) => ({ ...each, network: 'https://www.googleapis.com/compute/v1/projects/demo-project/global/networks/default' }));

describe('what the network lets through', () => {
  it('is every connection that the inventory is about, by the wanted rules alone', () => {
    expect(flowsOf(from, realm, NONE)).to.have.length(27);
    expect(text(judgeFlows(from, realm, effective()))).to.match(/^pass: \d+ ways/);
    expect(text(judgeClosed(from, realm, effective()))).to.match(/^pass: \d+ ports closed/);
  });

  it('is said hop by hop where a rule is missing or something denies', () => {
    const missing = judgeFlows(from, realm, effective([], ['kafka-mon-kafka-jmx']));
    expect(text(missing)).to.equal(
      'fail: kibana-01 to broker-01 9999 (kafka-jmx): no rule allows it; kibana-01 to broker-02 9999 (kafka-jmx): no rule allows it',
    );
    expect(hint(missing)).to.match(/--role firewall-gcloud/);
    const denied = {
      ...open('corp-no', { targetTags: ['kafka-mon-monitoring'] }),
      allowed: undefined,
      denied: [{ IPProtocol: 'tcp', ports: ['5601'] }],
      sourceRanges: ['0.0.0.0/0'],
    };
    expect(text(judgeFlows(from, realm, effective([denied])))).to.equal('fail: 203.0.113.7/32 to kibana-01 5601 (kibana): corp-no');
  });

  it('is made by somebody else where the rules are not ours to make: the commands are said', () => {
    const others = world('firewall_gcloud_operators: [203.0.113.7/32], firewall_gcloud_managed: false');
    const found = judgeFlows(others, realmOf(others), effective([], ['kafka-mon-kafka-jmx']));
    expect(hint(found)).to.match(
      /^gcloud compute firewall-rules create kafka-mon-kafka-jmx --network=metrics .*--source-tags=kafka-mon-monitoring .*'--description=Lets monitoring reach kafka-jmx\. .*' --project=demo-project\n/,
    );
  });

  it('is judged by the tags that instances have, whatever the inventory says', () => {
    const existing: Machines = new Map([[hostName('es-01'), { tags: ['web'] }]]);
    const web = open('web', { sourceRanges: ['0.0.0.0/0'], targetTags: ['web'] });
    expect(text(judgeClosed(from, realm, effective([web], [], existing)))).to.match(/^fail: elasticsearch-http 9200 of es-01 from 0\.0\.0\.0\/0 \(web\)/);
    expect(text(judgeFlows(from, realm, effective([], [], existing)))).to.match(/^fail: es-02 to es-01 9200/);
    const found = judgeForeign(from, realm, { rules: [listed({ ...web, network: 'x/metrics' })], existing });
    expect(text(found)).to.match(/^fail: web lets 0\.0\.0\.0\/0 reach elasticsearch-http \(9200\).* of es-01$/);
  });

  it('is nothing from the internet but for operators: whatever else is open is named with its rule', () => {
    const wide = open('temp', { sourceRanges: ['34.0.0.0/8'], targetTags: ['kafka-mon-es-masters'], allowed: [{ IPProtocol: 'tcp', ports: ['9200'] }] });
    const found = judgeClosed(from, realm, effective([wide]));
    expect(text(found)).to.equal('fail: elasticsearch-http 9200 of es-01 from 34.0.0.0/8 (temp); elasticsearch-http 9200 of es-02 from 34.0.0.0/8 (temp)');
    const edited = effective([
      open('kafka-mon-kibana-operators', {
        sourceRanges: ['203.0.113.0/24'],
        targetTags: ['kafka-mon-monitoring'],
        allowed: [{ IPProtocol: 'tcp', ports: ['5601'] }],
      }),
    ]);
    expect(text(judgeClosed(from, realm, edited))).to.match(/^fail: kibana 5601 of kibana-01 from 203.0.113.0\/24 \(kafka-mon-kibana-operators\)/);
    expect(text(judgeClosed(from, realm, effective([open('everything', {})])))).to.match(/^fail: .*; and \d+ more$/);
  });

  it('never hides an exposure behind rules of others', () => {
    const cidr = fc.constantFrom('0.0.0.0/0', '34.0.0.0/8', '203.0.113.0/24', '10.0.0.0/8', '198.51.100.7/32');
    const foreign = fc.record({
      sourceRanges: fc.array(cidr, { minLength: 1, maxLength: 2 }),
      targetTags: fc.constantFrom([], ['kafka-mon-es-masters'], ['web']),
      allowed: fc.constantFrom([{ IPProtocol: 'tcp', ports: ['9200'] }], [{ IPProtocol: 'tcp' }], [{ IPProtocol: 'all' }], [{ IPProtocol: 'udp' }]),
    });
    fc.assert(
      fc.property(fc.array(foreign, { maxLength: 4 }), fc.nat(4), (some, at) => {
        const exposing = open('leak', {
          sourceRanges: ['198.51.100.7/32'],
          targetTags: ['kafka-mon-es-masters'],
          allowed: [{ IPProtocol: 'tcp', ports: ['9000-9300'] }],
        });
        const others = some.map((each, index) => open(`other-${String(index)}`, each));
        const all = [...others.slice(0, at), exposing, ...others.slice(at)];
        const found = foreignRules(from, realm, [...rules, ...all.map((each) => listed({ ...each, network: 'x/metrics' }))], NONE);
        return judgeClosed(from, realm, effective(all)).kind === 'fail' && found.some(({ rule }) => rule.name === 'leak');
      }),
    );
  });

  describe('rules of others', () => {
    const judged = (...some: readonly Raw[]): CheckOutcome =>
      judgeForeign(from, realm, { rules: [...rules, ...some.map((each) => listed({ ...each, network: each['network'] ?? 'x/metrics' }))], existing: NONE });

    it('are no matter where they open nothing of ours, or no more than we do', () => {
      expect(text(judged())).to.equal('pass: none opens a port of ours');
      const harmless: readonly Raw[] = [
        open('web', { targetTags: ['http-server'], sourceRanges: ['0.0.0.0/0'] }),
        open('https', { sourceRanges: ['0.0.0.0/0'], allowed: [{ IPProtocol: 'tcp', ports: ['443'] }] }),
        open('off', { sourceRanges: ['0.0.0.0/0'], disabled: true }),
        open('there', { sourceRanges: ['0.0.0.0/0'], network: 'x/other' }),
        open('out', { direction: 'EGRESS', destinationRanges: ['0.0.0.0/0'] }),
        open('me', { sourceRanges: ['203.0.113.7/32'], allowed: [{ IPProtocol: 'tcp', ports: ['5601'] }] }),
        open('ping', { sourceRanges: ['0.0.0.0/0'], allowed: [{ IPProtocol: 'icmp' }] }),
      ];
      expect(text(judged(...harmless))).to.equal('pass: none opens a port of ours');
    });

    it('fail where they open more, each with the command that ends it', () => {
      const found = judged(
        open('all', { sourceRanges: ['0.0.0.0/0'], allowed: [{ IPProtocol: 'tcp', ports: ['9000-9300'] }] }),
        open('tagged', { sourceTags: ['web'], targetTags: ['kafka-mon-brokers'], allowed: [{ IPProtocol: 'tcp', ports: ['9092'] }] }),
        open('accounts', { sourceServiceAccounts: ['a@b.c'], allowed: [{ IPProtocol: 'tcp', ports: ['9300'] }] }),
        // Its name alone does not make it ours.
        open('kafka-mon-debug', { allowed: [{ IPProtocol: 'tcp', ports: ['5601'] }] }),
      );
      expect(text(found).split('; ')).to.deep.equal([
        'fail: all lets 0.0.0.0/0 reach elasticsearch-http (9200), elasticsearch-transport (9300), kafka (9092), kafka-controller (9093) of es-01, es-02, broker-01, broker-02',
        'tagged lets web reach kafka (9092) of broker-01, broker-02',
        'accounts lets a@b.c reach elasticsearch-transport (9300) of es-01, es-02',
        'kafka-mon-debug lets 0.0.0.0/0, ::/0 reach kibana (5601) of kibana-01',
      ]);
      expect(hint(found).split('\n').slice(0, 2)).to.deep.equal([
        'gcloud compute firewall-rules delete all --project=demo-project',
        'gcloud compute firewall-rules delete tagged --project=demo-project',
      ]);
    });

    it('are said and no failure where they are known', () => {
      const known = world('firewall_gcloud_operators: [203.0.113.7/32], firewall_gcloud_known_rules: {corp-ssh: the office looks after hosts}');
      const corp = listed(open('corp-ssh', { network: 'x/metrics', sourceRanges: ['10.0.0.0/8'], allowed: [{ IPProtocol: 'tcp', ports: ['22'] }] }));
      expect(text(judgeForeign(known, realmOf(known), { rules: [corp], existing: NONE }))).to.equal(
        'pass: corp-ssh lets 10.0.0.0/8 reach ssh (22) of es-01, es-02, broker-01, broker-02, kibana-01, client-01 (known: the office looks after hosts)',
      );
    });

    it("are one warning where they came with the network default, and nobody's any more where they were changed", () => {
      const there = inventory(`all:
  vars: {host_provider: gcp, gcp_project: demo-project, gcp_zone: asia-northeast3-a, firewall_gcloud_operators: [203.0.113.7/32]}
  children:
    monitoring: {hosts: {kibana-01: {private_address: 10.178.0.31}}}
`);
      const all = DEFAULTS.map(listed);
      expect(all.filter(isOfDefaultNetwork)).to.have.length(4);
      const found = text(judgeForeign(there, realmOf(there), { rules: all, existing: NONE }));
      expect(found).to.match(
        /^pass: warning: default-allow-internal lets 10\.128\.0\.0\/9 reach .*; default-allow-ssh lets 0\.0\.0\.0\/0 reach ssh \(22\) of kibana-01; they came with/,
      );
      expect(found).to.include('gcloud compute firewall-rules delete default-allow-ssh --project=demo-project').and.not.include('rdp');
      expect(text(judgeClosed(there, realmOf(there), { effective: effectiveFirewalls.parse({ firewalls: DEFAULTS }), existing: NONE }))).to.match(/^pass/);
      const changed = DEFAULTS.map((each) => listed({ ...each, sourceRanges: ['0.0.0.0/0'] }));
      expect(text(judgeForeign(there, realmOf(there), { rules: changed, existing: NONE }))).to.match(/^fail: default-allow-internal lets 0\.0\.0\.0\/0 reach/);
    });
  });

  describe('seen from outside', () => {
    const at = (outside: string): Machines => new Map([[hostName('kibana-01'), { tags: [], outside }]]);
    const doors = (given: Inventory = from, address = '34.64.1.2') => doorsOf(given, realmOf(given), at(address));
    const answers = (some: Readonly<Record<string, 'open' | 'refused' | 'silent' | 'unreachable'>>, own: readonly string[] = ['192.168.0.7']) => ({
      own: [...own],
      answers: { ...Object.fromEntries(doors().map(({ place }) => [place, 'silent' as const])), ...some },
    });

    it('is tried at every port of every address that the internet reaches, once', () => {
      expect(doors().map(({ place, ranges }) => [place, ranges])).to.deep.equal([
        ['34.64.1.2:5601', ['203.0.113.7/32']],
        ['34.64.1.2:9600', []],
        ['34.64.1.2:22', ['203.0.113.7/32']],
      ]);
      expect(doors(from, '127.77.0.31')).to.deep.equal([]);
      expect(doors(from, '10.20.0.31')).to.deep.equal([]);
    });

    it('is closed where nobody outside may come, and open where this machine may', () => {
      expect(text(judgeDoors(doors(), [], answers({})))).to.equal('pass: closed to this machine where nobody outside may come (1 of 3 ports)');
      expect(text(judgeDoors(doors(), [], answers({ '34.64.1.2:9600': 'open' })))).to.equal('fail: open: logstash-jmx-api of kibana-01 at 34.64.1.2:9600');
      // Somebody on the way may have said no.
      expect(text(judgeDoors(doors(), [], answers({ '34.64.1.2:9600': 'refused' })))).to.match(/^pass/);
      expect(text(judgeDoors(doors(), [], answers({ '34.64.1.2:5601': 'open' })))).to.match(/^pass/);
      const we = ['fe80::1%eth0', '203.0.113.7'];
      expect(text(judgeDoors(doors(), [], answers({ '34.64.1.2:5601': 'refused', '34.64.1.2:22': 'open' }, we)))).to.equal(
        'pass: closed to this machine where nobody outside may come (1 of 3 ports), open where it may',
      );
      expect(text(judgeDoors(doors(), [], answers({ '34.64.1.2:22': 'open' }, we)))).to.equal('fail: no answer: kibana of kibana-01 at 34.64.1.2:5601');
    });

    it('is nothing to judge without an external address, or without a way to the internet', () => {
      const [check] = realmChecks(from, realm).filter(({ id }) => id === 'outside');
      expect(check?.judge({ doors: [], rules: [] }, undefined)).to.deep.equal({
        kind: 'skipped',
        because: 'no instance has an address that the internet reaches',
      });
      const none = answers(Object.fromEntries(doors().map(({ place }) => [place, 'unreachable' as const])));
      expect(judgeDoors(doors(), [], none)).to.deep.equal({ kind: 'skipped', because: 'this machine has no way to the internet' });
    });

    it('is not judged where something on the way answers for everybody', () => {
      const proxied = { '34.64.1.2:9600': 'open', '34.64.1.2:5601': 'open', '198.51.100.1:9600': 'open' } as const;
      expect(text(judgeDoors(doors(), [], answers({ ...proxied, '198.51.100.1:5601': 'open', '198.51.100.1:22': 'open' })))).to.match(
        /^skipped: .* answers for everybody/,
      );
      expect(text(judgeDoors(doors(), [], answers(proxied)))).to.match(/^pass/);
    });

    it('is told open, refused and silent by the program that tries', async () => {
      const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
      await new Promise((done) => server.once('listening', done));
      const { port } = server.address() as AddressInfo;
      const program = join(import.meta.dirname, '../../../roles/firewall-gcloud/bin/probe.mts');
      const run = async (): Promise<{ own: string[]; answers: unknown }> => {
        const { stdout } = await promisify(execFile)(process.execPath, [program, `127.0.0.1:${String(port)}`, '127.0.0.1:1']);
        return JSON.parse(stdout) as { own: string[]; answers: unknown };
      };
      const found = await run();
      expect(found.answers).to.deep.equal({ [`127.0.0.1:${String(port)}`]: 'open', '127.0.0.1:1': 'refused' });
      expect(found.own).to.include('127.0.0.1');
      await new Promise((done) => server.close(done));
    });
  });

  it('is said to people with the address that they type', () => {
    const with9000 = world('firewall_gcloud_operators: [203.0.113.7/32], kafka_manager_enabled: true');
    const outside: Machines = new Map([[hostName('kibana-01'), { tags: [], outside: '34.64.1.2' }]]);
    expect(peopleText(with9000, realmOf(with9000), outside)).to.equal(
      'kibana http://34.64.1.2:5601 from 203.0.113.7/32; kafka-manager http://34.64.1.2:9000 from 203.0.113.7/32',
    );
    expect(peopleText(from, realm, new Map())).to.equal('kibana http://10.20.0.31:5601 (inside the network only) from 203.0.113.7/32');
    const named = world('firewall_gcloud_operators: [203.0.113.7/32], kibana_base_url: "https://kibana.example.com/"');
    expect(peopleText(named, realmOf(named), outside)).to.equal('kibana https://kibana.example.com from 203.0.113.7/32');
    const nobody = world('firewall_gcloud_operators: [], gcp_access: iap');
    expect(peopleText(nobody, realmOf(nobody), outside)).to.match(/^nothing from outside: gcloud compute start-iap-tunnel/);
  });
});
