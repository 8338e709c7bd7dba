import type { Stage } from '../lib/index.mts';
import { elasticsearch, java, labHosts, labImage, osLimits } from '../roles/index.mts';

/** Hosts that are to be made before anything can run on them; every stage waits for the one before. */
export const lab: readonly Stage[] = [
  { hosts: 'all', roles: [labImage] },
  { hosts: 'all', roles: [labHosts] },
];

export const stages: readonly Stage[] = [...lab, { hosts: 'es_masters:es_data', roles: [osLimits, java, elasticsearch] }];
