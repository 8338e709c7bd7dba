import { defineRole, type Context, type Refusal, type Resource } from '../../lib/index.mts';
import { clusterFor } from '../elasticsearch/contract.mts';
import { kibanaUrl } from '../kibana/contract.mts';
import { kibanaDashboards, type KibanaDashboardsVars } from './contract.mts';
import { dashboardsOf, worldOf } from './dashboards.mts';
import { key, readExports, type Export } from './exports.mts';
import type { SavedObject } from './objects/saved-object.mts';
import { askReady } from './api.mts';
import { answers, contents } from './resources.mts';
import { checks } from './verify.mts';

/** What is the matter with Kibana. */
type Peer = string | undefined;
type Here = Context<KibanaDashboardsVars, Peer>;

const ours = ({ host, vars, inventory }: Here): readonly SavedObject[] => dashboardsOf(worldOf(inventory, host, vars)).objects;
const theirs = (here: Here): Export => readExports(here.vars.import, new Set(ours(here).map(key)));

function refusals(here: Here): readonly Refusal[] {
  const none: readonly Refusal[] =
    clusterFor(here.inventory, here.host).length > 0
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

function resources(here: Here): readonly Resource[] {
  const kibana = kibanaUrl(here.host);
  const ready = here.peers.get(here.host.name);
  // While Kibana is silent there is one thing to say, and not that each of its objects is unknown.
  if (ready?.kind !== 'known' || ready.value !== undefined) return [answers(kibana)];
  return [answers(kibana), ...contents(kibana, ours(here), theirs(here).objects)];
}

export default defineRole<KibanaDashboardsVars, Peer>({
  contract: kibanaDashboards,
  summary: 'index pattern and dashboards of the metrics, compared by what they mean',
  runs: 'host',
  per: 'group',
  refuses: refusals,
  resources,
  peers: { group: 'monitoring', ask: (host) => askReady(kibanaUrl(host)) },
  verify: checks,
});
