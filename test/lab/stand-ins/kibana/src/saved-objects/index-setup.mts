/** Makes the index of saved objects and its alias at the first start. Elasticsearch that does not answer is asked again without end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.mts';
import { isPassing, ResponseError, type Answer, type Elasticsearch } from '../elasticsearch.mts';
import type { Log } from '../log.mts';
import { MAPPINGS } from './types.mts';

const RETRY_MS = 2500;
const WHO = 'savedobjects-service';

export async function setUpIndex(elasticsearch: Elasticsearch, { index: alias }: Pick<Config, 'index'>, log: Log): Promise<void> {
  const started = performance.now();
  const insistent = retrying(log);
  const index = `${alias}_1`;
  log.info(WHO, 'Starting saved objects migrations');
  const found = await insistent(() => elasticsearch.request('GET', `/${alias}`, { accept: [404] }));
  if (found.status !== 404) return;
  if (await create(elasticsearch, index, insistent, log)) {
    log.info(WHO, `Pointing alias ${alias} to ${index}.`);
    await insistent(() => elasticsearch.request('POST', '/_aliases', { body: { actions: [{ add: { index, alias } }] } }));
  } else {
    log.warn(
      WHO,
      'Another Kibana instance appears to be migrating the index. Waiting for that migration to complete. ' +
        `If no other Kibana instance is attempting migrations, you can get past this message by deleting index ${index} and restarting Kibana.`,
    );
    while ((await insistent(() => elasticsearch.request('GET', `/_alias/${alias}`, { accept: [404] }))).status === 404) await sleep(RETRY_MS);
  }
  log.info(WHO, `Finished in ${String(Math.round(performance.now() - started))}ms.`);
}

type Insistent = (call: () => Promise<Answer>) => Promise<Answer>;

/** False when somebody else made it. */
async function create(elasticsearch: Elasticsearch, index: string, insistent: Insistent, log: Log): Promise<boolean> {
  log.info(WHO, `Creating index ${index}.`);
  const body = { mappings: MAPPINGS, settings: { number_of_shards: 1, auto_expand_replicas: '0-1' } };
  try {
    await insistent(() => elasticsearch.request('PUT', `/${index}`, { body }));
    return true;
  } catch (error) {
    if (error instanceof ResponseError && error.message === 'resource_already_exists_exception') return false;
    throw error;
  }
}

/** Each reason is said once. */
function retrying(log: Log): Insistent {
  return async (call) => {
    const said = new Set<string>();
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (!said.has(message)) log.warn(WHO, `Unable to connect to Elasticsearch. Error: ${message}`);
        said.add(message);
        if (!isPassing(error)) throw error;
        await sleep(RETRY_MS);
      }
    }
  };
}
