/** The collector on a chain as small as can be: real JMX, Kafka and Elasticsearch, and what it says when one of them fails. */
import { expect } from 'chai';
import { join } from 'node:path';
import { borrow, eventually, must, play, ROOT, writeInventory, type Document, type LabHost, type Result } from './support.mts';

const LAB = join(ROOT, '.lab-test-logstash');
const env = { LAB_DIR: LAB, RUNS_DIR: join(LAB, 'runs') };
const HOSTS: readonly LabHost[] = [
  { name: 'es-01', address: '127.86.0.11', groups: ['es_masters'] },
  { name: 'broker-01', address: '127.86.0.21', groups: ['controllers', 'brokers'] },
  { name: 'kafka-monitoring', address: '127.86.0.31', groups: ['monitoring'] },
  { name: 'client-01', address: '127.86.0.41', groups: ['clients'] },
];
const ROLES = 'lab-image,lab-hosts,os-limits,java,elasticsearch,kafka,kafka-topics,metrics-index,logstash,tracks-producer,tracks-consumer,logstash-jmx';
const CONF = '/etc/logstash-jmx/conf.d/broker-01.conf';

interface Run {
  readonly code: number | null;
  readonly report: Document;
  readonly text: string;
}

describe('the collector in the lab', function () {
  this.timeout(600_000);
  let inventory = '';

  async function site(...words: readonly string[]): Promise<Run> {
    const { code, stdout, stderr } = await play('site', ['-i', inventory, ...words, '--json'], { env });
    try {
      return { code, report: JSON.parse(stdout) as Document, text: stderr };
    } catch {
      throw new Error(`exit ${String(code)}, no document:\n${stdout}\n${stderr}`);
    }
  }
  const onHost = (name: string, script: string): Promise<Result> => play('lab', ['ssh', name, '--', 'sudo', 'sh', '-c', script], { env, timeoutMs: 60_000 });
  const said = async (name: string, script: string): Promise<string> => (await must(onHost(name, script))).trim();
  const collector = ({ report }: Run) => report.hosts['kafka-monitoring']?.roles['logstash-jmx'];
  const failed = (run: Run): readonly string[] => (collector(run)?.checks ?? []).filter(({ outcome }) => outcome === 'fail').map(({ id }) => id);
  const causes = (run: Run): readonly string[] => (collector(run)?.diagnoses ?? []).map(({ cause }) => cause);
  const verify = (): Promise<Run> => site('--verify-only', '--role', 'logstash-jmx');
  /** Documents of one JVM have to grow old before they are missed. */
  async function untilMissed(alias: string): Promise<Run> {
    let last: Run | undefined;
    await eventually(`documents of ${alias} are missed`, 60_000, async () => {
      last = await verify();
      return failed(last).includes(`metrics-${alias}`);
    });
    if (last === undefined) throw new Error('never verified');
    return last;
  }
  const untilWell = (): Promise<void> => eventually('all documents arrive', 60_000, async () => (await verify()).code === 0);

  before(async () => {
    await borrow(LAB);
    inventory = writeInventory(
      'logstash.yaml',
      HOSTS,
      {
        os_limits_nofile: 'auto',
        elasticsearch_source: 'auto',
        kafka_source: 'auto',
        logstash_source: 'auto',
        elasticsearch_heap: '512m',
        kafka_heap: '384m',
        logstash_jmx_heap: '256m',
        logstash_jmx_poll_seconds: 1,
        kafka_jmx_password: { secret: 'generate:kafka-jmx' },
        kafka_topics: [{ name: 'kafka-mon', partitions: 2 }],
      },
      LAB,
    );
    const { code, text } = await site('--role', ROLES);
    expect(code, text).to.equal(0);
  });
  after(async () => {
    await play('lab', ['down'], { env, timeoutMs: 120_000 });
  });

  it('a second run finds nothing to do, and documents of each JVM', async () => {
    const run = await site('--role', 'logstash,tracks-producer,tracks-consumer,logstash-jmx');
    expect([run.code, run.report.summary.changed], run.text).to.deep.equal([0, 0]);
    for (const alias of ['broker-01', 'client-01-producer', 'client-01-consumer'])
      expect(collector(run)?.checks.find(({ id }) => id === `metrics-${alias}`)?.found).to.match(
        /^\d+ metrics, newest \d\.\d s old, \d+ documents in 10 minutes$/,
      );
  });

  it('one that hangs stalls nobody, and is named', async () => {
    await must(onHost('broker-01', 'kill -STOP $(systemctl show -p MainPID --value kafka)'));
    try {
      const run = await untilMissed('broker-01');
      expect(failed(run)).to.deep.equal(['metrics-broker-01']);
      expect(causes(run)[0]).to.match(/^broker-01 hangs: 127\.86\.0\.21:9999 takes connections and says nothing/);
    } finally {
      await must(onHost('broker-01', 'kill -CONT $(systemctl show -p MainPID --value kafka)'));
    }
    await untilWell();
  });

  it('a wrong login is told from all other reasons, and mended without a restart', async () => {
    const pid = await said('kafka-monitoring', 'systemctl show -p MainPID --value logstash-jmx');
    await must(onHost('kafka-monitoring', `sed -i 's/"password": ".*"/"password": "not-this-one"/' ${CONF}`));
    const run = await untilMissed('broker-01');
    expect(causes(run)).to.have.length(1);
    expect(causes(run)[0]).to.match(/^broker-01 refuses the login monitor/);
    const mended = await site('--role', 'logstash-jmx');
    expect([mended.code, collector(mended)?.changes.map(({ resource }) => resource)], mended.text).to.deep.equal([0, [`file ${CONF}`]]);
    expect(await said('kafka-monitoring', 'systemctl show -p MainPID --value logstash-jmx')).to.equal(pid);
  });

  it('a broken pipeline is refused by its line and never replaces the one that runs', async () => {
    const before = await said('kafka-monitoring', 'sha256sum </etc/logstash-jmx/pipeline.conf; systemctl show -p InvocationID --value logstash-jmx');
    const run = await site('--role', 'logstash-jmx', '-e', 'logstash_jmx_filters=mutate { add_tag => [ }');
    expect(run.code, run.text).to.equal(1);
    expect(run.text).to.match(/of the new pipeline: +mutate \{ add_tag => \[ \}/);
    expect(await said('kafka-monitoring', 'sha256sum </etc/logstash-jmx/pipeline.conf; systemctl show -p InvocationID --value logstash-jmx')).to.equal(before);
    expect(await said('kafka-monitoring', 'ls -A /etc/logstash-jmx | grep candidate || true')).to.equal('');
  });

  it('what lies in the plugin’s directory and is nobody’s goes', async () => {
    await must(onHost('kafka-monitoring', 'echo {} >/etc/logstash-jmx/conf.d/stray.txt'));
    const run = await site('--role', 'logstash-jmx');
    expect([run.code, collector(run)?.changes], run.text).to.deep.equal([
      0,
      [{ ...collector(run)?.changes[0], resource: 'directory /etc/logstash-jmx/conf.d' }],
    ]);
    expect(await said('kafka-monitoring', 'ls /etc/logstash-jmx/conf.d | grep -c stray || true')).to.equal('0');
  });
});
