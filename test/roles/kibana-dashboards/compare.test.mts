import { expect } from 'chai';
import { deep, differences } from '../../../roles/kibana-dashboards/compare.mts';
import type { SavedObject } from '../../../roles/kibana-dashboards/objects/saved-object.mts';
import { built, changed, reference } from './support.mts';

const { objects, dashboards } = built();
const titles = new Map(objects.map(({ id, attributes }) => [id, String(attributes['title'])]));
const find = (type: string, title: string): SavedObject => objects.find((each) => each.type === type && each.attributes['title'] === title)!;
const paths = (have: SavedObject, want: SavedObject): readonly string[] => differences(have, want, titles).map(({ path }) => path);
const overview: SavedObject = dashboards[0]!;
const bytesIn = find('visualization', 'Bytes in');

type Panel = { panelIndex: string; panelRefName: string; gridData: { w: number }; embeddableConfig: Record<string, unknown>; title?: string };
/** Panels changed as Kibana's editor does: it also numbers all references anew. */
const edited = (of: SavedObject, edit: (panels: Panel[]) => Panel[]): SavedObject => {
  const panels = edit(JSON.parse(String(of.attributes['panelsJSON'])) as Panel[]);
  const references = panels.map(({ panelRefName }, at) => ({ ...of.references.find(({ name }) => name === panelRefName)!, name: `panel_${String(at)}` }));
  const numbered = panels.map((panel, at) => ({ ...panel, panelRefName: `panel_${String(at)}` }));
  return { ...changed(of, (attributes) => (attributes['panelsJSON'] = JSON.stringify(numbered))), references };
};

describe('saved objects compared by meaning', () => {
  it('are the same as themselves', () => {
    for (const object of [...objects, ...reference]) expect(differences(object, object, titles), object.id).to.deep.equal([]);
  });

  it('do not depend on spaces, on the order of keys, or on how somebody left the view', () => {
    const sorted = (value: unknown): unknown =>
      typeof value !== 'object' || value === null || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, each]) => [key, sorted(each)]),
          );
    const other = changed(bytesIn, (attributes) => {
      attributes['visState'] = JSON.stringify(sorted(JSON.parse(String(attributes['visState']))), null, 2);
      attributes['uiStateJSON'] = '{"vis":{"legendOpen":false}}';
      attributes['version'] = 3;
    });
    expect(paths(other, bytesIn)).to.deep.equal([]);
  });

  it('name the field that differs', () => {
    const other = changed(bytesIn, (attributes) => (attributes['visState'] = String(attributes['visState']).replace('"terms_size":"100"', '"terms_size":"5"')));
    expect(differences(other, bytesIn, titles)).to.deep.equal([{ path: 'visState.params.series[0].terms_size', have: '5', want: '100' }]);
    expect(
      paths(
        changed(bytesIn, (attributes) => (attributes['title'] = 'x')),
        bytesIn,
      ),
    ).to.deep.equal(['title']);
    expect(
      paths(
        changed(bytesIn, (attributes) => (attributes['visState'] = 'no JSON')),
        bytesIn,
      ),
    ).to.deep.equal(['visState']);
  });

  it('name a panel that was deleted, and nothing else', () => {
    const without = edited(overview, (panels) => panels.filter(({ panelIndex }) => panelIndex !== bytesIn.id));
    expect(differences(without, overview, titles)).to.deep.equal([{ path: 'panel "Bytes in" missing', have: undefined, want: 'x 0, y 11, w 24, h 12' }]);
  });

  it('name a panel that was moved, added, or called something else', () => {
    const change = (edit: (panel: Panel) => void) =>
      paths(
        edited(overview, (panels) => {
          edit(panels.find(({ panelIndex }) => panelIndex === bytesIn.id)!);
          return panels;
        }),
        overview,
      );
    expect(change((panel) => (panel.gridData.w = 30))).to.deep.equal(['panel "Bytes in": gridData.w']);
    expect(change((panel) => (panel.title = 'mine'))).to.deep.equal(['panel "Bytes in": title']);
    expect(change((panel) => (panel.title = ''))).to.deep.equal([]);
    expect(change((panel) => (panel.embeddableConfig = { vis: { colors: {} } }))).to.deep.equal([]);
    expect(
      paths(
        edited(overview, (panels) => [...panels, { ...panels[6]!, panelIndex: 'new' }]),
        overview,
      ),
    ).to.deep.equal(['panel "Bytes in" added']);
    expect(
      paths(
        edited(overview, (panels) => panels.toReversed()),
        overview,
      ),
    ).to.deep.equal([]);
  });

  it('see another time range, not another count of views', () => {
    expect(
      paths(
        changed(overview, (attributes) => (attributes['timeFrom'] = 'now-7d')),
        overview,
      ),
    ).to.deep.equal(['timeFrom']);
    expect(
      paths(
        changed(overview, (attributes) => (attributes['hits'] = 12)),
        overview,
      ),
    ).to.deep.equal([]);
  });

  it('leave what people add to an index pattern', () => {
    const pattern = objects[0]!;
    const used = changed(pattern, (attributes) => {
      attributes['fields'] = '[]';
      attributes['fieldFormatMap'] = '{}';
    });
    expect(paths(used, pattern)).to.deep.equal([]);
    expect(
      paths(
        changed(pattern, (attributes) => (attributes['title'] = 'x*')),
        pattern,
      ),
    ).to.deep.equal(['title']);
  });

  it('say little of an older export, which Kibana migrates', () => {
    const old = { ...bytesIn, migrationVersion: { visualization: '7.4.2' } };
    expect(
      paths(
        changed(bytesIn, (attributes) => (attributes['visState'] = '{}')),
        old,
      ),
    ).to.deep.equal([]);
  });

  it('tell lists and nothing apart', () => {
    expect(deep([1, 2], [1], 'a')).to.deep.equal([{ path: 'a[1]', have: 2, want: undefined }]);
    expect(deep(null, undefined, 'a')).to.deep.equal([]);
    expect(deep({ a: [] }, { a: {} }, '')).to.have.length(1);
  });
});
