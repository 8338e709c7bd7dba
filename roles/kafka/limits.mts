import type { Facts, Host } from '../../lib/index.mts';
import { openFiles, osLimits } from '../os-limits/contract.mts';
import { kafka } from './contract.mts';

/** Open files of the service follow the host's, so that one variable lowers both where a machine grants no more. */
export const serviceFiles = (host: Host, facts: Facts): number => host.vars(kafka).nofile ?? openFiles(host.vars(osLimits).nofile, facts);
