import { all, allOf, attempt, type Answer, type Check, type Context, type Judgement } from '../../lib/index.mts';
import { clusterFor, nodeUrl } from '../elasticsearch/contract.mts';
import { kibanaUrl, publicUrl } from '../kibana/contract.mts';
import { askDefaultIndex, askIndexPatterns, askObjects } from './api.mts';
import type { KibanaDashboardsVars } from './contract.mts';
import { dashboardsOf, worldOf } from './dashboards.mts';
import { key } from './exports.mts';
import { INDEX_PATTERN } from './objects/index-pattern.mts';
import type { SavedObject } from './objects/saved-object.mts';
import { askPanels, judgePanels, type Said } from './queries.mts';

/** Long enough for a poll that is late, short enough to notice that the last one was an hour ago. */
const MINUTES = 5;
/** The second is asked in case the first is down. */
const NODES = 2;

export function checks({ host, vars, inventory }: Pick<Context<KibanaDashboardsVars>, 'host' | 'vars' | 'inventory'>): readonly Check[] {
  const world = worldOf(inventory, host, vars);
  const { dashboards, objects, panels, left } = dashboardsOf(world);
  const kibana = kibanaUrl(host);
  const urls = dashboards.map(({ id }) => `${publicUrl(host)}/app/dashboards#/view/${id}`);
  const minutes = Math.max(MINUTES, Math.ceil((world.pollSeconds * 3) / 60));
  const objectsThere: Check<Answer<ReadonlyMap<string, SavedObject>>> = {
    id: 'saved-objects',
    ask: attempt(askObjects(kibana, objects)),
    judge: (now) => judgeObjects(now, objects),
    retry: { everyMs: 2000, deadlineMs: 10_000 },
  };
  const defaultIndex: Check<{ chosen: string | undefined; there: readonly string[] }> = {
    id: 'default-index',
    needs: ['saved-objects'],
    ask: all({ chosen: askDefaultIndex(kibana), there: askIndexPatterns(kibana) }),
    judge: ({ chosen, there }) => judgeDefault(chosen, there),
    retry: { everyMs: 2000, deadlineMs: 10_000 },
  };
  const data: Check<readonly Said[]> = {
    id: 'panels',
    headline: 'dashboards',
    ask: allOf(
      clusterFor(inventory, host)
        .slice(0, NODES)
        .map((node) => askPanels(nodeUrl(node), world.index, panels, minutes)),
    ),
    judge: (said) =>
      judgePanels(
        firstAnswer(said),
        panels,
        minutes,
        [urls.join(' '), ...(left.length === 0 ? [] : [`(${String(left.length)} more need metrics that are not collected here)`])].join(' '),
      ),
    retry: { everyMs: 3000, deadlineMs: 60_000 },
  };
  return [objectsThere, defaultIndex, data] as readonly Check[];
}

const firstAnswer = (said: readonly Said[]): Said =>
  said.find(({ kind }) => kind === 'said') ?? said[0] ?? { kind: 'silent', why: 'nothing: there is no node' };

export function judgeObjects(answer: Answer<ReadonlyMap<string, SavedObject>>, wanted: readonly SavedObject[]): Judgement {
  if (answer.kind === 'unavailable') return { kind: 'fail', expected: 'Kibana answers', found: answer.reason, hint: '--role kibana --verify-only says why' };
  const now = answer.value;
  const missing = wanted.filter((each) => !now.has(key(each)));
  const expected = `${String(wanted.length)} saved objects`;
  if (missing.length === 0) return { kind: 'pass', found: expected };
  return { kind: 'fail', expected, found: `missing: ${missing.map(key).join(', ')}`, hint: 'run --role kibana-dashboards, which makes them again' };
}

export function judgeDefault(chosen: string | undefined, there: readonly string[]): Judgement {
  if (chosen !== undefined && there.includes(chosen)) return { kind: 'pass', found: chosen === INDEX_PATTERN ? chosen : `${chosen}, chosen by somebody` };
  return {
    kind: 'fail',
    expected: 'a default index pattern that exists',
    found: chosen === undefined ? 'none is chosen' : `${chosen}, which is gone`,
    hint: 'run --role kibana-dashboards, which chooses one',
  };
}
