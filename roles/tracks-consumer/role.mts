import { defineRole } from '../../lib/index.mts';
import { tracksConsumer } from './contract.mts';

export default defineRole({
  contract: tracksConsumer,
  summary: 'a consumer group for Kafka: Logstash reads what the producer sent',
  runs: 'host',
  per: 'host',
  resources: () => [],
});
