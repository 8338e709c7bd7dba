import { expect } from 'chai';
import { DATA_LISTENERS, isOurs } from '../../../roles/firewall-gcloud/contract.mts';
import { isPrivate, range } from '../../../roles/firewall-gcloud/ranges.mts';
import { openings } from '../../../roles/firewall-gcloud/reach.mts';
import { realms } from '../../../roles/firewall-gcloud/realms.mts';
import { tcpPorts } from '../../../roles/firewall-gcloud/rule.mts';
import { wantedRules } from '../../../roles/firewall-gcloud/wanted.mts';
import { inventory } from '../support.mts';
import { realmOf, rulesOf, world } from './world.mts';

const OPERATORS = 'firewall_gcloud_operators: [203.0.113.7/32]';

describe('wanted firewall rules', () => {
  it('go from tags to tags, and from operators to Kibana and the bastion alone', () => {
    expect(rulesOf(world())).to.deep.equal({
      'elasticsearch-http': 'tcp:9200 from es-data, es-masters, monitoring to es-masters',
      'elasticsearch-transport': 'tcp:9300 from es-data, es-masters to es-masters',
      kafka: 'tcp:9092 from brokers, clients, controllers, monitoring to brokers',
      'kafka-controller': 'tcp:9093 from brokers, controllers to brokers',
      'kafka-jmx': 'tcp:9999 from monitoring to brokers',
      'kibana-operators': 'tcp:5601 from 203.0.113.7/32 to monitoring',
      'ssh-bastion': 'tcp:22 from monitoring to brokers, clients, es-data',
      'ssh-operators': 'tcp:22 from 203.0.113.7/32 to monitoring',
      'tracks-consumer-api': 'tcp:9602 from monitoring to clients',
      'tracks-consumer-jmx': 'tcp:9997 from monitoring to clients',
      'tracks-producer-api': 'tcp:9601 from monitoring to clients',
      'tracks-producer-jmx': 'tcp:9998 from monitoring to clients',
    });
  });

  it('are of the network, named so that they are known again, and say what they are for', () => {
    const from = world();
    for (const rule of wantedRules(from, realmOf(from))) {
      expect(rule).to.include({ network: 'metrics', direction: 'INGRESS', action: 'allow', priority: 1000, disabled: false });
      expect(rule.name).to.match(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
      expect(isOurs(rule, 'kafka-mon'), rule.description).to.equal(true);
      expect(rule.targetTags, rule.name).to.not.deep.equal([]);
    }
    const described = wantedRules(from, realmOf(from)).map(({ description }) => description.split('. Kept')[0]);
    expect(described).to.include('Lets operators reach kibana').and.include('Lets es_masters, es_data and monitoring reach elasticsearch-http');
    expect(described).to.include('Lets kibana-01 reach ssh');
  });

  it('are the same whatever the order of the inventory', () => {
    const groups = (first: string, second: string) =>
      inventory(`all:
  vars: {host_provider: gcp, gcp_project: demo-project, gcp_zone: asia-northeast3-a, ${OPERATORS}}
  children:
    ${first}
    ${second}
    monitoring: {hosts: {kibana-01: {private_address: 10.0.0.31}}}
`);
    const masters = 'es_masters: {hosts: {es-01: {private_address: 10.0.0.11}, es-02: {private_address: 10.0.0.12}}}';
    const brokers = 'brokers: {hosts: {broker-01: {private_address: 10.0.0.21}, broker-02: {private_address: 10.0.0.22}}}';
    expect(rulesOf(groups(masters, brokers))).to.deep.equal(rulesOf(groups(brokers, masters)));
  });

  it('need nothing on one machine but the way in: what it wants of itself passes no firewall', () => {
    const single = inventory(`all:
  vars: {host_provider: gcp, gcp_project: demo-project, gcp_zone: asia-northeast3-a, ${OPERATORS}, kafka_node_id: 1}
  children:
    es_masters: {hosts: {kafka-monitoring: {private_address: 10.0.0.31}}}
    brokers: {hosts: {kafka-monitoring: }}
    controllers: {hosts: {kafka-monitoring: }}
    monitoring: {hosts: {kafka-monitoring: }}
    clients: {hosts: {kafka-monitoring: }}
`);
    expect(Object.keys(rulesOf(single))).to.deep.equal(['kibana-operators', 'ssh-operators']);
  });

  it('open 9000 where its page is on, and Kibana to people of its own where it is public', () => {
    const from = world(`${OPERATORS}, kafka_manager_enabled: true, kibana_exposure: public, kibana_exposure_sources: [198.51.100.0/25, "2001:db8:7::/64"]`);
    expect(rulesOf(from)).to.include({
      'kafka-manager-operators': 'tcp:9000 from 203.0.113.7/32 to monitoring',
      'kibana-operators': 'tcp:5601 from 198.51.100.0/25, 203.0.113.7/32 to monitoring',
      'kibana-operators-ipv6': 'tcp:5601 from 2001:db8:7::/64 to monitoring',
    });
  });

  it('let ssh in from Identity-Aware Proxy where that is the way, at the port that hosts have', () => {
    const rules = rulesOf(world(`firewall_gcloud_operators: [], gcp_access: iap, ansible_port: 2222`));
    expect(Object.entries(rules).filter(([name]) => name.startsWith('ssh'))).to.deep.equal([
      ['ssh-iap', 'tcp:2222 from 35.235.240.0/20 to brokers, clients, es-data, monitoring'],
    ]);
    expect(rules).to.not.have.property('kibana-operators');
  });

  it('name a bastion by its address where its groups have others in them', () => {
    const from = inventory(`all:
  vars: {host_provider: gcp, gcp_project: demo-project, gcp_zone: asia-northeast3-a, ${OPERATORS}, connection_jump: kibana-01}
  children:
    doors: {hosts: {kibana-01: {private_address: 10.0.0.31, connection_jump: none}}}
    monitoring: {hosts: {kibana-01: , kibana-02: {private_address: 10.0.0.32}}}
`);
    expect(rulesOf(from)).to.include({ 'ssh-bastion': 'tcp:22 from doors to monitoring', 'ssh-operators': 'tcp:22 from 203.0.113.7/32 to doors' });
    const door = '    doors: {hosts: {door-01: {host_provider: none, private_address: 10.9.0.5, connection_jump: none}}}\n';
    const elsewhere = world(OPERATORS, door, 'door-01');
    expect(rulesOf(elsewhere)['ssh-bastion']).to.equal('tcp:22 from 10.9.0.5/32 to brokers, clients, es-data');
  });

  it('serve ZooKeeper and no controller where Kafka has one', () => {
    const from = world(`${OPERATORS}, kafka_mode: zookeeper`, '    zookeepers: {hosts: {broker-01: }}\n');
    const rules = rulesOf(from);
    expect(rules['zookeeper']).to.equal('tcp:2181 from brokers, monitoring, zookeepers to zookeepers');
    expect(rules).to.not.have.property('kafka-controller');
    expect(rules['kafka-jmx']).to.equal('tcp:9999 from monitoring to brokers');
  });

  it('have none for a Kafka of others, wherever it is, but let its hosts in by address', () => {
    const from = inventory(`all:
  vars: {gcp_project: demo-project, gcp_zone: asia-northeast3-a, ${OPERATORS}}
  children:
    es_masters: {hosts: {es-01: {private_address: 10.0.0.11}}, vars: {host_provider: gcp}}
    es_data: {hosts: {es-09: {private_address: 10.30.0.9}}}
    brokers:
      hosts: {kafka-a: {private_address: 10.30.0.5}}
      vars: {kafka_managed: false, kafka_jmx_authentication: false}
    monitoring: {hosts: {kibana-01: {private_address: 10.0.0.31}}, vars: {host_provider: gcp}}
`);
    const rules = rulesOf(from);
    expect(Object.keys(rules)).to.deep.equal(['elasticsearch-http', 'elasticsearch-transport', 'kibana-operators', 'ssh-operators']);
    expect(rules['elasticsearch-http']).to.equal('tcp:9200 from 10.30.0.9/32, es-masters, monitoring to es-masters');
    const here = world(`${OPERATORS}, kafka_managed: false, kafka_jmx_authentication: false`);
    expect(rulesOf(here)).to.include({ 'kafka-jmx': 'tcp:9999 from monitoring to brokers' });
  });

  it('open data to private ranges that are named for it, and to no other', () => {
    const from = world(`${OPERATORS}, firewall_gcloud_private_ranges: {kafka: [10.8.0.0/24, "fd00:1::/64"]}`);
    expect(rulesOf(from)).to.include({
      kafka: 'tcp:9092 from 10.8.0.0/24, brokers, clients, controllers, monitoring to brokers',
      'kafka-ipv6': 'tcp:9092 from fd00:1::/64 to brokers',
      'kafka-jmx': 'tcp:9999 from monitoring to brokers',
    });
  });

  it('never open data to the internet', () => {
    const from = world(`${OPERATORS}, kafka_manager_enabled: true, firewall_gcloud_private_ranges: {kafka: [10.8.0.0/24]}`);
    const data = openings(from, realmOf(from)).filter(({ sort }) => sort === 'data');
    expect(new Set(data.map(({ what }) => what)).size).to.be.greaterThan(9);
    for (const { what, port } of data) expect(DATA_LISTENERS, `${what} ${port}`).to.include(what);
    const ports = new Set(data.map(({ port }) => Number(port)));
    for (const rule of wantedRules(from, realmOf(from)))
      if (tcpPorts(rule.traffic).some(({ first }) => ports.has(first)))
        expect(
          rule.sourceRanges.every((each) => isPrivate(range(each))),
          rule.name,
        ).to.equal(true);
  });

  it('may name hosts by service accounts instead', () => {
    const account = (name: string): string => `gcp_service_account: ${name}@demo-project.iam.gserviceaccount.com`;
    const from = inventory(`all:
  vars: {host_provider: gcp, gcp_project: demo-project, gcp_zone: asia-northeast3-a, firewall_gcloud_identity: service-accounts, ${OPERATORS}}
  children:
    es_masters: {hosts: {es-01: {private_address: 10.0.0.11}}, vars: {${account('es')}}}
    monitoring: {hosts: {kibana-01: {private_address: 10.0.0.31}}, vars: {${account('kibana')}}}
`);
    const domain = '@demo-project.iam.gserviceaccount.com';
    expect(rulesOf(from)).to.include({
      'elasticsearch-http': `tcp:9200 from kibana${domain} to es${domain}`,
      'kibana-operators': `tcp:5601 from 203.0.113.7/32 to kibana${domain}`,
    });
  });

  it('have further ones of the user', () => {
    const from = world(
      `${OPERATORS}, firewall_gcloud_extra: [{name: exporter, ports: ["9100", "9110-9120"], from: [monitoring, 10.8.0.0/24], to: [brokers, clients]}]`,
    );
    expect(rulesOf(from)['extra-exporter']).to.equal('tcp:9100, tcp:9110-9120 from 10.8.0.0/24, monitoring to brokers, clients');
  });

  it('are those of each network and project of the inventory', () => {
    const from = inventory(`all:
  vars: {host_provider: gcp, gcp_zone: asia-northeast3-a, ${OPERATORS}}
  children:
    es_masters: {hosts: {es-01: {private_address: 10.0.0.11}}, vars: {gcp_project: data-project, gcp_network: data}}
    monitoring: {hosts: {kibana-01: {private_address: 10.1.0.31}}, vars: {gcp_project: view-project}}
`);
    expect(realms(from).map(({ project, network }) => `${project}/${network}`)).to.deep.equal(['data-project/data', 'view-project/default']);
    // Tags mean nothing in another network.
    expect(rulesOf(from)).to.deep.equal({
      'elasticsearch-http': 'tcp:9200 from 10.1.0.31/32, es-masters to es-masters',
      'ssh-operators': 'tcp:22 from 203.0.113.7/32 to es-masters',
    });
    expect(rulesOf(from, 1)).to.deep.equal({
      'kibana-operators': 'tcp:5601 from 203.0.113.7/32 to monitoring',
      'ssh-operators': 'tcp:22 from 203.0.113.7/32 to monitoring',
    });
  });
});
