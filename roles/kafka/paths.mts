/** Where Kafka lives on a host: binaries, configuration, data and logs apart, so that a version is switched without touching data. */
export const USER = 'kafka';
export const UNIT = 'kafka.service';
export const HOME = '/opt/kafka';
export const CURRENT = `${HOME}/current`;
export const CONFIG = '/etc/kafka';
export const LOGS = '/var/log/kafka';
export const SERVER_LOG = `${LOGS}/server.log`;
export const SERVER_PROPERTIES = `${CONFIG}/server.properties`;
export const LOG4J = `${CONFIG}/log4j.properties`;
export const JMX_ACCESS = `${CONFIG}/jmxremote.access`;
export const JMX_PASSWORD = `${CONFIG}/jmxremote.password`;

export const ZOOKEEPER_UNIT = 'zookeeper.service';
export const ZOOKEEPER_PROPERTIES = `${CONFIG}/zookeeper.properties`;
export const ZOOKEEPER_LOG4J = `${CONFIG}/zookeeper-log4j.properties`;
export const ZOOKEEPER_DATA = '/var/lib/zookeeper';
export const ZOOKEEPER_LOGS = '/var/log/zookeeper';
