/** Every role of the project, in the order in which a host is brought up. */
import type { AnyRole } from '../lib/index.mts';
import elasticsearch from './elasticsearch/role.mts';
import java from './java/role.mts';
import labHosts from './lab-hosts/role.mts';
import labImage from './lab-image/role.mts';
import osLimits from './os-limits/role.mts';

export { elasticsearch, java, labHosts, labImage, osLimits };

export const catalogue: readonly AnyRole[] = [labImage, labHosts, osLimits, java, elasticsearch];
