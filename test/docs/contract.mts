import { z } from 'zod';
import { contract } from '../../lib/index.mts';

export const swap = contract(
  'swap',
  z.strictObject({
    swappiness: z.int().min(0).max(100).default(1).describe('vm.swappiness: how willingly the kernel moves memory to disk.'),
  }),
);
