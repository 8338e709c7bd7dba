import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { dashboardsOf, type Cluster, type Dashboards, type World } from '../../../roles/kibana-dashboards/dashboards.mts';
import type { SavedObject } from '../../../roles/kibana-dashboards/objects/saved-object.mts';

export const CASES = resolve(import.meta.dirname, '../../cases/saved-objects');
/** Made by Kibana 7.10.2 itself. */
export const EXPORT = resolve(CASES, 'export-7.10.2.ndjson');
/** Made by Kibana 7.16.2 itself. */
export const NEWER = resolve(CASES, 'export-7.16.2-not-importable.ndjson');

export const reference: readonly SavedObject[] = readFileSync(EXPORT, 'utf8')
  .split('\n')
  .filter((line) => line.includes('"type":'))
  .map((line) => JSON.parse(line) as SavedObject);

/** Clusters with every kind of process that the lab has. */
export const clusters = (...names: readonly string[]): readonly Cluster[] =>
  names.map((name) => ({ name, kinds: new Set(['broker_controller', 'broker', 'producer', 'consumer'] as const) }));

/** The lab: two brokers, one of which is the controller, and clients. */
export const LAB: World = {
  set: 'extended',
  clusters: clusters('kafka'),
  index: 'kafka_mon*',
  pollSeconds: 1,
  windowMinutes: 15,
  refreshSeconds: 10,
};

export const built = (more: Partial<World> = {}): Dashboards => dashboardsOf({ ...LAB, ...more });

export const json = (object: SavedObject, attribute: string): Record<string, unknown> =>
  JSON.parse(String(object.attributes[attribute])) as Record<string, unknown>;

/** As Kibana gives an object back after it was saved in a browser. */
export const changed = (object: SavedObject, change: (attributes: Record<string, unknown>) => void): SavedObject => {
  const attributes = structuredClone(object.attributes) as Record<string, unknown>;
  change(attributes);
  return { ...object, attributes };
};
