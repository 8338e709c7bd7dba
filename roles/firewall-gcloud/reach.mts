/** Who may reach which port of which instance: what roles listen on, said by their contracts, and by whom the inventory lets it be reached. */
import type { Host, Inventory, Listener } from '../../lib/index.mts';
import { gcp } from '../gcp-instances/contract.mts';
import { listeners as elasticsearch } from '../elasticsearch/contract.mts';
import { listeners as kafka } from '../kafka/contract.mts';
import { kibana as kibanaContract, listeners as kibana } from '../kibana/contract.mts';
import { listeners as kafkaManager } from '../kafka-manager/contract.mts';
import { listeners as logstashJmx } from '../logstash-jmx/contract.mts';
import { listeners as tracksConsumer } from '../tracks-consumer/contract.mts';
import { listeners as tracksProducer } from '../tracks-producer/contract.mts';
import { DATA_LISTENERS, type DataListener, type ExtraRule } from './contract.mts';
import { parseRange } from './ranges.mts';
import type { Realm } from './realms.mts';

/** A port of an instance, and who is let in there; nobody where both are empty. */
export interface Opening {
  /** The last part of its rule's name, such as `kibana-operators`. */
  readonly what: string;
  readonly sort: 'data' | 'people' | 'login' | 'extra';
  readonly host: Host;
  /** `9200`, or `9100-9110`. */
  readonly port: string;
  /** Other hosts of the inventory. */
  readonly from: readonly Host[];
  /** The groups that those are, where they come as groups. */
  readonly fromGroups: readonly string[];
  readonly ranges: readonly string[];
  /** Groups to name the instance by, the fitting ones first. */
  readonly groups: readonly string[];
}

/** What is reached, whoever comes and on whichever way: `kibana` also where operators do. */
export const nameOf = ({ what }: Pick<Opening, 'what'>): string => what.replace(/-(?:operators|iap|bastion)$/, '');

interface Service {
  readonly groups: readonly string[];
  readonly listeners: (host: Host) => readonly Listener[];
}

/** Which groups serve what. */
const SERVICES: readonly Service[] = [
  { groups: ['es_masters', 'es_data'], listeners: elasticsearch },
  { groups: ['brokers', 'controllers', 'zookeepers'], listeners: kafka },
  { groups: ['monitoring'], listeners: (host) => [...kibana(host), ...kafkaManager(host), ...logstashJmx(host)] },
  { groups: ['clients'], listeners: (host) => [...tracksProducer(host), ...tracksConsumer(host)] },
];

/** What Identity-Aware Proxy comes from: https://cloud.google.com/iap/docs/using-tcp-forwarding. */
export const IAP_RANGE = '35.235.240.0/20';

const OPERATORS = 'operators';

export const isData = (name: string): name is DataListener => DATA_LISTENERS.some((each) => each === name);

/** Everything that instances of the realm listen on. */
export const openings = (inventory: Inventory, realm: Realm): readonly Opening[] =>
  realm.hosts.flatMap((host) => [
    ...SERVICES.flatMap((service) => ofService(inventory, realm, host, service)),
    ...ssh(inventory, realm, host),
    ...(realm.settings.extra ?? []).flatMap((rule) => ofExtra(inventory, host, rule)),
  ]);

function ofService(inventory: Inventory, realm: Realm, host: Host, { groups, listeners }: Service): readonly Opening[] {
  if (!groups.some((group) => inventory.group(group).includes(host))) return [];
  return listeners(host).flatMap(({ name, port, from }): Opening[] => {
    const fromGroups = from.filter((group) => group !== OPERATORS);
    const at = { host, port: String(port), groups: [...groups, ...tagGroups(host)] };
    const inside = { ...at, what: name, from: membersOf(inventory, fromGroups, host), fromGroups };
    if (isData(name)) return [{ ...inside, sort: 'data', ranges: realm.settings.private_ranges?.[name] ?? [] }];
    const people = { ...at, sort: 'people' as const };
    return [
      ...(fromGroups.length > 0 ? [{ ...people, ...inside, ranges: [] }] : []),
      ...(from.includes(OPERATORS) ? [{ ...people, what: `${name}-${OPERATORS}`, from: [], fromGroups: [], ranges: peopleOf(realm, host, name) }] : []),
    ];
  });
}

/** Kibana may have people of its own. */
function peopleOf({ settings }: Realm, host: Host, listener: string): readonly string[] {
  const { exposure, exposure_sources: sources = [] } = host.vars(kibanaContract);
  return [...(settings.operators ?? []), ...(listener === 'kibana' && exposure === 'public' ? sources : [])];
}

/** The way in that the inventory describes, and no other. */
function ssh(inventory: Inventory, realm: Realm, host: Host): readonly Opening[] {
  const { connection } = host;
  if (connection.kind !== 'ssh') return [];
  const base = { sort: 'login' as const, host, port: String(connection.port), from: [], fromGroups: [], ranges: [], groups: tagGroups(host) };
  if (host.vars(gcp).access === 'iap') return [{ ...base, what: 'ssh-iap', ranges: [IAP_RANGE] }];
  const bastion = [...inventory.hosts.values()].find(({ name }) => name === connection.jump);
  if (bastion !== undefined) return [{ ...base, what: 'ssh-bastion', from: [bastion] }];
  return [{ ...base, what: `ssh-${OPERATORS}`, ranges: realm.settings.operators ?? [] }];
}

function ofExtra(inventory: Inventory, host: Host, { name, ports, from, to }: ExtraRule): readonly Opening[] {
  if (!to.some((group) => inventory.group(group).includes(host))) return [];
  const fromGroups = from.filter((each) => parseRange(each) === undefined);
  const base = { what: `extra-${name}`, sort: 'extra' as const, host, from: membersOf(inventory, fromGroups, host), fromGroups, groups: to };
  return ports.map((port) => ({ ...base, port, ranges: from.filter((each) => parseRange(each) !== undefined) }));
}

const membersOf = (inventory: Inventory, groups: readonly string[], but: Host): readonly Host[] =>
  [...new Set(groups.flatMap((group) => inventory.group(group)))].filter((host) => host !== but);

/** Those that give an instance a tag. */
export const tagGroups = (host: Host): readonly string[] => [...host.groups].filter((group) => group !== 'all' && group !== 'ungrouped').sort();
