/** The advanced settings: attributes of one object, whose id is the version. */
import type { Config } from './config.mts';
import { HttpError, type Route } from './http.mts';
import { isObject, type Json, type JsonObject } from './json.mts';
import { BUILD_NUMBER, VERSION } from './product.mts';
import { isConflict, type Store } from './saved-objects/store.mts';

const KEY = { type: 'config', id: VERSION } as const;

export class UiSettings {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Made when it is first asked for. */
  async read(): Promise<JsonObject> {
    try {
      return (await this.#store.get(KEY)).attributes;
    } catch (error) {
      if (!(error instanceof HttpError && error.status === 404)) throw error;
    }
    try {
      return (await this.#store.create({ ...KEY, attributes: { buildNum: BUILD_NUMBER } })).attributes;
    } catch (error) {
      if (isConflict(error)) return (await this.#store.get(KEY)).attributes;
      throw error;
    }
  }

  /** Null takes a setting back. */
  async change(changes: JsonObject): Promise<void> {
    await this.read();
    await this.#store.update(KEY, changes, undefined, undefined);
  }
}

export function settingsRoutes(settings: UiSettings, { maxPayloadBytes }: Pick<Config, 'maxPayloadBytes'>): readonly Route[] {
  const shown = async (): Promise<{ readonly body: JsonObject }> => {
    const set = Object.entries(await settings.read()).filter(([, value]) => value !== null && value !== undefined);
    return { body: { settings: Object.fromEntries(set.map(([key, userValue]) => [key, { userValue: userValue as Json }])) } };
  };
  return [
    ['GET', '/api/kibana/settings', shown],
    [
      'POST',
      '/api/kibana/settings',
      async (request) => {
        const { changes } = await request.object(maxPayloadBytes);
        if (!isObject(changes)) throw new HttpError(400, `[request body.changes]: expected value of type [object] but got [${typeof changes}]`);
        await settings.change(changes);
        return shown();
      },
    ],
    [
      'POST',
      '/api/kibana/settings/:key',
      async (request, { key = '' }) => {
        const { value } = await request.object(maxPayloadBytes);
        await settings.change({ [key]: value ?? null });
        return shown();
      },
    ],
    [
      'DELETE',
      '/api/kibana/settings/:key',
      async (_request, { key = '' }) => {
        await settings.change({ [key]: null });
        return shown();
      },
    ],
  ];
}
