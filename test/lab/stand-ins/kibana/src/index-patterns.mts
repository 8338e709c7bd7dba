/** The fields that an index pattern covers, as the browser asks for them. */
import type { Elasticsearch } from './elasticsearch.mts';
import { HttpError, type Route } from './http.mts';
import { at, isObject, object, type JsonObject } from './json.mts';

const NUMBERS: readonly string[] = ['long', 'integer', 'short', 'byte', 'double', 'float', 'half_float', 'scaled_float', 'unsigned_long'];
const STRINGS: readonly string[] = ['keyword', 'text', 'constant_keyword', 'wildcard'];

export function indexPatternRoutes(elasticsearch: Elasticsearch): readonly Route[] {
  return [
    [
      'GET',
      '/api/index_patterns/_fields_for_wildcard',
      async (request) => {
        const pattern = request.query.get('pattern');
        if (pattern === null) throw new HttpError(400, '[request query.pattern]: expected value of type [string] but got [undefined]');
        return { body: { fields: await fieldsOf(elasticsearch, pattern, request.several('meta_fields')) } };
      },
    ],
  ];
}

async function fieldsOf(elasticsearch: Elasticsearch, pattern: string, metaFields: readonly string[]): Promise<readonly JsonObject[]> {
  const { status, body } = await elasticsearch.request('GET', `/${encodeURIComponent(pattern)}/_field_caps`, {
    query: { fields: '*', ignore_unavailable: true, allow_no_indices: false },
    accept: [404],
  });
  if (status === 404) throw new HttpError(404, `No indices match pattern "${pattern}"`, { type: 'index_not_found_exception' });
  return Object.entries(object(body['fields']))
    .filter(([name, types]) => at(types, 'object') === undefined && at(types, 'nested') === undefined && (!name.startsWith('_') || metaFields.includes(name)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, types]) => {
      const esTypes = Object.keys(object(types));
      const all = Object.values(object(types)).filter(isObject);
      const kinds = new Set(esTypes.map(kindOf));
      const aggregatable = all.every((one) => one['aggregatable'] === true);
      return {
        name,
        type: kinds.size > 1 ? 'conflict' : [...kinds].join(''),
        esTypes,
        searchable: all.every((one) => one['searchable'] === true),
        aggregatable,
        readFromDocValues: aggregatable && !name.startsWith('_'),
      };
    });
}

const kindOf = (type: string): string => (NUMBERS.includes(type) ? 'number' : STRINGS.includes(type) ? 'string' : type);
