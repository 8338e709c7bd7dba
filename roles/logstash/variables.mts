import { z } from 'zod';
import { archiveVariables, contract, variables } from '../../lib/index.mts';

export const logstash = contract(
  'logstash',
  z.strictObject({
    version: variables.version.default('7.10.2').describe('Version, in quotes.'),
    ...archiveVariables,
    java: z
      .union([z.enum(['auto', 'bundled']), variables.absolutePath])
      .default('auto')
      .describe('bundled with the official archive, or the path of a Java home. auto: bundled where there is one, else that of the role java.'),
  }),
);

export type LogstashVars = NonNullable<(typeof logstash)['typeOfVariables']>;
