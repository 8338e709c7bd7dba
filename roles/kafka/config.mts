/** The files of /etc/kafka, each as a function of what it says. */
import { addressOf, bracketed, type Content, type Host, type Inventory, type Secret } from '../../lib/index.mts';
import { brokerAddress, controllersWith, isBroker, isController, kafka, nodeId, zookeeperAddress, zookeepersWith } from './contract.mts';
import { LOGS, ZOOKEEPER_DATA } from './paths.mts';
import { properties, type Property } from './properties.mts';

const controllerAddress = (host: Host): string => `${bracketed(addressOf(host))}:${String(host.vars(kafka).controller_port)}`;

/** `controller.quorum.voters`, the same on every node. */
export const voters = (inventory: Inventory, host: Host): string =>
  controllersWith(inventory, host)
    .map((each) => `${String(nodeId(each))}@${controllerAddress(each)}`)
    .join(',');

/** Who the node is and where it listens. */
function identity(host: Host, inventory: Inventory): Readonly<Record<string, Property>> {
  const id = nodeId(host) ?? 0;
  if (host.vars(kafka).mode === 'zookeeper') {
    return {
      'broker.id': id,
      'zookeeper.connect': zookeepersWith(inventory, host).map(zookeeperAddress).join(','),
      'zookeeper.connection.timeout.ms': 18_000,
    };
  }
  return {
    'process.roles': [...(isBroker(host) ? ['broker'] : []), ...(isController(host) ? ['controller'] : [])].join(','),
    'node.id': id,
    'controller.quorum.voters': voters(inventory, host),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  };
}

function bindings(host: Host): Readonly<Record<string, Property>> {
  const clients = isBroker(host) ? [`PLAINTEXT://${brokerAddress(host)}`] : [];
  const quorum = isController(host) ? [`CONTROLLER://${controllerAddress(host)}`] : [];
  return {
    listeners: [...clients, ...quorum].join(','),
    ...(isBroker(host) ? { 'advertised.listeners': clients.join(','), 'inter.broker.listener.name': 'PLAINTEXT' } : {}),
  };
}

/** What the role itself decides; `kafka_settings` may not say it again. */
export function owned(host: Host, inventory: Inventory): Readonly<Record<string, Property>> {
  const vars = host.vars(kafka);
  return {
    ...identity(host, inventory),
    ...bindings(host),
    'log.dirs': vars.data_dirs.join(','),
    'auto.create.topics.enable': false,
    'default.replication.factor': vars.replication_factor,
    'min.insync.replicas': vars.min_insync_replicas,
    'offsets.topic.replication.factor': vars.replication_factor,
    'transaction.state.log.replication.factor': vars.replication_factor,
    'transaction.state.log.min.isr': vars.min_insync_replicas,
  };
}

export const serverProperties = (host: Host, inventory: Inventory): string => properties({ ...owned(host, inventory), ...host.vars(kafka).settings });

/** A single ZooKeeper stands alone; several are an ensemble of which each knows itself by `myid`. */
export function zookeeperProperties(host: Host, inventory: Inventory): string {
  const ensemble = zookeepersWith(inventory, host);
  const { zookeeper_port: port } = host.vars(kafka);
  return properties({
    dataDir: ZOOKEEPER_DATA,
    clientPort: port,
    clientPortAddress: addressOf(host),
    'admin.enableServer': false,
    '4lw.commands.whitelist': 'srvr,ruok',
    'autopurge.snapRetainCount': 3,
    'autopurge.purgeInterval': 24,
    ...(ensemble.length > 1
      ? {
          tickTime: 2000,
          initLimit: 10,
          syncLimit: 5,
          quorumListenOnAllIPs: false,
          ...Object.fromEntries(ensemble.map((each) => [`server.${String(nodeId(each))}`, `${bracketed(addressOf(each))}:2888:3888`])),
        }
      : {}),
  });
}

/** Files that are rotated by size and bounded; what an operator should see is in the journal too. */
export const log4jProperties = (logs = LOGS): string => `log4j.rootLogger=INFO, journal, server
log4j.appender.journal=org.apache.log4j.ConsoleAppender
log4j.appender.journal.Threshold=WARN
log4j.appender.journal.layout=org.apache.log4j.PatternLayout
log4j.appender.journal.layout.ConversionPattern=[%d] %p %m (%c)%n
${rolling('server', `${logs}/server.log`)}${rolling('controller', `${logs}/controller.log`)}${rolling('stateChange', `${logs}/state-change.log`)}
log4j.logger.org.apache.kafka.controller=INFO, controller, journal
log4j.additivity.org.apache.kafka.controller=false
log4j.logger.kafka.controller=INFO, controller, journal
log4j.additivity.kafka.controller=false
log4j.logger.state.change.logger=INFO, stateChange, journal
log4j.additivity.state.change.logger=false
`;

const rolling = (name: string, file: string): string => `log4j.appender.${name}=org.apache.log4j.RollingFileAppender
log4j.appender.${name}.File=${file}
log4j.appender.${name}.MaxFileSize=64MB
log4j.appender.${name}.MaxBackupIndex=8
log4j.appender.${name}.layout=org.apache.log4j.PatternLayout
log4j.appender.${name}.layout.ConversionPattern=[%d] %p %m (%c)%n
`;

/** The collector's login may look and change nothing. */
export const jmxAccess = (user: string): string => `${user} readonly\n`;
export const jmxPassword = (user: string, password: Secret): Content => ({ confidential: [`${user} `, password, '\n'] });
