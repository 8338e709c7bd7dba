/** What Kibana should hold. */
import {
  all,
  change,
  command,
  requirement,
  resourceId,
  sendJson,
  type Change,
  type Json,
  type Question,
  type Resource,
  type Shown,
  type Steps,
} from '../../lib/index.mts';
import { askDefaultIndex, askIndexPatterns, askObjects, askReady, XSRF } from './api.mts';
import { differences } from './compare.mts';
import { key } from './exports.mts';
import { INDEX_PATTERN } from './objects/index-pattern.mts';
import type { SavedObject } from './objects/saved-object.mts';

const ABSENT: Shown = { kind: 'absent' };
const ANSWERS = resourceId('kibana answers');
const FIRST = resourceId('first saved objects');

/** What an answering Kibana should hold. */
export function contents(kibana: string, ours: readonly SavedObject[], theirs: readonly SavedObject[]): readonly Resource[] {
  const objects = [...ours, ...theirs];
  const asked = askObjects(kibana, objects);
  const titles = new Map(objects.map(({ id, attributes: { title } }) => [id, typeof title === 'string' ? title : id]));
  const called = objects.map(nameOf);
  // Titles are for people and need not be unique; ids are.
  const name = (each: SavedObject, at: number): string => (called.indexOf(nameOf(each)) === at ? nameOf(each) : `${nameOf(each)} ${each.id}`);
  return [first(kibana, ours, asked), ...objects.map((each, at) => one(kibana, name(each, at), each, asked, titles)), defaultIndex(kibana)];
}

const nameOf = ({ type, id, attributes: { title } }: SavedObject): string =>
  `${type} ${typeof title === 'string' && !/[\u0000-\u001f\u007f]/.test(title) ? `"${title}"` : id}`;

/** Nothing can be known of a Kibana that is silent. */
export const answers = (kibana: string): Resource => requirement(ANSWERS, { missing: askReady(kibana), hint: 'bring it up first: --role kibana' });

/** A Kibana without any of ours gets them in one request: it waits a second after each. What is imported may be too large for that. */
const first = (kibana: string, ours: readonly SavedObject[], asked: Question<ReadonlyMap<string, SavedObject>>): Resource =>
  command(FIRST, {
    needs: [ANSWERS],
    differs: asked.map((now): readonly Change[] =>
      ours.some((each) => now.has(key(each))) ? [] : [change('objects', ABSENT, `${String(ours.length)} objects`)],
    ),
    run: (steps) => {
      const body = ours.map(({ type, id, attributes, references, migrationVersion }) => ({
        type,
        id,
        attributes,
        references,
        ...(migrationVersion === undefined ? {} : { migrationVersion }),
      }));
      // Kibana answers 200 also when it took only some; what is missing then is found and sent one by one.
      sendJson(steps, { url: `${kibana}/api/saved_objects/_bulk_create?overwrite=true`, method: 'POST', headers: XSRF, body: body as unknown as Json });
    },
  });

function one(
  kibana: string,
  name: string,
  want: SavedObject,
  asked: Question<ReadonlyMap<string, SavedObject>>,
  titles: ReadonlyMap<string, string>,
): Resource {
  return command(name, {
    needs: [FIRST],
    wanted: JSON.stringify([want.attributes, want.references]),
    differs: asked.map((now): readonly Change[] => {
      const have = now.get(key(want));
      if (have === undefined) return [change('object', ABSENT, want.id)];
      return differences(have, want, titles).map(({ path, have: from, want: to }) => change(path, shown(from), shown(to)));
    }),
    run: (steps, changes) => {
      write(
        kibana,
        want,
        changes.some(({ field }) => field === 'object'),
        steps,
      );
    },
  });
}

function write(kibana: string, { type, id, attributes, references, migrationVersion }: SavedObject, isNew: boolean, steps: Steps): void {
  const url = `${kibana}/api/saved_objects/${type}/${encodeURIComponent(id)}`;
  const parts = { attributes, references } as unknown as Record<string, Json>;
  // An index pattern holds what people added to it as well: only ours is changed.
  if (type === 'index-pattern' && !isNew) sendJson(steps, { url, method: 'PUT', headers: XSRF, body: parts });
  else
    sendJson(steps, {
      url: `${url}?overwrite=true`,
      method: 'POST',
      headers: XSRF,
      body: { ...parts, ...(migrationVersion === undefined ? {} : { migrationVersion }) },
    });
}

/** Somebody's own choice stays; no choice, or one that is gone, becomes ours. */
const defaultIndex = (kibana: string): Resource =>
  command('default index pattern', {
    needs: [FIRST],
    differs: all({ chosen: askDefaultIndex(kibana), there: askIndexPatterns(kibana) }).map(({ chosen, there }): readonly Change[] =>
      chosen !== undefined && there.includes(chosen) ? [] : [change('defaultIndex', chosen === undefined ? ABSENT : `${chosen}, which is gone`, INDEX_PATTERN)],
    ),
    run: (steps) => {
      sendJson(steps, { url: `${kibana}/api/kibana/settings`, method: 'POST', headers: XSRF, body: { changes: { defaultIndex: INDEX_PATTERN } } });
    },
  });

const shown = (value: unknown): Shown => (value === undefined ? ABSENT : { kind: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) });
