import type { Stage } from '../lib/index.mts';
import {
  elasticsearch,
  firewallGcloud,
  gcpDataDisk,
  gcpInstances,
  gcpNetwork,
  java,
  kafka,
  kafkaManager,
  kafkaTopics,
  kibana,
  kibanaDashboards,
  labHosts,
  labImage,
  logstash,
  logstashJmx,
  metricsIndex,
  osLimits,
  sources,
  tracksConsumer,
  tracksProducer,
} from '../roles/index.mts';

/** Hosts that are to be made before anything can run on them; every stage waits for the one before. */
export const lab: readonly Stage[] = [
  { hosts: 'all', roles: [labImage] },
  { hosts: 'all', roles: [labHosts] },
];

/** The same in Google Cloud. */
export const cloud: readonly Stage[] = [
  { hosts: 'all', roles: [gcpNetwork] },
  { hosts: 'all', roles: [gcpInstances] },
  // Who may come is settled before there is anything to come to.
  { hosts: 'all', roles: [firewallGcloud] },
];

export const stages: readonly Stage[] = [
  ...lab,
  ...cloud,
  // What a host cannot fetch is known before the first one is changed.
  { hosts: 'all', roles: [sources] },
  { hosts: 'all', roles: [gcpDataDisk] },
  { hosts: 'es_masters:es_data', roles: [osLimits, java, elasticsearch] },
  { hosts: 'controllers:brokers:zookeepers', roles: [osLimits, java, kafka] },
  { hosts: 'brokers', roles: [kafkaTopics] },
  // The template of the index comes before its first document.
  { hosts: 'monitoring', roles: [metricsIndex, kibana] },
  { hosts: 'clients', roles: [java, logstash, tracksProducer, tracksConsumer] },
  { hosts: 'monitoring', roles: [java, logstash, logstashJmx, kibanaDashboards, kafkaManager] },
];
