import { defineRole } from '../../lib/index.mts';
import { kibanaDashboards } from './contract.mts';

export default defineRole({
  contract: kibanaDashboards,
  summary: 'index pattern and dashboards of the metrics, compared by what they mean',
  runs: 'host',
  per: 'group',
  resources: () => [],
});
