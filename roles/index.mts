/** Every role of the project, in the order in which an installation is brought up. */
import type { AnyRole } from '../lib/index.mts';
import elasticsearch from './elasticsearch/role.mts';
import firewallGcloud from './firewall-gcloud/role.mts';
import gcpDataDisk from './gcp-data-disk/role.mts';
import gcpInstances from './gcp-instances/role.mts';
import gcpNetwork from './gcp-network/role.mts';
import java from './java/role.mts';
import kafka from './kafka/role.mts';
import kafkaManager from './kafka-manager/role.mts';
import kafkaTopics from './kafka-topics/role.mts';
import kibana from './kibana/role.mts';
import kibanaDashboards from './kibana-dashboards/role.mts';
import labHosts from './lab-hosts/role.mts';
import labImage from './lab-image/role.mts';
import logstash from './logstash/role.mts';
import logstashJmx from './logstash-jmx/role.mts';
import metricsIndex from './metrics-index/role.mts';
import osLimits from './os-limits/role.mts';
import sources from './sources/role.mts';
import tracksConsumer from './tracks-consumer/role.mts';
import tracksProducer from './tracks-producer/role.mts';

export {
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
};

export const catalogue: readonly AnyRole[] = [
  labImage,
  labHosts,
  gcpNetwork,
  gcpInstances,
  firewallGcloud,
  sources,
  gcpDataDisk,
  osLimits,
  java,
  elasticsearch,
  kafka,
  kafkaTopics,
  metricsIndex,
  kibana,
  logstash,
  tracksProducer,
  tracksConsumer,
  logstashJmx,
  kibanaDashboards,
  kafkaManager,
];
