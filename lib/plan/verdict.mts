import { fail, type RunError } from '../errors.mts';
import type { HostName, ResourceId, RoleName } from '../names.mts';
import type { Ask, Change, Raw, Resource, Verdict } from './model.mts';

export interface Judged {
  readonly resource: Resource;
  readonly verdict: Verdict;
}

/**
 * What each resource of a role needs, in order. `blocked` names whatever is still to come before any of them can be known;
 * otherwise a resource is unknown only through its own `needs`.
 */
export function judge(resources: readonly Resource[], lookup: (ask: Ask) => Raw, blocked?: RoleName | HostName): readonly Judged[] {
  const verdicts = new Map<ResourceId, Verdict>();
  return resources.map((resource) => {
    if (verdicts.has(resource.id)) fail('bug', `two resources of one role are called "${resource.id}"`);
    const verdict: Verdict = blocked === undefined ? verdictOf(resource, lookup, verdicts) : { kind: 'unknown', because: blocked };
    verdicts.set(resource.id, verdict);
    return { resource, verdict };
  });
}

function verdictOf(resource: Resource, lookup: (ask: Ask) => Raw, earlier: ReadonlyMap<ResourceId, Verdict>): Verdict {
  const open = resource.needs?.find((id) => earlier.get(id)?.kind !== 'converged');
  if (open !== undefined) return { kind: 'unknown', because: open };
  const answer = resource.differs.read(lookup);
  if (answer.kind === 'unavailable') return { kind: 'failed', error: unreadable(resource.id, answer.reason) };
  return answer.value.length === 0 ? { kind: 'converged' } : { kind: 'pending', changes: answer.value };
}

const unreadable = (id: ResourceId, reason: string): RunError => ({
  kind: 'unreadable',
  short: `${id}: ${reason}`,
  message: `the state of ${id} could not be read: ${reason}`,
  hint: 'nothing is assumed about what cannot be read; let the login user read it (ansible_become: true) or repair it, then run again',
});

/** Without the changes that stop or restart something: what `--no-restart` leaves to do. */
export const withoutDisruption = (changes: readonly Change[]): readonly Change[] => changes.filter((change) => change.disrupts !== true);

export const disrupts = (verdict: Verdict): boolean => verdict.kind === 'pending' && verdict.changes.some((change) => change.disrupts === true);
