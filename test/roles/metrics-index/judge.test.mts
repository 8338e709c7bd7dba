import { expect } from 'chai';
import type { Judgement } from '../../../lib/index.mts';
import type { Capabilities, IndexHealth, Thresholds } from '../../../roles/metrics-index/cluster.mts';
import * as judge from '../../../roles/metrics-index/judge.mts';
import { FIELD_TYPES, MAPPINGS } from '../../../roles/metrics-index/template.mts';

function table(cases: Readonly<Record<string, readonly [Judgement, RegExp | undefined]>>): void {
  for (const [what, [judgement, wrong]] of Object.entries(cases)) {
    it(`${what}: ${wrong === undefined ? 'passes' : 'fails'}`, () => {
      if (wrong === undefined) expect(judgement.kind, JSON.stringify(judgement)).to.equal('pass');
      else expect(judgement.kind === 'fail' ? `${judgement.found}; ${judgement.hint}` : 'passed').to.match(wrong);
    });
  }
}

describe('judgements about the indices of metrics', () => {
  describe('template', () => {
    const ours = { name: 'kafka_mon', priority: 500 };
    const wins = (properties: Readonly<Record<string, { type: string }>>): { template: { mappings: { properties: Record<string, { type: string }> } } } => ({
      template: { mappings: { properties } },
    });
    const right = wins(MAPPINGS.properties);
    table({
      ours: [judge.template({ wins: right, all: [ours, { name: 'low', priority: 1 }] }, 'kafka_mon'), undefined],
      'a higher one': [
        judge.template({ wins: wins({ metric_value_number: { type: 'long' } }), all: [ours, { name: 'other', priority: 900 }] }, 'kafka_mon'),
        /^@timestamp unknown.*higher priority than 500.*narrow the patterns of other \(900\)/,
      ],
      none: [judge.template({ wins: {}, all: [] }, 'kafka_mon'), /run the role again: --role metrics-index$/],
      'one type off': [judge.template({ wins: wins({ ...MAPPINGS.properties, cluster: { type: 'text' } }), all: [ours] }, 'kafka_mon'), /^cluster text;/],
    });
  });

  describe('types', () => {
    const right: Capabilities = { fields: Object.fromEntries([...FIELD_TYPES].map(([field, type]) => [field, { [type]: { type } }])) };
    const with_ = (field: string, types: Readonly<Record<string, readonly string[] | undefined>>): Capabilities => ({
      fields: {
        ...right.fields,
        [field]: Object.fromEntries(
          Object.entries(types).map(([type, indices]) => [type, { type, ...(indices === undefined ? {} : { indices: [...indices] }) }]),
        ),
      },
    });
    table({
      'as in the template': [judge.types(right), undefined],
      'no index yet': [judge.types({ fields: {} }), undefined],
      'a long in one index': [
        judge.types(with_('metric_value_number', { double: ['kafka_mon-2026.11.24'], long: ['kafka_mon-2026.11.20'] })),
        /^metric_value_number is long in kafka_mon-2026\.11\.20; .*POST _reindex \{"source":\{"index":"kafka_mon-2026\.11\.20"\}/,
      ],
      'a float everywhere': [judge.types(with_('metric_value_number', { float: undefined })), /^metric_value_number is float in all of them/],
      'a text where a keyword should be': [judge.types(with_('cluster', { text: undefined })), /^cluster is text/],
      'a field that an old index lacks': [judge.types(with_('cluster', { keyword: ['a'], unmapped: ['b'] })), undefined],
    });
  });

  describe('names', () => {
    const alias = (name: string): { indices: []; aliases: { name: string; indices: string[] }[] } => ({ indices: [], aliases: [{ name, indices: ['x'] }] });
    table({
      'none taken': [judge.names({ indices: [{ name: 'kafka_mon' }], aliases: [] }, { name: 'kafka_mon', rotation: 'daily' }), undefined],
      'an alias of a day': [judge.names(alias('kafka_mon-2026.11.24'), { name: 'kafka_mon', rotation: 'daily' }), /^kafka_mon-2026\.11\.24 is an alias of x;/],
      'an alias of the fixed name with daily indices': [judge.names(alias('kafka_mon'), { name: 'kafka_mon', rotation: 'daily' }), undefined],
      'an alias of the fixed name': [
        judge.names(alias('kafka_mon'), { name: 'kafka_mon', rotation: 'none' }),
        /^kafka_mon is an alias of x;.*metrics_index_name/,
      ],
      'another alias': [judge.names(alias('kafka_mon-all'), { name: 'kafka_mon', rotation: 'daily' }), undefined],
    });
  });

  describe('health', () => {
    const health = (nodes: number, indices: IndexHealth['indices']): IndexHealth => ({ number_of_data_nodes: nodes, indices });
    const day = 'kafka_mon-2026.11.24';
    table({
      green: [judge.health(health(2, { [day]: { status: 'green', number_of_replicas: 1 } }), 2), undefined],
      'no index yet': [judge.health(health(1, {}), 1), undefined],
      'more copies than nodes': [
        judge.health(health(1, { [day]: { status: 'yellow', number_of_replicas: 1 } }), 1),
        /^yellow: kafka_mon-2026\.11\.24; 1 replica wanted, and 1 data node to hold them.*auto/,
      ],
      'a node away': [judge.health(health(1, { [day]: { status: 'yellow', number_of_replicas: 1 } }), 2), /1 data node of 2; start the missing/],
      'yellow for another reason': [judge.health(health(2, { [day]: { status: 'yellow', number_of_replicas: 1 } }), 2), /allocation\/explain/],
      red: [judge.health(health(2, { a: { status: 'yellow', number_of_replicas: 3 }, b: { status: 'red', number_of_replicas: 0 } }), 2), /^red: a, b;/],
    });
  });

  describe('disk', () => {
    const GB = 1024 ** 3;
    const disks = (used: number, roles = ['data', 'master']): Parameters<typeof judge.disk>[0] => ({
      nodes: { a: { name: 'es-01', roles, fs: { total: { total_in_bytes: 100 * GB, available_in_bytes: (100 - used) * GB } } } },
    });
    const set = (high: string, more: Partial<Thresholds> = {}): Thresholds => ({
      defaults: { 'cluster.routing.allocation.disk.watermark.high': '90%', 'cluster.routing.allocation.disk.threshold_enabled': 'true' },
      persistent: { 'cluster.routing.allocation.disk.watermark.high': high },
      transient: {},
      ...more,
    });
    table({
      below: [judge.disk(disks(89), set('90%')), undefined],
      above: [judge.disk(disks(91), set('90%')), /^es-01 91 %; free space/],
      'above a ratio': [judge.disk(disks(81), set('0.8')), /^es-01 81 %/],
      'above in bytes': [judge.disk(disks(91), set('10gb')), /^es-01 91 %/],
      'below in bytes': [judge.disk(disks(91), set('5GB')), undefined],
      'a transient setting counts before a persistent one': [
        judge.disk(disks(70), set('90%', { transient: { 'cluster.routing.allocation.disk.watermark.high': '60%' } })),
        /^es-01 70 %/,
      ],
      'a node without data': [judge.disk(disks(99, ['master']), set('90%')), undefined],
      'above, though Elasticsearch does not look': [
        judge.disk(disks(95), set('90%', { transient: { 'cluster.routing.allocation.disk.threshold_enabled': 'false' } })),
        /^es-01 95 %/,
      ],
    });
    it('reads every way to write a watermark', () => {
      const free = (text: string): number | undefined => judge.leastFree(text, 1000);
      expect([free('90%'), free('0.75'), free('10b'), free('2kb'), free('1.5kb'), free('nonsense')]).to.deep.equal([100, 250, 10, 2048, 1536, undefined]);
    });
  });

  describe('write block', () => {
    table({
      none: [judge.blocks([]), undefined],
      some: [judge.blocks(['a', 'b', 'c', 'd', 'e', 'f']), /^a, b, c, d, e and 1 more; .*"index\.blocks\.read_only_allow_delete":null/],
    });
  });

  describe('retention', () => {
    const up = { timer: { activeState: 'active', unitFileState: 'enabled' }, service: { result: 'success', execMainStatus: 0 } };
    const failed = { ...up, service: { result: 'exit-code', execMainStatus: 1 } };
    const hours = (age: number): { age: number; said: string } => ({ age: age * 3600, said: 'deleted 1' });
    table({
      'this night': [judge.retention(hours(10), up), undefined],
      'a little ago': [judge.retention({ age: 5, said: '' }, up), undefined],
      'at the limit': [judge.retention(hours(26), up), undefined],
      'last night missed': [judge.retention(hours(27), up), /^last success 27 hours ago; journalctl -u metrics-retention/],
      'last night failed': [judge.retention(hours(30), failed), /the last run failed: exit-code, exit status 1; journalctl/],
      never: [judge.retention({ age: undefined, said: '' }, up), /^it has never succeeded/],
      'no timer': [
        judge.retention(hours(1), { ...up, timer: { activeState: 'inactive', unitFileState: 'enabled' } }),
        /^metrics-retention\.timer is inactive;/,
      ],
      'without systemd': [judge.retention(hours(30), undefined), /by cron/],
    });
  });

  describe('a single index', () => {
    table({
      'kept for ever': [judge.unbounded([]), undefined],
      'though a limit was asked for': [
        judge.unbounded(['metrics_index_retention_days: 7']),
        /metrics_index_retention_days: 7: the index grows without bounds; .*rotation: daily/,
      ],
    });
  });

  describe('Elasticsearch', () => {
    table({
      there: [judge.answers('http://10.0.0.1:9200', [], ''), undefined],
      away: [judge.answers(undefined, ['http://10.0.0.1:9200'], 'bring it up first'), /^none of http:\/\/10\.0\.0\.1:9200; bring it up first$/],
    });
  });
});
