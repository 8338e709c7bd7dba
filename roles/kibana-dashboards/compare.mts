/** Saved objects compared by what they mean: JSON in strings is read, and what people only look through is nobody's drift. */
import type { Difference } from '../../lib/index.mts';
import { LATEST, type Reference, type SavedObject } from './objects/saved-object.mts';

/** Attributes that hold JSON. */
const JSON_ATTRIBUTES: ReadonlySet<string> = new Set(['visState', 'panelsJSON', 'optionsJSON', 'searchSourceJSON', 'fields', 'fieldFormatMap']);
/** How somebody left the view, and what Kibana counts for itself. */
const IGNORED: ReadonlySet<string> = new Set(['uiStateJSON', 'version', 'hits']);
/** Of an index pattern: what Kibana finds in Elasticsearch, and what people add to it. */
const OF_PEOPLE: ReadonlySet<string> = new Set(['fields', 'fieldFormatMap', 'sourceFilters', 'typeMeta', 'type', 'intervalName', 'fieldAttrs', 'allowNoIndex']);

/** Another version of Kibana may have written it, so that only what is there can be told apart. */
const isOlder = ({ type, migrationVersion }: SavedObject): boolean => LATEST[type] !== undefined && migrationVersion?.[type] !== LATEST[type];

/** `titles`: what the ids of visualizations are called, for panels that only have an id. */
export function differences(have: SavedObject, want: SavedObject, titles: ReadonlyMap<string, string>): readonly Difference[] {
  // An older export is migrated when it is sent, and what it becomes is Kibana's to say.
  if (isOlder(want)) return deep(have.attributes['title'], want.attributes['title'], 'title');
  const panels = want.type === 'dashboard' ? comparePanels(have, want, titles) : [];
  const left = want.type === 'dashboard' ? ['panelsJSON'] : [];
  const skipped = new Set([...IGNORED, ...left, ...(want.type === 'index-pattern' ? OF_PEOPLE : [])]);
  return [
    ...deep(attributes(have, skipped), attributes(want, skipped), ''),
    ...(want.type === 'dashboard' ? [] : deep(references(have), references(want), 'references')),
    ...panels,
  ];
}

function attributes({ attributes: all }: SavedObject, skipped: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (skipped.has(key) ? [] : [[key, meaning(key, value)]])));
}

/** JSON read, also one level down: the search source is in an object. Text that is no JSON stays what it is. */
function meaning(key: string, value: unknown): unknown {
  if (typeof value === 'string' && JSON_ATTRIBUTES.has(key)) return parsed(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, meaning(name, inner)]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const references = ({ references: all }: SavedObject): Readonly<Record<string, string>> =>
  Object.fromEntries(all.map(({ name, type, id }) => [name, `${type} ${id}`]));

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every place where two values differ, as `a.b[0].c`; `null` and nothing are the same. */
export function deep(have: unknown, want: unknown, path: string): readonly Difference[] {
  if (isObject(have) && isObject(want)) {
    const keys = [...new Set([...Object.keys(want), ...Object.keys(have)])];
    return keys.flatMap((key) => deep(have[key], want[key], path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(have) && Array.isArray(want)) {
    const length = Math.max(have.length, want.length);
    return Array.from({ length }, (_, at) => at).flatMap((at) => deep(have[at], want[at], `${path}[${String(at)}]`));
  }
  return (have ?? undefined) === (want ?? undefined) ? [] : [{ path, have: have ?? undefined, want: want ?? undefined }];
}

// ---- panels ------------------------------------------------------------------------------------------------------

interface PanelMeaning {
  readonly shows: string;
  readonly gridData: Readonly<Record<string, unknown>>;
  readonly title: unknown;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Panels by what they show and where: their order, and the names under which they are referred to, are Kibana's own affair. */
function comparePanels(have: SavedObject, want: SavedObject, titles: ReadonlyMap<string, string>): readonly Difference[] {
  const now = panelsOf(have);
  const wanted = panelsOf(want);
  const name = (panel: PanelMeaning): string => `panel "${titles.get(panel.shows.slice(panel.shows.indexOf(' ') + 1)) ?? panel.shows}"`;
  return [
    ...[...wanted].flatMap(([index, panel]): readonly Difference[] => {
      const found = now.get(index);
      if (found === undefined) return [{ path: `${name(panel)} missing`, have: undefined, want: place(panel) }];
      return [
        ...deep(found.shows, panel.shows, `${name(panel)}: shows`),
        ...deep(found.gridData, panel.gridData, `${name(panel)}: gridData`),
        ...deep(found.title, panel.title, `${name(panel)}: title`),
        // Colours, sort orders and zoom are how somebody looked at it; what we say nothing of is not ours.
        ...Object.entries(panel.config).flatMap(([key, value]) => deep(found.config[key], value, `${name(panel)}: ${key}`)),
      ];
    }),
    ...[...now].flatMap(([index, panel]): readonly Difference[] =>
      wanted.has(index) ? [] : [{ path: `${name(panel)} added`, have: place(panel), want: undefined }],
    ),
  ];
}

const place = ({ gridData: { x, y, w, h } }: PanelMeaning): string => `x ${String(x)}, y ${String(y)}, w ${String(w)}, h ${String(h)}`;

function panelsOf({ attributes: { panelsJSON }, references: all }: SavedObject): ReadonlyMap<string, PanelMeaning> {
  const panels: unknown = typeof panelsJSON === 'string' ? parsed(panelsJSON) : [];
  if (!Array.isArray(panels)) return new Map();
  return new Map(
    panels.filter(isObject).map((panel, at): [string, PanelMeaning] => {
      const { panelIndex, gridData, title, embeddableConfig, panelRefName } = panel;
      return [
        typeof panelIndex === 'string' ? panelIndex : String(at),
        {
          shows: showing(all, panelRefName),
          gridData: isObject(gridData) ? gridData : {},
          // Kibana writes the title of a panel only where it differs from that of what it shows.
          title: title === '' ? undefined : title,
          config: isObject(embeddableConfig) ? embeddableConfig : {},
        },
      ];
    }),
  );
}

function showing(all: readonly Reference[], name: unknown): string {
  const found = all.find((reference) => reference.name === name);
  return found === undefined ? 'nothing' : `${found.type} ${found.id}`;
}
