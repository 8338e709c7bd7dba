/** Regions and zones. */
import { invalid } from './errors.mts';

/** Zones by their last letter, and the range of the region's subnetwork in a network in automatic mode. */
const REGIONS: Readonly<Record<string, { readonly zones: readonly string[]; readonly range: string }>> = {
  'us-central1': { zones: ['a', 'b', 'c', 'f'], range: '10.128.0.0/20' },
  'europe-west1': { zones: ['b', 'c', 'd'], range: '10.132.0.0/20' },
  'asia-northeast1': { zones: ['a', 'b', 'c'], range: '10.146.0.0/20' },
  'asia-northeast3': { zones: ['a', 'b', 'c'], range: '10.178.0.0/20' },
};

/** Regions with the range that a network in automatic mode has there. */
export const automaticRanges: readonly (readonly [string, string])[] = Object.entries(REGIONS).map(([name, { range }]) => [name, range]);

export const zonesOf = (region: string): string[] => (REGIONS[region]?.zones ?? []).map((letter) => `${region}-${letter}`);
export const regionOf = (zone: string): string => zone.replace(/-[a-z]$/, '');

/** Every scope of a project's zones or regions, as lists over all of them show it. */
export const scopes = (kind: 'zones' | 'regions'): string[] =>
  Object.keys(REGIONS).flatMap((region) => (kind === 'regions' ? [`regions/${region}`] : zonesOf(region).map((zone) => `zones/${zone}`)));

/** @throws the API's error for a zone or region that does not exist. */
export function checkScope(project: string, scope: string): void {
  const [kind, place = ''] = scope.split('/');
  const known = kind === 'global' || (kind === 'zones' ? zonesOf(regionOf(place)).includes(place) : REGIONS[place] !== undefined);
  if (known) return;
  throw kind === 'zones'
    ? invalid(`Invalid value for field 'zone': '${place}'. Unknown zone.`)
    : invalid(`Invalid value for field 'region': '${place}'. Unknown region.`);
}
