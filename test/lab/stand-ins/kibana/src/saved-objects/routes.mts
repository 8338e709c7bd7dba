/** `/api/saved_objects`. */
import { extname } from 'node:path';
import type { Config } from '../config.mts';
import { HttpError, type Request, type Reply, type Route } from '../http.mts';
import { at, isObject, list, object, objects, parsed, string, type Json, type JsonObject } from '../json.mts';
import type { Part } from '../multipart.mts';
import { kqlToQuery, parseKql } from '../query/kql.mts';
import { exportObjects } from './export.mts';
import { importObjects, referencesOf, versionsOf, type Retry } from './import.mts';
import type { Key, NewObject, Store } from './store.mts';
import { isPortable } from './types.mts';

export function savedObjectRoutes(store: Store, config: Pick<Config, 'maxPayloadBytes' | 'maxImportBytes' | 'maxImportObjects'>): readonly Route[] {
  const { maxPayloadBytes, maxImportBytes, maxImportObjects: limit } = config;

  const create = async (request: Request, { type = '', id }: Readonly<Record<string, string>>): Promise<Reply> => {
    const overwrite = request.flag('overwrite');
    const body = await request.object(maxPayloadBytes);
    return { body: await store.create(newObject(body, { type, id }, ''), overwrite) };
  };

  return [
    [
      'POST',
      '/api/saved_objects/_import',
      async (request) => {
        const [overwrite, createNewCopies] = [request.flag('overwrite'), request.flag('createNewCopies')];
        if (overwrite && createNewCopies) throw new HttpError(400, '[request query]: cannot use [overwrite] with [createNewCopies]');
        const text = ndjson(await request.form(maxImportBytes));
        return { body: await importObjects(store, text, { overwrite, createNewCopies, limit }) };
      },
    ],
    [
      'POST',
      '/api/saved_objects/_resolve_import_errors',
      async (request) => {
        const createNewCopies = request.flag('createNewCopies');
        const form = await request.form(maxImportBytes);
        const [text, retries] = [ndjson(form), retriesIn(form)];
        return { body: await importObjects(store, text, { overwrite: false, createNewCopies, limit, retries }) };
      },
    ],
    [
      'POST',
      '/api/saved_objects/_export',
      async (request) => {
        const body = await request.object(maxPayloadBytes);
        const types = [body['type']].flat().flatMap((type) => (typeof type === 'string' ? [type] : []));
        const wanted = objects(body['objects']).map(keyFrom);
        const foreign = types.filter((type) => !isPortable(type));
        if (foreign.length > 0) throw new HttpError(400, `Trying to export non-exportable type(s): ${foreign.join(', ')}`);
        const alien = wanted.filter(({ type }) => !isPortable(type)).map(({ type, id }) => `${type}:${id}`);
        if (alien.length > 0) throw new HttpError(400, `Trying to export object(s) with non-exportable types: ${alien.join(', ')}`);
        const [deep, details] = [body['includeReferencesDeep'] === true, body['excludeExportDetails'] !== true];
        const text = await exportObjects(store, { types, objects: wanted, search: string(body['search']), deep, details, limit });
        return { headers: { 'content-type': 'application/ndjson', 'content-disposition': 'attachment; filename="export.ndjson"' }, body: text };
      },
    ],
    [
      'GET',
      '/api/saved_objects/_find',
      async (request) => {
        const types = request.several('type');
        if (types.length === 0) throw new HttpError(400, '[request query.type]: expected at least one defined value but got [undefined]');
        const operator = request.query.get('default_search_operator') ?? 'OR';
        if (!['OR', 'AND'].includes(operator)) throw new HttpError(400, '[request query.default_search_operator]: types that failed validation');
        return {
          body: await store.find({
            types,
            page: request.count('page', 1),
            perPage: request.count('per_page', 20),
            search: request.query.get('search') ?? undefined,
            searchFields: request.several('search_fields'),
            operator,
            fields: request.several('fields'),
            sortField: request.query.get('sort_field') ?? undefined,
            reference: referenceFrom(request.query.get('has_reference')),
            filter: filterFrom(request.query.get('filter')),
          }),
        };
      },
    ],
    [
      'POST',
      '/api/saved_objects/_bulk_create',
      async (request) => {
        const overwrite = request.flag('overwrite');
        const given = entries(await request.json(maxPayloadBytes)).map((one, i) => newObject(one, undefined, `.${String(i)}`));
        return { body: { saved_objects: await store.bulkCreate(given, overwrite) } };
      },
    ],
    [
      'POST',
      '/api/saved_objects/_bulk_get',
      async (request) => {
        const wanted = entries(await request.json(maxPayloadBytes)).map((one) => ({
          ...keyFrom(one),
          ...(Array.isArray(one['fields']) ? { fields: list(one['fields']).map(String) } : {}),
        }));
        return { body: { saved_objects: await store.bulkGet(wanted) } };
      },
    ],
    ['POST', '/api/saved_objects/:type', create],
    ['POST', '/api/saved_objects/:type/:id', create],
    ['GET', '/api/saved_objects/:type/:id', async (_request, { type = '', id = '' }) => ({ body: await store.get({ type, id }) })],
    [
      'PUT',
      '/api/saved_objects/:type/:id',
      async (request, { type = '', id = '' }) => {
        const body = await request.object(maxPayloadBytes);
        const attributes = body['attributes'];
        if (!isObject(attributes)) throw expected('attributes', 'object', attributes);
        const references = body['references'] === undefined ? undefined : referencesOf(body['references']).map((one) => ({ ...one }));
        return { body: await store.update({ type, id }, attributes, references, string(body['version'])) };
      },
    ],
    [
      'DELETE',
      '/api/saved_objects/:type/:id',
      async (_request, { type = '', id = '' }) => {
        await store.delete({ type, id });
        return { body: {} };
      },
    ],
  ];
}

const expected = (path: string, type: string, found: Json | undefined): HttpError =>
  new HttpError(400, `[request body.${path}]: expected value of type [${type}] but got [${found === null ? 'null' : typeof found}]`);

function ndjson(form: ReadonlyMap<string, Part>): string {
  const file = form.get('file');
  if (file?.fileName === undefined) throw expected('file', 'Stream', file?.text);
  const extension = extname(file.fileName).toLowerCase();
  if (extension !== '.ndjson') throw new HttpError(400, `Invalid file extension ${extension}`);
  return file.text;
}

function retriesIn(form: ReadonlyMap<string, Part>): readonly Retry[] {
  const retries = parsed(form.get('retries')?.text);
  if (!Array.isArray(retries)) throw expected('retries', 'array', retries);
  return objects(retries).map(retryFrom);
}

const retryFrom = (one: JsonObject): Retry => ({
  ...keyFrom(one),
  overwrite: one['overwrite'] === true,
  destinationId: string(one['destinationId']),
  createNewCopy: one['createNewCopy'] === true,
  ignoreMissingReferences: one['ignoreMissingReferences'] === true,
  replaceReferences: objects(one['replaceReferences']).map(({ type, from, to }) => ({
    type: string(type) ?? '',
    from: string(from) ?? '',
    to: string(to) ?? '',
  })),
});

function newObject(one: JsonObject, key: { readonly type: string; readonly id: string | undefined } | undefined, path: string): NewObject {
  const attributes = one['attributes'];
  if (!isObject(attributes)) throw expected(`${path}.attributes`.replace(/^\./, ''), 'object', attributes);
  const type = key?.type ?? string(one['type']);
  if (type === undefined) throw expected(`${path}.type`.replace(/^\./, ''), 'string', one['type']);
  return {
    type,
    id: key === undefined ? string(one['id']) : key.id,
    attributes,
    references: referencesOf(one['references']),
    migrationVersion: versionsOf(one['migrationVersion']),
    originId: string(one['originId']),
  };
}

function entries(body: Json): readonly JsonObject[] {
  if (!Array.isArray(body)) throw new HttpError(400, `[request body]: expected value of type [array] but got [${body === null ? 'null' : 'Object'}]`);
  return (body as readonly Json[]).map(object);
}

function keyFrom(one: JsonObject): Key {
  const [type, id] = [string(one['type']), string(one['id'])];
  if (type === undefined) throw expected('type', 'string', one['type']);
  if (id === undefined) throw expected('id', 'string', one['id']);
  return { type, id };
}

function referenceFrom(text: string | null): Key | undefined {
  if (text === null) return undefined;
  const found = parsed(text);
  const [type, id] = [string(at(found, 'type')), string(at(found, 'id'))];
  if (type === undefined || id === undefined) throw new HttpError(400, '[request query.has_reference]: expected a plain object value');
  return { type, id };
}

/** KQL on `dashboard.attributes.title`, which the index has as `dashboard.title`. */
function filterFrom(text: string | null): JsonObject | undefined {
  if (text === null) return undefined;
  return kqlToQuery(parseKql(text.replaceAll(/\b([\w-]+)\.attributes\./g, '$1.')));
}
