/** Reasons not to touch a host, found before anything on it is changed. */
import { addressOf, closest, privateOnly, type Context, type Refusal } from '../../lib/index.mts';
import { bootstrap, strangers } from './bootstrap.mts';
import { elasticsearch, masters, members, type ElasticsearchVars } from './contract.mts';
import { automaticHeap, heapOf, showSize, takenByOthers } from './heap.mts';
import { candidates, sameCluster } from './candidates.mts';
import { serviceLimits } from './limits.mts';
import type { NodeState } from './node.mts';

type Here = Context<ElasticsearchVars, NodeState>;
const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });
const refused = (reason: string, hint: string): Refusal => ({ kind: 'refused', reason, hint });

export const refusals = (here: Here): readonly Refusal[] =>
  here.vars.managed ? [...privateOnly(here.host, 'Elasticsearch'), ...initialMasters(here), ...heap(here), ...openFiles(here), ...founding(here)] : [];

function initialMasters(here: Here): readonly Refusal[] {
  const { host, vars, inventory } = here;
  const group = masters(inventory);
  if (group.length === 0)
    return [usage('the group es_masters is empty: nobody could be elected', 'put the hosts that may become master into the group es_masters')];
  const entries = vars.initial_master_nodes ?? [];
  const names = candidates(inventory, host);
  const found = strangers(entries, names, (entry, known) => closest(entry, known)[0]).map(({ entry, meant }) =>
    usage(
      `elasticsearch_initial_master_nodes: "${entry}" is neither a node's name nor its publish address`,
      meant === undefined
        ? `use ${names.map(({ name }) => `"${name}"`).join(', ')}; an external address is never a publish address`
        : `did you mean "${meant}"?`,
    ),
  );
  const twice = entries.filter((entry, at) => entries.indexOf(entry) !== at);
  return [
    ...found,
    ...differing(here),
    ...twice.map((entry) => usage(`elasticsearch_initial_master_nodes names "${entry}" twice`, 'Elasticsearch refuses to start with duplicates: remove one')),
  ];
}

/** Two lists are two elections: each can be won without the other. */
function differing({ host, inventory }: Here): readonly Refusal[] {
  const cluster = members(inventory, host).filter(({ name }) => masters(inventory).some((master) => master.name === name));
  const names = candidates(inventory, host).map(({ name }) => name);
  const lists = cluster.map((each) => ({ name: each.name, list: [...(each.vars(elasticsearch).initial_master_nodes ?? names)].sort().join(', ') }));
  if (new Set(lists.map(({ list }) => list)).size < 2) return [];
  const shown = lists.map(({ name, list }) => `${name}: ${list}`).join('; ');
  return [
    usage(
      `elasticsearch_initial_master_nodes is not the same on all candidates (${shown}): that could found two clusters`,
      'set it once, in group_vars of es_masters, or leave it out',
    ),
  ];
}

function heap({ host, vars, facts }: Here): readonly Refusal[] {
  const bytes = heapOf(vars.heap, facts.memoryBytes, host);
  const memory = showSize(facts.memoryBytes);
  if (bytes === undefined)
    return [
      refused(
        `${host.name} has ${memory} of memory: too little for a heap of 256m beside its other roles`,
        'give the host more memory, or set elasticsearch_heap yourself',
      ),
    ];
  if (bytes < facts.memoryBytes) return [];
  const fits = automaticHeap(facts.memoryBytes, takenByOthers(host));
  return [
    refused(
      `elasticsearch_heap ${vars.heap} is beyond the ${memory} of memory of ${host.name}`,
      fits === undefined ? 'lower it' : `"auto" would give ${showSize(fits)}`,
    ),
  ];
}

function openFiles({ host, facts }: Here): readonly Refusal[] {
  const { nofile } = serviceLimits(host, facts);
  if (nofile <= facts.nrOpen) return [];
  return [
    refused(
      `${String(nofile)} open files are above fs.nr_open ${String(facts.nrOpen)} of ${host.name}: the service could not start`,
      'lower elasticsearch_nofile or os_limits_nofile, or raise fs.nr_open',
    ),
  ];
}

function founding({ host, inventory, peers, within }: Here): readonly Refusal[] {
  const decision = bootstrap(host.name, sameCluster(inventory, host, peers));
  const outside = [...sameCluster(inventory, host, peers).keys()].filter((name) => !within.has(name));
  if (decision.kind === 'found' && outside.length > 0) {
    return [
      refused(
        `founding the cluster of ${host.name} needs all its master candidates in one run, and ${outside.join(', ')} ${outside.length === 1 ? 'is' : 'are'} outside of it`,
        'run it once without --limit, or with a limit that has them all; after that --limit is free',
      ),
    ];
  }
  if (decision.kind !== 'blocked') return [];
  const unasked = decision.unasked.join(', ');
  return [
    refused(
      `${host.name} is empty and ${unasked} could not be asked: founding a cluster now could make a second one`,
      `bring ${unasked} up, or take it out of es_masters if it is gone for good; address ${addressOf(host)} is left as it is`,
    ),
  ];
}
