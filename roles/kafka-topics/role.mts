import { defineRole } from '../../lib/index.mts';
import { kafkaTopics } from './contract.mts';

export default defineRole({
  contract: kafkaTopics,
  summary: 'topics of the Kafka cluster: made and altered, never deleted',
  runs: 'host',
  per: 'group',
  resources: () => [],
});
