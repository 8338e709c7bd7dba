import type { Facts, Host } from '../../lib/index.mts';
import { openFiles, osLimits, type WantedLimits } from '../os-limits/contract.mts';
import { elasticsearch } from './contract.mts';

/** Limits of the service. Open files follow the host's, so that one variable lowers both where a machine grants no more. */
export function serviceLimits(host: Host, facts: Facts): Required<WantedLimits> {
  const vars = host.vars(elasticsearch);
  return { nofile: vars.nofile ?? openFiles(host.vars(osLimits).nofile, facts), nproc: vars.nproc, memoryLock: vars.memory_lock };
}

/** The variable that decides the open files of the service; `undefined` where the machine does. */
export function nofileVariable(host: Host): string | undefined {
  if (host.vars(elasticsearch).nofile !== undefined) return 'elasticsearch_nofile';
  return host.vars(osLimits).nofile === 'auto' ? undefined : 'os_limits_nofile';
}

/** Below this the check of open files refuses to start a node. */
const ENFORCEABLE_FILES = 65535;

/** `auto` enforces the checks wherever the open files that they ask for can be had. */
export const enforcesChecks = (host: Host, facts: Facts): boolean => {
  const wish = host.vars(elasticsearch).enforce_bootstrap_checks;
  return wish === 'auto' ? serviceLimits(host, facts).nofile >= ENFORCEABLE_FILES : wish;
};
