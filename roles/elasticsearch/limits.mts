import type { Host } from '../../lib/index.mts';
import { osLimits } from '../os-limits/contract.mts';
import { elasticsearch } from './contract.mts';
import type { WantedLimits } from './judge.mts';

/** Limits of the service. Open files follow the host's, so that one variable lowers both where a machine grants no more. */
export function serviceLimits(host: Host): WantedLimits {
  const vars = host.vars(elasticsearch);
  return { nofile: vars.nofile ?? host.vars(osLimits).nofile, nproc: vars.nproc, memoryLock: vars.memory_lock };
}
