/** The JSON Schemas that lib/report publishes, by the path of their file; a test keeps the files equal to these. */
import { reportJsonSchema } from './document-schema.mts';
import { eventsJsonSchema } from './events-schema.mts';

export const publishedSchemas = (): ReadonlyMap<string, object> =>
  new Map([
    ['lib/report/schema/report.schema.json', reportJsonSchema()],
    ['lib/report/schema/events.schema.json', eventsJsonSchema()],
  ]);
