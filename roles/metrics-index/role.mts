import { defineRole } from '../../lib/index.mts';
import { metricsIndex } from './contract.mts';

export default defineRole({
  contract: metricsIndex,
  summary: 'where metrics go: an index template before the first document, and a limit to what is kept',
  runs: 'host',
  per: 'group',
  resources: () => [],
});
