import { expect } from 'chai';
import fc from 'fast-check';
import type { World } from '../../../roles/kibana-dashboards/dashboards.mts';
import { measure } from '../../../roles/kibana-dashboards/measures.mts';
import { layOut } from '../../../roles/kibana-dashboards/objects/dashboard.mts';
import { LATEST, type SavedObject } from '../../../roles/kibana-dashboards/objects/saved-object.mts';
import { filters, kql } from '../../../roles/kibana-dashboards/objects/where.mts';
import { PANELS } from '../../../roles/kibana-dashboards/panels.mts';
import { METRICS, metricName } from '../../../roles/logstash-jmx/contract.mts';
import { built, clusters, json, LAB, reference } from './support.mts';

const like = (type: string): SavedObject => reference.find((each) => each.type === type)!;
const keys = (value: object): readonly string[] => Object.keys(value).sort();

const kinds = fc
  .uniqueArray(fc.constantFrom('broker' as const, 'controller' as const, 'broker_controller' as const, 'producer' as const, 'consumer' as const))
  .map((some) => new Set(some));
const world: fc.Arbitrary<World> = fc.record({
  set: fc.constantFrom('tutorial' as const, 'extended' as const),
  clusters: fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[\w-]{1,20}$/), kinds }), { maxLength: 4, selector: ({ name }) => name }),
  index: fc.constantFrom('kafka_mon*', 'other*'),
  pollSeconds: fc.integer({ min: 1, max: 3600 }),
  windowMinutes: fc.integer({ min: 1, max: 10_080 }),
  refreshSeconds: fc.integer({ min: 1, max: 3600 }),
});

/** What the time series builder of 7.10 takes, and of which type. */
const SERIES: Readonly<Record<string, string>> = {
  id: 'string',
  label: 'string',
  color: 'string',
  split_mode: 'string',
  terms_field: 'string',
  terms_size: 'string',
  terms_order_by: 'string',
  terms_direction: 'string',
  split_color_mode: 'string',
  metrics: 'object',
  filter: 'object',
  formatter: 'string',
  value_template: 'string',
  separate_axis: 'number',
  axis_position: 'string',
  chart_type: 'string',
  line_width: 'number',
  point_size: 'number',
  fill: 'number',
  stacked: 'string',
};
const PANEL: Readonly<Record<string, string>> = {
  id: 'string',
  type: 'string',
  series: 'object',
  time_field: 'string',
  index_pattern: 'string',
  default_index_pattern: 'string',
  default_timefield: 'string',
  interval: 'string',
  drop_last_bucket: 'number',
  axis_position: 'string',
  axis_formatter: 'string',
  axis_scale: 'string',
  axis_min: 'string',
  axis_max: 'string',
  show_legend: 'number',
  legend_position: 'string',
  show_grid: 'number',
  tooltip_mode: 'string',
  ignore_global_filter: 'number',
  isModelInvalid: 'boolean',
  background_color_rules: 'object',
  bar_color_rules: 'object',
};
/** Types of visualization that the OSS edition has, of those used here. */
const OSS: readonly unknown[] = ['metrics', 'table', 'markdown', 'input_control_vis'];

function expectTypes(value: object, types: Readonly<Record<string, string>>): void {
  for (const [key, each] of Object.entries(value)) expect(typeof each, key).to.equal(types[key]);
}

describe('saved objects', () => {
  it('have the keys that Kibana 7.10.2 exports', () => {
    for (const object of built().objects) {
      const model = like(object.type);
      expect(keys(object), object.id).to.deep.equal(keys(model).filter((key) => key !== 'updated_at' && key !== 'version'));
      expect(object.migrationVersion, object.id).to.deep.equal(model.migrationVersion);
      for (const each of object.references) expect(keys(each)).to.deep.equal(['id', 'name', 'type']);
    }
  });

  it('are migrated as far as 7.10.2 migrates', () => {
    for (const { type, migrationVersion } of reference) expect(migrationVersion).to.deep.equal({ [type]: LATEST[type] });
  });

  it('have the attributes of their type', () => {
    for (const object of built().objects) {
      const model = keys(like(object.type).attributes);
      const more = object.type === 'dashboard' ? ['refreshInterval', 'timeFrom', 'timeTo'] : [];
      const less = object.type === 'index-pattern' ? ['fields'] : [];
      expect(keys(object.attributes), object.id).to.deep.equal([...model.filter((key) => !less.includes(key)), ...more].sort());
    }
  });

  it('hold panels as Kibana writes them', () => {
    const [panel] = JSON.parse(String(like('dashboard').attributes['panelsJSON'])) as readonly { gridData: object; version: string }[];
    for (const dashboard of built().dashboards) {
      for (const each of JSON.parse(String(dashboard.attributes['panelsJSON'])) as readonly { gridData: object; version: string }[]) {
        expect(keys(each)).to.deep.equal(keys(panel!));
        expect(keys(each.gridData)).to.deep.equal(keys(panel!.gridData));
        expect(each.version).to.equal(panel!.version);
      }
    }
  });

  it('are visualizations of the OSS edition, with what its editor knows', () => {
    for (const object of built({ clusters: clusters('one', 'two') }).objects) {
      if (object.type !== 'visualization') continue;
      const visState = json(object, 'visState') as { type: string; title: string; params: { series?: readonly object[] } };
      expect(keys(visState)).to.deep.equal(['aggs', 'params', 'title', 'type']);
      expect(OSS).to.include(visState.type);
      expect(visState.title).to.equal(object.attributes['title']);
      if (visState.type !== 'metrics') continue;
      expectTypes(visState.params, PANEL);
      for (const series of visState.params.series ?? []) expectTypes(series, SERIES);
    }
  });

  it('split into as many lines as there are brokers, in the order of their names', () => {
    const text = built()
      .objects.map(({ attributes }) => JSON.stringify(attributes))
      .join('\n');
    for (const [, size] of text.matchAll(/\\"(?:terms_size|size)\\":(?:\\")?(\d+)/g)) expect([1, 100]).to.include(Number(size));
    expect(text).to.match(/terms_order_by\\":\\"_key/);
    expect(text).not.to.match(/terms_size\\":\\"5\b/);
  });
});

describe('dashboards of any inventory', () => {
  it('fit the grid without a hole or an overlap, and refer to what there is', () => {
    fc.assert(
      fc.property(world, (some) => {
        const { objects, dashboards } = built(some);
        const ids = objects.map(({ type, id }) => `${type} ${id}`);
        expect(new Set(ids).size).to.equal(ids.length);
        for (const [at, object] of objects.entries())
          for (const { type, id } of object.references) expect(ids.indexOf(`${type} ${id}`), `${object.id} to ${id}`).to.be.within(0, at - 1);
        for (const dashboard of dashboards) {
          const panels = (
            JSON.parse(String(dashboard.attributes['panelsJSON'])) as readonly {
              panelIndex: string;
              gridData: { x: number; y: number; w: number; h: number };
            }[]
          ).map(({ gridData, panelIndex }) => ({ ...gridData, panelIndex }));
          expect(new Set(panels.map(({ panelIndex }) => panelIndex)).size).to.equal(panels.length);
          const area = panels.reduce((sum, { w, h }) => sum + w * h, 0);
          expect(area).to.equal(48 * Math.max(...panels.map(({ y, h }) => y + h)));
          for (const one of panels) {
            expect(one.x + one.w).to.be.at.most(48);
            for (const other of panels) {
              if (one === other) continue;
              expect(one.x + one.w <= other.x || other.x + other.w <= one.x || one.y + one.h <= other.y || other.y + other.h <= one.y).to.equal(true);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('draw nothing that is on no dashboard', () => {
    const { objects, dashboards } = built();
    const shown = new Set(dashboards.flatMap(({ references }) => references.map(({ id }) => id)));
    for (const { type, id } of objects) if (type === 'visualization') expect([...shown], id).to.include(id);
  });

  it('leave out what nobody has values for', () => {
    const alone = built({ clusters: [{ name: 'kafka', kinds: new Set(['broker']) }] });
    expect(alone.left).to.include.members(['Producer: records sent', 'Consumer lag (records)', 'Active controllers (must be 1)']);
    expect(alone.panels.map(({ title }) => title)).not.to.include('Producer: records sent');
    expect(built({ set: 'tutorial' }).left).to.include.members(['Java heap used', 'Offline partitions']);
    expect(built().left).to.deep.equal([]);
  });

  it('never add up two clusters', () => {
    const numbers = built({ clusters: clusters('blue', 'green') }).panels.find(({ title }) => title === PANELS.activeControllers.title);
    expect(numbers?.series.map(({ label, where }) => [label, where.cluster])).to.deep.equal([
      ['blue', ['blue']],
      ['green', ['green']],
    ]);
    expect(built().panels.find(({ title }) => title === PANELS.activeControllers.title)?.series[0]).to.deep.include({
      by: 'broker',
      total: 'sum',
      value: 'max',
    });
  });

  it('ask a cluster only for what its processes have', () => {
    const observed = { name: 'blue', kinds: new Set(['broker'] as const) };
    const { panels } = built({ clusters: [...clusters('kafka'), observed] });
    const of = (title: string) => panels.find((panel) => panel.title === title)?.series.map(({ label }) => label);
    expect(of(PANELS.activeControllers.title)).to.deep.equal(['kafka']);
    expect(of(PANELS.brokersReporting.title)).to.deep.equal(['kafka', 'blue']);
  });

  it('open with the time and the pace of the inventory', () => {
    const [overview] = built({ windowMinutes: 60, refreshSeconds: 30, pollSeconds: 20 }).dashboards;
    expect(overview?.attributes).to.deep.include({ timeRestore: true, timeFrom: 'now-60m', timeTo: 'now', refreshInterval: { pause: false, value: 30_000 } });
    expect(JSON.stringify(built({ pollSeconds: 20 }).objects))
      .to.include('>=60s')
      .and.not.to.include('>=10s');
    expect(LAB.pollSeconds).to.equal(1);
  });

  it('lay rows out in full width', () => {
    const tile = { object: built().objects.find(({ type }) => type === 'visualization') as SavedObject<'visualization'> };
    expect(
      layOut([
        { height: 4, tiles: [tile, tile, tile, tile, tile] },
        { height: 9, tiles: [] },
        { height: 2, tiles: [tile] },
      ]).map(({ x, y, w, h }) => [x, y, w, h]),
    ).to.deep.equal([
      [0, 0, 10, 4],
      [10, 0, 9, 4],
      [19, 0, 10, 4],
      [29, 0, 9, 4],
      [38, 0, 10, 4],
      [0, 4, 48, 2],
    ]);
  });
});

describe('measures', () => {
  it('are names that the collector writes', () => {
    const names = METRICS.flatMap((query) =>
      query.attributes.flatMap((attribute) => (query.composite ?? [undefined]).map((key) => metricName(query, attribute, key))),
    );
    for (const { measure: of } of Object.values(PANELS)) expect(names).to.include(of.metric);
  });
  it('that nobody collects are refused', () => {
    expect(() => measure('kafka.server:type=BrokerTopicMetrics,name=BytesInPerSecond', 'OneMinuteRate')).to.throw(/0 objects named/);
    expect(() => measure('kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec', 'Mean')).to.throw(/asked for Mean/);
    expect(() => measure('java.lang:type=Memory', 'HeapMemoryUsage', 'uesd')).to.throw(/with uesd/);
    expect(() => measure('kafka.server:type=ReplicaManager', 'Value')).to.throw(/\d objects/);
  });
});

describe('which documents are meant', () => {
  it('is the same in both languages', () => {
    const where = { metric: ['a "b" \\c'], kind: ['broker', 'controller'] } as const;
    expect(kql(where)).to.equal('metric : "a \\"b\\" \\\\c" and kind : ("broker" or "controller")');
    expect(filters(where)).to.deep.equal([{ terms: { metric: ['a "b" \\c'] } }, { terms: { kind: ['broker', 'controller'] } }]);
    expect(kql({})).to.equal('');
  });
});
