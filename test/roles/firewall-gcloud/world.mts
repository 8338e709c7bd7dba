/** Inventories in Google Cloud, and what the role makes of them. */
import type { Inventory } from '../../../lib/index.mts';
import { firewallRule, ruleText, type FirewallRule } from '../../../roles/firewall-gcloud/rule.mts';
import { realms, type Realm } from '../../../roles/firewall-gcloud/realms.mts';
import { wantedRules } from '../../../roles/firewall-gcloud/wanted.mts';
import { inventory } from '../support.mts';

const LINES = `all:
  vars: {host_provider: gcp, gcp_project: demo-project, gcp_zone: asia-northeast3-a, gcp_network: metrics, ansible_user: ops, VARS}
  children:
    es_masters:
      hosts: {es-01: {private_address: 10.20.0.11}, es-02: {private_address: 10.20.0.12}}
    es_data: {children: {es_masters: }}
    brokers:
      hosts: {broker-01: {private_address: 10.20.0.21}, broker-02: {private_address: 10.20.0.22}}
    controllers: {children: {brokers: }}
    monitoring:
      hosts: {kibana-01: {private_address: 10.20.0.31, connection_jump: none}}
    clients:
      hosts: {client-01: {private_address: 10.20.0.41}}
`;

/** Two masters, two brokers, Kibana, which is the bastion, and a client; `vars` for all of them, and `more` lines below `children`. */
export const world = (vars = 'firewall_gcloud_operators: [203.0.113.7/32]', more = '', jump = 'kibana-01'): Inventory =>
  inventory(LINES.replace('VARS', `connection_jump: ${jump}, ${vars}`) + more);

export function realmOf(from: Inventory, index = 0): Realm {
  const realm = realms(from)[index];
  if (realm === undefined) throw new Error('no realm');
  return realm;
}

/** Name, without the prefix, and what it lets through. */
export const rulesOf = (from: Inventory, index = 0): Readonly<Record<string, string>> =>
  Object.fromEntries(
    wantedRules(from, realmOf(from, index)).map((rule) => [rule.name.replace(/^kafka-mon-/, ''), ruleText(rule).replaceAll('kafka-mon-', '')]),
  );

/** A rule from what gcloud prints of it. */
export const listed = (some: Readonly<Record<string, unknown>>): FirewallRule =>
  firewallRule.parse({
    kind: 'compute#firewall',
    id: '1234567890123456789',
    creationTimestamp: '2026-01-01T00:00:00.000-08:00',
    network: 'https://www.googleapis.com/compute/v1/projects/demo-project/global/networks/metrics',
    logConfig: { enable: false },
    ...some,
  });

/** A wanted rule as gcloud would print it. */
export const asListed = (rule: FirewallRule): Readonly<Record<string, unknown>> => ({
  name: rule.name,
  network: `https://www.googleapis.com/compute/v1/projects/demo-project/global/networks/${rule.network}`,
  direction: rule.direction,
  priority: rule.priority,
  disabled: rule.disabled,
  description: rule.description,
  [rule.action === 'allow' ? 'allowed' : 'denied']: rule.traffic.map((entry) => {
    const [protocol, ports] = entry.split(':');
    return { IPProtocol: protocol, ...(ports === undefined ? {} : { ports: [ports] }) };
  }),
  ...Object.fromEntries(
    (['sourceRanges', 'sourceTags', 'sourceServiceAccounts', 'targetTags', 'targetServiceAccounts', 'destinationRanges'] as const)
      .filter((field) => rule[field].length > 0)
      .map((field) => [field, rule[field]]),
  ),
});
