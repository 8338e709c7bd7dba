import type { Ask } from '../plan/model.mts';
import type { RoleRun } from './role-run.mts';
import type { Scope } from './scope.mts';

export interface Cohort {
  readonly scope: Scope;
  /** The same role on the hosts that must take their steps together; one host for a role without peers. */
  readonly members: readonly RoleRun[];
  /** What the roles still to come on a host want to know: asked in the same frame as a role's last question. */
  rest(member: RoleRun): readonly Ask[];
}

export type Each = (members: readonly RoleRun[], work: (member: RoleRun) => Promise<void>) => Promise<unknown>;

export const alive = (members: readonly RoleRun[]): readonly RoleRun[] => members.filter(({ run }) => run.failure === undefined);

export async function guarded(member: RoleRun, work: (member: RoleRun) => Promise<void>): Promise<void> {
  try {
    await work(member);
  } catch (thrown) {
    await member.fail(thrown);
  }
}
