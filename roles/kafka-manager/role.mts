import { defineRole } from '../../lib/index.mts';
import { kafkaManager } from './contract.mts';

export default defineRole({
  contract: kafkaManager,
  summary: 'a web page for topics and consumer groups (CMAK or AKHQ); off unless asked for',
  runs: 'host',
  per: 'host',
  resources: () => [],
});
