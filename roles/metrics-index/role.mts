import { defineRole, httpObject, requirement, type Context, type Host, type Refusal, type Resource } from '../../lib/index.mts';
import { answering, clusterFor, nodeUrl, startFirst } from '../elasticsearch/contract.mts';
import { isCollector, metricsIndex, replicaCount, type MetricsIndexVars } from './contract.mts';
import { replicas } from './replicas.mts';
import { isBounded, noRetention, retention } from './retention.mts';
import { compareTemplate, template } from './template.mts';
import { checks } from './verify.mts';

type Here = Context<MetricsIndexVars, Host | undefined>;

/**
 * Everything is done through Elasticsearch's own API, from the one host that collects: its nodes need not be managed, nor let anybody in. Which of
 * them answers is asked before anything else, as a peer of itself.
 */
export default defineRole<MetricsIndexVars, Host | undefined>({
  contract: metricsIndex,
  summary: 'where metrics go: an index template before the first document, and a limit to what is kept',
  runs: 'host',
  per: 'host',
  peers: { group: 'monitoring', ask: (host, inventory) => answering(clusterFor(inventory, host)) },
  refuses: ({ inventory, host }): readonly Refusal[] =>
    clusterFor(inventory, host).length > 0
      ? []
      : [
          {
            kind: 'usage',
            reason: 'the inventory has no Elasticsearch for the metrics',
            hint: 'put its hosts into the group es_masters, with elasticsearch_managed: false where others run it',
          },
        ],
  resources: (here) => (isCollector(here.inventory, here.host) ? collecting(here) : noRetention(here.facts)),
  verify: (here) => (isCollector(here.inventory, here.host) ? checks(here, through(here)) : []),
});

/** The node that answered; the first one where none did, which is then waited for. */
function through({ host, inventory, peers }: Here): Host {
  const answer = peers.get(host.name);
  const [first = host] = clusterFor(inventory, host);
  return (answer?.kind === 'known' ? answer.value : undefined) ?? first;
}

function collecting(here: Here): readonly Resource[] {
  const { host, vars, facts, inventory } = here;
  const nodes = clusterFor(inventory, host);
  const node = through(here);
  const up = requirement('elasticsearch answers', {
    missing: answering(nodes).map((found) =>
      found === undefined ? `no Elasticsearch answers and sees an elected master (${nodes.map(nodeUrl).join(', ')})` : undefined,
    ),
    hint: startFirst(inventory, nodes),
  });
  const needs = [up.id];
  const copies = replicaCount(inventory, host, vars);
  const url = `${nodeUrl(node)}/_index_template/${vars.name}`;
  return [
    up,
    httpObject('metrics index template', {
      url,
      needs,
      because: ['metrics_index_shards', 'metrics_index_replicas', 'metrics_index_refresh_seconds'],
      want: template(vars, copies),
      select: onlyTemplate,
      compare: compareTemplate,
    }),
    replicas(node, vars, copies, needs),
    ...(isBounded(vars) ? retention(vars, nodes, facts, needs) : noRetention(facts)),
  ];
}

function onlyTemplate(response: unknown): unknown {
  const list: unknown = (response as { readonly index_templates?: readonly { readonly index_template?: unknown }[] }).index_templates?.[0]?.index_template;
  return list;
}
