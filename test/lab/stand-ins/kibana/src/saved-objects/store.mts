/** Saved objects as documents of Elasticsearch: one index, `type:id` as the document's id, the attributes under the type's name. */
import { randomUUID } from 'node:crypto';
import { type Elasticsearch, ResponseError } from '../elasticsearch.mts';
import { HttpError } from '../http.mts';
import { asText, at, list, number, object, objects, string, type Json, type JsonObject } from '../json.mts';
import { typeOf } from './types.mts';
import { currentVersion, type MigrationVersion } from './versions.mts';

export interface Reference {
  readonly name: string;
  readonly type: string;
  readonly id: string;
}

export interface Key {
  readonly type: string;
  readonly id: string;
}

export interface NewObject {
  readonly type: string;
  readonly id?: string | undefined;
  readonly attributes: JsonObject;
  readonly references?: readonly Reference[] | undefined;
  readonly migrationVersion?: MigrationVersion | undefined;
  readonly originId?: string | undefined;
}

/** As the API shows it. */
export type SavedObject = JsonObject & Key & { readonly attributes: JsonObject; readonly references: readonly JsonObject[] };
export type Failed = JsonObject & Key & { readonly error: JsonObject };

export interface Find {
  readonly types: readonly string[];
  readonly page: number;
  readonly perPage: number;
  readonly search?: string | undefined;
  readonly searchFields?: readonly string[];
  readonly operator?: string;
  readonly fields?: readonly string[];
  readonly sortField?: string | undefined;
  readonly reference?: Key | undefined;
  readonly filter?: JsonObject | undefined;
}

export const isFailed = (one: SavedObject | Failed): one is Failed => 'error' in one;

export class Store {
  readonly #elasticsearch: Elasticsearch;
  readonly #index: string;

  constructor(elasticsearch: Elasticsearch, index: string) {
    this.#elasticsearch = elasticsearch;
    this.#index = index;
  }

  async get({ type, id }: Key): Promise<SavedObject> {
    if (typeOf(type) === undefined) throw notFound({ type, id });
    const { status, body } = await this.#elasticsearch.request('GET', this.#path('_doc', { type, id }), { accept: [404] });
    if (status === 404) throw notFound({ type, id });
    return shown(body);
  }

  async find(find: Find): Promise<JsonObject> {
    const { page, perPage } = find;
    const types = find.types.filter((type) => typeOf(type) !== undefined);
    if (types.length === 0) return { page, per_page: perPage, total: 0, saved_objects: [] };
    const { status, body } = await this.#elasticsearch.request('POST', `/${this.#index}/_search`, {
      query: { rest_total_hits_as_int: true, seq_no_primary_term: true },
      body: { size: perPage, from: perPage * Math.max(0, page - 1), ...searchBody({ ...find, types }) },
      accept: [404],
    });
    if (status === 404) return { page, per_page: perPage, total: 0, saved_objects: [] };
    const found = objects(at(body, 'hits', 'hits')).map((hit) => ({ ...shown(hit, find.fields), score: hit['_score'] ?? 0 }));
    return { page, per_page: perPage, total: number(at(body, 'hits', 'total')) ?? 0, saved_objects: found };
  }

  async all(type: string): Promise<readonly SavedObject[]> {
    const { saved_objects: found } = await this.find({ types: [type], page: 1, perPage: 10_000 });
    return objects(found) as readonly SavedObject[];
  }

  async bulkGet(keys: readonly (Key & { readonly fields?: readonly string[] })[]): Promise<readonly (SavedObject | Failed)[]> {
    const known = keys.filter(({ type }) => typeOf(type) !== undefined);
    const found = new Map<string, JsonObject>();
    if (known.length > 0) {
      const body = { docs: known.map((key) => ({ _index: this.#index, _id: documentId(key) })) };
      const answer = await this.#elasticsearch.request('POST', '/_mget', { body });
      for (const doc of objects(answer.body['docs'])) if (doc['found'] === true) found.set(asText(doc['_id']), doc);
    }
    return keys.map(({ type, id, fields }) => {
      if (typeOf(type) === undefined) return failed({ type, id }, unsupported(type));
      const doc = found.get(documentId({ type, id }));
      return doc === undefined ? failed({ type, id }, notFound({ type, id })) : shown(doc, fields);
    });
  }

  async create(given: NewObject, overwrite = false): Promise<SavedObject> {
    if (typeOf(given.type) === undefined) throw unsupported(given.type);
    const key = { type: given.type, id: given.id ?? randomUUID() };
    const source = stored({ ...given, ...key });
    const operation = given.id !== undefined && overwrite ? '_doc' : '_create';
    const { body } = await this.#elasticsearch.request('PUT', this.#path(operation, key), { body: source, query: { refresh: 'wait_for' } });
    return shown({ ...body, _source: source });
  }

  /** Objects of a newer Kibana fail the whole call, as in 7.10; all other failures are the object's own. */
  async bulkCreate(given: readonly NewObject[], overwrite = false): Promise<readonly (SavedObject | Failed)[]> {
    const prepared = given.map((one) => {
      const key = { type: one.type, id: one.id ?? randomUUID() };
      return typeOf(one.type) === undefined
        ? { key, source: undefined }
        : { key, source: stored({ ...one, ...key }), replaces: one.id !== undefined && overwrite };
    });
    const lines = prepared.flatMap(({ key, source, replaces }) =>
      source === undefined ? [] : [{ [replaces ? 'index' : 'create']: { _index: this.#index, _id: documentId(key) } }, source],
    );
    const answer = lines.length === 0 ? undefined : await this.#elasticsearch.request('POST', '/_bulk', { body: lines, query: { refresh: 'wait_for' } });
    const items = [...objects(answer?.body['items'])];
    return prepared.map(({ key, source }) => {
      if (source === undefined) return failed(key, unsupported(key.type));
      const result = object(Object.values(items.shift() ?? {})[0]);
      const error = result['error'];
      if (error === undefined) return shown({ ...result, _source: source });
      return failed(key, result['status'] === 409 ? conflict(key) : new HttpError(400, `${asText(at(error, 'reason'))}: Bad Request`));
    });
  }

  async update(key: Key, attributes: JsonObject, references: readonly Json[] | undefined, version: string | undefined): Promise<JsonObject> {
    if (typeOf(key.type) === undefined) throw notFound(key);
    const updatedAt = now();
    const doc = { [key.type]: attributes, updated_at: updatedAt, ...(references === undefined ? {} : { references }) };
    const { status, body } = await this.#elasticsearch.request('POST', this.#path('_update', key), {
      body: { doc },
      query: { refresh: 'wait_for', ...(version === undefined ? {} : decodedVersion(version)) },
      accept: [404],
    });
    if (status === 404) throw notFound(key);
    return {
      ...key,
      updated_at: updatedAt,
      version: encodedVersion(body),
      namespaces: ['default'],
      ...(references === undefined ? {} : { references }),
      attributes,
    };
  }

  async delete(key: Key): Promise<void> {
    if (typeOf(key.type) === undefined) throw notFound(key);
    const { status } = await this.#elasticsearch.request('DELETE', this.#path('_doc', key), { query: { refresh: 'wait_for' }, accept: [404] });
    if (status === 404) throw notFound(key);
  }

  #path(operation: string, key: Key): string {
    return `/${this.#index}/${operation}/${encodeURIComponent(documentId(key))}`;
  }
}

const documentId = ({ type, id }: Key): string => `${type}:${id}`;
const now = (): string => new Date().toISOString();

export const notFound = ({ type, id }: Key): HttpError => new HttpError(404, `Saved object [${type}/${id}] not found`);
export const conflict = ({ type, id }: Key): HttpError => new HttpError(409, `Saved object [${type}/${id}] conflict`);
const unsupported = (type: string): HttpError => new HttpError(400, `Unsupported saved object type: '${type}': Bad Request`);
const failed = ({ type, id }: Key, error: HttpError): Failed => ({ id, type, error: error.body() });

function stored({ id, type, attributes, references = [], migrationVersion, originId }: NewObject): JsonObject {
  const version = currentVersion({ id, type, migrationVersion });
  return {
    [type]: attributes,
    type,
    references: references.map(({ name, type: referred, id: target }) => ({ name, type: referred, id: target })),
    ...(originId === undefined ? {} : { originId }),
    ...(version === undefined ? {} : { migrationVersion: version }),
    updated_at: now(),
  };
}

function shown(document: JsonObject, fields?: readonly string[]): SavedObject {
  const source = object(document['_source']);
  const type = string(source['type']) ?? '';
  const attributes = object(source[type]);
  const { migrationVersion, updated_at: updatedAt, originId } = source;
  return {
    id: asText(document['_id']).slice(type.length + 1),
    type,
    namespaces: ['default'],
    ...(updatedAt === undefined ? {} : { updated_at: updatedAt }),
    version: encodedVersion(document),
    attributes:
      fields === undefined || fields.length === 0 ? attributes : Object.fromEntries(Object.entries(attributes).filter(([name]) => fields.includes(name))),
    references: objects(source['references']),
    ...(migrationVersion === undefined ? {} : { migrationVersion }),
    ...(originId === undefined ? {} : { originId }),
  };
}

const encodedVersion = (document: JsonObject): string =>
  Buffer.from(JSON.stringify([number(document['_seq_no']) ?? 0, number(document['_primary_term']) ?? 0])).toString('base64');

function decodedVersion(version: string): { readonly if_seq_no: number; readonly if_primary_term: number } {
  const invalid = new HttpError(400, `Invalid version [${version}]: Bad Request`);
  try {
    const [sequence, term] = list(JSON.parse(Buffer.from(version, 'base64').toString('utf8')));
    if (typeof sequence !== 'number' || typeof term !== 'number') throw invalid;
    return { if_seq_no: sequence, if_primary_term: term };
  } catch {
    throw invalid;
  }
}

const ROOT_FIELDS: readonly string[] = ['type', 'updated_at', 'namespace', 'references', 'migrationVersion'];

function searchBody({ types, search, searchFields = [], operator = 'OR', sortField, reference, filter }: Find): JsonObject {
  const must: JsonObject[] = [];
  if (search !== undefined) {
    const fields = types.flatMap((type) => searchFields.map((field) => `${type}.${field}`));
    const where = fields.length === 0 ? { lenient: true, fields: ['*'] } : { fields };
    must.push({ simple_query_string: { query: search, ...where, ...(operator === 'AND' ? { default_operator: 'AND' } : {}) } });
  }
  const also: JsonObject[] = [{ bool: { should: types.map((type) => ({ term: { type } })), minimum_should_match: 1 } }];
  if (reference !== undefined) {
    const both = [{ term: { 'references.id': reference.id } }, { term: { 'references.type': reference.type } }];
    also.push({ nested: { path: 'references', query: { bool: { must: both } } } });
  }
  if (filter !== undefined) also.push(filter);
  return { query: { bool: { must, filter: also } }, ...(sortField === undefined ? {} : { sort: sorting(types, sortField) }) };
}

function sorting(types: readonly string[], field: string): readonly JsonObject[] {
  if (ROOT_FIELDS.includes(field)) return [{ [field]: { order: 'asc', unmapped_type: 'keyword' } }];
  const [first, ...others] = types;
  if (others.length > 0) throw new HttpError(400, `Unable to sort multiple types by field ${field}, not a root property: Bad Request`);
  const mapping = at(typeOf(first ?? '')?.mappings, 'properties', ...field.split('.'));
  if (mapping === undefined) throw new HttpError(400, `Unknown sort field ${field}: Bad Request`);
  return [{ [`${first ?? ''}.${field}`]: { order: 'asc', unmapped_type: asText(at(mapping, 'type')) } }];
}

/** What Elasticsearch says of a document that is there already is a conflict of the object. */
export const isConflict = (error: unknown): boolean => error instanceof ResponseError && error.status === 409;
