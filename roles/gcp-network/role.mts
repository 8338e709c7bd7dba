import { allOf, apiIsOff, change, controllerCommand, defineControllerRole, gcloud, type Change, type Question, type Resource } from '../../lib/index.mts';
import { gcp, instances, PROVIDER } from '../gcp-instances/contract.mts';
import { natCreation, subnetCreation, type Argv } from './creation.mts';
import { found, hasNat, hasNetwork, routerName, subnetList, subnetOf } from './found.mts';
import { pathOf, placesOf, type Place } from './places.mts';
import { refusals } from './refusals.mts';

const API = 'compute.googleapis.com';
/** Switching an API on, and making a network, in seconds. */
const PATIENCE_SECONDS = 600;

export default defineControllerRole({
  name: 'gcp-network',
  contract: gcp,
  summary: 'networks of the instances: subnet, router and NAT, made where gcp_network_managed says so, otherwise checked',
  runs: 'controller',
  per: 'group',
  concerns: PROVIDER,
  refuses: ({ inventory, within }) => {
    const places = placesOf(instances(inventory).filter(({ name }) => within.has(name)));
    return allOf(places.map((place) => found(place).map((now) => refusals(place, now)))).map((all) => all.flat());
  },
  resources: ({ inventory, within }) => networkResources(placesOf(instances(inventory).filter(({ name }) => within.has(name)))),
});

/** Of the places that are made where they are missing; the others are only judged. */
export function networkResources(places: readonly Place[]): readonly Resource[] {
  const managed = places.filter((place) => place.managed);
  const projects = [...new Set(managed.map(({ project }) => project))];
  const outside = managed.filter(({ nat }, index) => nat && managed.findIndex((other) => other.nat && natKey(other) === natKey(managed[index])) === index);
  return [...projects.map(api), ...managed.map(subnet), ...outside.map(nat)];
}

const natKey = (place: Place | undefined): string => (place === undefined ? '' : [place.project, place.region, place.network].join('/'));

function made(id: string, differs: Question<readonly Change[]>, calls: (changes: readonly Change[]) => readonly Argv[]): Resource {
  return controllerCommand(id, {
    differs,
    run: (steps, changes) => {
      steps.within(PATIENCE_SECONDS, (patient) => {
        for (const argv of calls(changes)) patient.controller(argv);
      });
    },
  });
}

const api = (project: string): Resource =>
  made(
    `API ${API} of ${project}`,
    apiIsOff(subnetList({ project })).map((off) => (off ? [change('API', 'off', 'on')] : [])),
    () => [gcloud(['services', 'enable', API], { project })],
  );

function subnet(place: Place): Resource {
  const differs = found(place).map((now) =>
    subnetOf(place, now) !== undefined
      ? []
      : [
          ...(hasNetwork(place, now) ? [] : [change('network', { kind: 'absent' }, `${place.network}, custom mode`)]),
          change('subnet', { kind: 'absent' }, `${place.range ?? 'no range'} in ${place.network}`),
        ],
  );
  return made(`subnet ${pathOf(place)}`, differs, (changes) => subnetCreation(place, { hasNetwork: changes.every(({ field }) => field !== 'network') }));
}

function nat(place: Place): Resource {
  const differs = found(place).map((now) => (hasNat(place, now) ? [] : [change('NAT', { kind: 'absent' }, `all subnets, by router ${routerName(place)}`)]));
  return made(`NAT ${natKey(place)}`, differs, () => natCreation(place));
}
