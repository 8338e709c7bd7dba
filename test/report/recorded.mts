import type { Verbosity } from '../../lib/report/finale.mts';
import type { ExitCode } from '../../lib/errors.mts';
import type { Recorded } from './support.mts';

export interface Case {
  readonly name: string;
  readonly exit: ExitCode;
  readonly diff?: boolean;
  readonly verbosity?: Verbosity;
  readonly ascii?: boolean;
  readonly events: readonly Recorded[];
}

const roles = ['os-limits', 'elasticsearch'];
const inventory = ['inventory/lab.yaml'];
const hosts = ['es-01', 'es-02', 'es-03'];
const text = (value: string) => ({ kind: 'text', text: value }) as const;
const absent = { kind: 'absent' } as const;
const hidden = { kind: 'hidden' } as const;
const converged = { kind: 'converged' } as const;
const mapCount = { variable: 'os_limits_map_count', source: { file: 'inventory/lab.yaml', line: 14, column: 5 } };

const start = (mode: 'apply' | 'check' | 'verify' | 'drift', playbook = 'site'): Recorded => ({
  kind: 'run.start',
  run: '20260105-030000-1a2b',
  playbook,
  mode,
  inventory,
  hosts,
  roles,
});
const connected = (host: string): readonly Recorded[] => [
  { kind: 'host.connecting', host },
  { kind: 'host.connected', host, ms: 46 },
];
const ended = (host: string): Recorded => ({ kind: 'host.end', host, connectMs: 46, roundTrips: 3, bytesSent: 5_120, bytesReceived: 2_048 });
const end = (exitCode: ExitCode, ms: number, more: { notAttempted?: string[]; retry?: string } = {}): Recorded => ({
  kind: 'run.end',
  exitCode,
  ms,
  notAttempted: [],
  ...more,
});
const retry = 'npx zx playbooks/site.mts -i inventory/lab.yaml --retry-failed';

const mapCountChange = [{ field: 'value', from: text('65530'), to: text('262144') }];
const yamlBefore = 'cluster.name: kafka-monitoring\nnode.name: es-02\nnetwork.host: 0.0.0.0\nhttp.port: 9200\n';
const yamlAfter = 'cluster.name: kafka-monitoring\nnode.name: es-02\nnetwork.host: 127.77.0.12\nhttp.port: 9200\nbootstrap.memory_lock: true\n';

const orderly = (host: string): readonly Recorded[] => [
  ...connected(host),
  { kind: 'role.start', host, role: 'os-limits' },
  { kind: 'resource.verdict', host, role: 'os-limits', resource: 'sysctl vm.max_map_count', verdict: converged },
  { kind: 'role.end', host, role: 'os-limits', verdict: 'converged', ms: 40 },
  { kind: 'role.start', host, role: 'elasticsearch' },
  { kind: 'resource.verdict', host, role: 'elasticsearch', resource: 'file /etc/elasticsearch/elasticsearch.yml', verdict: converged },
  { kind: 'check.result', host, role: 'elasticsearch', check: 'cluster-health', outcome: { kind: 'pass', found: 'green, 3 nodes' } },
  { kind: 'role.end', host, role: 'elasticsearch', verdict: 'converged', ms: 60 },
  ended(host),
];

const applying = (host: string): readonly Recorded[] => [
  ...connected(host),
  { kind: 'role.start', host, role: 'os-limits' },
  {
    kind: 'resource.verdict',
    host,
    role: 'os-limits',
    resource: 'sysctl vm.max_map_count',
    verdict: { kind: 'changed', changes: mapCountChange },
    because: mapCount,
  },
  { kind: 'role.end', host, role: 'os-limits', verdict: 'changed', ms: 400 },
  { kind: 'role.start', host, role: 'elasticsearch' },
  { kind: 'step.start', host, role: 'elasticsearch', resource: 'archive /opt/elasticsearch/7.10.2' },
  { kind: 'step.progress', host, role: 'elasticsearch', resource: 'archive /opt/elasticsearch/7.10.2', done: 12_300_000, total: 31_000_000, after: 4_000 },
  { kind: 'step.progress', host, role: 'elasticsearch', resource: 'archive /opt/elasticsearch/7.10.2', done: 30_000_000, total: 31_000_000, after: 9_000 },
  { kind: 'step.end', host, role: 'elasticsearch', resource: 'archive /opt/elasticsearch/7.10.2', ok: true, ms: 14_200, after: 1_200 },
  {
    kind: 'resource.verdict',
    host,
    role: 'elasticsearch',
    resource: 'archive /opt/elasticsearch/7.10.2',
    verdict: { kind: 'changed', changes: [{ field: 'version', from: absent, to: text('7.10.2') }] },
    because: { variable: 'elasticsearch_version', source: { file: 'inventory/group_vars/es_masters.yaml', line: 2, column: 1 } },
  },
  { kind: 'waiting', host, role: 'elasticsearch', what: 'ready', check: 'http-answers', attempt: 1, found: 'connection refused' },
  { kind: 'waiting', host, role: 'elasticsearch', what: 'ready', check: 'http-answers', attempt: 2, found: 'connection refused', after: 3_000 },
  { kind: 'check.result', host, role: 'elasticsearch', check: 'cluster-health', outcome: { kind: 'pass', found: 'green, 3 nodes' } },
  { kind: 'role.end', host, role: 'elasticsearch', verdict: 'changed', ms: 18_000 },
  ended(host),
];

const checking = (mode: 'check' | 'drift'): readonly Recorded[] => [
  start(mode, mode === 'drift' ? 'drift' : 'site'),
  ...hosts.flatMap(connected),
  ...['es-01', 'es-02'].flatMap((host): Recorded[] => [
    { kind: 'role.start', host, role: 'os-limits' },
    {
      kind: 'resource.verdict',
      host,
      role: 'os-limits',
      resource: 'sysctl vm.max_map_count',
      verdict: { kind: 'pending', changes: mapCountChange },
      because: mapCount,
    },
    { kind: 'role.end', host, role: 'os-limits', verdict: 'pending', ms: 30 },
  ]),
  { kind: 'role.start', host: 'es-02', role: 'elasticsearch' },
  {
    kind: 'resource.verdict',
    host: 'es-02',
    role: 'elasticsearch',
    resource: 'file /etc/elasticsearch/elasticsearch.yml',
    verdict: {
      kind: 'pending',
      changes: [
        { field: 'content', from: text(yamlBefore), to: text(yamlAfter), disrupts: true },
        { field: 'mode', from: text('0644'), to: text('0640') },
      ],
    },
    because: { variable: 'elasticsearch_memory_lock', source: { file: 'inventory/lab.yaml', line: 31, column: 7 } },
  },
  {
    kind: 'resource.verdict',
    host: 'es-02',
    role: 'elasticsearch',
    resource: 'file /etc/elasticsearch/credentials',
    verdict: { kind: 'pending', changes: [{ field: 'content', from: hidden, to: hidden }] },
  },
  {
    kind: 'resource.verdict',
    host: 'es-02',
    role: 'elasticsearch',
    resource: 'service elasticsearch',
    verdict: { kind: 'unknown', because: 'file /etc/elasticsearch/elasticsearch.yml' },
  },
  ...(mode === 'check'
    ? []
    : [{ kind: 'check.result', host: 'es-02', role: 'elasticsearch', check: 'cluster-health', outcome: { kind: 'pass', found: 'green, 3 nodes' } } as const]),
  { kind: 'role.end', host: 'es-02', role: 'elasticsearch', verdict: 'pending', ms: 50 },
  { kind: 'role.start', host: 'es-03', role: 'os-limits' },
  { kind: 'resource.verdict', host: 'es-03', role: 'os-limits', resource: 'sysctl vm.max_map_count', verdict: converged },
  { kind: 'role.end', host: 'es-03', role: 'os-limits', verdict: 'converged', ms: 20 },
  ...hosts.map(ended),
  end(2, 820),
];

const failing: readonly Recorded[] = [
  start('apply'),
  { kind: 'notice', text: 'ansible_python_interpreter is ignored: nothing here needs Python on a host' },
  ...orderly('es-01'),
  ...connected('es-02'),
  { kind: 'role.start', host: 'es-02', role: 'elasticsearch' },
  { kind: 'step.start', host: 'es-02', role: 'elasticsearch', resource: 'archive /opt/elasticsearch/7.10.2' },
  { kind: 'step.end', host: 'es-02', role: 'elasticsearch', resource: 'archive /opt/elasticsearch/7.10.2', ok: false, ms: 2_300 },
  {
    kind: 'diagnosis',
    host: 'es-02',
    role: 'elasticsearch',
    diagnosis: {
      cause: 'the disk is full',
      evidence: '/opt: 0 of 8.0 GB free',
      fix: 'free at least 1 GB under /opt, or set elasticsearch_home to another disk',
    },
  },
  {
    kind: 'role.failed',
    host: 'es-02',
    role: 'elasticsearch',
    error: {
      kind: 'step-failed',
      short: 'archive /opt/elasticsearch/7.10.2 failed: exit code 2',
      message: 'tar: write error',
      hint: 'see the last lines of its output above',
    },
    tail: `${Array.from({ length: 24 }, (_, index) => `elasticsearch-7.10.2/lib/part-${String(index)}.jar`).join('\n')}\ntar: \x1b[31mwrite error\x1b[0m: No space left on device\n`,
  },
  { kind: 'role.end', host: 'es-02', role: 'elasticsearch', verdict: 'failed', ms: 2_600 },
  ended('es-02'),
  { kind: 'host.connecting', host: 'es-03' },
  {
    kind: 'host.failed',
    host: 'es-03',
    error: {
      kind: 'unreachable',
      short: 'no route to 127.77.0.13:22022 after 10s',
      message: 'no route to 127.77.0.13:22022 after 10s',
      hint: 'is the host up? try: ssh -p 22022 ops@127.77.0.13',
      source: { file: 'inventory/lab.yaml', line: 9, column: 7 },
    },
  },
  end(3, 12_400, { retry }),
];

const verifying: readonly Recorded[] = [
  start('verify'),
  ...['es-01', 'es-02'].flatMap((host): Recorded[] => [
    ...connected(host),
    { kind: 'role.start', host, role: 'elasticsearch' },
    {
      kind: 'check.result',
      host,
      role: 'elasticsearch',
      check: 'cluster-health',
      outcome: {
        kind: 'fail',
        expected: 'green',
        found: 'red, 2 of 3 nodes',
        hint: 'es-03 has left the cluster: journalctl -u elasticsearch on es-03 says why',
      },
    },
    { kind: 'check.result', host, role: 'elasticsearch', check: 'dashboard', outcome: { kind: 'skipped', because: 'cluster-health did not pass' } },
    {
      kind: 'role.failed',
      host,
      role: 'elasticsearch',
      error: {
        kind: 'check-failed',
        short: 'cluster-health: expected green, found red, 2 of 3 nodes',
        message: 'cluster-health: expected green, found red, 2 of 3 nodes',
        hint: 'es-03 has left the cluster',
      },
    },
    { kind: 'role.end', host, role: 'elasticsearch', verdict: 'failed', ms: 2_000 },
    ended(host),
  ]),
  end(1, 4_100, { notAttempted: ['es-03'], retry }),
];

const interrupted: readonly Recorded[] = [
  start('apply'),
  ...connected('es-01'),
  { kind: 'role.start', host: 'es-01', role: 'os-limits' },
  {
    kind: 'resource.verdict',
    host: 'es-01',
    role: 'os-limits',
    resource: 'sysctl vm.max_map_count',
    verdict: { kind: 'pending', changes: mapCountChange },
    because: mapCount,
  },
  { kind: 'step.start', host: 'es-01', role: 'os-limits', resource: 'file /etc/security/limits.d/90-elasticsearch.conf' },
  { kind: 'step.end', host: 'es-01', role: 'os-limits', resource: 'file /etc/security/limits.d/90-elasticsearch.conf', ok: true, ms: 20 },
  { kind: 'step.start', host: 'es-01', role: 'os-limits', resource: 'sysctl vm.max_map_count' },
  {
    kind: 'run.failed',
    error: { kind: 'interrupted', short: 'interrupted', message: 'interrupted: locks are released', hint: 'run it again: what is done stays done' },
  },
  end(130, 900, { notAttempted: ['es-02', 'es-03'], retry }),
];

const usage: readonly Recorded[] = [
  {
    kind: 'run.failed',
    error: {
      kind: 'usage',
      short: '2 problems in inventory/lab.yaml',
      message:
        'inventory/lab.yaml:3:5 unknown key "hostss", did you mean "hosts"?\ninventory/lab.yaml:9:20 elasticsearch_version: 7.10 is a number; quote it: "7.10"',
    },
  },
  end(4, 60),
];

const headline = (name: string, found: string): Recorded => ({
  kind: 'check.result',
  host: 'es-01',
  role: 'elasticsearch',
  check: name,
  outcome: { kind: 'pass', found },
  headline: name,
});

const standIn: readonly Recorded[] = [
  start('apply'),
  { kind: 'stand-in', host: 'es-01', product: 'elasticsearch', what: 'assembled from Maven Central, not the official archive' },
  { kind: 'stand-in', host: 'es-02', product: 'elasticsearch', what: 'assembled from Maven Central, not the official archive' },
  ...hosts.flatMap(orderly),
  headline('broker-01', '32 metrics, newest 1.2 s old, 5400 documents in 10 minutes'),
  headline('dashboards', '37 panels show 4 processes: http://127.77.0.31:5601/app/dashboards#/view/kafka-monitoring-overview'),
  end(0, 4_100),
];

export const cases: readonly Case[] = [
  { name: 'apply-changed', exit: 0, events: [start('apply'), { kind: 'stage.start', index: 0, hosts, roles }, ...hosts.flatMap(applying), end(0, 61_000)] },
  { name: 'apply-converged', exit: 0, events: [start('apply'), ...hosts.flatMap(orderly), end(0, 4_100)] },
  { name: 'apply-converged-very-verbose', exit: 0, verbosity: 2, events: [start('apply'), ...hosts.flatMap(orderly), end(0, 4_100)] },
  { name: 'apply-stand-in', exit: 0, verbosity: 1, events: standIn },
  { name: 'apply-failed', exit: 3, events: failing },
  { name: 'apply-failed-ascii', exit: 3, ascii: true, events: failing },
  { name: 'apply-failed-quiet', exit: 3, verbosity: -1, events: failing },
  { name: 'apply-interrupted', exit: 130, events: interrupted },
  { name: 'check-pending', exit: 2, events: checking('check') },
  { name: 'check-pending-diff', exit: 2, diff: true, events: checking('check') },
  { name: 'drift-found', exit: 2, diff: true, events: checking('drift') },
  { name: 'verify-failed', exit: 1, events: verifying },
  { name: 'inventory-wrong', exit: 4, events: usage },
];
