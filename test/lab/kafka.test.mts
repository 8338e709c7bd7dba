/** Kafka on real hosts: founded by three controllers of which one is no broker, restarted one by one, and never without a quorum. */
import { expect } from 'chai';
import { borrow, changesIn, document, LAB, labDown, must, onHost, writeInventory, type Document, type LabHost, type Variables } from './support.mts';

const BOTH = ['controllers', 'brokers'];
const FIRST: readonly LabHost[] = [
  { name: 'broker-01', address: '127.79.0.21', groups: BOTH },
  { name: 'broker-02', address: '127.79.0.22', groups: BOTH },
  { name: 'controller-11', address: '127.79.0.51', groups: ['controllers'] },
];
const ADDED: LabHost = { name: 'broker-03', address: '127.79.0.23', groups: ['brokers'] };
const SETTINGS: Variables = {
  kafka_source: 'auto',
  kafka_heap: '256m',
  kafka_jmx_authentication: true,
  kafka_replication_factor: 2,
  os_limits_nofile: 'auto',
};
const PASSWORD = { kafka_jmx_password: { secret: 'generate:kafka-lab-test' }, kafka_topics: [{ name: 'kafka-mon', partitions: 2 }] } as unknown as Variables;

describe('Kafka on the lab', function () {
  this.bail(true);
  type Report = Document & { readonly text: string; readonly ms: number };
  const inventory = (hosts: readonly LabHost[], vars: Variables = {}): string => writeInventory('kafka.yaml', hosts, { ...SETTINGS, ...PASSWORD, ...vars });
  const site = (path: string, ...args: string[]): Promise<Report> => document('site', ['-i', path, ...args]);
  const ok = (report: Report): Report => {
    expect(report.exitCode, report.text).to.equal(0);
    return report;
  };
  const ask = async (names: readonly string[], script: string): Promise<readonly string[]> =>
    Promise.all(names.map(async (name) => (await must(onHost(name, script))).trim()));
  const names = FIRST.map(({ name }) => name);
  const invocations = (of = names): Promise<readonly string[]> => ask(of, 'systemctl show -p InvocationID --value kafka');
  const clusterIds = (of = names): Promise<readonly string[]> => ask(of, 'sed -n s/^cluster.id=//p /var/lib/kafka/meta.properties');
  /** Microseconds of the machine's clock, which the hosts of the lab share. */
  const starts = async (): Promise<readonly number[]> => (await ask(names, 'systemctl show -p ExecMainStartTimestampMonotonic --value kafka')).map(Number);
  let path = '';

  before(async () => {
    await labDown();
    await borrow(LAB);
    path = inventory(FIRST);
  });
  after(async () => {
    expect((await labDown()).code).to.equal(0);
  });

  it('is founded once, by all its controllers together', async () => {
    ok(await site(path));
    const ids = await clusterIds();
    expect(new Set(ids).size).to.equal(1);
    expect(ids[0]).to.match(/^[\w-]{22}$/);
  });

  it('changes nothing the second time, and repairs exactly the mode of the password file', async () => {
    const running = await invocations();
    expect(changesIn(ok(await site(path)))).to.deep.equal([]);
    await must(onHost('broker-02', 'chmod 644 /etc/kafka/jmxremote.password'));
    const seen = await site(path, '--role', 'kafka', '--check');
    expect(seen.exitCode, seen.text).to.equal(2);
    expect(changesIn(seen)).to.deep.equal(['broker-02 file /etc/kafka/jmxremote.password']);
    expect(changesIn(ok(await site(path, '--role', 'kafka')))).to.deep.equal(changesIn(seen));
    expect(await invocations()).to.deep.equal(running);
  });

  it('takes one member after the other, the active controller last, with every copy in sync between', async () => {
    const [quorum = ''] = await ask(['broker-01'], 'cat /var/lib/kafka/__cluster_metadata-0/quorum-state');
    const active = (JSON.parse(quorum) as { leaderId: number }).leaderId;
    const before = await starts();
    path = inventory(FIRST, { kafka_settings: { 'log.retention.hours': 48 } });
    ok(await site(path, '--role', 'kafka'));
    const now = await starts();
    expect(now.every((start, at) => start > (before[at] ?? 0))).to.equal(true);
    const order = names.toSorted((a, b) => (now[names.indexOf(a)] ?? 0) - (now[names.indexOf(b)] ?? 0));
    expect(order.at(-1)).to.match(new RegExp(`-0*${String(active)}$`));
    const sorted = now.toSorted((a, b) => a - b);
    // A member is started only when the one before serves again, which takes a JVM more than a second.
    for (const [at, start] of sorted.entries()) if (at > 0) expect(start - (sorted[at - 1] ?? 0)).to.be.greaterThan(1_000_000);
    ok(await site(path, '--verify-only'));
  });

  it('is not restarted where that would end the quorum', async () => {
    await must(onHost('controller-11', 'systemctl stop kafka'));
    const running = await invocations();
    const report = await site(inventory(FIRST, { kafka_heap: '272m' }), '--role', 'kafka', '--limit', 'broker-01');
    expect(report.exitCode, report.text).to.equal(5);
    expect(report.text).to.include('would leave 1 of 3').and.include('bring controller-11 up first');
    expect(await invocations()).to.deep.equal(running);
    const verified = await site(path, '--role', 'kafka', '--verify-only');
    expect(verified.exitCode, verified.text).to.equal(1);
    expect(verified.hosts['controller-11']?.roles['kafka']?.diagnoses?.[0]?.cause).to.include('stopped on request');
    expect(changesIn(ok(await site(inventory(FIRST, { kafka_settings: { 'log.retention.hours': 48 } }), '--role', 'kafka')))).to.deep.equal([
      'controller-11 service kafka.service',
    ]);
  });

  it('gets a broker more without a restart, and leaves one alone that others run', async () => {
    const running = await invocations();
    const vars = { kafka_settings: { 'log.retention.hours': 48 } } as unknown as Variables;
    const report = ok(await site(inventory([...FIRST, ADDED], vars), '--role', 'lab-hosts,java,kafka'));
    for (const name of names) expect(report.hosts[name]?.roles['kafka']?.changes, name).to.deep.equal([]);
    expect(await invocations()).to.deep.equal(running);
    expect(new Set(await clusterIds([...names, 'broker-03'])).size).to.equal(1);
    await must(onHost('broker-03', 'echo "# by hand" >>/etc/kafka/server.properties'));
    const observed = ok(await site(inventory([...FIRST, { ...ADDED, vars: { kafka_managed: false } }], vars), '--role', 'kafka'));
    expect(changesIn(observed)).to.deep.equal([]);
    expect(observed.hosts['broker-03']?.roles['kafka']?.checks.map(({ id }) => id)).to.include('listening');
  });
});
