/** What the hosts of an inventory will serve and install, as far as the machine under them has to know beforehand. */
import type { Host, Inventory, Listener, Wish } from '../../lib/index.mts';
import { elasticsearch, dataNodes, listeners as elasticsearchListeners, masters } from '../elasticsearch/contract.mts';
import { kafka, kafkaHosts, listeners as kafkaListeners } from '../kafka/contract.mts';
import { listeners as managerListeners } from '../kafka-manager/contract.mts';
import { kibana, kibanaHosts, listeners as kibanaListeners } from '../kibana/contract.mts';
import { logstash } from '../logstash/contract.mts';
import { listeners as jmxListeners } from '../logstash-jmx/contract.mts';
import { isCollector } from '../metrics-index/contract.mts';
import { listeners as consumerListeners } from '../tracks-consumer/contract.mts';
import { listeners as producerListeners } from '../tracks-producer/contract.mts';
import { labHosts } from './wanted.mts';

const MiB = 1024 ** 2;
/** A booted host without a service, and with the services of each group at the heaps of inventory/lab.yaml; measured. */
const IDLE_MEMORY = 60 * MiB;

interface Service {
  readonly hosts: (inventory: Inventory) => readonly Host[];
  readonly listeners: (host: Host) => readonly Listener[];
  readonly memory: number;
  readonly installs?: { readonly product: string; readonly wish: (host: Host) => Wish & { readonly version: string; readonly managed?: boolean } };
}

const clients = (inventory: Inventory): readonly Host[] => inventory.group('clients');

const SERVICES: readonly Service[] = [
  {
    hosts: (inventory) => [...new Set([...masters(inventory), ...dataNodes(inventory)])],
    listeners: elasticsearchListeners,
    memory: 900 * MiB,
    installs: { product: 'elasticsearch', wish: (host) => host.vars(elasticsearch) },
  },
  { hosts: kafkaHosts, listeners: kafkaListeners, memory: 700 * MiB, installs: { product: 'kafka', wish: (host) => host.vars(kafka) } },
  { hosts: kibanaHosts, listeners: kibanaListeners, memory: 300 * MiB, installs: { product: 'kibana', wish: (host) => host.vars(kibana) } },
  {
    hosts: (inventory) => kibanaHosts(inventory).filter((host) => isCollector(inventory, host)),
    listeners: (host) => [...jmxListeners(host), ...managerListeners(host)],
    memory: 500 * MiB,
    installs: { product: 'logstash', wish: (host) => host.vars(logstash) },
  },
  {
    hosts: clients,
    listeners: (host) => [...producerListeners(host), ...consumerListeners(host)],
    memory: 700 * MiB,
    installs: { product: 'logstash', wish: (host) => host.vars(logstash) },
  },
];

/** Every address and port that the services of a host listen on. */
export const servedBy = (host: Host, inventory: Inventory): readonly Listener[] =>
  SERVICES.flatMap((service) => (service.hosts(inventory).some(({ name }) => name === host.name) ? service.listeners(host) : []));

/** Bytes that a host takes when its services run. */
export const memoryOf = (host: Host, inventory: Inventory): number =>
  SERVICES.reduce((sum, service) => sum + (service.hosts(inventory).some(({ name }) => name === host.name) ? service.memory : 0), IDLE_MEMORY);

export interface ArchiveWish {
  readonly product: string;
  readonly version: string;
  readonly source: 'auto' | 'assembled';
}

/** The archives that hosts of the lab may have to get from this machine; each once, `assembled` where any host insists on it. */
export function archiveWishes(inventory: Inventory): readonly ArchiveWish[] {
  const made = new Set(labHosts(inventory).map(({ name }) => name));
  const wishes = new Map<string, ArchiveWish>();
  for (const { hosts, installs } of SERVICES) {
    if (installs === undefined) continue;
    for (const host of hosts(inventory).filter(({ name }) => made.has(name))) {
      const { version, source, managed } = installs.wish(host);
      if (managed === false || source === 'official') continue;
      const key = `${installs.product} ${version}`;
      wishes.set(key, { product: installs.product, version, source: wishes.get(key)?.source === 'assembled' ? 'assembled' : source });
    }
  }
  return [...wishes.values()];
}
