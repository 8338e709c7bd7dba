/** Services that do not come up, and answers that nobody expects: the real program against an http server that answers as Elasticsearch or Kibana, or does not. */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { expect } from 'chai';
import { Program, said, SITE, type Ended } from '../cli/program.mts';
import { ADDRESS, Answering, cluster, isolated, json, members, SERVICES, text, type Answer } from './answers.mts';
import { at, ending, hostsOf, lineOf } from './support.mts';
import { row } from './table.mts';

describe('faults of services', function () {
  this.timeout(180_000);

  const elasticsearchAt = (port: number, more: Readonly<Record<string, unknown>> = {}): string =>
    hostsOf(
      {
        'es-01': JSON.stringify({
          ansible_connection: 'local',
          private_address: ADDRESS,
          elasticsearch_http_port: port,
          elasticsearch_managed: false,
          ...more,
        }),
      },
      'es_masters',
    );

  /** Elasticsearch that is observed only, as site verifies it. */
  async function verified(program: Program, answer: Answer, managed = false): Promise<Ended> {
    await using answering = await Answering.with(answer);
    const inventory = program.write('inventory.yaml', elasticsearchAt(answering.port, { elasticsearch_managed: managed }));
    return await program.run(SITE, ['-i', inventory, '--role', 'elasticsearch', '--verify-only']);
  }
  const odd: readonly { readonly done: string; readonly answer: Answer; readonly says: RegExp; readonly code?: number; readonly managed?: boolean }[] = [
    { done: 'a page of HTML', answer: text(200, '<html><body>It works!</body></html>'), says: /version.*200 without JSON/ },
    { done: 'a page of a proxy, 502', answer: text(502, '<html>Bad Gateway</html>'), says: /version.*502 without JSON/ },
    {
      done: '401 with the words of a security plugin',
      answer: json(401, { error: { type: 'security_exception', reason: 'missing authentication credentials' }, status: 401 }),
      says: /version.*401 security_exception/,
    },
    {
      done: '503 without a master',
      answer: json(503, { error: { type: 'master_not_discovered_exception', reason: null }, status: 503 }),
      says: /version.*503 master_not_discovered_exception/,
    },
    { done: 'JSON of another kind', answer: json(200, { hello: ['world'] }), says: /version.*200 with an unexpected body/ },
    { done: 'JSON of 30 MB', answer: text(200, JSON.stringify({ name: 'x'.repeat(30_000_000) })), says: /version: .*the answer is larger than 1 MiB/, code: 3 },
    {
      done: 'JSON that does not end, and does not say its length',
      answer: (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const more = (): void => {
          while (!response.destroyed && response.write(' '.repeat(65_536)));
          response.once('drain', more);
        };
        more();
      },
      says: /printed more than \d+ bytes/,
      code: 3,
      // A host that is observed only does not hold the others up, whatever it says.
      managed: true,
    },
    {
      done: 'version 7.10.1',
      answer: cluster(() => ({ version: '7.10.1', status: 'green', nodes: ['es-01'] })),
      says: /version: expected 7\.10\.2 oss, found 7\.10\.1 oss/,
    },
  ];
  for (const { done, answer, says, code = 1, managed } of odd)
    row(51, { fault: 'odd answers of Elasticsearch', done, expected: `exit ${String(code)}, what was answered is said` }, async () => {
      using program = new Program();
      const ended = await verified(program, answer, managed);
      expect(said(ended)).to.not.include('this is a bug');
      return ending(ended, code, says);
    });
  row(
    51,
    { fault: 'Elasticsearch as it should be', done: 'the same answers with version 7.10.2, green', expected: 'exit 0: the rows above are told apart' },
    async () => {
      using program = new Program();
      return ending(
        await verified(
          program,
          cluster(() => ({ version: '7.10.2', status: 'green', nodes: ['es-01'] })),
        ),
        0,
        /es-01/,
      );
    },
  );
  for (const status of ['yellow', 'red'] as const)
    row(50, { fault: `a cluster that is ${status}`, done: 'it is verified only', expected: 'exit 1 with the index and the next question' }, async () => {
      using program = new Program();
      const ended = await verified(
        program,
        cluster(() => ({ version: '7.10.2', status, nodes: ['es-01'] })),
      );
      expect(said(ended)).to.include('_cluster/allocation/explain');
      return ending(ended, 1, new RegExp(`health: expected green, found ${status}: kafka-metrics-1`));
    });

  row(
    50,
    {
      fault: 'a member that does not come back',
      done: 'of three members the first is restarted, and is not seen in the cluster again',
      expected: 'exit 1 when the gate has waited; no other is restarted; shards, of which only primaries might move, may all move again',
    },
    async () => {
      using program = new Program();
      await using one = await isolated();
      await using two = await isolated();
      await using three = await isolated();
      const servers = [one, two, three];
      const names = ['es-01', 'es-02', 'es-03'];
      const allocation = { value: null as string | null, put: [] as (string | null)[] };
      const gone = program.path('gone');
      await using answering = await Answering.with(
        // The first answers as master, so that it would be the last to be restarted.
        cluster(() => ({ version: '7.10.2', status: 'green', nodes: existsSync(gone) ? ['es-01', 'es-03'] : names, allocation })),
      );
      const inventory = (script: string): string => program.write('inventory.yaml', members(servers, answering.port, script));
      const first = await program.run(SERVICES, ['-i', inventory('exec sleep 600'), '--role', 'elasticsearch']);
      ending(first, 0, /es-01/);
      allocation.put.length = 0;
      const ended = await program.run(SERVICES, ['-i', inventory(`touch ${gone}; exec sleep 600`), '--role', 'elasticsearch']);
      const restarted = said(ended).match(/changed: daemon member/g)?.length;
      expect(restarted, said(ended)).to.equal(1);
      expect(allocation).to.deep.equal({ value: null, put: ['primaries', null] });
      return `${ending(ended, 1, /gate cluster-as-before/)}; allocation: ${allocation.put.map(String).join(', ')}; restarted: ${String(restarted)}`;
    },
  );

  row(
    50,
    {
      fault: 'a cluster that takes no setting back',
      done: 'of three members the first does not start again, and from then on the cluster answers 503 to every setting',
      expected: 'exit 1; it is said that shards may still not move and that the next run puts it right, which it does',
    },
    async () => {
      using program = new Program();
      await using one = await isolated();
      await using two = await isolated();
      await using three = await isolated();
      const servers = [one, two, three];
      const allocation = { value: null as string | null, put: [] as (string | null)[] };
      const stuck = program.path('stuck');
      const sound = cluster(() => ({ version: '7.10.2', status: 'green', nodes: ['es-01', 'es-02', 'es-03'], allocation }));
      const unwell = json(503, { error: { type: 'process_cluster_event_timeout_exception', reason: 'failed to process cluster event' }, status: 503 });
      await using answering = await Answering.with((request, response) => {
        (existsSync(stuck) && request.method === 'PUT' ? unwell : sound)(request, response);
      });
      const run = (script: string): Promise<Ended> =>
        program.run(SERVICES, ['-i', program.write('inventory.yaml', members(servers, answering.port, script)), '--role', 'elasticsearch']);
      ending(await run('exec sleep 600'), 0, /es-01/);
      const ended = await run(`touch ${stuck}; exit 78`);
      expect(allocation.value, said(ended)).to.equal('primaries');
      rmSync(stuck);
      ending(await run('exec sleep 600'), 0, /es-01/);
      expect(allocation.value).to.equal(null);
      return ending(ended, 1, /cluster allocation: still as it was set for the restart, and nobody could put it back: run again, which does/);
    },
  );

  row(
    49,
    {
      fault: 'a service that does not start after a change of its configuration',
      done: 'of three hosts one has the new file, and its process says why it ends',
      expected: 'exit 1, its last words are shown, the other two run on as they were, and shards may move again',
    },
    async () => {
      using program = new Program();
      await using one = await isolated();
      await using two = await isolated();
      await using three = await isolated();
      const servers = [one, two, three];
      const allocation = { value: null as string | null, put: [] as (string | null)[] };
      await using answering = await Answering.with(cluster(() => ({ version: '7.10.2', status: 'green', nodes: ['es-01', 'es-02', 'es-03'], allocation })));
      const run = (script: string, ...more: readonly string[]): Promise<Ended> =>
        program.run(SERVICES, ['-i', program.write('inventory.yaml', members(servers, answering.port, script)), '--role', 'elasticsearch', ...more]);
      ending(await run('exec sleep 600'), 0, /es-01/);
      const ended = await run('echo unknown setting: lissen.port; exit 78');
      lineOf(ended, /unknown setting: lissen\.port/);
      expect(said(ended)).to.not.match(/es-0[13] +elasticsearch +changed/);
      expect([allocation.value, ...allocation.put.slice(-2)]).to.deep.equal([null, 'primaries', null]);
      ending(await run('exec sleep 600', '--check', '--limit', 'es-01,es-03'), 0, /2 in order/);
      return ending(ended, 1, /member ended at once/);
    },
  );

  row(
    57,
    {
      fault: 'limits were raised while a process runs with the old ones',
      done: 'a real process started with 4096 open files, where 65536 are wanted',
      expected: 'exit 1: what it has, what it should have, and that it has to be started again',
    },
    async () => {
      using program = new Program();
      await using server = await isolated();
      await using answering = await Answering.with(cluster(() => ({ version: '7.10.2', status: 'green', nodes: ['es-01'] })));
      const start = 'mkdir -p /run/elasticsearch; ulimit -n 4096; setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! >/run/elasticsearch/elasticsearch.pid';
      const options = ['-i', server.keyFile, '-p', server.port.toString(), '-o', `UserKnownHostsFile=${server.knownHosts}`];
      execFileSync('ssh', ['-F', 'none', ...options, server.address, start]);
      const host = at(server, { private_address: ADDRESS, elasticsearch_http_port: answering.port, elasticsearch_nofile: 65_536 });
      const inventory = program.write('inventory.yaml', hostsOf({ 'es-01': host }, 'es_masters'));
      const ended = await program.run(SITE, ['-i', inventory, '--role', 'elasticsearch', '--verify-only']);
      lineOf(ended, /process-limits: expected at least 65536 open files.*, found 4096 open files/);
      return ending(ended, 1, /was started before the limit was raised/);
    },
  );

  row(
    53,
    {
      fault: 'Kibana is not ready yet, for as long as it is waited for',
      done: 'an apply where Kibana answers 503 "Kibana server is not ready yet" for ever',
      expected: 'what it says is shown while it is waited for, then exit 1 with the same and where to look',
    },
    async () => {
      using program = new Program();
      await using answering = await Answering.with(text(503, 'Kibana server is not ready yet'));
      const hosts = hostsOf({ 'mon-01': JSON.stringify({ ansible_connection: 'local', private_address: ADDRESS, kibana_port: answering.port }) }, 'monitoring');
      const ended = await program.run(SERVICES, ['-i', program.write('inventory.yaml', hosts), '--role', 'kibana']);
      expect(ended.ms).to.be.within(60_000, 90_000);
      lineOf(ended, /mon-01 +kibana +.*503 Kibana server is not ready yet/);
      return ending(ended, 1, /status: expected 7\.10\.2, green, found 503 Kibana server is not ready yet/);
    },
  );
  row(
    53,
    {
      fault: 'Kibana becomes ready while it is waited for',
      done: 'the same answer six times, then the status green',
      expected: 'it is waited for, and the status is not what the run complains of',
    },
    async () => {
      using program = new Program();
      let asked = 0;
      const green = { state: 'green' };
      const status = {
        version: { number: '7.10.2' },
        status: {
          overall: green,
          statuses: [
            { id: 'core:elasticsearch@7.10.2', ...green },
            { id: 'core:savedObjects@7.10.2', ...green },
          ],
        },
      };
      await using answering = await Answering.with((request, response) => {
        if (request.url?.startsWith('/api/status') === true) asked += 1;
        (asked > 6 ? json(200, status) : text(503, 'Kibana server is not ready yet'))(request, response);
      });
      const hosts = hostsOf({ 'mon-01': JSON.stringify({ ansible_connection: 'local', private_address: ADDRESS, kibana_port: answering.port }) }, 'monitoring');
      const ended = await program.run(SERVICES, ['-i', program.write('inventory.yaml', hosts), '--role', 'kibana', '-vv']);
      lineOf(ended, /status: 503 Kibana server is not ready yet/);
      return `${lineOf(ended, /status: 7\.10\.2, green/)} after ${String(asked)} answers`;
    },
  );
});
