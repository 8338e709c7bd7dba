/** Why Kibana did not come up, read from its journal and from what Elasticsearch says meanwhile. Pure: the evidence is gathered in evidence.mts. */
import { lineOf, type Diagnosis } from '../../lib/index.mts';
import { showOwner, type Owner } from './port.mts';

/** What a node of Elasticsearch answered to this host. */
export type NodeView =
  | { readonly name: string; readonly url: string; readonly kind: 'silent'; readonly why: string }
  | { readonly name: string; readonly url: string; readonly kind: 'no-master' }
  | { readonly name: string; readonly url: string; readonly kind: 'master'; readonly status: string };

export interface Evidence {
  /** What the last start printed. */
  readonly journal: string;
  readonly owner: Owner | undefined;
  readonly nodes: readonly NodeView[];
  /** Indices of Kibana that nothing may be written to. */
  readonly blocked: readonly string[];
}

type Explained = Omit<Diagnosis, 'evidence'>;
type Rule = readonly [pattern: RegExp, explain: (found: RegExpExecArray, evidence: Evidence) => Explained];

const CHECK_ELASTICSEARCH = '--role elasticsearch --verify-only says more';

const TAKEN =
  'stop it, choose another kibana_port, or say kibana_take_over_port: true to have it stopped cleanly; never kill -9: another Kibana may be in the middle of a migration';

const RULES: readonly Rule[] = [
  [
    /Port (\d+) is already in use\. Another instance of Kibana may be running!|listen EADDRINUSE: address already in use \S*?:(\d+)/,
    (found, { owner }) => ({
      cause: `port ${found[1] ?? found[2] ?? ''} is already in use${owner === undefined ? '; nobody else listens there any more' : ` by ${showOwner(owner)}`}`,
      fix: owner === undefined ? 'run again' : TAKEN,
    }),
  ],
  [
    /listen EADDRNOTAVAIL[^\n]*?(?:not available )?(\S+):\d+/,
    ([, address = '']) => ({ cause: `${address} is no address of this host`, fix: 'correct private_address in the inventory' }),
  ],
  [
    /This version of Kibana \(v?([\d.]+)\) is incompatible with the following Elasticsearch nodes in your cluster: ([^\n"]*)/,
    ([, version = '', nodes = '']) => ({
      cause: `Kibana ${version} does not work with ${nodes.trim()}`,
      fix: 'kibana_version and elasticsearch_version must agree; a node of another version has to be upgraded or taken out of the cluster first',
    }),
  ],
  [
    /Another Kibana instance appears to be migrating the index[^\n]*?deleting index (\.[\w.-]+)/,
    ([, index = ''], { nodes }) => ({
      cause: `a migration of Kibana's saved objects was cut off and left ${index}: every later start waits for it`,
      fix: `only if no other Kibana starts just now: curl -X DELETE '${nodes.find(({ kind }) => kind === 'master')?.url ?? 'http://ELASTICSEARCH:9200'}/${index}', then systemctl restart kibana`,
    }),
  ],
  [
    /Unable to connect to Elasticsearch\. Error: (?:\[?TimeoutError\]?: )?(Request (?:Timeout|timed out)[^\n"]*)/i,
    ([, what = ''], evidence) => elasticsearch(what, evidence),
  ],
  [
    /Unable to retrieve version information from Elasticsearch nodes|No living connections|Unable to revive connection/,
    ([what], evidence) => elasticsearch(what, evidence),
  ],
  [/index \[(\.kibana[^\]]*)\] blocked by: \[[^\n]*?(?:read-only|read_only)/, ([, index = '']) => readOnly([index])],
  [
    /Unknown configuration key\(s\): ([^\n]*?)\. Check for spelling errors|\[config validation of \[([^\]]*)\]\.(\S+?)\]: definition for this key is missing|child "([^"]*)" fails because \[([^\n]*?) is not allowed/,
    ([, keys, section, key, child, inner]) => {
      const name = keys ?? (section === undefined ? `${child ?? ''}: ${inner ?? ''}` : `${section}.${key ?? ''}`);
      return {
        cause: `kibana.yml has a setting that this Kibana does not know: ${name}`,
        fix: name.includes('xpack')
          ? 'the OSS edition has no xpack settings: run --role kibana, which writes the file anew'
          : 'run --role kibana, which writes the file anew',
      };
    },
  ],
  [
    /Kibana should not be run as root/,
    () => ({
      cause: 'it was started as root',
      fix: 'start it through its unit, as user kibana: systemctl start kibana; files that root made are given back by --role kibana',
    }),
  ],
  [
    /JavaScript heap out of memory/,
    () => ({
      cause: "Kibana's Node ran out of memory",
      fix: 'raise kibana_heap (1024m is plenty for a few people), or ask for less: shorter time ranges and fewer terms',
    }),
  ],
  [
    /EACCES: permission denied, (?:open|mkdir|unlink|access) '([^']*)'/,
    ([, path = '']) => ({ cause: `user kibana may not use ${path}`, fix: 'run --role kibana, which sets the owners right' }),
  ],
];

export function diagnose(evidence: Evidence): readonly Diagnosis[] {
  const text = lastStarts(evidence.journal);
  const found = new Map<string, Diagnosis>();
  for (const [pattern, explain] of RULES) {
    const match = [...text.matchAll(new RegExp(pattern, `g${pattern.flags}`))].at(-1);
    if (match === undefined) continue;
    const explained = explain(match, evidence);
    if (!found.has(explained.cause)) found.set(explained.cause, { ...explained, evidence: lineOf(match) });
  }
  if (evidence.blocked.length > 0 && ![...found.values()].some(({ cause }) => cause.includes('read-only')))
    add(found, { ...readOnly(evidence.blocked), evidence: 'index.blocks.read_only_allow_delete is true' });
  if (evidence.owner !== undefined && ![...found.values()].some(({ cause }) => cause.startsWith('port ')))
    add(found, { cause: `the port of Kibana belongs to ${showOwner(evidence.owner)}`, evidence: 'the sockets of the host', fix: TAKEN });
  // Kibana that says nothing of it may still wait for a master.
  if (found.size === 0 && evidence.nodes.length > 0 && evidence.nodes.every(({ kind }) => kind !== 'master'))
    add(found, { ...elasticsearch('', evidence), evidence: evidence.nodes.map(showView).join('; ') });
  return [...found.values()];
}

const add = (found: Map<string, Diagnosis>, diagnosis: Diagnosis): void => {
  if (!found.has(diagnosis.cause)) found.set(diagnosis.cause, diagnosis);
};

const STARTED = /^Started .*Kibana/gm;
const SERVING = /http server running at|Server running at/g;

/**
 * The last start, with the one before: in a crash loop the last may be a second old. Complaints about Elasticsearch of the seconds before it
 * answered are over once Kibana serves.
 */
function lastStarts(journal: string): string {
  const starts = [...journal.matchAll(STARTED)];
  const text = journal.slice(starts.at(-2)?.index ?? starts.at(-1)?.index ?? 0);
  return text.slice([...text.matchAll(SERVING)].at(-1)?.index ?? 0);
}

/** The cause is in Elasticsearch: asked from here, just now. */
function elasticsearch(what: string, { nodes }: Evidence): Explained {
  const masterless = nodes.filter(({ kind }) => kind === 'no-master');
  const silent = nodes.filter(({ kind }) => kind === 'silent');
  const names = (some: readonly NodeView[]): string => some.map(({ name }) => name).join(', ');
  if (masterless.length > 0 && masterless.length + silent.length === nodes.length)
    return {
      cause: `Elasticsearch answers but has no elected master (${names(masterless)}), so every request of Kibana that writes times out`,
      fix: `start at Elasticsearch: cluster.initial_master_nodes must name its nodes as they are called (${names(nodes)}), and more than half of es_masters must run${silent.length === 0 ? '' : ` (${names(silent)} ${silent.length === 1 ? 'does' : 'do'} not answer)`}. ${CHECK_ELASTICSEARCH}; then systemctl restart kibana`,
    };
  if (nodes.length > 0 && silent.length === nodes.length)
    return {
      cause: `no node of Elasticsearch can be reached from this host: ${silent.map(showView).join('; ')}`,
      fix: `start Elasticsearch, and look at its port between the hosts. ${CHECK_ELASTICSEARCH}`,
    };
  const red = nodes.find((node) => node.kind === 'master' && node.status === 'red');
  if (red !== undefined)
    return {
      cause: 'Elasticsearch is red: an index that Kibana needs may have no primary shard',
      fix: `curl '${red.url}/_cluster/allocation/explain?pretty' says why. ${CHECK_ELASTICSEARCH}`,
    };
  return {
    cause: `Elasticsearch did not answer Kibana in time (${what}), and does now${silent.length === 0 ? '' : `, except ${names(silent)}`}`,
    fix: 'systemctl restart kibana; if it comes back, Elasticsearch is too slow: look at its heap and its disk',
  };
}

const readOnly = (indices: readonly string[]): Explained => ({
  cause: `${indices.join(', ')} is read-only: a disk of Elasticsearch passed the flood stage (95 %), so Kibana can save nothing`,
  fix: `make room (lower metrics_index_retention_days or metrics_index_retention_size); Elasticsearch lifts the block by itself below the high watermark (90 %)`,
});

const showView = (node: NodeView): string =>
  `${node.name} ${node.kind === 'silent' ? node.why : node.kind === 'no-master' ? 'has no master' : `is ${node.status}`}`;
