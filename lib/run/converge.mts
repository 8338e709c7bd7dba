import pLimit from 'p-limit';
import { fail } from '../errors.mts';
import type { Judged } from '../plan/verdict.mts';
import { alive, guarded, type Cohort, type Each } from './cohort.mts';
import { isDisruptive, type RoleRun } from './role-run.mts';
import { roll } from './rollout.mts';
import type { Scope } from './scope.mts';

/** Applying may reveal more to do (a setting that is only right until the cluster has formed), but not for ever. */
const MAX_ROUNDS = 6;

/**
 * Brings one role to where it should be on all its hosts: everything that disturbs nobody first and together, then restarts of running
 * members batch by batch. A member that fails is left behind; the others go on.
 */
export async function converge(cohort: Cohort): Promise<void> {
  const { scope, members } = cohort;
  const limit = pLimit(scope.forks);
  const each = (some: readonly RoleRun[], work: (member: RoleRun) => Promise<void>): Promise<unknown> =>
    Promise.all(some.map((member) => limit(() => guarded(member, work))));

  await each(members, async (member) => {
    member.begin();
    await member.learnPeers(false);
    await member.refuse();
  });
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    if (scope.stopping()) {
      await reportLeft(members, each);
      return;
    }
    const pending = await stillPending(cohort, each, round > 1);
    if (pending.size === 0) {
      await each(alive(members), async (member) => {
        member.settle(await member.judge());
      });
      return;
    }
    const rolling = [...pending].filter(([member, judged]) => rolls(member, judged, scope)).map(([member]) => member);
    const calm = [...pending].filter(([member]) => !rolling.includes(member));
    if (calm.length > 0) {
      await applyTogether(cohort, calm, each);
      // What keeps a stopped member from starting would do the same to one that runs.
      for (const [{ role, run }] of calm) if (run.failure !== undefined) scope.stopped.add(role.name);
    } else if (!(await rollOnce(cohort, rolling, each))) {
      await reportLeft(members, each);
      return;
    }
  }
  await each(alive(members), () => fail('not-converged', `still something to change after ${MAX_ROUNDS.toString()} rounds`));
}

/** Gives false when the rollout stopped, here or for members before these. */
async function rollOnce(cohort: Cohort, rolling: readonly RoleRun[], each: Each): Promise<boolean> {
  const { stopped } = cohort.scope;
  const names = rolling.map(({ role }) => role.name);
  if (names.some((name) => stopped.has(name))) return false;
  const isDone = await roll({ ...cohort, rolling, applyTogether: (batch) => applyTogether(cohort, batch, each), each });
  if (!isDone) for (const name of names) stopped.add(name);
  return isDone;
}

/** Members that were not come to are not converged: what they still need is said, and keeps them unfinished. */
async function reportLeft(members: readonly RoleRun[], each: Each): Promise<void> {
  await each(alive(members), async (member) => {
    for (const judged of await member.judge()) member.report(judged);
  });
}

async function stillPending({ members }: Cohort, each: Each, again: boolean): Promise<ReadonlyMap<RoleRun, readonly Judged[]>> {
  const pending = new Map<RoleRun, readonly Judged[]>();
  await each(alive(members), async (member) => {
    if (again) await member.learnPeers(true);
    const judged = await member.judge();
    if (member.hasWork(judged)) pending.set(member, judged);
  });
  return pending;
}

const rolls = (member: RoleRun, judged: readonly Judged[], scope: Scope): boolean =>
  member.role.runs === 'host' && member.role.rollout !== undefined && !scope.noRestart && isDisruptive(judged);

/** Applies to all members at once, and only then waits for them: members of a cluster that form it together need each other. */
async function applyTogether(cohort: Cohort, pending: readonly (readonly [RoleRun, readonly Judged[]])[], each: Each): Promise<void> {
  const judgedOf = new Map(pending);
  const members = pending.map(([member]) => member);
  await each(members, async (member) => {
    await member.apply(judgedOf.get(member) ?? [], () => cohort.rest(member));
  });
  const started = alive(members).filter(({ isCut }) => !isCut);
  await Promise.all(started.map((member) => guarded(member, () => member.ready())));
}
