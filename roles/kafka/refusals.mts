/** Reasons not to touch a host, found before anything on it is changed. */
import { privateOnly, type Refusal } from '../../lib/index.mts';
import { owned } from './config.mts';
import { brokersWith, controllersWith, isBroker, isController, kafka, kafkaHosts, nodeId, zookeepers, zookeepersWith } from './contract.mts';
import { membership } from './founding.mts';
import type { Here } from './host.mts';
import { serviceFiles } from './limits.mts';

const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });
const refused = (reason: string, hint: string): Refusal => ({ kind: 'refused', reason, hint });
const list = (hosts: readonly { readonly name: string }[]): string => hosts.map(({ name }) => name).join(', ');

export const refusals = (here: Here): readonly Refusal[] =>
  here.vars.managed
    ? [
        ...privateOnly(here.host, 'Kafka'),
        ...systemd(here),
        ...mode(here),
        ...keepers(here),
        ...copies(here),
        ...ids(here),
        ...places(here),
        ...settings(here),
        ...login(here),
        ...resources(here),
        ...data(here),
        ...founding(here),
      ]
    : [];

const systemd = ({ host, facts }: Here): readonly Refusal[] =>
  facts.init === 'systemd' ? [] : [usage(`${host.name} has no systemd to run Kafka`, 'put a host with systemd into its groups')];

function mode({ host, vars, inventory }: Here): readonly Refusal[] {
  const members = [...brokersWith(inventory, host), ...controllersWith(inventory, host), ...zookeepersWith(inventory, host)];
  const others = members.filter((other) => other.vars(kafka).mode !== vars.mode);
  if (others.length === 0) return [];
  return [usage(`kafka_mode is ${vars.mode} on ${host.name} and not on ${list(others)}: one cluster has one`, 'set it once, in the vars of all of them')];
}

/** Who keeps the metadata: an odd number, since an even one survives no more failures than one less. */
function keepers({ host, vars, inventory }: Here): readonly Refusal[] {
  const group = vars.mode === 'kraft' ? 'controllers' : 'zookeepers';
  const hosts = vars.mode === 'kraft' ? controllersWith(inventory, host) : zookeepersWith(inventory, host);
  const elsewhere = vars.mode === 'kraft' ? kafkaHosts(inventory).length - brokersWith(inventory, host).length : zookeepers(inventory).length;
  if (hosts.length === 0) {
    const hint = elsewhere > 0 ? `; hosts of another kafka_cluster_name than ${vars.cluster_name} do not count` : '';
    return [
      usage(`the group ${group} has no host of ${vars.cluster_name}: nobody would keep its metadata`, `put one, three or five hosts into ${group}${hint}`),
    ];
  }
  if (hosts.length % 2 === 1) return [];
  return [
    usage(
      `${group} has ${String(hosts.length)} hosts (${list(hosts)}): more than half must run, so an even number survives no more than one less`,
      `put one, three or five hosts into ${group}`,
    ),
  ];
}

function copies({ host, vars, inventory }: Here): readonly Refusal[] {
  const count = brokersWith(inventory, host).length;
  const beyond = (what: string, factor: number): readonly Refusal[] =>
    factor <= count
      ? []
      : [usage(`${what} is ${String(factor)}, and ${vars.cluster_name} has ${String(count)} brokers`, 'lower it, or add hosts to the group brokers')];
  return [
    ...beyond('kafka_replication_factor', vars.replication_factor),
    ...vars.topics.flatMap(({ name, replication_factor: factor }) => (factor === undefined ? [] : beyond(`replication_factor of the topic ${name}`, factor))),
    ...(vars.min_insync_replicas <= vars.replication_factor
      ? []
      : [
          usage(
            `kafka_min_insync_replicas ${String(vars.min_insync_replicas)} is beyond kafka_replication_factor ${String(vars.replication_factor)}: acks=all could never be given`,
            'lower it to one less than the replication factor, so that a broker may be down',
          ),
        ]),
  ];
}

function ids({ host, inventory }: Here): readonly Refusal[] {
  const id = nodeId(host);
  if (id === undefined) return [usage(`${host.name} has no node id: its name does not end in a number`, `set kafka_node_id of ${host.name}`)];
  const members = new Set([...brokersWith(inventory, host), ...controllersWith(inventory, host)]);
  const same = [...members].filter((other) => other.name !== host.name && nodeId(other) === id && (other.vars(kafka).managed || isController(other)));
  if (same.length === 0 || !members.has(host)) return [];
  const free = [...Array(1000).keys()].map((at) => id + 100 + at).find((at) => ![...members].some((other) => nodeId(other) === at));
  return [
    usage(
      `${host.name} and ${list(same)} would have the same node id ${String(id)}`,
      `set kafka_node_id of one of them, such as kafka_node_id: ${String(free)} for ${isBroker(host) ? list(same) : host.name}; it is kept for ever`,
    ),
  ];
}

const TEMPORARY = /^\/(tmp|var\/tmp|run|dev)(\/|$)/;

function places({ vars }: Here): readonly Refusal[] {
  const ports = [vars.port, vars.controller_port, vars.jmx_port];
  return [
    ...vars.data_dirs
      .filter((path) => TEMPORARY.test(path))
      .map((path) =>
        refused(`kafka_data_dirs has ${path}: what is there may be gone after a reboot`, 'choose a folder on a disk that is kept, such as /var/lib/kafka'),
      ),
    ...(new Set(ports).size === ports.length
      ? []
      : [usage(`kafka_port, kafka_controller_port and kafka_jmx_port are not three different ports (${ports.join(', ')})`, 'give each its own')]),
  ];
}

function settings({ host, vars, inventory }: Here): readonly Refusal[] {
  const taken = new Set([...Object.keys(owned(host, inventory)), 'broker.id', 'node.id', 'process.roles', 'zookeeper.connect', 'log.dir', 'port', 'host.name']);
  return Object.keys(vars.settings)
    .filter((key) => taken.has(key))
    .map((key) => usage(`kafka_settings has ${key}, which the role decides`, VARIABLE[key] === undefined ? 'remove it' : `use ${VARIABLE[key]} instead`));
}

const VARIABLE: Readonly<Record<string, string>> = {
  listeners: 'private_address and kafka_port',
  'advertised.listeners': 'private_address and kafka_port',
  'node.id': 'kafka_node_id',
  'broker.id': 'kafka_node_id',
  'log.dirs': 'kafka_data_dirs',
  'log.dir': 'kafka_data_dirs',
  'controller.quorum.voters': 'the group controllers',
  'zookeeper.connect': 'the group zookeepers',
  'process.roles': 'the groups brokers and controllers',
  'default.replication.factor': 'kafka_replication_factor',
  'offsets.topic.replication.factor': 'kafka_replication_factor',
  'transaction.state.log.replication.factor': 'kafka_replication_factor',
  'min.insync.replicas': 'kafka_min_insync_replicas',
  'transaction.state.log.min.isr': 'kafka_min_insync_replicas',
  'auto.create.topics.enable': 'kafka_topics, which makes the topics that are wanted',
};

const login = ({ vars }: Here): readonly Refusal[] =>
  vars.jmx_authentication && vars.jmx_password === undefined
    ? [
        usage(
          'kafka_jmx_authentication is on and there is no kafka_jmx_password: whoever reaches JMX without a login can run code as Kafka',
          "write this line into group_vars/all: kafka_jmx_password: { secret: 'generate:kafka-jmx' }",
        ),
      ]
    : [];

const MEBIBYTE = 1024 ** 2;
/** The log cleaner of a broker takes 128 MB of it by itself. */
const SMALLEST_HEAP = 256;

function resources({ host, vars, facts }: Here): readonly Refusal[] {
  const megabytes = Number.parseInt(vars.heap, 10) * (/g$/i.test(vars.heap) ? 1024 : 1);
  const nofile = serviceFiles(host, facts);
  return [
    ...(megabytes < SMALLEST_HEAP ? [usage(`kafka_heap ${vars.heap} is too little: the log cleaner alone takes 128m`, 'give it at least 256m')] : []),
    ...(megabytes * MEBIBYTE >= facts.memoryBytes
      ? [refused(`kafka_heap ${vars.heap} is beyond the ${String(Math.floor(facts.memoryBytes / MEBIBYTE))} MiB of memory of ${host.name}`, 'lower it')]
      : []),
    ...(nofile > facts.nrOpen
      ? [
          refused(
            `${String(nofile)} open files are above fs.nr_open ${String(facts.nrOpen)} of ${host.name}: the service could not start`,
            'lower kafka_nofile or os_limits_nofile, or raise fs.nr_open',
          ),
        ]
      : []),
  ];
}

/** What is on the disk says who the node is, whatever the inventory says. */
function data({ host, vars, inventory, peers }: Here): readonly Refusal[] {
  const answer = peers.get(host.name);
  if (answer?.kind !== 'known') return [];
  const { storage, voters } = answer.value;
  if (storage.kind === 'foreign')
    return [
      refused(`${storage.path} of ${host.name} is not empty, and no Kafka wrote it`, 'choose other kafka_data_dirs, or move what is there away yourself'),
    ];
  if (storage.kind === 'blank') return [];
  const wanted = new Set(controllersWith(inventory, host).map(nodeId));
  const same = voters.length === wanted.size && voters.every((id) => wanted.has(id));
  return [
    ...(storage.mode === vars.mode
      ? []
      : [
          refused(
            `the data of ${host.name} is of kafka_mode: ${storage.mode}, not ${vars.mode}`,
            'a cluster is moved from ZooKeeper to KRaft by hand, by its own procedure',
          ),
        ]),
    ...(storage.nodeId === nodeId(host)
      ? []
      : [
          refused(
            `the data of ${host.name} is that of node ${String(storage.nodeId)}, not ${String(nodeId(host))}`,
            `set kafka_node_id: ${String(storage.nodeId)} for ${host.name}, or give it other kafka_data_dirs`,
          ),
        ]),
    ...(voters.length === 0 || same || vars.mode !== 'kraft'
      ? []
      : [
          refused(
            `the cluster of ${host.name} runs with the controllers ${voters.join(', ')}, and the inventory has ${[...wanted].join(', ')}: two sets could both win an election`,
            'put those node ids back into the group controllers; their number is decided when a cluster is founded',
          ),
        ]),
  ];
}

/** Only nodes of KRaft are formatted; with ZooKeeper the id is made by the first broker. */
function founding(here: Here): readonly Refusal[] {
  const { host, vars, within, inventory } = here;
  if (vars.mode === 'zookeeper' || controllersWith(inventory, host).length === 0) return [];
  const of = membership(here);
  switch (of.kind) {
    case 'join':
      return [];
    case 'found': {
      const outside = controllersWith(inventory, host).filter(({ name }) => !within.has(name));
      if (outside.length === 0) return [];
      return [
        refused(
          `founding the cluster ${vars.cluster_name} needs all its controllers in one run, and ${list(outside)} ${outside.length === 1 ? 'is' : 'are'} outside of it`,
          'run it once without --limit, or with a limit that has them all; after that --limit is free',
        ),
      ];
    }
    case 'blocked': {
      const unasked = of.unasked.join(', ');
      return [
        refused(
          `${host.name} is blank and ${unasked} could not be asked: a new id now could make a second cluster`,
          `bring ${unasked} up; where others run the controllers, say the id of their cluster with kafka_cluster_id`,
        ),
      ];
    }
    case 'several': {
      const shown = of.ids.map(({ host: name, clusterId }) => `${name}: ${clusterId}`).join(', ');
      return [
        refused(
          `${vars.cluster_name} has data of several clusters (${shown}${vars.cluster_id === undefined ? '' : `; kafka_cluster_id: ${vars.cluster_id}`})`,
          'give the clusters different kafka_cluster_name, or empty the data of the node that does not belong to it',
        ),
      ];
    }
    case 'lost':
      return [
        refused(
          `every controller of ${vars.cluster_name} is blank, and ${of.holders.join(', ')} has data of cluster ${of.clusterId}: a new one would not know its topics`,
          'bring the data of a controller back; to give the records up, empty the data of the brokers yourself',
        ),
      ];
  }
}
