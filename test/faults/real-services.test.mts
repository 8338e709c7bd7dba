/** What befalls a rolling restart of real Elasticsearch: three nodes on hosts of a lab of the tests' own. */
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { said, type Ended } from '../cli/program.mts';
import { borrow, eventually, play, ROOT, start, writeInventory, type LabHost, type Variables } from '../lab/support.mts';
import { ending, lineOf } from './support.mts';
import { CannotTry, row } from './table.mts';

const LAB = join(ROOT, '.lab-test-faults');
const env = { LAB_DIR: LAB, RUNS_DIR: join(LAB, 'runs') };
const NODES: readonly LabHost[] = ['es-01', 'es-02', 'es-03'].map((name, index) => ({
  name,
  address: `127.88.0.1${String(index + 1)}`,
  groups: ['es_masters'],
}));
const IMPATIENT = '../test/faults/playbooks/impatient';

const inventory = (name: string, vars: Variables = {}): string =>
  writeInventory(`${name}.yaml`, NODES, { elasticsearch_heap: '512m', elasticsearch_source: 'auto', os_limits_nofile: 'auto', ...vars }, LAB);
const run = (file: string, ...words: readonly string[]): Promise<Ended> => play(IMPATIENT, ['-i', file, '--role', 'elasticsearch', ...words], { env });

/** Asked of whichever node answers. */
async function ask(path: string, method = 'GET', body?: unknown): Promise<unknown> {
  for (const { address } of NODES) {
    const response = await fetch(`http://${address}:9200${path}`, {
      method,
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    }).catch(() => undefined);
    if (response?.ok === true) return await response.json();
  }
  throw new Error(`nobody answers ${method} ${path}`);
}
const health = async (): Promise<string> => ((await ask('/_cluster/health')) as { readonly status: string }).status;
/** `null` is Elasticsearch's own: all shards may move. */
const allocation = async (): Promise<string | null> =>
  ((await ask('/_cluster/settings?flat_settings=true')) as { readonly persistent: Readonly<Record<string, string>> }).persistent[
    'cluster.routing.allocation.enable'
  ] ?? null;

/** When each node's process began: who has been restarted. */
async function starts(): Promise<Readonly<Record<string, number>>> {
  const { nodes } = (await ask('/_nodes/jvm')) as {
    readonly nodes: Readonly<Record<string, { readonly name: string; readonly jvm: { readonly start_time_in_millis: number } }>>;
  };
  return Object.fromEntries(Object.values(nodes).map(({ name, jvm }) => [name, jvm.start_time_in_millis]));
}
/** Names of those that run on as they were. */
async function untouched(before: Readonly<Record<string, number>>): Promise<readonly string[]> {
  const now = await starts();
  return Object.keys(before).filter((name) => now[name] === before[name]);
}

describe('faults of real services', function () {
  this.timeout(600_000);
  let refused: string | undefined;
  let standard = '';

  const inOrder = async (): Promise<void> => {
    if (refused !== undefined) throw new CannotTry(refused);
    expect([await health(), await allocation()]).to.deep.equal(['green', null]);
  };
  /** The next run with what was wanted before puts everything right. */
  const putRight = async (): Promise<void> => {
    ending(await run(standard), 0, /es-03/);
    await inOrder();
    ending(await run(standard, '--check'), 0, /es-03/);
  };

  before(async function () {
    this.timeout(900_000);
    await play('lab', ['down'], { env });
    await borrow(LAB);
    standard = inventory('standard');
    const up = await play('lab', ['up', '-i', standard], { env });
    if (up.code === 4) {
      refused = said(up).trim();
      return;
    }
    expect(up.code, said(up)).to.equal(0);
    ending(await play(IMPATIENT, ['-i', standard], { env }), 0, /es-03/);
    await ask('/kept', 'PUT', { settings: { number_of_shards: 1, number_of_replicas: 2 } });
    await eventually('a copy on each node', 60_000, async () => (await health()) === 'green');
  });
  after(async () => {
    const down = await play('lab', ['down'], { env, timeoutMs: 120_000 });
    expect(down.code, said(down)).to.be.oneOf([0, 4]);
  });

  row(
    58,
    {
      fault: 'an operator edits files of Elasticsearch and restarts it',
      done: 'comments in jvm.options and in the unit, elasticsearch.yml in reverse order, systemctl restart',
      expected: 'check exits 2: two files differ, both cosmetic, and it was started with what is wanted; apply rewrites them and restarts nobody',
    },
    async () => {
      await inOrder();
      const edit = `cd /etc/elasticsearch && echo '# mine' >>jvm.options && tac elasticsearch.yml >/tmp/reversed && cat /tmp/reversed >elasticsearch.yml
sed -i '1i ; mine' /etc/systemd/system/elasticsearch.service && systemctl daemon-reload && systemctl restart elasticsearch`;
      const edited = await play('lab', ['ssh', 'es-02', '--', 'sudo', 'sh', '-c', edit], { env, timeoutMs: 120_000 });
      expect(edited.code, said(edited)).to.equal(0);
      await eventually('all three nodes', 90_000, async () => (await health()) === 'green' && Object.keys(await starts()).length === 3);
      const before = await starts();
      const check = await run(standard, '--check');
      lineOf(check, /WOULD CHANGE +2 resources on 1 host/);
      expect(check.stdout.match(/\(cosmetic: only comments and blank lines\)/g)).to.have.length(2);
      ending(await run(standard), 0, /es-02/);
      expect(await untouched(before)).to.have.length(3);
      ending(await run(standard, '--check'), 0, /es-02/);
      return ending(check, 2, /unit elasticsearch\.service/);
    },
  );

  row(
    49,
    {
      fault: 'Elasticsearch refuses to start after a change of its configuration',
      done: 'three real nodes, and an inventory that allows them 4096 open files',
      expected: 'exit 1 with its own words, the cause and the fix; the other two run on as they were, and shards may move',
    },
    async () => {
      await inOrder();
      const before = await starts();
      const ended = await run(inventory('few-files', { elasticsearch_nofile: 4096, elasticsearch_enforce_bootstrap_checks: true }));
      expect((await untouched(before)).length, said(ended)).to.equal(2);
      expect(await allocation(), said(ended)).to.equal(null);
      lineOf(ended, /max file descriptors \[4096\] for elasticsearch process is too low/);
      const told = ending(ended, 1, /cause: the process may open 4096 files and wants 65535/);
      await putRight();
      return told;
    },
  );

  row(
    50,
    {
      fault: 'Elasticsearch stays yellow after a restart',
      done: "three real nodes, another heap, and an index whose copy the restarted node may not have again (the index's own allocation filter)",
      expected: 'exit 1 when the gate has waited; no other is restarted, shards may move again, the next run ends well once the filter is gone',
    },
    async () => {
      await inOrder();
      const before = await starts();
      const master = ((await ask('/_cat/master?format=json')) as readonly { readonly node: string }[])[0]?.node;
      const first = NODES.find(({ name }) => name !== master)?.name ?? '';
      // Its copy has nowhere else to go, and stays where it is for as long as the node does.
      await ask('/kept/_settings', 'PUT', { 'index.routing.allocation.exclude._name': first });
      const ended = await run(inventory('larger', { elasticsearch_heap: '520m' }));
      const others = NODES.map(({ name }) => name).filter((name) => name !== first);
      expect(await untouched(before), said(ended)).to.have.members(others);
      expect([await health(), await allocation()], said(ended)).to.deep.equal(['yellow', null]);
      const told = ending(ended, 1, new RegExp(`gate cluster-as-before, seen from ${others.join('|')}: expected .*, found .*yellow`));
      await ask('/kept/_settings', 'PUT', { 'index.routing.allocation.exclude._name': null });
      await eventually('green without the filter', 60_000, async () => (await health()) === 'green');
      await putRight();
      return told;
    },
  );

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    row(
      47,
      {
        fault: `${signal} within a rolling restart of Elasticsearch`,
        done: 'three real nodes, another heap, while only primaries may move',
        expected: `exit ${String(code)}: ${signal === 'SIGINT' ? 'the node is back in the cluster' : 'the restart is cut off'}, shards may move, no other is restarted, and the next run ends well`,
      },
      async () => {
        await inOrder();
        const before = await starts();
        const started = performance.now();
        const file = inventory(`stopped-${signal}`, { elasticsearch_heap: '530m' });
        const child = start(IMPATIENT, ['-i', file, '--role', 'elasticsearch'], { env });
        let stdout = '';
        child.stdout?.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
        await eventually('only primaries move', 120_000, async () => (await allocation()) === 'primaries');
        child.kill(signal);
        const [exit] = (await once(child, 'close')) as [number | null];
        const ended = { code: exit, stdout, stderr: '', ms: performance.now() - started };
        expect(await allocation(), said(ended)).to.equal(null);
        await eventually('all three nodes', 90_000, async () => Object.keys(await starts()).length === 3);
        expect((await untouched(before)).length, said(ended)).to.be.at.least(2);
        const told = ending(ended, code, /retry: .*--limit/);
        await putRight();
        return told;
      },
    );
});
