import { expect } from 'chai';
import { placesOf } from '../../../roles/logstash/contract.mts';
import { diagnose, type Evidence } from '../../../roles/logstash/diagnose.mts';

const evidence = (log: string, more: Partial<Evidence> = {}): Evidence => ({
  journal: '',
  log,
  sockets: [],
  others: '',
  places: placesOf('jmx'),
  api: { address: '10.0.0.31', port: 9600 },
  jmx: { address: '10.0.0.31', port: 9998 },
  again: 'npx zx playbooks/site.mts -i lab.yaml --role logstash-jmx',
  ...more,
});

const STARTING = '[2026-01-01T00:00:00,000][INFO ][logstash.runner          ] Starting Logstash {"logstash.version"=>"7.10.2"}\n';
const RESTORED = '[2026-01-01T00:00:09,000][WARN ][logstash.outputs.elasticsearch][main] Restored connection to ES instance {:url=>"http://10.0.0.11:9200/"}';
const DEAD =
  '[2026-01-01T00:00:05,000][WARN ][logstash.outputs.elasticsearch][main] Attempted to resurrect connection to dead ES instance, but got an error. {:url=>"http://10.0.0.11:9200/", :error_type=>LogStash::Outputs::ElasticSearch::HttpClient::Pool::HostUnreachableError}';

/** Lines as Logstash 7.10 and Java write them, and what is to be said about each. */
const TABLE: readonly (readonly [what: string, log: string, cause: string, fix: string, more?: Partial<Evidence>])[] = [
  [
    'two on one data directory',
    '[FATAL][logstash.runner] Logstash could not be started because there is already another instance using the configured data directory.  If you wish to run multiple instances, you must change the "path.data" setting.',
    'another Logstash uses /var/lib/logstash-jmx: pid 42 (root user@0.service)',
    'stop the other one; an instance of its own needs another path.data. Then systemctl restart logstash-jmx.service',
    { others: 'pid 42 (root user@0.service)' },
  ],
  [
    'a broken pipeline when it is tested',
    '[FATAL][logstash.runner] The given configuration is invalid. Reason: Expected one of [ \\t\\r\\n], "#", "=>" at line 3, column 8 (byte 40) after input {',
    '/etc/logstash-jmx/pipeline.conf is not valid: Expected one of [ \\t\\r\\n], "#", "=>" at line 3, column 8 (byte 40) after input {',
    'run the role again, which writes and tests it: npx zx playbooks/site.mts -i lab.yaml --role logstash-jmx',
  ],
  [
    'a broken pipeline when it runs',
    '[ERROR][logstash.agent           ] Failed to execute action {:action=>LogStash::PipelineAction::Create/pipeline_id:main, :exception=>"LogStash::ConfigurationError", :message=>"Expected one of \\"#\\" at line 1", :backtrace=>["x"]}',
    '/etc/logstash-jmx/pipeline.conf is not valid: Expected one of "#" at line 1',
    'run the role again, which writes and tests it: npx zx playbooks/site.mts -i lab.yaml --role logstash-jmx',
  ],
  [
    'a plugin that is not there',
    "[ERROR] (PluginLoadingError) Couldn't find any input plugin named 'jmx'. Are you sure this is correct?",
    'the plugin logstash-input-jmx is not installed',
    'run the role again, which installs what it needs: npx zx playbooks/site.mts -i lab.yaml --role logstash-jmx',
  ],
  [
    'a variable of the environment',
    'Cannot evaluate `${USER}`. Replacement variable `USER` is not defined in a Logstash secret store or as an Environment entry and there is no default value given.',
    'the configuration names the environment variable USER (${USER}), which is not set for logstash-jmx.service',
    'write the value itself: a service has no login environment',
  ],
  [
    'the JMX port',
    'Error: JMX connector server communication error: service:jmx:rmi://10.0.0.31:9998\njdk.internal.agent.AgentConfigurationError: java.rmi.server.ExportException: Port already in use: 9998; nested exception is:',
    'port 9998 of 10.0.0.31, for JMX, is already in use by java (pid 9)',
    'stop that process if it is not wanted, or choose another port for this instance',
    { sockets: [{ address: '::ffff:10.0.0.31', port: 9998, pid: 9, process: 'java' }] },
  ],
  [
    "the API's port",
    '[FATAL][org.logstash.Logstash    ] Logstash stopped processing because of an error: (Errno::EADDRINUSE) Address already in use - bind(2) for "10.0.0.31" port 9600',
    'port 9600 of 10.0.0.31, for the API, is already in use by nginx (pid 3)',
    'stop that process if it is not wanted, or choose another port for this instance',
    { sockets: [{ address: '0.0.0.0', port: 9600, pid: 3, process: 'nginx' }] },
  ],
  [
    'a port that is free again',
    'java.rmi.server.ExportException: Port already in use: 9998',
    'port 9998 of 10.0.0.31, for JMX, is already in use; nobody listens there any more',
    'systemctl restart logstash-jmx.service',
  ],
  [
    'a password that others may read',
    'Error: Password file read access must be restricted: /etc/logstash-jmx/jmxremote.password',
    'Java refuses the JMX password file: others may read it, or it is missing',
    'run the role again, which puts it right: npx zx playbooks/site.mts -i lab.yaml --role logstash-jmx',
  ],
  [
    'memory',
    'java.lang.OutOfMemoryError: Java heap space',
    'Java ran out of memory: Java heap space',
    'raise the heap of this instance; the dump is /var/log/logstash-jmx/heap.hprof',
  ],
  [
    "an option of another Java's",
    "Unrecognized VM option 'UseConcMarkSweepGC'",
    'Java does not know the option UseConcMarkSweepGC',
    'look at logstash_java: /etc/logstash-jmx/jvm.options is for Java 11 to 17',
  ],
  ['a full disk', 'java.io.IOException: No space left on device', 'a disk is full', 'df -h /var/lib/logstash-jmx /var/log/logstash-jmx shows which'],
  [
    'no Elasticsearch',
    DEAD,
    'Elasticsearch does not answer at http://10.0.0.11:9200/: events wait, and nothing is polled meanwhile',
    'systemctl status elasticsearch on its hosts; the events flow again by themselves',
  ],
  [
    'a flood stage',
    '[INFO ][logstash.outputs.elasticsearch][main] retrying failed action with response code: 403 ({"type"=>"cluster_block_exception", "reason"=>"index [kafka_mon-2026.01.01] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];"})',
    'Elasticsearch takes no documents: an index is read-only since a disk was too full (flood stage)',
    'make room on its data disks, or lower metrics_index_retention_days and run the role metrics-index; the block goes by itself below the high watermark',
  ],
  [
    'documents that are put off',
    '[INFO ][logstash.outputs.elasticsearch][main] retrying failed action with response code: 503 ({"type"=>"unavailable_shards_exception"})',
    'Elasticsearch puts documents off with status 503',
    'it is overloaded or has no master: look at _cluster/health',
  ],
  [
    'documents that are refused',
    '[WARN ][logstash.outputs.elasticsearch][main] Could not index event to Elasticsearch. {:status=>400, :action=>["index"], :response=>{"index"=>{"status"=>400, "error"=>{"type"=>"mapper_parsing_exception", "reason"=>"failed to parse field [metric_value_number] of type [long]"}}}}',
    'Elasticsearch refuses documents: failed to parse field [metric_value_number] of type [long]',
    'an index was made before its template: run the role metrics-index, then delete or reindex the index that the line names',
  ],
  [
    'no Kafka',
    '[WARN ][org.apache.kafka.clients.NetworkClient][main] [Producer clientId=tracks-producer] Connection to node -1 (/10.0.0.21:9092) could not be established. Broker may not be available.',
    'Kafka does not answer at /10.0.0.21:9092',
    'systemctl status kafka on its brokers; what was not sent waits',
  ],
  [
    'no topic',
    '[WARN ][org.apache.kafka.clients.NetworkClient][main] [Producer clientId=tracks-producer] Error while fetching metadata with correlation id 1 : {kafka-mon=UNKNOWN_TOPIC_OR_PARTITION}',
    'Kafka has no topic kafka-mon',
    'add it to kafka_topics and run the role kafka-topics',
  ],
];

describe('why an instance of Logstash does not do its work', () => {
  for (const [what, log, cause, fix, more] of TABLE) {
    it(what, () => {
      const found = diagnose(evidence(STARTING + log, more));
      expect(found.map((each) => ({ cause: each.cause, fix: each.fix }))).to.deep.equal([{ cause, fix }]);
      expect(log.replaceAll('\n', ' ')).to.contain(found[0]?.evidence.replace(/…$/, '').slice(0, 200) ?? 'nothing');
    });
  }

  const UP = '[INFO ][logstash.agent           ] Successfully started Logstash API endpoint {:port=>9600}\n';
  const MEMORY = 'java.lang.OutOfMemoryError: Java heap space\n';
  it('what an earlier start said is over once this one is up', () => {
    expect(diagnose(evidence(`${MEMORY}${STARTING}${UP}`))).to.deep.equal([]);
  });
  it('in a crash loop it is not, while the next start has said nothing yet', () => {
    expect(diagnose(evidence(`${STARTING}${MEMORY}${STARTING}`))).to.have.length(1);
    expect(diagnose(evidence('', { journal: `Started a.service\n${MEMORY}Started a.service\nUsing JAVA_HOME\n` }))).to.have.length(1);
  });
  it('and when the last one failed for another reason, that one counts', () => {
    const found = diagnose(
      evidence('', { journal: `Started a.service\n${MEMORY}Main process exited\nStarted a.service\nNo space left on device\nMain process exited\n` }),
    );
    expect(found.map(({ cause }) => cause)).to.deep.equal(['a disk is full']);
  });
  it('so is what was restored', () => {
    expect(diagnose(evidence(`${STARTING}${DEAD}\n${RESTORED}\n`))).to.deep.equal([]);
    expect(diagnose(evidence(`${STARTING}${RESTORED}\n${DEAD}\n`))).to.have.length(1);
  });
  it('a start that ended before the log was opened is in the journal', () => {
    const found = diagnose(evidence(`${STARTING}all is well\n`, { journal: "Unrecognized VM option 'UseConcMarkSweepGC'\n" }));
    expect(found.map(({ evidence: line }) => line)).to.deep.equal(["Unrecognized VM option 'UseConcMarkSweepGC'"]);
  });
  it('nothing is made up', () => {
    expect(diagnose(evidence('hello\n'))).to.deep.equal([]);
  });
});
