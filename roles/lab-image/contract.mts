import { z } from 'zod';
import { contract } from '../../lib/index.mts';

export const labImage = contract(
  'lab-image',
  z.strictObject({
    mirror: z
      .url({ protocol: /^https?$/ })
      .default('http://deb.debian.org/debian')
      .describe('Where the packages of the base image come from.'),
  }),
);
