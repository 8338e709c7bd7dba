import { expect } from 'chai';
import type { Inventory } from '../../../lib/index.mts';
import { firewallGcloud } from '../../../roles/firewall-gcloud/contract.mts';
import { refusals } from '../../../roles/firewall-gcloud/refusals.mts';
import role from '../../../roles/firewall-gcloud/role.mts';
import { hostOf, inventory } from '../support.mts';
import { world } from './world.mts';

const said = (from: Inventory): readonly string[] => refusals(from).map(({ kind, reason }) => `${kind}: ${reason}`);
const operators = (...ranges: readonly string[]): Inventory => world(`firewall_gcloud_operators: [${ranges.map((each) => `"${each}"`).join(', ')}]`);

describe('refusals of the firewall', () => {
  it('ask nothing, so that a run ends with them before any call', () => {
    const from = world();
    const host = hostOf(from, 'es-01');
    const question = role.refuses?.({ host, vars: host.vars(firewallGcloud), inventory: from, within: new Set(from.hosts.keys()) });
    expect(question?.asks).to.deep.equal([]);
    expect(said(from)).to.deep.equal([]);
  });

  it('are of the whole internet, wherever it is named, with the place in the inventory', () => {
    for (const range of ['0.0.0.0/0', '::/0'])
      expect(said(operators(range))).to.deep.equal([`refused: firewall_gcloud_operators (hosts.yaml:2:155) has ${range}: that is everybody on the internet`]);
    const one = 'firewall_gcloud_operators: [203.0.113.7/32]';
    const everywhere = [
      `${one}, firewall_gcloud_private_ranges: {elasticsearch-http: [0.0.0.0/0]}`,
      `${one}, firewall_gcloud_extra: [{name: exporter, ports: ["9100"], from: [0.0.0.0/0], to: [brokers]}]`,
      `${one}, kibana_exposure: public, kibana_exposure_sources: [0.0.0.0/0]`,
      `${one}, kibana_exposure_sources: ["::/0"]`,
    ];
    for (const vars of everywhere)
      expect(said(world(vars)).join(), vars).to.match(
        /^refused: (?:firewall_gcloud|kibana)_\w+ \(hosts.yaml:2:\d+\) has (?:0\.0\.0\.0|::)\/0: that is everybody/,
      );
  });

  it('are of public ranges at ports of data', () => {
    const ranges = (vars: string): string => said(world(`firewall_gcloud_operators: [203.0.113.7/32], ${vars}`)).join('\n');
    expect(ranges('firewall_gcloud_private_ranges: {elasticsearch-http: [34.0.0.0/8]}')).to.match(
      /^refused: firewall_gcloud_private_ranges \(.*\) has 34.0.0.0\/8 for elasticsearch-http: it has no login/,
    );
    expect(ranges('firewall_gcloud_private_ranges: {kafka-jmx: [203.0.113.7/32]}')).to.match(/for kafka-jmx: it has no login/);
    const extra = (port: string, from: string): string => ranges(`firewall_gcloud_extra: [{name: mine, ports: ["${port}"], from: [${from}], to: [brokers]}]`);
    for (const port of ['9200', '9300', '9092', '9093', '9999', '9997', '9600', '9000-9100', '1-65535'])
      expect(extra(port, '203.0.113.7/32'), port).to.match(/it has no login/);
    expect(extra('9200', '10.0.0.0/8')).to.equal('');
    expect(extra('9100', '203.0.113.7/32')).to.equal('');
    expect(extra('9100', '203.0.112.0/20')).to.match(/wider than \/24/);
  });

  it('are of ranges of operators that are wider than a network, unless the inventory has words for it', () => {
    expect(said(operators('203.0.113.0/24', '2001:db8::/64', '10.8.0.0/24'))).to.deep.equal([]);
    expect(said(operators('203.0.112.0/23')).join()).to.match(/203.0.112.0\/23, which is wider than \/24/);
    expect(said(operators('2001:db8::/56')).join()).to.match(/wider than \/64/);
    expect(said(operators('10.0.0.0/8')).join()).to.match(/wider than \/24/);
    const inWords = 'firewall_gcloud_operators_wide: our office has a twenty';
    expect(said(world(`firewall_gcloud_operators: [203.0.112.0/20], ${inWords}`))).to.deep.equal([]);
    expect(said(world(`firewall_gcloud_operators: [32.0.0.0/6], ${inWords}`)).join()).to.match(/a good part of the internet/);
    expect(said(world(`firewall_gcloud_operators: [128.0.0.0/1], ${inWords}`)).join()).to.match(/private addresses and some of the internet/);
    expect(said(operators('172.0.0.0/8')).join()).to.match(/private addresses and some of the internet/);
  });

  it('say what is missing, or would lock everybody out', () => {
    expect(said(world('gcp_boot_disk_gb: 30'))).to.deep.equal(['usage: nobody says who may come to kibana (5601) and ssh (22) from outside']);
    expect(said(world('gcp_access: iap'))).to.deep.equal(['usage: nobody says who may come to kibana (5601) from outside']);
    expect(said(operators())).to.deep.equal([
      'usage: firewall_gcloud_operators (hosts.yaml:2:155) is empty: nobody could log in to kibana-01, this program included',
    ]);
    expect(said(world('firewall_gcloud_operators: [], gcp_access: iap'))).to.deep.equal([]);
  });

  it('say where an inventory cannot be followed', () => {
    const head = 'host_provider: gcp, gcp_project: demo-project, gcp_zone: asia-northeast3-a';
    const two = (first: string, second: string): readonly string[] =>
      said(
        inventory(`all:
  vars: {${head}}
  children:
    es_masters: {hosts: {es-01: {private_address: 10.0.0.11}}, vars: {${first}}}
    monitoring: {hosts: {kibana-01: {private_address: 10.0.0.31}, kibana-02: {private_address: 10.0.0.32}}, vars: {${second}}}
`),
      );
    const here = 'firewall_gcloud_operators: [203.0.113.7/32]';
    expect(two(here, here)).to.deep.equal([]);
    expect(two('gcp_zone: asia-northeast3-b', here)).to.deep.equal([]);
    expect(two('firewall_gcloud_operators: [203.0.113.8/32]', here).join()).to.match(
      /^usage: es-01 and kibana-01 are in one network, and say different things/,
    );
    expect(two(`${here}, gcp_network: one`, `${here}, gcp_network: two`).join()).to.match(
      /^usage: networks one and two of project demo-project have the same gcp_prefix, kafka-mon/,
    );
    expect(two(`${here}, gcp_network: one, gcp_prefix: data`, here)).to.deep.equal([]);
    expect(two(here, `${here}, firewall_gcloud_identity: service-accounts, gcp_service_account: a@b.c`).join()).to.match(/say different things/);
    expect(
      two(`${here}, firewall_gcloud_identity: service-accounts`, 'firewall_gcloud_identity: service-accounts, gcp_service_account: a@b.c').join(),
    ).to.match(/^usage: es-01 has no gcp_service_account/);
    const alone = inventory(`all:
  vars: {${head}, ${here}, connection_jump: kibana-01}
  hosts: {lonely: {private_address: 10.0.0.9}}
  children:
    monitoring: {hosts: {kibana-01: {private_address: 10.0.0.31, connection_jump: none}, kibana-02: {private_address: 10.0.0.32}}}
`);
    expect(said(alone)).to.deep.equal([
      'usage: lonely is in no group, and rules name hosts by the tags of their groups',
      'usage: kibana-02 is reached by ssh another way than other hosts of each of its groups (monitoring)',
      'usage: kibana-01 is reached by ssh another way than other hosts of each of its groups (monitoring)',
    ]);
    expect(said(world(`${here}, firewall_gcloud_extra: [{name: mine, ports: ["9100"], from: [brokerz], to: [brokers]}]`))).to.deep.equal([
      'usage: rule mine of firewall_gcloud_extra names brokerz, which is no group with hosts',
    ]);
    const people = inventory(`all:
  vars: {${head}, ${here}}
  children:
    monitoring:
      hosts: {kibana-01: {private_address: 10.0.0.31}, kibana-02: {private_address: 10.0.0.32, kibana_exposure: public, kibana_exposure_sources: [198.51.100.0/24]}}
`);
    expect(said(people)).to.deep.equal(['usage: Kibana of kibana-01 and of kibana-02 are for different people, and share a rule']);
  });

  it('are not needed for what no inventory may have at all', () => {
    const wrong: Readonly<Record<string, RegExp>> = {
      'firewall_gcloud_operators: [203.0.113.7]': /an address range such as 203.0.113.7\/32/,
      'firewall_gcloud_operators: [203.0.113.7/33]': /an address range/,
      'firewall_gcloud_operators: [everybody]': /an address range/,
      'firewall_gcloud_operators: [203.0.113.7/24]': /either the network 203.0.113.0\/24 or one address of it, 203.0.113.7\/32/,
      'firewall_gcloud_operators_wide: please': /a sentence that says why/,
      'firewall_gcloud_private_ranges: {kibana: [10.0.0.0/8]}': /kibana/,
      'firewall_gcloud_private_ranges: {kafka: [10.0.0.300/8]}': /an address range/,
      'firewall_gcloud_extra: [{name: mine, ports: ["9100-9000"], from: [brokers], to: [brokers]}]': /the lower one first/,
      'firewall_gcloud_extra: [{name: mine, ports: ["http"], from: [brokers], to: [brokers]}]': /a port or a range of ports/,
    };
    for (const [vars, text] of Object.entries(wrong)) expect(() => world(vars), vars).to.throw(text);
  });
});
