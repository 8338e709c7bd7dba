/** The networks that the instances of a run are in: one place for each subnet. */
import type { Host } from '../../lib/index.mts';
import { gcp, regionOf, type GcpVars } from '../gcp-instances/contract.mts';

export interface Place {
  readonly project: string;
  readonly region: string;
  readonly network: string;
  readonly subnet: string;
  readonly range: string | undefined;
  readonly managed: boolean;
  readonly prefix: string;
  /** An instance there has no external address and is to reach the internet. */
  readonly nat: boolean;
  readonly hosts: readonly Host[];
}

export const pathOf = ({ project, region, subnet }: Place): string => `${project}/${region}/${subnet}`;

/** One for each subnet, in the order of the inventory. */
export function placesOf(hosts: readonly Host[]): readonly Place[] {
  const bySubnet = Map.groupBy(hosts, (host) => {
    const vars = host.vars(gcp);
    return [vars.project, regionOf(vars), vars.subnet].join('/');
  });
  return [...bySubnet.values()].flatMap((some) => {
    const all = some.map((host) => host.vars(gcp));
    const [first] = all;
    return first === undefined ? [] : [{ ...placeOf(first, all), hosts: some }];
  });
}

const placeOf = (first: GcpVars, all: readonly GcpVars[]): Omit<Place, 'hosts'> => ({
  project: first.project,
  region: regionOf(first),
  network: first.network,
  subnet: first.subnet,
  range: all.find(({ subnet_range }) => subnet_range !== undefined)?.subnet_range,
  managed: all.every(({ network_managed }) => network_managed),
  prefix: first.prefix,
  nat: all.some(({ nat, external_address }) => nat && external_address === 'none'),
});
