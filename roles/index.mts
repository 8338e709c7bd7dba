/** Every role of the project, in the order in which a host is brought up. */
import type { AnyRole } from '../lib/index.mts';
import elasticsearch from './elasticsearch/role.mts';
import java from './java/role.mts';
import osLimits from './os-limits/role.mts';

export { elasticsearch, java, osLimits };

export const catalogue: readonly AnyRole[] = [osLimits, java, elasticsearch];
