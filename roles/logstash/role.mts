import { defineRole } from '../../lib/index.mts';
import { logstash } from './contract.mts';

export default defineRole({
  contract: logstash,
  summary: 'Logstash, without a pipeline: unpacked, hardened, ready for those that others add',
  runs: 'host',
  per: 'host',
  resources: () => [],
});
