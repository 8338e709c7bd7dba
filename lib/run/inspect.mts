import { RunFailure, type ErrorKind } from '../errors.mts';
import type { HostName } from '../names.mts';
import { judge } from '../plan/verdict.mts';
import { guarded } from './cohort.mts';
import type { RoleRun } from './role-run.mts';
import { peerRuns, type Scope } from './scope.mts';

/** Check, drift and verification of one host's roles of a stage: nothing here can write. */
export async function inspect(members: readonly RoleRun[], scope: Scope, toCome: Set<HostName>): Promise<void> {
  for (const member of members) {
    const { run, role } = member;
    if (isGone(member) || scope.stopping()) return;
    const missing = role.runs === 'host' ? [run, ...peerRuns(scope, role)].find(({ host }) => toCome.has(host.name)) : undefined;
    if (missing !== undefined) {
      member.unknown(missing.host.name);
      continue;
    }
    member.begin();
    await guarded(member, () => inspectOne(member, scope, toCome));
    member.end();
  }
}

/** What one role found wrong hides nothing of the next, as long as the host can be asked at all. */
const ANSWERS: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['check-failed', 'unreadable', 'refused', 'usage']);
const isGone = ({ role, run }: RoleRun): boolean => run.failure !== undefined && !(role.runs === 'host' && run.isOpen && ANSWERS.has(run.failure.kind));

async function inspectOne(member: RoleRun, scope: Scope, toCome: Set<HostName>): Promise<void> {
  const { run, role } = member;
  if (scope.mode !== 'verify' || role.runs === 'controller') {
    await member.refuse();
    const resources = member.resources();
    await run.know(resources.flatMap((resource) => resource.differs.asks));
    const judged = judge(resources, run.answers.lookup);
    for (const one of judged) member.report(one);
    if (await member.isToCome(judged)) {
      toCome.add(run.host.name);
      return;
    }
    if (scope.mode !== 'check') await member.verify();
    for (const { verdict } of judged) if (verdict.kind === 'failed') throw new RunFailure(verdict.error);
  } else await member.verify();
}
