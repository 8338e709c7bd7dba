import { z } from 'zod';
import { contract } from '../../lib/index.mts';

export const kibanaDashboards = contract(
  'kibana-dashboards',
  z.strictObject({
    refresh_seconds: z.int().min(1).max(3600).default(10).describe('How often an open dashboard asks again.'),
    window_minutes: z.int().min(1).max(10_080).default(15).describe('How much time a dashboard shows when it is opened.'),
    import: z.array(z.string().min(1)).default([]).describe('Further saved objects: paths on the controller of exports (.ndjson) of Kibana 7.10 or older.'),
  }),
);

export type KibanaDashboardsVars = NonNullable<(typeof kibanaDashboards)['typeOfVariables']>;
