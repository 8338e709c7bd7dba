import { expect } from 'chai';
import { diagnose, type Evidence } from '../../../roles/kibana/diagnose.mts';
import { readBlocked, readView } from '../../../roles/kibana/elasticsearch.mts';

const up = { name: 'es-01', url: 'http://10.0.0.11:9200', kind: 'master', status: 'green' } as const;
const masterless = { name: 'es-01', url: 'http://10.0.0.11:9200', kind: 'no-master' } as const;
const silent = { name: 'es-02', url: 'http://10.0.0.12:9200', kind: 'silent', why: 'connection refused' } as const;
const evidence = (journal: string, more: Partial<Evidence> = {}): Evidence => ({ journal, owner: undefined, nodes: [up], blocked: [], ...more });
const start = (text: string): string => `Started kibana.service - Kibana.\n${text}\n`;
const TIMEOUT = '  log   [08:33:53.123] [warning][savedobjects-service] Unable to connect to Elasticsearch. Error: Request Timeout after 30000ms';

interface Case {
  readonly of: Evidence;
  readonly cause?: RegExp;
  readonly fix?: RegExp;
}
const CASES: Readonly<Record<string, Case>> = {
  'a port in use': {
    of: evidence(start(' FATAL  Error: Port 5601 is already in use. Another instance of Kibana may be running!'), {
      owner: { process: { pid: 9, user: 'ops', command: 'python3 -m http.server' } },
    }),
    cause: /^port 5601 is already in use by python3 \(pid 9, user ops\)$/,
    fix: /kibana_take_over_port/,
  },
  'a port that is free again': {
    of: evidence(start('Error: Port 5601 is already in use. Another instance of Kibana may be running!')),
    cause: /nobody else listens/,
    fix: /^run again$/,
  },
  'a port of somebody else, while Kibana is stopped': {
    of: evidence('', { owner: { process: { pid: 9, user: 'ops', command: 'node x' } } }),
    cause: /^the port of Kibana belongs to node \(pid 9, user ops\)$/,
  },
  'a timeout without a master': {
    of: evidence(start(TIMEOUT), { nodes: [masterless, silent] }),
    cause: /no elected master \(es-01\)/,
    fix: /cluster\.initial_master_nodes.*es-02 does not answer.*--role elasticsearch --verify-only/,
  },
  'a timeout, and Elasticsearch is not there': {
    of: evidence(start(TIMEOUT), { nodes: [silent] }),
    cause: /no node .* can be reached from this host: es-02 connection refused/,
  },
  'a timeout, and Elasticsearch is red': { of: evidence(start(TIMEOUT), { nodes: [{ ...up, status: 'red' }] }), cause: /is red/, fix: /allocation\/explain/ },
  'a timeout as later builds word it': {
    of: evidence(start(TIMEOUT.replace('Request Timeout after 30000ms', 'Request timed out'))),
    cause: /in time \(Request timed out\), and does now/,
  },
  'a timeout that is over': { of: evidence(start(TIMEOUT)), cause: /in time \(Request Timeout after 30000ms\), and does now/ },
  'no version information': {
    of: evidence(start('[error][savedobjects-service] Unable to retrieve version information from Elasticsearch nodes.'), { nodes: [silent] }),
    cause: /no node/,
  },
  'Elasticsearch of another major': {
    of: evidence(
      start('This version of Kibana (v7.10.2) is incompatible with the following Elasticsearch nodes in your cluster: v6.8.0 @ 10.0.0.11:9200 (10.0.0.11)'),
    ),
    cause: /Kibana 7\.10\.2 does not work with v6\.8\.0 @ 10\.0\.0\.11:9200/,
  },
  'a setting of x-pack': {
    of: evidence(
      start(' FATAL  Error: Unknown configuration key(s): "xpack.security.enabled". Check for spelling errors and ensure that expected plugins are installed.'),
    ),
    cause: /does not know: "xpack\.security\.enabled"/,
    fix: /OSS edition/,
  },
  'a setting below a known one': {
    of: evidence(start(' FATAL  Error: [config validation of [server].hots]: definition for this key is missing')),
    cause: /does not know: server\.hots/,
  },
  'a start as root': { of: evidence(start('Kibana should not be run as root.  Use --allow-root to continue.')), cause: /as root/ },
  'a read-only index, from the log': {
    of: evidence(start('[cluster_block_exception] index [.kibana_1] blocked by: [TOO_MANY_REQUESTS/12/index read-only / allow delete (api)];')),
    cause: /^\.kibana_1 is read-only/,
  },
  'a read-only index, in the words of 7.10': {
    of: evidence(
      start(
        'Error: index [.kibana_1] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];: [cluster_block_exception]',
      ),
    ),
    cause: /^\.kibana_1 is read-only/,
  },
  'a read-only index, from Elasticsearch': { of: evidence(start(''), { blocked: ['.kibana_2'] }), cause: /^\.kibana_2 is read-only/, fix: /make room/ },
  'too small a heap': {
    of: evidence(start('FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory')),
    cause: /out of memory/,
    fix: /kibana_heap/,
  },
  'a migration that was cut off': {
    of: evidence(
      start(
        'Another Kibana instance appears to be migrating the index. Waiting for that migration to complete. If no other Kibana instance is attempting migrations, you can get past this message by deleting index .kibana_1 and restarting Kibana.',
      ),
    ),
    cause: /left \.kibana_1/,
    fix: /curl -X DELETE 'http:\/\/10\.0\.0\.11:9200\/\.kibana_1'/,
  },
  'files of root': { of: evidence(start("Error: EACCES: permission denied, open '/var/lib/kibana/uuid'")), cause: /may not use \/var\/lib\/kibana\/uuid/ },
  'silence without a master': { of: evidence(start(''), { nodes: [masterless] }), cause: /no elected master/ },
  'nothing, when nothing is wrong': { of: evidence(start('[info][listening] Server running at http://10.0.0.31:5601')) },
  'nothing that is over once it serves': { of: evidence(start(`${TIMEOUT}\n[info][listening] Server running at http://10.0.0.31:5601`)) },
  'nothing of starts long ago': { of: evidence(start(TIMEOUT) + start('') + start('')) },
};

describe('diagnosis of Kibana from its own words', () => {
  for (const [what, { of, cause, fix }] of Object.entries(CASES)) {
    it(what, () => {
      const found = diagnose(of);
      expect(found.map((each) => each.cause)).to.have.length(cause === undefined ? 0 : 1);
      if (cause !== undefined) expect(found[0]?.cause).to.match(cause);
      if (fix !== undefined) expect(found[0]?.fix).to.match(fix);
      for (const each of found) expect(each.evidence).not.to.equal('');
    });
  }
});

describe('what Elasticsearch says from there', () => {
  const answered = (status: number, body: unknown) => ({ kind: 'answered', status, body: JSON.stringify(body) }) as const;
  it('is a status, the lack of a master, or nothing', () => {
    const view = (answer: Parameters<typeof readView>[2]) => readView('es-01', 'u', answer);
    expect(view(answered(200, { status: 'yellow' }))).to.deep.include({ kind: 'master', status: 'yellow' });
    expect(view(answered(503, { error: { type: 'master_not_discovered_exception' } }))).to.deep.include({ kind: 'no-master' });
    expect(view({ kind: 'refused', reason: 'connection refused' })).to.deep.include({ kind: 'silent', why: 'connection refused' });
    expect(view(answered(200, 'hello'))).to.deep.include({ kind: 'silent' });
  });
  it('names blocked indices', () => {
    expect(
      readBlocked(answered(200, { '.kibana_1': { settings: { 'index.blocks.read_only_allow_delete': 'true' } }, '.kibana_2': { settings: {} } })),
    ).to.deep.equal(['.kibana_1']);
    expect(readBlocked(answered(503, {}))).to.deep.equal([]);
  });
});
