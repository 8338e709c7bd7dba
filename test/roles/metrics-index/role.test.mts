import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type { Answer, Facts, Host, HostName, Inventory, Resource } from '../../../lib/index.mts';
import { change, hostName } from '../../../lib/index.mts';
import { compileSteps } from '../../../lib/shell/steps.mts';
import { answering, clusterFor, dataNodeCount, startFirst } from '../../../roles/elasticsearch/contract.mts';
import { metricsIndex as contract, replicaCount } from '../../../roles/metrics-index/contract.mts';
import { wrongReplicas } from '../../../roles/metrics-index/replicas.mts';
import { retentionArgv } from '../../../roles/metrics-index/retention.mts';
import { compareTemplate, isOurs, MAPPINGS, template } from '../../../roles/metrics-index/template.mts';
import { metricsIndex as role } from '../../../roles/index.mts';
import { context, find, hostOf, inventory, steps } from '../support.mts';

const world = (vars = '{}', nodes = 3): Inventory =>
  inventory(`all:
  vars: ${vars}
  children:
    es_masters:
      hosts:
${Array.from({ length: nodes }, (_, n) => `        es-0${String(n + 1)}: {private_address: 10.0.0.1${String(n + 1)}}\n`).join('')}    monitoring:
      hosts:
        mon-01: {private_address: 10.0.0.31}
        mon-02: {private_address: 10.0.0.32}
`);
const resources = (vars = '{}', host = 'mon-01', facts: Partial<Facts> = {}, through?: string): readonly Resource[] => {
  const from = world(vars);
  const answer: Answer<Host | undefined> = { kind: 'known', value: through === undefined ? undefined : hostOf(from, through) };
  return role.resources(context(contract, from, host, facts, new Map<HostName, Answer<Host | undefined>>([[hostName(host), answer]])));
};
const ids = (some: readonly Resource[]): readonly string[] => some.map(({ id }) => id);
const RETENTION = ['unit metrics-retention.service', 'unit metrics-retention.timer', 'service metrics-retention.timer', 'metrics retention'];

describe('the role of the indices of metrics', () => {
  it('writes the template through the node that answers', () => {
    expect(steps(find(resources('{}', 'mon-01', {}, 'es-02'), 'metrics index template'))).to.include('http://10.0.0.12:9200/_index_template/kafka_mon');
    expect(steps(find(resources(), 'metrics index template'))).to.include('http://10.0.0.11:9200/');
  });

  it('says what to do first where none answers', () => {
    expect(steps(find(resources(), 'elasticsearch answers'))).to.include('exit 1');
    expect(startFirst(world(), clusterFor(world(), hostOf(world(), 'mon-01')))).to.match(
      /^bring it up first: npx zx .* -i .* --role os-limits,java,elasticsearch$/,
    );
    const observed = world('{elasticsearch_managed: false}');
    expect(startFirst(observed, clusterFor(observed, hostOf(observed, 'mon-01')))).to.match(/start it where it runs/);
  });

  it('deletes on the first monitoring host alone, and takes the timer from every other', () => {
    expect(ids(resources('{}', 'mon-01'))).to.include.members(RETENTION);
    expect(ids(resources('{}', 'mon-02')))
      .to.include('absent /etc/systemd/system/metrics-retention.timer')
      .and.not.to.include('metrics index template');
    expect(role.verify?.(context(contract, world(), 'mon-02'))).to.deep.equal([]);
  });

  for (const [vars, has] of [
    ['{metrics_index_retention_days: forever}', false],
    ['{metrics_index_retention_days: forever, metrics_index_retention_size: 5g}', true],
    ['{metrics_index_rotation: none}', false],
  ] as const) {
    it(`with ${vars} has ${has ? 'a' : 'no'} timer`, () => {
      expect(ids(resources(vars)).includes('unit metrics-retention.timer')).to.equal(has);
      if (!has) expect(ids(resources(vars))).to.include('absent /etc/systemd/system/metrics-retention.timer');
    });
  }

  it('judges a single index by whether limits were asked for', () => {
    const judged = (vars: string): string | undefined => {
      const check = role.verify?.(context(contract, world(vars), 'mon-01')).find(({ id }) => id === 'retention');
      const answer = check?.ask.read(() => ({ kind: 'absent' }));
      return answer?.kind === 'known' ? check?.judge(answer.value, answer.value).kind : undefined;
    };
    expect(judged('{metrics_index_rotation: none}')).to.equal('pass');
    expect(judged('{metrics_index_rotation: none, metrics_index_retention_days: forever}')).to.equal('pass');
    expect(judged('{metrics_index_rotation: none, metrics_index_retention_days: 7}')).to.equal('fail');
  });

  it('has the script and no unit where systemd is absent', () => {
    const some = ids(resources('{}', 'mon-01', { init: 'none' }));
    expect(some).to.include('metrics retention').and.not.to.include('unit metrics-retention.timer');
  });

  it('starts the script with what the inventory says', () => {
    const from = world('{metrics_index_retention_size: 50g, metrics_index_retention_days: 7}');
    const host = hostOf(from, 'mon-01');
    expect(retentionArgv(host.vars(contract), clusterFor(from, host)).slice(1)).to.deep.equal([
      'kafka_mon',
      '7',
      String(50 * 1024 ** 3),
      '/var/lib/metrics-retention/last-success',
      'http://10.0.0.11:9200',
      'http://10.0.0.12:9200',
      'http://10.0.0.13:9200',
    ]);
  });

  it('refuses an inventory without Elasticsearch', () => {
    const from = inventory('all:\n  children:\n    monitoring:\n      hosts:\n        mon-01: {private_address: 10.0.0.31}\n');
    expect(role.refuses?.(context(contract, from, 'mon-01')).map(({ kind }) => kind)).to.deep.equal(['usage']);
    expect(role.refuses?.(context(contract, world(), 'mon-01'))).to.deep.equal([]);
  });

  it('has as many copies as data nodes can hold', () => {
    const copies = (vars: string, nodes: number): number => {
      const from = world(vars, nodes);
      return replicaCount(from, hostOf(from, 'mon-01'), hostOf(from, 'mon-01').vars(contract));
    };
    expect([copies('{}', 1), copies('{}', 2), copies('{}', 3), copies('{metrics_index_replicas: 2}', 1)]).to.deep.equal([0, 1, 1, 2]);
  });

  it('asks and steps in POSIX sh', () => {
    for (const some of [resources(), resources('{}', 'mon-02'), resources('{}', 'mon-01', { init: 'none' })]) {
      for (const resource of some) {
        const asked = resource.differs.asks.flatMap((ask) => (ask.at === 'host' && ask.kind === 'shell' ? [ask.key] : []));
        const taken = compileSteps(resource, [change('x', 'a', 'b')]).flatMap((step) => (step.at === 'host' ? [step.script] : []));
        for (const script of [...asked, ...taken])
          for (const [shell, ...rest] of [['dash'], ['bash', '--posix'], ['busybox', 'sh']] as const)
            expect(spawnSync(shell, [...rest, '-n'], { input: script, encoding: 'utf8' }).stderr, script).to.equal('');
      }
    }
  });
});

describe('the cluster that a host uses', () => {
  it('is the one it names, else the first', () => {
    const from = inventory(`all:
  children:
    es_masters:
      hosts:
        a-01: {private_address: 10.0.0.1, elasticsearch_cluster_name: a}
        b-01: {private_address: 10.0.0.2, elasticsearch_cluster_name: b}
        b-02: {private_address: 10.0.0.3, elasticsearch_cluster_name: b}
    monitoring:
      hosts:
        of-b: {private_address: 10.0.0.4, elasticsearch_cluster_name: b}
        of-none: {private_address: 10.0.0.5}
        b-02:
`);
    const names = (host: string): readonly string[] => clusterFor(from, hostOf(from, host)).map(({ name }) => name);
    expect([names('of-b'), names('of-none'), names('b-02')]).to.deep.equal([['b-01', 'b-02'], ['a-01'], ['b-02', 'b-01']]);
    expect(dataNodeCount(from, hostOf(from, 'of-b'))).to.equal(2);
  });

  it('is asked through the first node that answers and sees a master', () => {
    const from = world();
    const nodes = clusterFor(from, hostOf(from, 'mon-01'));
    const found = (...said: readonly (string | undefined)[]): string | undefined => {
      const question = answering(nodes);
      const answer = question.read((ask) => {
        const body = said[question.asks.indexOf(ask)];
        const head = body === undefined ? { refused: 'no route' } : { status: body === '' ? 503 : 200 };
        return { kind: 'value', bytes: Buffer.from(`${JSON.stringify(head)}\n${body ?? ''}`) };
      });
      return answer.kind === 'known' ? answer.value?.name : answer.reason;
    };
    const [up, masterless] = ['{"master_node":"x"}', '{"cluster_name":"x"}'];
    expect([found(up, up, up), found(undefined, masterless, up), found('', up, up), found(undefined, '', 'no JSON')]).to.deep.equal([
      'es-01',
      'es-03',
      'es-02',
      undefined,
    ]);
  });
});

describe('the template of metrics', () => {
  const vars = hostOf(world(), 'mon-01').vars(contract);
  /** As Elasticsearch 7.10.2 gives it back. */
  const stored = (): {
    index_patterns: string[];
    priority: number;
    composed_of: string[];
    template: { settings: object; mappings: Record<string, unknown> };
  } => ({
    index_patterns: ['kafka_mon', 'kafka_mon-*'],
    priority: 500,
    composed_of: [],
    template: {
      settings: { index: { number_of_shards: '1', number_of_replicas: '1', refresh_interval: '5s' } },
      mappings: structuredClone(MAPPINGS),
    },
  });
  const differences = (have: unknown): readonly string[] => compareTemplate(have, template(vars, 1)).map(({ path }) => path);

  it('is equal by meaning', () => {
    expect(differences(stored())).to.deep.equal([]);
  });
  it('differs in what was changed, and in what was added', () => {
    const changed = stored();
    changed.priority = 1;
    changed.template.settings = { index: { number_of_shards: '1', number_of_replicas: '0', refresh_interval: '5s', codec: 'best_compression' } };
    changed.template.mappings['properties'] = { ...MAPPINGS.properties, metric_value_number: { type: 'long' }, extra: { type: 'text' } };
    expect(differences(changed)).to.have.members([
      'priority',
      'template.settings.index.number_of_replicas',
      'template.settings.index.codec',
      'template.mappings.properties.metric_value_number.type',
      'template.mappings.properties.extra',
    ]);
  });
  it('is for its own names only', () => {
    const ours = (index: string): boolean => isOurs({ name: 'kafka_mon' }, index);
    expect(['kafka_mon', 'kafka_mon-2026.11.24', 'kafka_monitoring', 'kafka_mon_old-1', 'xkafka_mon'].map(ours)).to.deep.equal([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
  it('copies of existing indices follow, foreign ones are left alone', () => {
    const settings = (replicas: string, auto?: string): { settings: { 'index.number_of_replicas': string; 'index.auto_expand_replicas'?: string } } => ({
      settings: { 'index.number_of_replicas': replicas, ...(auto === undefined ? {} : { 'index.auto_expand_replicas': auto }) },
    });
    const found = { 'kafka_mon-1': settings('1'), 'kafka_mon-2': settings('0'), 'kafka_mon-3': settings('1', '0-1'), behind_an_alias: settings('0') };
    expect(wrongReplicas(found, { name: 'kafka_mon' }, 1).map(({ field }) => field)).to.deep.equal(['kafka_mon-2', 'kafka_mon-3']);
  });
});
