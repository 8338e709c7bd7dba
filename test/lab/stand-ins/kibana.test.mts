/** The stand-in for Kibana against a real Elasticsearch: what it serves, keeps, refuses and says, held against files that the real one wrote. */
import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { borrow, command, document, eventually, get, LAB, labDown, must, onHost, play, ROOT, temporaryDirectory, writeInventory } from '../support.mts';

const ADDRESS = '127.82.0.31';
const ELASTICSEARCH = `http://${ADDRESS}:9200`;
const KIBANA = `http://${ADDRESS}:5601`;
const HOST = { name: 'kibana-01', address: ADDRESS, groups: ['es_masters'] };
const VARS = { elasticsearch_heap: '512m', elasticsearch_source: 'auto', os_limits_nofile: 'auto' };
const NOBODY = 65534;
const XSRF = { 'kbn-xsrf': 'test' };

type Saved = Record<string, unknown> & { readonly type: string; readonly id: string; readonly attributes: Record<string, unknown> };

const sample = (name: string): string => readFileSync(join(ROOT, 'test/cases/kibana', name), 'utf8');
const DASHBOARD = '3af027e0-5917-11ec-bb07-9f51204337db';
const PATTERN = 'efc8bb60-583a-11ec-8a43-f594b3cf79a8';

interface Reply {
  readonly status: number;
  readonly text: string;
  /** Of JSON. */
  readonly body: Record<string, unknown>;
}

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = XSRF): Promise<Reply> {
  const isForm = body instanceof FormData;
  const response = await fetch(`${KIBANA}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, text, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

function form(text: string, name = 'export.ndjson'): FormData {
  const data = new FormData();
  data.set('file', new File([text], name));
  return data;
}

const importFile = (text: string, query = '', name?: string): Promise<Reply> => ask('POST', `/api/saved_objects/_import${query}`, form(text, name));

/** One object a line, by what it means: not when it was written, nor the order of anything in it. */
const meaning = (ndjson: string): readonly unknown[] =>
  ndjson
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Saved)
    .map(({ updated_at: _updated, version: _version, ...rest }) => rest)
    .sort((a, b) => (a.id < b.id ? -1 : 1));

describe('the stand-in for Kibana', function () {
  this.bail(true);
  const folder = temporaryDirectory();
  const program = join(folder.path, 'tree/kibana-7.10.2-linux-x86_64/bin/kibana');
  const logFile = join(folder.path, 'log/kibana.log');
  let running: Started | undefined;

  interface Started {
    readonly process: ChildProcess;
    readonly ended: Promise<number | string | null>;
    readonly printed: () => string;
  }

  const configuration = (name: string, settings: Record<string, unknown>): string => {
    const directory = join(folder.path, name);
    mkdirSync(directory, { recursive: true });
    const all = { 'server.host': ADDRESS, 'elasticsearch.hosts': [ELASTICSEARCH], 'path.data': join(folder.path, 'data'), ...settings };
    writeFileSync(
      join(directory, 'kibana.yml'),
      Object.entries(all)
        .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
        .join(''),
    );
    return directory;
  };

  function startKibana(directory: string, { user = NOBODY, args = [] as readonly string[] } = {}): Started {
    const child = spawn(program, args, {
      env: { PATH: process.env['PATH'], KBN_PATH_CONF: directory },
      uid: user,
      gid: user,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string | null);
    return { process: child, ended, printed: () => text };
  }

  async function stopKibana(): Promise<void> {
    running?.process.kill('SIGKILL');
    await running?.ended;
    running = undefined;
  }

  before(async () => {
    await labDown();
    await borrow(LAB);
    const inventory = writeInventory('kibana.yaml', [HOST], VARS);
    await must(play('lab', ['up', '-i', inventory]));
    const site = await document('site', ['-i', inventory]);
    expect(site.exitCode, site.text).to.equal(0);
    mkdirSync(join(folder.path, 'log'));
    mkdirSync(join(folder.path, 'data'));
    chmodSync(folder.path, 0o755);
    await must(command('sh', [join(ROOT, 'test/lab/stand-ins/kibana/build.sh'), join(folder.path, 'tree'), '-']));
    for (const name of ['log', 'data']) chownSync(join(folder.path, name), NOBODY, NOBODY);
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed' && running !== undefined) process.stderr.write(running.printed());
  });
  after(async () => {
    await stopKibana();
    folder[Symbol.dispose]();
    await labDown();
  });

  it('refuses to run as root', async () => {
    const started = startKibana(configuration('root', {}), { user: 0 });
    expect([await started.ended, started.printed()]).to.deep.equal([1, 'Kibana should not be run as root.  Use --allow-root to continue.\n']);
  });

  it('refuses a setting that the OSS edition does not have', async () => {
    const started = startKibana(configuration('unknown', { 'xpack.security.enabled': false }));
    expect(await started.ended).to.equal(64);
    const message = 'Unknown configuration key(s): "xpack.security.enabled". Check for spelling errors and ensure that expected plugins are installed.';
    expect(started.printed()).to.include(`\n FATAL  Error: ${message}\n`).and.to.include('"tags":["fatal","root"]');
  });

  it('is not ready while Elasticsearch does not answer, and says so', async () => {
    running = startKibana(configuration('alone', { 'elasticsearch.hosts': ['http://127.82.0.31:9299'] }));
    await eventually('Kibana listens', 20_000, async () => (await ask('GET', '/api/status')).status === 503);
    const { status, text } = await ask('GET', '/app/home');
    expect([status, text]).to.deep.equal([503, 'Kibana server is not ready yet']);
    expect(running.printed())
      .to.include('"tags":["error","savedobjects-service"]')
      .and.to.include('Unable to retrieve version information from Elasticsearch nodes.');
    await stopKibana();
  });

  it('says that Elasticsearch does not do what it is asked for', async () => {
    // Nodes answer for themselves, all else waits for a master that never comes.
    await using masterless = createServer((request, response) => {
      if (request.url?.startsWith('/_nodes') === true) response.end('{"nodes":{"a":{"version":"7.10.2","ip":"127.0.0.1"}}}');
    }).listen(0, ADDRESS);
    await once(masterless, 'listening');
    const { port } = masterless.address() as AddressInfo;
    running = startKibana(
      configuration('masterless', { 'elasticsearch.hosts': [`http://${ADDRESS}:${String(port)}`], 'elasticsearch.requestTimeout': 500, 'logging.json': false }),
    );
    const line = /^ {2}log {3}\[\d\d:\d\d:\d\d\.\d{3}\] \[warning\]\[savedobjects-service\] Unable to connect to Elasticsearch\. Error: Request Timeout$/m;
    await eventually('Kibana complains', 20_000, () => Promise.resolve(line.test(running?.printed() ?? '')));
    expect((await ask('GET', '/')).status).to.equal(503);
    await stopKibana();
    masterless.closeAllConnections();
  });

  it('comes up with Elasticsearch, and makes its index', async () => {
    running = startKibana(configuration('main', { 'logging.dest': logFile, 'pid.file': join(folder.path, 'data/kibana.pid') }));
    await eventually(
      'Kibana is green',
      60_000,
      async () => ((await ask('GET', '/api/status')).body as { status: { overall: { state: string } } }).status.overall.state === 'green',
    );
    const { body } = await ask('GET', '/api/status');
    expect(body['version']).to.deep.include({ number: '7.10.2', build_snapshot: false });
    expect(readFileSync(`/proc/${String(running.process.pid)}/comm`, 'utf8')).to.equal('node\n');
    const log = readFileSync(logFile, 'utf8');
    expect(log).to.include(
      `"tags":["listening","info"],"pid":${readFileSync(join(folder.path, 'data/kibana.pid'), 'utf8')},"message":"Server running at ${KIBANA}"`,
    );
    const [index] = Object.entries(
      (await get(`${ELASTICSEARCH}/.kibana`)) as Record<string, { settings: { index: Record<string, string> }; mappings: { dynamic: string } }>,
    );
    expect([index?.[0], index?.[1].settings.index['auto_expand_replicas'], index?.[1].mappings.dynamic]).to.deep.equal(['.kibana_1', '0-1', 'strict']);
  });

  it('does not take a port that is taken', async () => {
    const second = startKibana(configuration('second', { 'pid.file': join(folder.path, 'data/second.pid') }));
    expect(await second.ended).to.equal(1);
    expect(second.printed()).to.include('\n FATAL  Error: Port 5601 is already in use. Another instance of Kibana may be running!\n');
    expect(existsSync(join(folder.path, 'data/kibana.pid'))).to.equal(true);
  });

  it('imports what a real Kibana 7.10.2 exported, and exports the same', async () => {
    const { status, body } = await importFile(sample('export-7.10.2.ndjson'));
    expect([status, body['success'], body['successCount']], JSON.stringify(body)).to.deep.equal([200, true, 7]);
    const exported = await ask('POST', '/api/saved_objects/_export', { objects: [{ type: 'dashboard', id: DASHBOARD }], includeReferencesDeep: true });
    expect(meaning(exported.text)).to.deep.equal(meaning(sample('export-7.10.2.ndjson')));
    const again = (await importFile(sample('export-7.10.2.ndjson'))).body as {
      success: boolean;
      successCount: number;
      errors: readonly { error: { type: string } }[];
    };
    expect([again.success, again.successCount, again.errors.map(({ error }) => error.type)]).to.deep.equal([false, 0, Array(7).fill('conflict')]);
    expect((await importFile(sample('export-7.10.2.ndjson'), '?overwrite=true')).body).to.deep.include({ success: true, successCount: 7 });
  });

  it('imports copies, and what a person resolved', async () => {
    const [pattern = ''] = sample('export-7.10.2.ndjson').split('\n');
    const copied = (await importFile(pattern, '?createNewCopies=true')).body as {
      success: boolean;
      successResults: readonly { id: string; destinationId: string }[];
    };
    const copy = copied.successResults[0]?.destinationId ?? '';
    expect([copied.success, copied.successResults[0]?.id, copy === PATTERN]).to.deep.equal([true, PATTERN, false]);
    expect((await ask('DELETE', `/api/saved_objects/index-pattern/${copy}`)).status).to.equal(200);
    const lost = { id: 'lost', type: 'visualization', attributes: { title: 'Lost' }, references: [{ name: 'x', type: 'index-pattern', id: 'nowhere' }] };
    const resolution = form(JSON.stringify(lost));
    resolution.set(
      'retries',
      JSON.stringify([{ type: 'visualization', id: 'lost', replaceReferences: [{ type: 'index-pattern', from: 'nowhere', to: PATTERN }] }]),
    );
    expect((await ask('POST', '/api/saved_objects/_resolve_import_errors', resolution)).body).to.deep.include({ success: true, successCount: 1 });
    expect((await ask('GET', '/api/saved_objects/visualization/lost')).body['references']).to.deep.equal([{ name: 'x', type: 'index-pattern', id: PATTERN }]);
    expect((await ask('DELETE', '/api/saved_objects/visualization/lost')).status).to.equal(200);
  });

  it('refuses what a newer Kibana exported, as a whole', async () => {
    const { status, body } = await importFile(sample('export-7.16.2-not-importable.ndjson'), '?overwrite=true');
    expect([status, body]).to.deep.equal([
      422,
      {
        statusCode: 422,
        error: 'Unprocessable Entity',
        message:
          'Document "fc7db1a0-7124-11ec-974f-811bfd977b81" has property "index-pattern" which belongs to a more recent version of Kibana [7.11.0]. The last known version is [7.6.0]',
      },
    ]);
    expect((await ask('GET', '/api/saved_objects/index-pattern/fc7db1a0-7124-11ec-974f-811bfd977b81')).status).to.equal(404);
  });

  for (const [name, lines, errors] of [
    ['Lens', [{ id: 'l', type: 'lens', attributes: { title: 'L' }, references: [] }], [['l', 'unsupported_type']]],
    [
      'what refers to an index pattern that is not there',
      [{ id: 'v', type: 'visualization', attributes: { title: 'V' }, references: [{ name: 'x', type: 'index-pattern', id: 'nowhere' }] }],
      [['v', 'missing_references']],
    ],
  ] as const) {
    it(`imports nothing of ${name}`, async () => {
      const { status, body } = await importFile(lines.map((line) => JSON.stringify(line)).join('\n'));
      const found = body as { success: boolean; errors: readonly { id: string; error: { type: string } }[] };
      expect([status, found.success, found.errors.map(({ id, error }) => [id, error.type])]).to.deep.equal([200, false, errors]);
      expect((await ask('GET', `/api/saved_objects/visualization/v`)).status).to.equal(404);
    });
  }

  for (const [name, request, status, message] of [
    ['without kbn-xsrf', () => ask('POST', '/api/saved_objects/_import', form(''), {}), 400, 'Request must contain a kbn-xsrf header.'],
    [
      'for another version',
      () => ask('GET', '/api/status', undefined, { 'kbn-version': '7.16.2' }),
      400,
      'Browser client is out of date, please refresh the page ("kbn-version" header was "7.16.2" but should be "7.10.2")',
    ],
    ['with a file of another extension', () => importFile('', '', 'export.json'), 400, 'Invalid file extension .json'],
    [
      'to overwrite and to copy',
      () => importFile('', '?overwrite=true&createNewCopies=true'),
      400,
      '[request query]: cannot use [overwrite] with [createNewCopies]',
    ],
    ['for an object that is not there', () => ask('GET', '/api/saved_objects/dashboard/none'), 404, 'Saved object [dashboard/none] not found'],
    [
      'for a type that is not there',
      () => ask('POST', '/api/saved_objects/lens', { attributes: {} }),
      400,
      "Unsupported saved object type: 'lens': Bad Request",
    ],
    [
      'without attributes',
      () => ask('POST', '/api/saved_objects/dashboard', {}),
      400,
      '[request body.attributes]: expected value of type [object] but got [undefined]',
    ],
    [
      'to find nothing in particular',
      () => ask('GET', '/api/saved_objects/_find'),
      400,
      '[request query.type]: expected at least one defined value but got [undefined]',
    ],
    ['to export what cannot be', () => ask('POST', '/api/saved_objects/_export', { type: 'lens' }), 400, 'Trying to export non-exportable type(s): lens'],
    ['for a page that is not there', () => ask('GET', '/api/nothing'), 404, 'Not Found'],
  ] as const) {
    it(`refuses a request ${name}`, async () => {
      const { status: found, body } = await request();
      expect([found, body['statusCode'], body['message']]).to.deep.equal([status, status, message]);
    });
  }

  it('keeps objects: made, found, changed, deleted', async () => {
    const made = await ask('POST', '/api/saved_objects/dashboard/one', { attributes: { title: 'One of mine' } });
    expect([made.status, made.body['migrationVersion'], made.body['references']]).to.deep.equal([200, { dashboard: '7.9.3' }, []]);
    expect((await ask('POST', '/api/saved_objects/dashboard/one', { attributes: {} })).status).to.equal(409);
    const found = await ask('GET', '/api/saved_objects/_find?type=dashboard&search_fields=title&search=mine&fields=title');
    expect(found.body).to.deep.include({ total: 1, page: 1, per_page: 20 });
    const changed = await ask('PUT', '/api/saved_objects/dashboard/one', { attributes: { description: 'changed' }, version: made.body['version'] });
    expect(changed.status).to.equal(200);
    expect((await ask('PUT', '/api/saved_objects/dashboard/one', { attributes: {}, version: made.body['version'] })).status).to.equal(409);
    expect((await ask('GET', '/api/saved_objects/dashboard/one')).body['attributes']).to.deep.equal({ title: 'One of mine', description: 'changed' });
    expect((await ask('DELETE', '/api/saved_objects/dashboard/one')).status).to.equal(200);
    expect((await ask('DELETE', '/api/saved_objects/dashboard/one')).status).to.equal(404);
    const many = await ask('POST', '/api/saved_objects/_bulk_get', [
      { type: 'dashboard', id: DASHBOARD },
      { type: 'dashboard', id: 'one' },
    ]);
    expect(
      (many.body['saved_objects'] as readonly { id: string; error?: { statusCode: number } }[]).map(({ id, error }) => [id, error?.statusCode]),
    ).to.deep.equal([
      [DASHBOARD, undefined],
      ['one', 404],
    ]);
    const using = await ask(
      'GET',
      `/api/saved_objects/_find?type=visualization&has_reference=${encodeURIComponent(JSON.stringify({ type: 'index-pattern', id: PATTERN }))}`,
    );
    expect(using.body['total']).to.equal(5);
  });

  it('keeps settings', async () => {
    const { body } = await ask('POST', '/api/kibana/settings', { changes: { defaultIndex: PATTERN } });
    expect((body['settings'] as Record<string, unknown>)['defaultIndex']).to.deep.equal({ userValue: PATTERN });
    expect((await ask('GET', '/api/kibana/settings')).body).to.deep.equal(body);
    expect((await ask('GET', '/api/saved_objects/config/7.10.2')).body['attributes']).to.deep.include({ defaultIndex: PATTERN });
  });

  it('shows what the queries of a dashboard find', async () => {
    const now = Date.now();
    const documents = Array.from({ length: 60 }, (_, i) => ({
      '@timestamp': new Date(now - i * 10_000).toISOString(),
      host: '127.0.0.1',
      metric_path: `broker01.${i % 2 === 0 ? 'BrokerTopicMetrics.BytesInPerSec.OneMinuteRate' : 'KafkaController.ActiveControllerCount.Value'}`,
      metric_value_number: i % 2 === 0 ? i * 1.5 : 1,
    }));
    const lines = documents.flatMap((one) => [{ index: { _index: 'kafka_mon' } }, one]);
    const sent = await fetch(`${ELASTICSEARCH}/_bulk?refresh=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.map((one) => `${JSON.stringify(one)}\n`).join(''),
    });
    expect(sent.ok).to.equal(true);
    const { panels } = (await ask('GET', `/internal/stand-in/dashboards/${DASHBOARD}?from=now-30m`)).body as {
      panels: readonly { title: string; hits: number; empty: boolean; error?: string }[];
    };
    expect(panels.map(({ title, hits, empty, error }) => [title, hits, empty, error])).to.deep.equal([
      ['kafka_처리량_bytes', 30, false, undefined],
      ['kafka_ActiveControllerCount', 30, false, undefined],
      ['kafka_UnderReplicatedPartitions', 0, true, undefined],
      ['kafka_처리량_record', 0, true, undefined],
      ['kafka_지연_ms', 0, true, undefined],
    ]);
  });

  it('has pages that say what they are', async () => {
    const home = await fetch(`${KIBANA}/`);
    expect([home.url, (await home.text()).includes('This is not Kibana.')]).to.deep.equal([`${KIBANA}/app/home`, true]);
    const page = await ask('GET', `/internal/stand-in/page?hash=${encodeURIComponent(`#/view/${DASHBOARD}?_g=(time:(from:now-30m,to:now))`)}`);
    expect(page.text)
      .to.include('<h1>kafka_dashboard</h1>')
      .and.to.include('broker01.BrokerTopicMetrics.BytesInPerSec.OneMinuteRate')
      .and.to.include('No results found');
    expect((await ask('GET', '/internal/stand-in/page?hash=%23%2Fview%2Fnone')).status).to.equal(404);
  });

  it('is red while Elasticsearch is away', async () => {
    const state = async (): Promise<string> => ((await ask('GET', '/api/status')).body as { status: { overall: { state: string } } }).status.overall.state;
    await must(onHost(HOST.name, 'systemctl stop elasticsearch'));
    await eventually('Kibana is red', 30_000, async () => (await state()) === 'red');
    expect((await ask('GET', '/api/saved_objects/_find?type=dashboard')).status).to.equal(503);
    await must(onHost(HOST.name, 'systemctl start elasticsearch'));
    await eventually('Kibana is green', 120_000, async () => (await state()) === 'green');
  });

  it('goes on in a new file after SIGHUP, and ends with 0 after SIGTERM', async () => {
    renameSync(logFile, `${logFile}.1`);
    running?.process.kill('SIGHUP');
    await eventually('the log is reopened', 10_000, () => Promise.resolve(existsSync(logFile)));
    running?.process.kill('SIGTERM');
    expect(await running?.ended).to.equal(0);
    expect(existsSync(join(folder.path, 'data/kibana.pid'))).to.equal(false);
    running = undefined;
  });
});
