/** Every reason why Elasticsearch does not come up, provoked on a real one, and what single nodes, extension and hosts without systemd need. */
import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { borrow, changesIn, eventually, get, must, play, ROOT, writeInventory, type Document, type LabHost, type Result, type Variables } from './support.mts';

const LAB = join(ROOT, '.lab-test-diagnosis');
const env = { LAB_DIR: LAB, RUNS_DIR: join(LAB, 'runs') };

/** The tutorial's single host, which is the master under the name that its text misspells. */
const FIRST: LabHost = { name: 'kafka-monitoring', address: '127.81.0.31', groups: ['es_masters'] };
const SECOND: LabHost = { name: 'es-02', address: '127.81.0.12', groups: ['es_masters'] };
const PLAIN: LabHost = { name: 'plain-01', address: '127.81.0.41', groups: ['es_masters'] };
const VARS: Variables = { elasticsearch_heap: '512m', elasticsearch_source: 'auto', os_limits_nofile: 'auto' };
/** No node of these tests may need longer to be known as failed: waiting for one that runs takes up to 180 s. */
const PROMPT_MS = 60_000;

interface Run {
  readonly code: number | null;
  readonly report: Document;
  /** What a person sees. */
  readonly text: string;
  readonly ms: number;
}

async function run(playbook: string, inventory: string, ...words: readonly string[]): Promise<Run> {
  const { code, stdout, stderr, ms } = await play(playbook, ['-i', inventory, ...words, '--json'], { env });
  try {
    return { code, report: JSON.parse(stdout) as Document, text: stderr, ms };
  } catch {
    throw new Error(`exit ${String(code)}, no document:\n${stdout}\n${stderr}`);
  }
}

/** As root; words after the script are its arguments. */
const onHost = (name: string, script: string, ...words: readonly string[]): Promise<Result> =>
  play('lab', ['ssh', name, '--', 'sudo', 'sh', '-c', script, 'sh', ...words], { env, timeoutMs: 60_000 });

const inventoryOf = (name: string, hosts: readonly LabHost[], vars: Variables = {}): string => writeInventory(`${name}.yaml`, hosts, { ...VARS, ...vars }, LAB);
const invocation = async (name: string): Promise<string> => (await must(onHost(name, 'systemctl show -p InvocationID --value elasticsearch'))).trim();
const squashed = (text: string): string => text.replaceAll(/\s+/g, ' ');

interface Expected {
  readonly cause: RegExp;
  readonly evidence: RegExp;
  readonly fix: RegExp;
}

/** The diagnosis is in the document and in the text, and its evidence is a line that Elasticsearch really wrote. */
async function expectDiagnosis({ code, report, text, ms }: Run, host: string, expected: Expected): Promise<void> {
  expect(code, text).to.equal(1);
  expect(report.exitCode).to.equal(1);
  expect(ms).to.be.lessThan(PROMPT_MS);
  const found = report.hosts[host]?.roles['elasticsearch']?.diagnoses?.find(({ cause }) => expected.cause.test(cause));
  if (found === undefined) throw new Error(`no ${String(expected.cause)} in:\n${text}`);
  expect(found.evidence).to.match(expected.evidence);
  expect(found.fix).to.match(expected.fix);
  for (const part of [`cause: ${found.cause}`, `evidence: ${found.evidence}`, `fix: ${found.fix}`]) expect(squashed(text)).to.include(squashed(part));
  const said = 'cat /var/log/elasticsearch/*.log; journalctl -q --no-pager -o cat -u elasticsearch';
  const written = await onHost(host, `{ ${said}; } 2>/dev/null | grep -qF -e "$1"`, found.evidence.replace(/…$/, ''));
  expect(written.code, `not a line of the host: ${found.evidence}`).to.equal(0);
}

/** Listens where Elasticsearch wants to, and hangs up on everybody. */
const SQUATTER = `#!/usr/bin/perl
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => $ARGV[0], Listen => 5, ReuseAddr => 1) or die $!;
while (1) { my $client = $server->accept; close $client if $client }
`;
async function squat(host: LabHost, port: number): Promise<AsyncDisposable> {
  const at = `${host.address}:${String(port)}`;
  await must(
    onHost(
      host.name,
      'printf %s "$1" >/usr/local/bin/squatter && chmod 755 /usr/local/bin/squatter && systemd-run -q --collect --unit=squatter /usr/local/bin/squatter "$2"',
      SQUATTER,
      at,
    ),
  );
  await eventually(`somebody listens on ${at}`, 10_000, async () => (await onHost(host.name, 'ss -ltnH "src $1" | grep -q .', at)).code === 0);
  return {
    async [Symbol.asyncDispose]() {
      await must(onHost(host.name, 'systemctl stop squatter'));
    },
  };
}

describe('Elasticsearch that does not come up', function () {
  this.bail(true);
  const single = (vars: Variables = {}): string => inventoryOf('single', [FIRST], vars);
  const observed = (): string => inventoryOf('observed', [FIRST], { elasticsearch_managed: false });
  /** Elasticsearch's own say, when no role may put anything right. */
  const observe = (): Promise<Run> => run('site', observed(), '--verify-only', '--role', 'elasticsearch');
  const onFirst = (script: string, ...words: readonly string[]): Promise<Result> => onHost(FIRST.name, script, ...words);
  const isOver = async (): Promise<boolean> =>
    /^(failed|activating auto-restart)/m.test((await must(onFirst('systemctl show -p ActiveState,SubState --value elasticsearch | paste -sd" "'))).trim());
  /** Neither by the role that refuses nor by those before it. */
  const expectUntouched = async (): Promise<void> => {
    expect((await onFirst('find /etc/elasticsearch /opt/elasticsearch /etc/security/limits.d/90-kafka-elastic-monitoring.conf 2>/dev/null')).stdout).to.equal(
      '',
    );
  };
  let openFiles = 0;

  before(async () => {
    await play('lab', ['down'], { env });
    await borrow(LAB);
    await must(play('lab', ['up', '-i', single()], { env }));
    openFiles = (JSON.parse(await must(play('lab', ['status', '--json'], { env }))) as { openFiles: number }).openFiles;
  });
  after(async () => {
    const down = await play('lab', ['down'], { env });
    expect(down.code, down.stderr).to.equal(0);
  });

  for (const [entry, hint] of [
    ['kakfa-monitoring', 'did you mean "kafka-monitoring"?'],
    ['34.64.85.12', 'use "kafka-monitoring"; an external address is never a publish address'],
  ] as const) {
    it(`refuses "${entry}" as a founder before it touches the host`, async () => {
      const inventory = single({ elasticsearch_initial_master_nodes: [entry] });
      for (const words of [['--check'], []]) {
        const { code, report, text } = await run('site', inventory, ...words);
        expect(code, text).to.equal(4);
        const error = report.hosts[FIRST.name]?.error;
        expect(error?.message).to.include(`elasticsearch_initial_master_nodes: "${entry}" is neither a node's name nor its publish address`);
        expect(error?.hint).to.include(hint);
        expect(squashed(text)).to.include(entry).and.to.include(hint);
      }
      await expectUntouched();
    });
  }

  it('refuses a heap beyond the memory of the host before it touches it', async () => {
    const { code, report, text } = await run('site', single({ elasticsearch_heap: '20000g' }));
    expect(code, text).to.equal(5);
    expect(report.hosts[FIRST.name]?.error?.message).to.match(/elasticsearch_heap 20000g is beyond the \d+[mg] of memory of kafka-monitoring/);
    expect(squashed(text)).to.match(/"auto" would give \d+[mg]/);
    await expectUntouched();
  });

  const limited = (): string => single({ elasticsearch_nofile: 4096, elasticsearch_enforce_bootstrap_checks: true });
  const filesTooFew = (): Expected => ({
    cause: /^the process may open 4096 files and wants 65535$/,
    evidence: /max file descriptors \[4096\] for elasticsearch process is too low, increase to at least \[65535\]/,
    fix: openFiles >= 65535 ? /^raise elasticsearch_nofile \(now 4096\) to at least 65535/ : new RegExp(`nobody more than ${String(openFiles)}`),
  });

  it('names too few open files', async () => {
    await expectDiagnosis(await run('site', limited()), FIRST.name, filesTooFew());
  });

  it('names too few memory maps beside them', async () => {
    const before = readFileSync('/proc/sys/vm/max_map_count', 'utf8').trim();
    try {
      await must(onFirst('sysctl -q -w vm.max_map_count=65530'));
      const found = await run('site', limited(), '--role', 'elasticsearch');
      await expectDiagnosis(found, FIRST.name, filesTooFew());
      await expectDiagnosis(found, FIRST.name, {
        cause: /^vm\.max_map_count is 65530, Elasticsearch wants 262144$/,
        evidence: /max virtual memory areas vm\.max_map_count \[65530\] is too low, increase to at least \[262144\]/,
        fix: /--role os-limits,elasticsearch/,
      });
    } finally {
      await must(onFirst('sysctl -q -w "vm.max_map_count=$1"', before));
    }
  });

  it('names default discovery settings in a configuration that somebody else wrote', async () => {
    await must(
      onFirst(
        'sed -i "/^discovery\\.\\|^cluster\\.initial/d" /etc/elasticsearch/elasticsearch.yml && systemctl reset-failed elasticsearch && systemctl start elasticsearch',
      ),
    );
    await eventually('Elasticsearch ended', 60_000, isOver);
    await expectDiagnosis(await observe(), FIRST.name, {
      cause: /neither where other nodes are nor who founds the cluster/,
      evidence: /the default discovery settings are unsuitable for production use/,
      fix: /discovery\.seed_hosts, discovery\.seed_providers, cluster\.initial_master_nodes/,
    });
  });

  it('names a heap beyond the memory in options that somebody else wrote', async () => {
    const gigabytes = Math.ceil(totalmem() / 2 ** 30) * 8;
    await must(
      onFirst(
        'printf -- "-Xms%sg\\n-Xmx%sg\\n" "$1" "$1" >/etc/elasticsearch/jvm.options.d/heap.options && systemctl reset-failed elasticsearch && systemctl start elasticsearch',
        String(gigabytes),
      ),
    );
    await eventually('Elasticsearch ended', 60_000, isOver);
    await expectDiagnosis(await observe(), FIRST.name, {
      cause: new RegExp(`^the heap of ${String(gigabytes)}g is beyond the memory that is left \\(the host has \\d+[mg]\\)$`),
      evidence: /Native memory allocation|Could not reserve enough space/,
      fix: /lower elasticsearch_heap/,
    });
  });

  it('names who has the transport port', async () => {
    await using _ = await squat(FIRST, 9300);
    await expectDiagnosis(await run('site', single()), FIRST.name, {
      cause: /^port 9300 of 127\.81\.0\.31 is already in use by squatter \(pid \d+\)$/,
      evidence: /Failed to bind to 127\.81\.0\.31:9300\]; nested: BindException\[Address already in use\]/,
      fix: /stop that process .* another elasticsearch_transport_port/,
    });
    // Whatever moment of the restarts by systemd it is.
    for (let look = 0; look < 3; look += 1) {
      await expectDiagnosis(await observe(), FIRST.name, { cause: /^port 9300 of 127\.81\.0\.31/, evidence: /Failed to bind/, fix: /stop that process/ });
      await new Promise((tick) => setTimeout(tick, 1000));
    }
  });

  it('names founders that are nobody in a configuration that somebody else wrote, and a run puts them right', async () => {
    const dropIn = '/etc/systemd/system/elasticsearch.service.d/60-test.conf';
    await must(
      onFirst(
        `systemctl stop elasticsearch
printf '[Service]\\nExecStart=\\nExecStart=/opt/elasticsearch/current/bin/elasticsearch -Ediscovery.initial_state_timeout=0s\\n' >${dropIn}
sed -i 's/^cluster.initial_master_nodes:.*/cluster.initial_master_nodes: ["kakfa-monitoring", "34.64.85.12"]/' /etc/elasticsearch/elasticsearch.yml
grep -q kakfa /etc/elasticsearch/elasticsearch.yml && systemctl daemon-reload && systemctl reset-failed elasticsearch; systemctl start elasticsearch`,
      ),
    );
    await eventually('Elasticsearch answers', 60_000, async () => (await get('http://127.81.0.31:9200/')) !== 503);
    const expected: Expected = {
      cause: /no node's name or publish address: kakfa-monitoring, 34\.64\.85\.12$/,
      evidence: /\[kakfa-monitoring, 34\.64\.85\.12\]/,
      fix: /"kakfa-monitoring" should be "kafka-monitoring"; "34\.64\.85\.12" is nobody here \(an external address never is\)/,
    };
    await expectDiagnosis(await observe(), FIRST.name, expected);
    const drift = await run('drift', single(), '--role', 'elasticsearch');
    await expectDiagnosis(drift, FIRST.name, expected);
    expect(changesIn(drift.report))
      .to.include('kafka-monitoring file /etc/elasticsearch/elasticsearch.yml')
      .and.to.include('kafka-monitoring cluster founders');
    const repaired = await run('site', single());
    expect(repaired.code, repaired.text).to.equal(0);
    await must(onFirst(`rm ${dropIn} && systemctl daemon-reload`));
    expect(await must(onFirst('cat /etc/elasticsearch/elasticsearch.yml'))).not.to.include('initial_master_nodes');
  });

  it('names who has the http port, and comes up when it is free', async () => {
    await must(onFirst('systemctl stop elasticsearch'));
    {
      await using _ = await squat(FIRST, 9200);
      await expectDiagnosis(await run('site', single()), FIRST.name, {
        cause: /^port 9200 of 127\.81\.0\.31 is already in use by squatter \(pid \d+\)$/,
        evidence: /Failed to bind to 127\.81\.0\.31:9200\]; nested: BindException\[Address already in use\]/,
        fix: /stop that process .* another elasticsearch_http_port/,
      });
    }
    const up = await run('site', single());
    expect(up.code, up.text).to.equal(0);
    const again = await run('site', single());
    expect([again.code, changesIn(again.report)], again.text).to.deep.equal([0, []]);
  });

  it('is restarted for another heap when it is alone in its cluster', async () => {
    const before = await invocation(FIRST.name);
    const bigger = (): string => single({ elasticsearch_heap: '520m' });
    const restarted = await run('site', bigger());
    expect(restarted.code, restarted.text).to.equal(0);
    expect(changesIn(restarted.report)).to.deep.equal([
      'kafka-monitoring file /etc/elasticsearch/jvm.options.d/heap.options',
      'kafka-monitoring service elasticsearch.service',
    ]);
    expect(await invocation(FIRST.name)).not.to.equal(before);
    const again = await run('site', bigger());
    expect([again.code, changesIn(again.report)], again.text).to.deep.equal([0, []]);
  });

  it('gets a second master, which joins while the first goes on', async () => {
    const heap = { elasticsearch_heap: '520m' };
    const first = (await get('http://127.81.0.31:9200/')) as { cluster_uuid: string };
    const before = await invocation(FIRST.name);
    const both = inventoryOf('both', [FIRST, SECOND], heap);
    const joined = await run('site', both);
    expect(joined.code, joined.text).to.equal(0);
    expect(await invocation(FIRST.name)).to.equal(before);
    const second = (await get('http://127.81.0.12:9200/')) as { cluster_uuid: string };
    expect(second.cluster_uuid).to.equal(first.cluster_uuid);
    expect(((await get('http://127.81.0.12:9200/_cluster/health')) as { number_of_nodes: number }).number_of_nodes).to.equal(2);
    const again = await run('site', both);
    expect([again.code, changesIn(again.report)], again.text).to.deep.equal([0, []]);
  });
});

/** A second sshd of the same host, in whose sight there is no systemd. */
const SSHD_WITHOUT_SYSTEMD = `systemd-run -q --collect --unit=plain-sshd unshare --mount sh -c '
mount -t tmpfs none /run/systemd && mount -t tmpfs none /run/dbus && exec /usr/sbin/sshd -D -e -f /dev/null -p 22023 \\
  -o ListenAddress="$0" -o HostKey=/etc/ssh/ssh_host_ed25519_key -o UsePAM=no -o PidFile=none' "$1"`;

describe('Elasticsearch on a host without systemd', function () {
  this.bail(true);
  const inventory = (): string => {
    const vars = { ansible_port: 22023, host_provider: 'none', connection_known_hosts_file: join(LAB, 'known_hosts_plain') };
    return inventoryOf('plain', [{ ...PLAIN, vars }]);
  };
  const pid = async (): Promise<string> => (await must(onHost(PLAIN.name, 'cat /run/elasticsearch/elasticsearch.pid'))).trim();

  before(async () => {
    await play('lab', ['down'], { env });
    await borrow(LAB);
    await must(play('lab', ['up', '-i', inventoryOf('plain-lab', [PLAIN])], { env }));
    await must(onHost(PLAIN.name, SSHD_WITHOUT_SYSTEMD, PLAIN.address));
    const key = readFileSync(join(LAB, 'known_hosts'), 'utf8').split(' ').slice(1).join(' ');
    writeFileSync(join(LAB, 'known_hosts_plain'), `[${PLAIN.address}]:22023 ${key}`);
  });
  after(async () => {
    const down = await play('lab', ['down'], { env });
    expect(down.code, down.stderr).to.equal(0);
  });

  it('is diagnosed from what it printed when it ended', async () => {
    await using _ = await squat(PLAIN, 9300);
    await expectDiagnosis(await run('site', inventory()), PLAIN.name, {
      cause: /^port 9300 of 127\.81\.0\.41 is already in use by squatter \(pid \d+\)$/,
      evidence: /Failed to bind to 127\.81\.0\.41:9300/,
      fix: /elasticsearch_transport_port/,
    });
  });

  it('comes up as a process with a pid file, and is left alone the second time', async () => {
    const up = await run('site', inventory());
    expect(up.code, up.text).to.equal(0);
    expect(changesIn(up.report)).to.include('plain-01 daemon elasticsearch');
    const first = await pid();
    expect(await must(onHost(PLAIN.name, 'tr "\\0" " " <"/proc/$1/cmdline"; ps -o user= -p "$1"', first))).to.match(
      /org\.elasticsearch\.bootstrap\.Elasticsearch[^]*elastic/,
    );
    const again = await run('site', inventory());
    expect([again.code, changesIn(again.report)], again.text).to.deep.equal([0, []]);
    expect(await pid()).to.equal(first);
  });

  it('is started again after it was killed', async () => {
    const killed = await pid();
    await must(onHost(PLAIN.name, 'kill -KILL "$1"', killed));
    expect((await run('drift', inventory())).code).to.equal(1);
    const repaired = await run('site', inventory());
    expect(repaired.code, repaired.text).to.equal(0);
    expect(changesIn(repaired.report)).to.deep.equal(['plain-01 daemon elasticsearch']);
    expect(await pid()).not.to.equal(killed);
  });
});
