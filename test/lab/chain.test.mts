/** The promise of the README: one command ends in live dashboards. The lab of inventory/lab.yaml on addresses of its own, then broken in every promised way. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { borrow, changesIn, eventually, get, must, play, ROOT, type Document, type Result } from './support.mts';

const LAB = join(ROOT, '.lab-test-chain');
const env = { LAB_DIR: LAB, RUNS_DIR: join(LAB, 'runs') };
const NETWORK = '127.90.0';
const ES = `http://${NETWORK}.11:9200`;
const KIBANA = `http://${NETWORK}.31:5601`;

/** inventory/lab.yaml with this test's addresses and directory, changed as `edit` says. */
function inventory(file: string, edit: (text: string) => string = (text) => text): string {
  const text = readFileSync(join(ROOT, 'inventory/lab.yaml'), 'utf8').replaceAll('127.77.0', NETWORK).replaceAll('../.lab/', `${LAB}/`);
  const changed = edit(text);
  const path = join(LAB, file);
  mkdirSync(LAB, { recursive: true });
  writeFileSync(path, changed);
  return path;
}
const withBroker =
  (vars: string) =>
  (text: string): string =>
    text.replace(/( {8}broker-02: .*\n)/, `$1        broker-03: { ansible_host: ${NETWORK}.23${vars} }\n`);

async function site(file: string, ...args: string[]): Promise<Document & { readonly text: string; readonly ms: number }> {
  const { stdout, stderr, ms } = await play('site', ['-i', file, ...args, '--json'], { env, timeoutMs: 900_000 });
  try {
    return { ...(JSON.parse(stdout) as Document), text: stdout + stderr, ms };
  } catch {
    throw new Error(`no document on stdout:\n${stdout}\n${stderr}`);
  }
}
const onHost = (name: string, script: string): Promise<Result> => play('lab', ['ssh', name, '--', 'sudo', 'sh', '-c', script], { env, timeoutMs: 120_000 });
const checksOf = (report: Document, host: string, role: string): Readonly<Record<string, string>> =>
  Object.fromEntries((report.hosts[host]?.roles[role]?.checks ?? []).map(({ id, outcome, found }) => [id, `${outcome}: ${found}`]));

interface Aggregated {
  readonly aggregations: {
    readonly of: {
      readonly buckets: readonly {
        readonly key: string;
        readonly doc_count: number;
        readonly metrics: { readonly buckets: readonly { readonly key: string }[] };
      }[];
    };
  };
}

/** What arrived in the last `seconds`: metrics of each broker. */
async function recent(seconds: number): Promise<ReadonlyMap<string, readonly string[]>> {
  const response = await fetch(`${ES}/kafka_mon*/_search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      size: 0,
      query: { range: { '@timestamp': { gte: `now-${String(seconds)}s` } } },
      aggs: { of: { terms: { field: 'broker', size: 100 }, aggs: { metrics: { terms: { field: 'metric', size: 200 } } } } },
    }),
  });
  const { aggregations } = (await response.json()) as Aggregated;
  return new Map(aggregations.of.buckets.map(({ key, metrics }) => [key, metrics.buckets.map((bucket) => bucket.key)]));
}

/** Each copy of a shard shows new documents in its own time: what one search found, the next may not find yet. */
const arrived = (broker: string): Promise<void> => eventually(`metrics of ${broker} are found`, 15_000, async () => (await recent(20)).has(broker));

const UNITS: readonly (readonly [string, string])[] = [
  ['es-01', 'elasticsearch'],
  ['es-02', 'elasticsearch'],
  ['es-03', 'elasticsearch'],
  ['broker-01', 'kafka'],
  ['broker-02', 'kafka'],
  ['kafka-monitoring', 'kibana'],
  ['kafka-monitoring', 'logstash-jmx'],
  ['client-01', 'logstash-tracks-producer'],
  ['client-01', 'logstash-tracks-consumer'],
];
/** Which start of each service runs. */
const invocations = async (): Promise<readonly string[]> =>
  Promise.all(UNITS.map(async ([host, unit]) => `${host} ${unit} ${(await must(onHost(host, `systemctl show -p InvocationID --value ${unit}`))).trim()}`));

/** What a run could have written on a host. */
const written = (name: string): Promise<string> =>
  must(onHost(name, 'find /etc /opt /usr/local /run/systemd/system /etc/systemd -xdev -type f -printf "%p %T@ %s\\n" 2>/dev/null | sort'));

/** Records of the consumer group, summed over partitions; the tool of Kafka is the judge. */
async function consumed(): Promise<number> {
  const { stdout } = await onHost(
    'broker-01',
    `KAFKA_HEAP_OPTS=-Xmx128m /opt/kafka/current/bin/kafka-consumer-groups.sh --bootstrap-server ${NETWORK}.21:9092 --describe --group consumer_group_1 2>/dev/null`,
  );
  return [...stdout.matchAll(/^consumer_group_1\s+\S+\s+\d+\s+(\d+)/gm)].reduce((sum, [, offset]) => sum + Number(offset), 0);
}

describe('the whole chain on the lab', function () {
  this.bail(true);
  let lab = '';

  before(async () => {
    await play('lab', ['down'], { env });
    await borrow(LAB);
    lab = inventory('chain.yaml');
  });
  after(async () => {
    const down = await play('lab', ['down'], { env, timeoutMs: 120_000 });
    expect(down.code, down.stderr).to.equal(0);
    rmSync(LAB, { recursive: true, force: true });
  });

  it('a role alone says what is missing before it, and the command to run first', async () => {
    const made = await play('lab', ['up', '-i', lab], { env });
    expect(made.code, made.stdout + made.stderr).to.equal(0);
    const first = {
      'metrics-index': '--role os-limits,java,elasticsearch',
      'kibana-dashboards': '--role kibana',
      'logstash-jmx': '--role java,logstash',
      'kafka-topics': '--role kafka',
      'tracks-producer': '--role java,logstash',
    };
    for (const [role, words] of Object.entries(first)) {
      const { code, stdout, stderr } = await play('site', ['-i', lab, '--role', role], { env });
      expect(code, `${role}: ${stdout}${stderr}`).to.equal(1);
      expect(stdout + stderr, role).to.include(words);
    }
  });

  it('one command ends with metrics of every broker on dashboards, and names what stands in', async () => {
    const { code, stdout, stderr, ms } = await play('site', ['-i', lab], { env, timeoutMs: 900_000 });
    expect(code, stdout + stderr).to.equal(0);
    process.stdout.write(`      first run with the image cached: ${(ms / 1000).toFixed(0)} s\n`);
    const { hosts, ...report } = await site(lab, '--verify-only');
    expect(report.exitCode, report.text).to.equal(0);
    const found = Object.values(checksOf({ ...report, hosts }, 'kafka-monitoring', 'logstash-jmx')).join('\n');
    expect(found).to.match(/metrics, newest \d/);
    expect(stdout)
      .to.match(/^ {2}broker-01 +\d+ metrics, newest .* old, \d+ documents/m)
      .and.to.match(/^ {2}broker-02 +\d+ metrics/m);
    expect(stdout).to.match(/^ {2}dashboards +.*\/app\/dashboards#\/view\//m);
    expect(Object.values(checksOf({ ...report, hosts }, 'kafka-monitoring', 'kibana-dashboards')).join('\n')).to.include(`${KIBANA}/app/dashboards#/view/`);
    for (const product of ['kafka', 'logstash', 'kibana']) expect(stdout).to.match(new RegExp(`stand-in: ${product} on `));
  });

  it('changes nothing the second time, and restarts nothing', async () => {
    const running = await invocations();
    const report = await site(lab);
    expect(report.exitCode, report.text).to.equal(0);
    expect(changesIn(report)).to.deep.equal([]);
    expect(await invocations()).to.deep.equal(running);
    process.stdout.write(`      second run: ${(report.ms / 1000).toFixed(1)} s\n`);
    expect(report.ms).to.be.lessThan(20_000);
  });

  it('has documents of each broker and metric, and of both clients, in Elasticsearch', async () => {
    const seen = await recent(20);
    expect([...seen.keys()].sort()).to.deep.equal(['broker-01', 'broker-02', 'client-01-consumer', 'client-01-producer']);
    const topics = ['MessagesInPerSec', 'BytesInPerSec', 'BytesOutPerSec'].map((name) => `BrokerTopicMetrics.${name}.OneMinuteRate`);
    const tutorial = [
      ...topics,
      'ReplicaManager.UnderReplicatedPartitions.Value',
      'RequestMetrics.TotalTimeMs.Produce.Mean',
      'RequestMetrics.TotalTimeMs.FetchConsumer.Mean',
    ];
    for (const broker of ['broker-01', 'broker-02']) expect(seen.get(broker)).to.include.members(tutorial);
    // The controller is on broker-01 only, and so are its objects.
    expect(seen.get('broker-01')).to.include('KafkaController.ActiveControllerCount.Value');
    expect(seen.get('broker-02')).to.not.include('KafkaController.ActiveControllerCount.Value');
  });

  it('has a consumer that moves', async () => {
    const first = await consumed();
    await eventually('the consumer group moves', 30_000, async () => (await consumed()) > first);
  });

  it('names a stopped broker, the cause and the next command, and is content once it runs again', async () => {
    await must(onHost('broker-02', 'systemctl stop kafka'));
    const { code, stdout, stderr } = await play('site', ['-i', lab, '--verify-only'], { env });
    expect(code, stdout + stderr).to.equal(1);
    expect(stdout)
      .to.match(/broker-02/)
      .and.to.match(/stopped|refused/i)
      .and.to.include('--role kafka');
    await must(onHost('broker-02', 'systemctl start kafka'));
    await eventually('metrics of broker-02 arrive again', 60_000, async () => (await recent(5)).has('broker-02'));
    await eventually('verify-only is content', 60_000, async () => (await site(lab, '--verify-only')).exitCode === 0);
  });

  it('sees a deleted panel, an edited pipeline and an open password file, repairs exactly these three, and restarts nothing', async () => {
    const running = await invocations();
    const found = (await get(`${KIBANA}/api/saved_objects/_find?type=dashboard&per_page=100`)) as {
      saved_objects: readonly { id: string; attributes: { title: string; panelsJSON: string }; references: readonly unknown[] }[];
    };
    const [dashboard] = found.saved_objects;
    if (dashboard === undefined) throw new Error('no dashboard');
    const panels = JSON.parse(dashboard.attributes.panelsJSON) as unknown[];
    const response = await fetch(`${KIBANA}/api/saved_objects/dashboard/${dashboard.id}`, {
      method: 'PUT',
      headers: { 'kbn-xsrf': 'test', 'content-type': 'application/json' },
      body: JSON.stringify({ attributes: { panelsJSON: JSON.stringify(panels.slice(1)) }, references: dashboard.references }),
    });
    expect(response.status).to.equal(200);
    await must(
      onHost('kafka-monitoring', 'echo "# by hand" >>/etc/logstash-jmx/pipeline.conf; echo "output { stdout { } }" >>/etc/logstash-jmx/pipeline.conf'),
    );
    await must(onHost('broker-01', 'chmod 644 /etc/kafka/jmxremote.password'));
    const shown = await play('site', ['-i', lab, '--check', '--diff'], { env });
    expect(shown.code, shown.stdout).to.equal(2);
    expect(shown.stdout).to.include('panel').and.to.include('by hand').and.to.include('0644');
    const expected = changesIn(await site(lab, '--check'));
    expect(expected, expected.join('\n')).to.have.length(3);
    expect(expected.join('\n'))
      .to.match(/broker-01 file \/etc\/kafka\/jmxremote\.password/)
      .and.to.match(/kafka-monitoring .*pipeline/)
      .and.to.match(/dashboard/);
    const repaired = await site(lab);
    expect(repaired.exitCode, repaired.text).to.equal(0);
    expect(changesIn(repaired)).to.deep.equal(expected);
    expect(await invocations()).to.deep.equal(running);
    expect(changesIn(await site(lab, '--check'))).to.deep.equal([]);
  });

  it('keeps the metrics of others fresh while one broker hangs and another swallows what is sent to it', async () => {
    // A socket whose queue is full answers no further connection: as if a firewall dropped them.
    const hole = spawn('python3', [
      '-c',
      `import socket,time
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("${NETWORK}.29",9999)); s.listen(0)
full=[]
for _ in range(4):
  c=socket.socket(); c.setblocking(False)
  try: c.connect(("${NETWORK}.29",9999))
  except BlockingIOError: pass
  full.append(c)
print("full",flush=True); time.sleep(300)`,
    ]);
    const holed = inventory('holed.yaml', (text) =>
      text.replace(
        /( {8}broker-02: .*\n)/,
        `$1        broker-09: { ansible_host: ${NETWORK}.29, kafka_managed: false, kafka_jmx_authentication: false, host_provider: none }\n`,
      ),
    );
    try {
      await new Promise((full) => hole.stdout.once('data', full));
      const applied = await site(holed, '--role', 'logstash-jmx');
      expect(applied.exitCode, applied.text).to.equal(1);
      expect(applied.text).to.include('broker-09');
      await must(onHost('broker-02', 'kill -STOP $(systemctl show -p MainPID --value kafka)'));
      try {
        // Longer than any time-out of a connection.
        await new Promise((tick) => setTimeout(tick, 25_000));
        const seen = await recent(6);
        expect([...seen.keys()]).to.include.members(['broker-01', 'client-01-consumer', 'client-01-producer']);
        expect([...seen.keys()]).to.not.include('broker-02');
      } finally {
        await must(onHost('broker-02', 'kill -CONT $(systemctl show -p MainPID --value kafka)'));
      }
    } finally {
      hole.kill('SIGKILL');
    }
    expect((await site(lab, '--role', 'logstash-jmx')).exitCode).to.equal(0);
    await eventually('all is well again', 120_000, async () => (await site(lab, '--verify-only')).exitCode === 0);
  });

  it('adds a broker without restarting anything, and says what remains when it goes', async () => {
    const running = await invocations();
    const three = inventory('three.yaml', withBroker(''));
    const report = await site(three);
    expect(report.exitCode, report.text).to.equal(0);
    expect(await invocations()).to.deep.equal(running);
    await arrived('broker-03');
    const removed = await site(lab);
    expect(removed.exitCode, removed.text).to.equal(0);
    expect(changesIn(removed).join('\n')).to.include('kafka-monitoring');
    expect(await invocations()).to.deep.equal(running);
    await new Promise((tick) => setTimeout(tick, 8_000));
    expect((await recent(5)).has('broker-03')).to.equal(false);
  });

  it('watches a broker that it did not install, and changes nothing on its host', async () => {
    // broker-03 still runs from the case before: a Kafka of somebody else now.
    const before = await written('broker-03');
    const observed = inventory('observed.yaml', withBroker(', kafka_managed: false'));
    const running = await invocations();
    const report = await site(observed);
    expect(report.exitCode, report.text).to.equal(0);
    await arrived('broker-03');
    expect(await written('broker-03')).to.equal(before);
    expect(await invocations()).to.deep.equal(running);
  });
});
