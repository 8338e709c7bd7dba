/** Dashboards on Kibana's grid of 48 columns, laid out in rows. */
import { migrated, OURS, ourId, type SavedObject } from './saved-object.mts';

const COLUMNS = 48;
/** The version of the panels' own format: Kibana adds keys to older ones when it opens them. */
const PANEL_VERSION = '7.10.2';

export interface Tile {
  readonly object: SavedObject<'visualization'>;
  /** A chart has a title; text and controls speak for themselves. */
  readonly untitled?: true;
}

export interface Row {
  readonly height: number;
  /** Side by side, each as wide as the others; a row without any is left out. */
  readonly tiles: readonly Tile[];
}

export interface DashboardOptions {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly Row[];
  readonly windowMinutes: number;
  readonly refreshSeconds: number;
}

interface Placed extends Tile {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export function layOut(rows: readonly Row[]): readonly Placed[] {
  let y = 0;
  return rows.flatMap(({ height, tiles }) => {
    const top = y;
    if (tiles.length > 0) y += height;
    const edge = (at: number): number => Math.round((at * COLUMNS) / tiles.length);
    return tiles.map((tile, at) => ({ ...tile, x: edge(at), y: top, w: edge(at + 1) - edge(at), h: height }));
  });
}

export function dashboard({ id, title, rows, windowMinutes, refreshSeconds }: DashboardOptions): SavedObject<'dashboard'> {
  const placed = layOut(rows);
  return {
    type: 'dashboard',
    id: ourId(id),
    attributes: {
      title,
      description: OURS,
      hits: 0,
      version: 1,
      panelsJSON: JSON.stringify(
        placed.map(({ object, untitled, x, y, w, h }, at) => ({
          version: PANEL_VERSION,
          gridData: { x, y, w, h, i: object.id },
          panelIndex: object.id,
          embeddableConfig: untitled === undefined ? {} : { hidePanelTitles: true },
          panelRefName: `panel_${String(at)}`,
        })),
      ),
      optionsJSON: JSON.stringify({ hidePanelTitles: false, useMargins: true }),
      timeRestore: true,
      timeFrom: `now-${String(windowMinutes)}m`,
      timeTo: 'now',
      refreshInterval: { pause: false, value: refreshSeconds * 1000 },
      kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] }) },
    },
    references: placed.map(({ object }, at) => ({ name: `panel_${String(at)}`, type: object.type, id: object.id })),
    ...migrated('dashboard'),
  };
}
