/** Reasons not to touch a host, found before anything on it is changed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { privateOnly, type Context, type Refusal } from '../../lib/index.mts';
import { brokers } from '../kafka/contract.mts';
import { zookeepers } from './config.mts';
import { productOf, type KafkaManagerVars, type Product } from './contract.mts';

type Here = Context<KafkaManagerVars>;
const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });

export function refusals(here: Here): readonly Refusal[] {
  if (!here.vars.enabled) return [];
  const product = productOf(here.host, here.inventory);
  return [...privateOnly(here.host, 'the Kafka manager'), ...systemd(here), ...kafkaThere(here, product), ...archive(here.vars, product)];
}

const systemd = ({ host, facts }: Here): readonly Refusal[] =>
  facts.init === 'systemd' ? [] : [usage(`${host.name} has no systemd to run the Kafka manager`, 'put a host with systemd into the group monitoring')];

function kafkaThere({ inventory }: Here, product: Product): readonly Refusal[] {
  if (product === 'akhq' && brokers(inventory).length === 0)
    return [usage('the group brokers is empty: the Kafka manager has nothing to show', 'put the hosts of Kafka into brokers')];
  if (product === 'cmak' && zookeepers(inventory).length === 0)
    return [
      usage(
        'CMAK keeps what it knows in ZooKeeper, and the group zookeepers is empty',
        'set kafka_manager_product: akhq, or put the hosts of ZooKeeper into zookeepers',
      ),
    ];
  return [];
}

const WHERE: Readonly<Record<Product, string>> = {
  akhq: 'akhq-*-all.jar is on https://github.com/tchiotludo/akhq/releases',
  cmak: 'cmak-*.zip is on https://github.com/yahoo/CMAK/releases',
};

/** The vendors publish no digests that could be pinned, so whoever fetched the file says what it is. */
function archive({ archive: path, sha256 }: KafkaManagerVars, product: Product): readonly Refusal[] {
  if (path === undefined || sha256 === undefined)
    return [
      usage(
        'kafka_manager_enabled is true, but kafka_manager_archive and kafka_manager_sha256 do not say what to run',
        `nothing is downloaded for it, since its vendor publishes no digest to pin: ${WHERE[product]}; fetch it once, look at it, and give its path and the output of sha256sum`,
      ),
    ];
  try {
    const found = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (found === sha256) return [];
    return [
      {
        kind: 'refused',
        reason: `${path} has the sha256 ${found}, not ${sha256}`,
        hint: 'fetch it again, or correct kafka_manager_sha256 if you trust this file',
      },
    ];
  } catch (thrown) {
    return [
      usage(`${path} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, 'kafka_manager_archive names a file on this machine'),
    ];
  }
}
