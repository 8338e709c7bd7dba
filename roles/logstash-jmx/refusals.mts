import { privateOnly, type Context, type Inventory, type Refusal } from '../../lib/index.mts';
import { kafka } from '../kafka/contract.mts';
import { isCollector } from '../metrics-index/contract.mts';
import type { LogstashJmxVars } from './contract.mts';
import { targets, type Target } from './targets.mts';

const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });

export function refusals({ host, inventory }: Context<LogstashJmxVars>): readonly Refusal[] {
  if (!isCollector(inventory, host)) return [];
  return [...privateOnly(host, "Logstash's API"), ...nobody(inventory), ...sameAlias(targets(inventory)), ...withoutLogin(targets(inventory))];
}

function nobody(inventory: Inventory): readonly Refusal[] {
  if (targets(inventory).length > 0) return [];
  return [
    usage(
      'there is nobody to ask: the groups brokers, controllers and clients are empty',
      'put the Kafka hosts into the group brokers; kafka_managed: false for those that others run',
    ),
  ];
}

/** Two JVMs of one name would be one series. */
function sameAlias(all: readonly Target[]): readonly Refusal[] {
  const seen = new Map<string, Target>();
  return all.flatMap((target) => {
    const other = seen.get(target.alias);
    seen.set(target.alias, other ?? target);
    if (other === undefined) return [];
    return [usage(`${other.host.name} and ${target.host.name} would both be called ${target.alias} in documents`, `set logstash_jmx_alias of one of them`)];
  });
}

function withoutLogin(all: readonly Target[]): readonly Refusal[] {
  const hosts = all.filter(({ host }) => host.vars(kafka).jmx_authentication && host.vars(kafka).jmx_password === undefined).map(({ host }) => host.name);
  if (hosts.length === 0) return [];
  return [
    usage(
      `kafka_jmx_authentication is on, but there is no kafka_jmx_password for ${[...new Set(hosts)].join(', ')}`,
      "set kafka_jmx_password: {secret: 'generate:kafka-jmx'}, or kafka_jmx_authentication: false where JMX asks for no login",
    ),
  ];
}
