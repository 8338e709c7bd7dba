/** Exports of saved objects (.ndjson) on the controller, looked through before anything is sent. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Refusal } from '../../lib/index.mts';
import { LATEST, type SavedObject } from './objects/saved-object.mts';

const reference = z.object({ name: z.string(), type: z.string(), id: z.string() });
const object = z.object({
  type: z.string(),
  id: z.string().min(1),
  attributes: z.record(z.string(), z.unknown()),
  references: z.array(reference).default([]),
  migrationVersion: z.record(z.string(), z.string()).exactOptional(),
});
/** The last line of an export counts what is in it. */
const summary = z.object({ exportedCount: z.int() });

export interface Export {
  readonly objects: readonly SavedObject[];
  readonly refusals: readonly Refusal[];
}

const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });
const refused = (reason: string, hint: string): Refusal => ({ kind: 'refused', reason, hint });

/** Reads every file of the list; what cannot be imported is refused, all of it at once. `known`: ids that references may point to. */
export function readExports(files: readonly string[], known: ReadonlySet<string>): Export {
  const all = files.map((file): Export => {
    try {
      return parseExport(file, readFileSync(file, 'utf8'));
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return { objects: [], refusals: [usage(`${file} cannot be read: ${why}`, 'kibana_dashboards_import names files on this machine')] };
    }
  });
  const objects = all.flatMap((each) => each.objects);
  const ids = new Set([...known, ...objects.map(key)]);
  const twice = objects.filter((each, at) => known.has(key(each)) || objects.findIndex((other) => key(other) === key(each)) !== at);
  return {
    objects,
    refusals: [
      ...all.flatMap(({ refusals }) => refusals),
      ...twice.map((each) => usage(`kibana_dashboards_import has ${named(each)} twice, or it is one of ours`, 'take it out of one of the files')),
      ...objects.flatMap((each) =>
        each.references
          .filter((to) => !ids.has(key(to)))
          .map((to) =>
            refused(`${named(each)} refers to ${to.type} ${to.id}, which is in none of the files`, 'export it again with "Include related objects"'),
          ),
      ),
    ],
  };
}

export const key = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type} ${id}`;

const named = (of: SavedObject): string => {
  const title = of.attributes['title'];
  return `${of.type} "${typeof title === 'string' ? title : of.id}"`;
};

export function parseExport(file: string, text: string): Export {
  const objects: SavedObject[] = [];
  const refusals: Refusal[] = [];
  text.split('\n').forEach((line, at) => {
    if (line.trim() === '') return;
    const place = `${file}:${String(at + 1)}`;
    const read = readLine(line);
    if (read === undefined)
      refusals.push(usage(`${place} is no saved object`, 'Kibana exports one JSON object a line: Stack Management, Saved Objects, Export'));
    else if (read !== 'summary') {
      const problem = cannotBeImported(read);
      if (problem === undefined) objects.push(read);
      else refusals.push(refused(`${place}: ${named(read)} ${problem.reason}`, problem.hint));
    }
  });
  return { objects, refusals };
}

function readLine(line: string): SavedObject | 'summary' | undefined {
  try {
    const json: unknown = JSON.parse(line);
    if (summary.safeParse(json).success) return 'summary';
    return object.safeParse(json).data;
  } catch {
    return undefined;
  }
}

/** Types of the x-pack edition, with what they are called there. */
const X_PACK: Readonly<Record<string, string>> = {
  lens: 'Lens',
  map: 'Maps',
  'canvas-workpad': 'Canvas',
  'canvas-element': 'Canvas',
  'graph-workspace': 'Graph',
  alert: 'Alerting',
  action: 'Alerting',
  'ml-job': 'machine learning',
};
const OSS_TYPES: ReadonlySet<string> = new Set(['index-pattern', 'visualization', 'dashboard', 'search', 'query', 'url', 'config', 'timelion-sheet']);
const EXPORT_AGAIN = 'export it from Kibana 7.10 or older, or build it again from visualizations of the OSS edition';

function cannotBeImported({ type, migrationVersion = {}, attributes }: SavedObject): { readonly reason: string; readonly hint: string } | undefined {
  const newer = Object.entries(migrationVersion).find(([of, version]) => isNewer(version, LATEST[of] ?? '7.10.2'));
  const feature = X_PACK[type] ?? lensInside(attributes);
  const age =
    newer === undefined ? undefined : `has migrationVersion ${newer[1]}, and 7.10.2 knows ${LATEST[newer[0]] ?? '7.10.2'} at most for its ${newer[0]}`;
  if (feature !== undefined)
    return { reason: `is made with ${feature}, which the OSS edition does not have${age === undefined ? '' : `, and ${age}`}`, hint: EXPORT_AGAIN };
  if (age !== undefined) return { reason: `was made by a newer Kibana: it ${age}`, hint: EXPORT_AGAIN };
  if (!OSS_TYPES.has(type)) return { reason: `is of a type that Kibana 7.10.2 OSS does not have`, hint: EXPORT_AGAIN };
  if (LATEST[type] !== undefined && migrationVersion[type] === undefined)
    return { reason: 'has no migrationVersion, so an old object would be taken for a new one', hint: 'import it by hand in Kibana, and export it from there' };
  return undefined;
}

/** Newer dashboards carry their Lens panels with them. */
const lensInside = ({ panelsJSON }: SavedObject['attributes']): string | undefined =>
  typeof panelsJSON === 'string' && /"type":"lens"/.test(panelsJSON) ? 'Lens' : undefined;

const numbers = (version: string): readonly number[] => version.split('.').map(Number);
function isNewer(version: string, than: string): boolean {
  const [have, limit] = [numbers(version), numbers(than)];
  const at = have.findIndex((part, index) => part !== (limit[index] ?? 0));
  return at >= 0 && (have[at] ?? 0) > (limit[at] ?? 0);
}
