/** What Google offers and nobody creates: machine types, disk types and images, and the pages of regions, zones and projects. A part of the real catalogue, with its real names. */
import type { Cloud } from './cloud.mts';
import { invalidField, notFound } from './errors.mts';
import { list } from './lists.mts';
import { checkScope, regionOf, scopes, zonesOf } from './places.mts';
import { route, type Route } from './route.mts';
import { LINKS, lastPart, pathOf } from './values.mts';

/** Virtual CPUs and MiB of memory. */
const MACHINE_TYPES: Readonly<Record<string, readonly [number, number]>> = {
  'e2-micro': [2, 1024],
  'e2-small': [2, 2048],
  'e2-medium': [2, 4096],
  'e2-standard-2': [2, 8192],
  'e2-standard-4': [4, 16384],
  'e2-standard-8': [8, 32768],
  'e2-highmem-2': [2, 16384],
  'e2-highmem-4': [4, 32768],
  'n1-standard-1': [1, 3840],
  'n2-standard-2': [2, 8192],
  'n2-standard-4': [4, 16384],
  'n2-standard-8': [8, 32768],
};

const DISK_TYPES = ['pd-standard', 'pd-balanced', 'pd-ssd'];

/** Image project, family, image, GB. */
const IMAGES: readonly (readonly [string, string, string, string])[] = [
  ['debian-cloud', 'debian-11', 'debian-11-bullseye-v20250610', '10'],
  ['debian-cloud', 'debian-12', 'debian-12-bookworm-v20250610', '10'],
  ['ubuntu-os-cloud', 'ubuntu-2204-lts', 'ubuntu-2204-jammy-v20250617', '10'],
  ['ubuntu-os-cloud', 'ubuntu-2404-lts-amd64', 'ubuntu-2404-noble-amd64-v20250620', '10'],
  ['rocky-linux-cloud', 'rocky-linux-8', 'rocky-linux-8-v20250610', '20'],
  ['rocky-linux-cloud', 'rocky-linux-9', 'rocky-linux-9-v20250611', '20'],
  ['almalinux-cloud', 'almalinux-8', 'almalinux-8-v20250610', '20'],
  ['almalinux-cloud', 'almalinux-9', 'almalinux-9-v20250610', '20'],
];

/** The machine type that a link names, as the API keeps it. @throws the API's error for one that the zone does not have. */
export function machineType(project: string, zone: string, link: string): string {
  const [, where = '', name = ''] = /^(?:.*\/)?zones\/([^/]+)\/machineTypes\/([^/]+)$/.exec(link) ?? [];
  if (where === '') throw invalidField('machineType', link, 'The URL is malformed.');
  if (where !== zone) throw invalidField('machineType', link, `The machine type must be in the zone of the instance, '${zone}'.`);
  if (MACHINE_TYPES[name] === undefined) throw invalidField('machineType', link, `Machine type with name '${name}' does not exist in zone '${zone}'.`);
  return `${LINKS}projects/${project}/zones/${zone}/machineTypes/${name}`;
}

export function diskType(project: string, zone: string, link: string): string {
  const name = lastPart(link);
  if (!DISK_TYPES.includes(name)) throw notFound(`projects/${project}/zones/${zone}/diskTypes/${name}`);
  return `${LINKS}projects/${project}/zones/${zone}/diskTypes/${name}`;
}

export interface Image {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly family: string;
  readonly selfLink: string;
  readonly diskSizeGb: string;
}

/** The image that a link names by itself, by its family, or by the view of its family. @throws the API's 404 */
export function image(link: string): Image {
  const path = pathOf(link);
  const [, project = '', kind = '', name = ''] =
    /^projects\/([^/]+)\/(global\/images|global\/images\/family|zones\/[^/]+\/imageFamilyViews)\/([^/]+)$/.exec(path) ?? [];
  const found = images().find((one) => one.selfLink.includes(`/projects/${project}/`) && name === (kind === 'global/images' ? one.name : one.family));
  if (found === undefined) throw notFound(path);
  return found;
}

const images = (): Image[] =>
  IMAGES.map(([project, family, name, diskSizeGb], index) => ({
    kind: 'compute#image',
    id: String(1_000_000_000_000_000_000n + BigInt(index)),
    name,
    family,
    selfLink: `${LINKS}projects/${project}/global/images/${name}`,
    status: 'READY',
    architecture: 'X86_64',
    diskSizeGb,
    sourceType: 'RAW',
    creationTimestamp: '2025-06-10T09:00:00.000-07:00',
  }));

const region = (project: string, name: string): object => ({
  kind: 'compute#region',
  id: '1610',
  name,
  description: name,
  status: 'UP',
  selfLink: `${LINKS}projects/${project}/regions/${name}`,
  zones: zonesOf(name).map((zone) => `${LINKS}projects/${project}/zones/${zone}`),
  quotas: [
    { metric: 'CPUS', limit: 72, usage: 0 },
    { metric: 'IN_USE_ADDRESSES', limit: 69, usage: 0 },
  ],
});

const zone = (project: string, name: string): object => ({
  kind: 'compute#zone',
  id: '2610',
  name,
  description: name,
  status: 'UP',
  region: `${LINKS}projects/${project}/regions/${regionOf(name)}`,
  selfLink: `${LINKS}projects/${project}/zones/${name}`,
});

function machine(project: string, scope: string, name: string): object {
  const [guestCpus, memoryMb] = MACHINE_TYPES[name] ?? [];
  if (guestCpus === undefined) throw notFound(`projects/${project}/${scope}/machineTypes/${name}`);
  return {
    kind: 'compute#machineType',
    id: '801004',
    name,
    guestCpus,
    memoryMb,
    zone: lastPart(scope),
    maximumPersistentDisks: 128,
    selfLink: `${LINKS}projects/${project}/${scope}/machineTypes/${name}`,
  };
}

const projectBody = (cloud: Cloud, name: string): object => ({
  kind: 'compute#project',
  id: cloud.projects.get(name)?.number,
  name,
  defaultServiceAccount: `${String(cloud.projects.get(name)?.number)}-compute@developer.gserviceaccount.com`,
  defaultNetworkTier: 'PREMIUM',
  selfLink: `${LINKS}projects/${name}`,
  quotas: [{ metric: 'NETWORKS', limit: 15, usage: 1 }],
  commonInstanceMetadata: { kind: 'compute#metadata', fingerprint: 'AAAAAAAAAAA=' },
});

/** Routes of the catalogue. The scope `regions/R` itself is the resource here. */
export const catalogueRoutes: readonly Route[] = [
  route('GET', 'zones', ({ project, scope }) => {
    checkScope(project.name, scope);
    return zone(project.name, lastPart(scope));
  }),
  route('GET', 'regions', ({ project, scope }) => {
    checkScope(project.name, scope);
    return region(project.name, lastPart(scope));
  }),
  route('GET', 'zones/machineTypes/NAME', ({ project, scope, name }) => machine(project.name, scope, name)),
  route('GET', 'zones/machineTypes', (call) =>
    list(
      call,
      'machineType',
      Object.keys(MACHINE_TYPES).map((name) => machine(call.project.name, call.scope, name)),
    ),
  ),
  route('GET', 'zones/diskTypes/NAME', ({ project, scope, name }) => ({
    kind: 'compute#diskType',
    name,
    zone: scope,
    selfLink: diskType(project.name, lastPart(scope), name),
  })),
  route('GET', 'global/images/family/NAME', ({ project, name }) => image(`projects/${project.name}/global/images/family/${name}`)),
  route('GET', 'global/images/NAME', ({ project, name }) => image(`projects/${project.name}/global/images/${name}`)),
  route('GET', 'zones/imageFamilyViews/NAME', ({ project, name }) => ({ image: image(`projects/${project.name}/global/images/family/${name}`) })),
  route('GET', 'global/images', (call) =>
    list(
      call,
      'image',
      images().filter(({ selfLink }) => selfLink.includes(`/projects/${call.project.name}/`)),
    ),
  ),
  { method: 'GET', pattern: /^projects\/(?<project>[^/]+)$/, answer: ({ cloud, project }) => projectBody(cloud, project.name) },
  {
    method: 'GET',
    pattern: /^projects\/(?<project>[^/]+)\/zones$/,
    answer: (call) =>
      list(
        call,
        'zone',
        scopes('zones').map((scope) => zone(call.project.name, lastPart(scope))),
      ),
  },
  {
    method: 'GET',
    pattern: /^projects\/(?<project>[^/]+)\/regions$/,
    answer: (call) =>
      list(
        call,
        'region',
        scopes('regions').map((scope) => region(call.project.name, lastPart(scope))),
      ),
  },
];
