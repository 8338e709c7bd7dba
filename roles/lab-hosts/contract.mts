import { z } from 'zod';
import { contract } from '../../lib/index.mts';

/** The addresses, ports and names of the lab's hosts are those of the inventory. */
export const labHostsContract = contract('lab-hosts', z.strictObject({}));

export { preflight } from './preflight.mts';
export { program } from './programs.mts';
export { document, image } from './status.mts';
export { archiveWishes, type ArchiveWish } from './served.mts';
export { labHosts, PROVIDER } from './wanted.mts';
