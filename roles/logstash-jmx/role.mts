import { defineRole } from '../../lib/index.mts';
import { logstashJmx } from './contract.mts';

export default defineRole({
  contract: logstashJmx,
  summary: 'the pipeline that asks every broker for its metrics and writes them to Elasticsearch',
  runs: 'host',
  per: 'host',
  resources: () => [],
});
