import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { expectedMetrics } from '../../../roles/logstash-jmx/conf.mts';
import { diagnose, type Evidence } from '../../../roles/logstash-jmx/diagnose.mts';
import type { Documents } from '../../../roles/logstash-jmx/documents.mts';
import { askReach, readReach, type Reach } from '../../../roles/logstash-jmx/reach.mts';
import { targets, type Target } from '../../../roles/logstash-jmx/targets.mts';
import { chain } from '../logstash/world.mts';

const world = (more = '') => targets(chain({ brokers: more }));
const target = (alias: string, from = world()): Target => {
  const found = from.find((each) => each.alias === alias);
  if (found === undefined) throw new Error(`no target ${alias}`);
  return found;
};
const AGAIN = 'npx zx playbooks/site.mts -i lab.yaml --role kafka --limit broker-02';

function evidence(jmx: Reach, log = '', { alive = true, of = target('broker-02'), newest = new Map<string, number>() } = {}): Evidence {
  const documents: Documents = { now: 1_000_000, reply: { kind: 'said', value: new Map([[of.alias, { documents: newest.size, newest }]]) } };
  return {
    suspects: [{ target: of, metrics: expectedMetrics(of, 'extended'), within: 9, again: AGAIN }],
    documents,
    reached: new Map([[of.alias, { jmx, alive }]]),
    log,
  };
}

const line = (message: string) => `[2026-01-01T00:00:00,000][ERROR][logstash.inputs.jmx      ][main][1a] ${message}\n`;
const STUB = 'Failed to retrieve RMIServer stub: javax.naming.';

/** What the collector sees and what the plugin logs, and what follows. */
const TABLE: readonly (readonly [what: string, given: Evidence, cause: string, fix: string, evidence: string])[] = [
  [
    'JMX_PORT unset',
    evidence(
      { kind: 'refused' },
      line(`${STUB}ServiceUnavailableException [Root exception is java.rmi.ConnectException: Connection refused to host: 10.0.0.22; nested exception is: `),
    ),
    'broker-02 runs without JMX: nobody listens on 10.0.0.22:9999 (JMX_PORT unset, or another port)',
    AGAIN,
    'Connection refused to host: 10.0.0.22',
  ],
  [
    'a stopped broker',
    evidence({ kind: 'refused' }, line('Connection refused to host: 10.0.0.21'), { alive: false }),
    'broker-02 is stopped: neither 10.0.0.22:9999 nor its own port 9092 is open',
    AGAIN,
    '10.0.0.22:9999: connection refused',
  ],
  [
    'a broker of others',
    evidence({ kind: 'refused' }, '', { of: target('old', world(', old: {private_address: 10.0.0.99, kafka_managed: false}')) }),
    'old runs without JMX: nobody listens on 10.0.0.99:9999 (JMX_PORT unset, or another port)',
    'start it with JMX on port 9999, or set kafka_jmx_port; old is run by others (kafka_managed: false)',
    '10.0.0.99:9999: connection refused',
  ],
  [
    'an unreachable host',
    evidence({ kind: 'timeout' }, '', { alive: false }),
    'broker-02 cannot be reached: nobody answers at 10.0.0.22:9999',
    'is broker-02 up, and does a firewall let this collector in to port 9999?',
    'no answer within 4 seconds',
  ],
  [
    'a process that was stopped long ago',
    evidence({ kind: 'timeout' }),
    'broker-02 hangs: 10.0.0.22:9999 takes no more connections (a stopped process, or one without memory or processor)',
    `on broker-02: look at the state of the process (ps -o stat,wchan -p PID; T is stopped: kill -CONT), then ${AGAIN}`,
    'no answer within 4 seconds',
  ],
  [
    'a process that was stopped by a signal',
    evidence({ kind: 'silent' }),
    'broker-02 hangs: 10.0.0.22:9999 takes connections and says nothing (a stopped process, or one without memory or processor)',
    `on broker-02: look at the state of the process (ps -o stat,wchan -p PID; T is stopped: kill -CONT), then ${AGAIN}`,
    'connected, and nothing said within 1.5 seconds',
  ],
  [
    "the port of Kafka's clients",
    evidence(
      { kind: 'other', tls: false },
      line(
        `${STUB}CommunicationException [Root exception is java.rmi.ConnectIOException: error during JRMP connection establishment; nested exception is: java.io.EOFException]`,
      ),
    ),
    '10.0.0.22:9999 is not JMX: something else answers there',
    "correct kafka_jmx_port of broker-02 (now 9999); Kafka's clients have 9092, JMX usually has 9999",
    'error during JRMP connection establishment',
  ],
  [
    'JMX with TLS',
    evidence(
      { kind: 'other', tls: true },
      line(`${STUB}CommunicationException [Root exception is java.rmi.ConnectIOException: non-JRMP server at remote endpoint]`),
    ),
    'JMX of broker-02 speaks TLS, which logstash-input-jmx cannot',
    'turn com.sun.management.jmxremote.ssl off on broker-02, inside a private network',
    'non-JRMP server at remote endpoint',
  ],
  [
    'a wrong rmi hostname',
    evidence({ kind: 'jmx', hostname: '127.0.0.1' }, line('Connection refused to host: 127.0.0.1; nested exception is: ')),
    'JMX of broker-02 sends its clients to 127.0.0.1 instead of 10.0.0.22 (java.rmi.server.hostname)',
    AGAIN,
    'Connection refused to host: 127.0.0.1',
  ],
  [
    'a wrong rmi hostname that nobody knows',
    evidence({ kind: 'jmx', hostname: 'broker-02.internal' }, line('java.rmi.UnknownHostException: Unknown host: broker-02.internal; nested exception is:')),
    'JMX of broker-02 sends its clients to broker-02.internal instead of 10.0.0.22 (java.rmi.server.hostname)',
    AGAIN,
    'Unknown host: broker-02.internal',
  ],
  [
    'wrong credentials',
    evidence({ kind: 'jmx', hostname: '10.0.0.22' }, line('Authentication failed! Invalid username or password')),
    'broker-02 refuses the login monitor: kafka_jmx_user or kafka_jmx_password is not what it was started with',
    `${AGAIN}\nwhere the file on this collector was changed: run the role logstash-jmx`,
    'Authentication failed! Invalid username or password',
  ],
  [
    'nothing yet',
    evidence({ kind: 'jmx', hostname: '10.0.0.22' }),
    'JMX of broker-02 answers, and no document of it has come yet',
    'look again in a minute: it may have started just now; then at /var/log/logstash-jmx/logstash-plain.log on this collector',
    '10.0.0.22:9999: the registry answers',
  ],
  [
    'an object that does not exist',
    evidence(
      { kind: 'jmx' },
      '[2026-01-01T00:00:00,000][WARN ][logstash.inputs.jmx      ][main][1a] No jmx object found for kafka.server:type=ReplicaManager,name=OfflineReplicaCount\n',
      {
        newest: new Map(
          expectedMetrics({ kind: 'broker' }, 'extended').flatMap((metric) => (metric.includes('OfflineReplica') ? [] : [[metric, 999_000] as const])),
        ),
      },
    ),
    'broker-02 has no ReplicaManager.OfflineReplicaCount.Value: JMX objects kafka.server:type=ReplicaManager,name=OfflineReplicaCount do not exist',
    'is broker-02 a broker (groups brokers and controllers, kafka_mode)? Else its version has other objects: logstash_jmx_metrics: tutorial asks for less',
    'No jmx object found for',
  ],
];

describe('why metrics of a JVM do not arrive', () => {
  for (const [what, given, cause, fix, words] of TABLE) {
    it(what, () => {
      const [found, ...more] = diagnose(given);
      expect(more).to.deep.equal([]);
      expect({ cause: found?.cause, fix: found?.fix }).to.deep.equal({ cause, fix });
      expect(found?.evidence).to.contain(words);
    });
  }

  it('a file that the plugin cannot read is named', () => {
    const log =
      '[WARN ][logstash.inputs.jmx] Issue with configuration file {:file=>"/etc/logstash-jmx/conf.d/bad.conf", :validation_errors=>["Missing parameter \'host\'."]}\n';
    expect(diagnose({ ...evidence({ kind: 'refused' }, log), suspects: [] })[0]?.cause).to.equal('the plugin cannot read /etc/logstash-jmx/conf.d/bad.conf');
  });

  it('when all of them answer, it is not the JVMs', () => {
    const one = evidence({ kind: 'jmx', hostname: '10.0.0.22' });
    const [first] = one.suspects;
    const other = { ...target('broker-01'), alias: 'other' };
    const two: Evidence = {
      ...one,
      suspects: first === undefined ? [] : [first, { ...first, target: other }],
      reached: new Map([...one.reached, ['other', { jmx: { kind: 'jmx' }, alive: true }]]),
    };
    expect(diagnose(two).map(({ cause }) => cause)).to.deep.equal(['every JVM answers this collector, and no document of any of them arrives']);
  });

  it('nobody is suspected while Elasticsearch does not answer', () => {
    expect(diagnose({ ...evidence({ kind: 'refused' }), documents: { now: 1, reply: { kind: 'silent', why: 'x' } } })).to.deep.equal([]);
  });
});

describe('how a JVM answers', function () {
  this.timeout(60_000);
  const words: readonly (readonly [string, Reach])[] = [
    ['bash: connect: Connection refused', { kind: 'refused' }],
    ['bash: connect: No route to host', { kind: 'no-route' }],
    ['x: line 1: x: Name or service not known', { kind: 'unresolved' }],
    ['', { kind: 'timeout' }],
    [':124', { kind: 'silent' }],
    [':0', { kind: 'other', tls: false }],
    [`${Buffer.from('HTTP/1.1 400').toString('base64')}:0`, { kind: 'other', tls: false }],
    [`${Buffer.from([0x15, 3, 3]).toString('base64')}:0`, { kind: 'other', tls: true }],
    [`${Buffer.from([0x4e, 0, 1]).toString('base64')}:124`, { kind: 'jmx' }],
    [`${Buffer.from('N..UnicastRef2\0\0\u0009localhost', 'latin1').toString('base64')}:124`, { kind: 'jmx', hostname: 'localhost' }],
    [`${Buffer.from('N..UnicastRef\0\u0009127.0.0.1', 'latin1').toString('base64')}:124`, { kind: 'jmx', hostname: '127.0.0.1' }],
  ];
  for (const [text, reach] of words) {
    it(`${JSON.stringify(text).slice(0, 60)} is ${reach.kind}`, () => {
      expect(readReach(text)).to.deep.equal(reach);
    });
  }

  const servers: Server[] = [];
  const sockets: Socket[] = [];
  const serve = async (greet: (socket: Socket) => void): Promise<number> => {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      greet(socket);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  after(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  });

  it('is seen from outside: a real JVM with a wrong rmi hostname, one that hangs, one that closes, one that is not there', async () => {
    const silent = await serve(() => undefined);
    const closing = await serve((socket) => {
      socket.once('data', () => socket.end());
    });
    const port = await serve(() => undefined);
    await new Promise((done) => servers.at(-1)?.close(done));
    const directory = mkdtempSync(join(tmpdir(), 'jmx-'));
    const program = join(directory, 'Waits.java');
    writeFileSync(program, 'class Waits { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }');
    const remote = (name: string, value: string) => `-Dcom.sun.management.jmxremote.${name}=${value}`;
    const java = spawn(
      'java',
      [
        ...[
          remote('port', String(port)),
          remote('rmi.port', String(port)),
          remote('host', '127.0.0.1'),
          remote('authenticate', 'false'),
          remote('ssl', 'false'),
        ],
        ...['-Djava.rmi.server.hostname=wrong.example', '-Xmx64m', '-XX:+UseSerialGC', program],
      ],
      { stdio: 'ignore' },
    );
    try {
      const broker = target('broker-02');
      const at = (alias: string, to: number): Target => ({ ...broker, alias, jmx: { address: '127.0.0.1', port: to }, alive: silent });
      const ask = askReach([at('java', port), at('silent', silent), at('closing', closing), at('nobody', 1)]);
      const look = async (): Promise<Readonly<Record<string, Reach>>> => {
        const [each] = ask.asks;
        const ran = await promisify(execFile)('sh', ['-c', each?.at === 'host' ? each.key : '']);
        const answer = ask.read(() => ({ kind: 'value', bytes: Buffer.from(`0\n${ran.stdout}`) }));
        return answer.kind === 'known' ? Object.fromEntries([...answer.value].map(([alias, { jmx }]) => [alias, jmx])) : {};
      };
      let found = await look();
      for (let left = 10; left > 0 && found['java']?.kind !== 'jmx'; left -= 1) found = await look();
      expect(found['java']).to.deep.equal({ kind: 'jmx', hostname: 'wrong.example' });
      expect(found['silent']).to.deep.equal({ kind: 'silent' });
      expect(found['closing']).to.deep.equal({ kind: 'other', tls: false });
      expect(found['nobody']).to.deep.equal({ kind: 'refused' });
    } finally {
      java.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    }
  });
});
