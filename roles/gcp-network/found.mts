/** Subnets and routers as gcloud lists them. */
import { z } from 'zod';
import { all, constant, gcloud, gcloudList, type Question } from '../../lib/index.mts';
import { lastPart } from '../gcp-instances/contract.mts';
import type { Place } from './places.mts';

const reference = z.string().transform(lastPart);
const subnet = z.object({ name: z.string(), network: reference, region: reference, ipCidrRange: z.string().exactOptional() });
const nat = z.object({
  name: z.string(),
  sourceSubnetworkIpRangesToNat: z.string().default('ALL_SUBNETWORKS_ALL_IP_RANGES'),
  subnetworks: z.array(z.object({ name: reference })).default([]),
});
const router = z.object({ name: z.string(), network: reference, region: reference, nats: z.array(nat).default([]) });
export type Subnet = z.output<typeof subnet>;
export type Router = z.output<typeof router>;

export interface Found {
  readonly subnets: readonly Subnet[];
  readonly routers: readonly Router[];
}

export const subnetList = ({ project }: Pick<Place, 'project'>): readonly [string, ...string[]] =>
  gcloud(['compute', 'networks', 'subnets', 'list'], { project });

/** What there is in the project of a place; routers are asked for only where NAT matters. */
export const found = ({ project, managed, nat: matters }: Place): Question<Found> =>
  all({
    subnets: gcloudList(subnet, subnetList({ project }), { mayBeOff: managed }),
    routers: matters ? gcloudList(router, gcloud(['compute', 'routers', 'list'], { project }), { mayBeOff: managed }) : constant([]),
  });

export const subnetOf = (place: Place, { subnets }: Found): Subnet | undefined =>
  subnets.find(({ name, region }) => name === place.subnet && region === place.region);

/** A subnet shows that there is its network. */
export const hasNetwork = ({ network }: Place, { subnets }: Found): boolean => subnets.some((each) => each.network === network);

const routersOf = (place: Place, { routers }: Found): readonly Router[] =>
  routers.filter(({ network, region }) => network === place.network && region === place.region);

/** Whether some NAT of the network takes the subnet out. */
export const hasNat = (place: Place, now: Found): boolean =>
  natsOf(place, now).some(({ sourceSubnetworkIpRangesToNat, subnetworks }) =>
    sourceSubnetworkIpRangesToNat === 'LIST_OF_SUBNETWORKS' ? subnetworks.some(({ name }) => name === place.subnet) : true,
  );

/** NATs of the network in the region, with their routers. */
export const natsOf = (place: Place, now: Found): readonly (z.output<typeof nat> & { readonly router: string })[] =>
  routersOf(place, now).flatMap(({ name: router, nats }) => nats.map((each) => ({ ...each, router })));

export const routerName = ({ prefix, region }: Place): string => `${prefix}-${region}`;
