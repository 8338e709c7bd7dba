import { defineRole, type Context, type Refusal } from '../../lib/index.mts';
import { elasticsearchNodes, kibanaUrl } from '../kibana/contract.mts';
import { kibanaDashboards, type KibanaDashboardsVars } from './contract.mts';
import { dashboardsOf, worldOf } from './dashboards.mts';
import { key, readExports, type Export } from './exports.mts';
import type { SavedObject } from './objects/saved-object.mts';
import { resources } from './resources.mts';
import { checks } from './verify.mts';

type Here = Context<KibanaDashboardsVars>;

const ours = ({ host, vars, inventory }: Here): readonly SavedObject[] => dashboardsOf(worldOf(inventory, host, vars)).objects;
const theirs = (here: Here): Export => readExports(here.vars.import, new Set(ours(here).map(key)));

function refusals(here: Here): readonly Refusal[] {
  const none: readonly Refusal[] =
    elasticsearchNodes(here.inventory).length > 0
      ? []
      : [
          {
            kind: 'usage',
            reason: 'the group es_masters is empty: dashboards would have nothing to show',
            hint: 'put the Elasticsearch hosts into es_masters',
          },
        ];
  return [...none, ...theirs(here).refusals];
}

export default defineRole<KibanaDashboardsVars>({
  contract: kibanaDashboards,
  summary: 'index pattern and dashboards of the metrics, compared by what they mean',
  runs: 'host',
  per: 'group',
  refuses: refusals,
  resources: (here) => resources(kibanaUrl(here.host), [...ours(here), ...theirs(here).objects]),
  verify: checks,
});
