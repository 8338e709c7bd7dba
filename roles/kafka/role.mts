import { defineRole } from '../../lib/index.mts';
import { kafka } from './contract.mts';

export default defineRole({
  contract: kafka,
  summary: 'Kafka brokers and controllers with JMX behind a login, restarted one by one',
  runs: 'host',
  per: 'host',
  resources: () => [],
});
