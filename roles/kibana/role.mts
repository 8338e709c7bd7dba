import { defineRole } from '../../lib/index.mts';
import { kibana } from './contract.mts';

export default defineRole({
  contract: kibana,
  summary: 'Kibana, connected to the Elasticsearch of the inventory',
  runs: 'host',
  per: 'host',
  resources: () => [],
});
