import { z } from 'zod';
import { contract } from '../../lib/index.mts';

export const labImage = contract(
  'lab-image',
  z.strictObject({
    /** Where the packages of the base image come from. */
    mirror: z.url({ protocol: /^https?$/ }).default('http://deb.debian.org/debian'),
  }),
);
