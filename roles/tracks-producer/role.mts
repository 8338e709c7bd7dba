import { defineRole } from '../../lib/index.mts';
import { tracksProducer } from './contract.mts';

export default defineRole({
  contract: tracksProducer,
  summary: 'a steady load for Kafka: Logstash sends the lines of tracks.csv',
  runs: 'host',
  per: 'host',
  resources: () => [],
});
