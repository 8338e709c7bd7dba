/** The calls that make a network. What is there already answers so, and stays as it is. */
import { gcloud } from '../../lib/index.mts';
import { routerName } from './found.mts';
import type { Place } from './places.mts';

export type Argv = readonly [string, ...string[]];

/** The subnet, and its network where that is missing, too. */
export function subnetCreation({ network, subnet, region, range, project }: Place, { hasNetwork }: { readonly hasNetwork: boolean }): readonly Argv[] {
  if (range === undefined) return [];
  const flags = [`--network=${network}`, `--region=${region}`, `--range=${range}`, '--enable-private-ip-google-access'];
  return [
    ...(hasNetwork ? [] : [gcloud(['compute', 'networks', 'create', network, '--subnet-mode=custom'], { project })]),
    gcloud(['compute', 'networks', 'subnets', 'create', subnet, ...flags], { project }),
  ];
}

export function natCreation(place: Place): readonly Argv[] {
  const { network, region, project } = place;
  const router = routerName(place);
  return [
    gcloud(['compute', 'routers', 'create', router, `--network=${network}`, `--region=${region}`], { project }),
    gcloud(
      [
        'compute',
        'routers',
        'nats',
        'create',
        router,
        `--router=${router}`,
        `--region=${region}`,
        '--nat-all-subnet-ip-ranges',
        '--auto-allocate-nat-external-ips',
      ],
      { project },
    ),
  ];
}
