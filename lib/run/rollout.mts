import { fail } from '../errors.mts';
import type { Host } from '../inventory/model.mts';
import type { AnyHostRole, Check, Refusal, Resource } from '../plan/model.mts';
import { judge, type Judged } from '../plan/verdict.mts';
import { firstFailure, foundIn, type CheckResult } from './checks.mts';
import { alive, guarded, type Cohort, type Each } from './cohort.mts';
import { isPending, type RoleRun } from './role-run.mts';
import { peerRuns } from './scope.mts';

interface Rolling extends Cohort {
  readonly rolling: readonly RoleRun[];
  readonly applyTogether: (batch: readonly (readonly [RoleRun, readonly Judged[]])[]) => Promise<void>;
  readonly each: Each;
}

/**
 * Restarts running members in batches. Before a batch the gate's values are taken from a member outside it; after the batch the gate must
 * pass against them before the next one begins. Gives false when it stopped: no further member is touched.
 */
export async function roll(rolling: Rolling): Promise<boolean> {
  const { scope } = rolling;
  const role = rolledRole(rolling.rolling);
  const serial = scope.serial ?? role.rollout?.serial ?? 1;
  const order = inOrder(role, rolling.rolling);
  for (let at = 0; at < order.length; at += serial) {
    if (scope.stopping()) return false;
    const batch = order.slice(at, at + serial);
    const observer = observerOf(rolling, role, batch);
    const first = new Map<string, unknown>();
    // Without the values there would be no gate, so nothing is restarted then.
    if (observer !== undefined) await guarded(observer, () => valuesBefore(observer, batch, role, first));
    if (observer?.run.failure !== undefined) return false;
    for (const member of batch) await guarded(member, () => refuseBatch(member, batch, role, observer));
    if (alive(batch).length < batch.length) return false;
    await rollBatch(rolling, batch, role);
    for (const member of alive(batch)) await guarded(member, () => passGate(member, observer, role, first));
    if (alive(batch).length < batch.length) {
      await undoDrain(rolling, batch);
      return false;
    }
  }
  return true;
}

function rolledRole(members: readonly RoleRun[]): AnyHostRole {
  const role = members[0]?.role;
  return role?.runs === 'host' ? role : fail('bug', 'only a role that runs on hosts is rolled');
}

function inOrder(role: AnyHostRole, members: readonly RoleRun[]): readonly RoleRun[] {
  const wanted = role.rollout?.order?.(
    members.map(({ run }) => run.host),
    members[0]?.peers ?? new Map(),
  );
  if (wanted === undefined) return members;
  return wanted.flatMap((host) => members.filter(({ run }) => run.host.name === host.name));
}

/** A connected member that stays up while the batch is out; the batch's own first member where there is no other. */
function observerOf({ members, scope }: Rolling, role: AnyHostRole, batch: readonly RoleRun[]): RoleRun | undefined {
  const out = new Set(batch.map(({ run }) => run.host.name));
  const peers = new Set(peerRuns(scope, role).map(({ host }) => host.name));
  return alive(members).find(({ run }) => peers.has(run.host.name) && !out.has(run.host.name)) ?? batch[0];
}

const hostsOf = (batch: readonly RoleRun[]): readonly Host[] => batch.map(({ run }) => run.host);

const gateChecks = (observer: RoleRun, role: AnyHostRole): readonly Check[] => role.rollout?.gate(observer.hostContext(role)) ?? [];

/** With what the objections of the batch are judged on: both often ask the same, which may be dear. */
async function valuesBefore(observer: RoleRun, batch: readonly RoleRun[], role: AnyHostRole, values: Map<string, unknown>): Promise<void> {
  const checks = gateChecks(observer, role);
  const objections = role.rollout?.objects?.(observer.hostContext(role), hostsOf(batch));
  await observer.run.refresh([...checks.flatMap((check) => check.ask.asks), ...(objections?.asks ?? [])]);
  for (const check of checks) {
    const answer = check.ask.read(observer.run.answers.lookup);
    if (answer.kind === 'known') values.set(check.id, answer.value);
  }
}

/** Asked anew: since the run began others may have left the cluster. */
async function refuseBatch(member: RoleRun, batch: readonly RoleRun[], role: AnyHostRole, observer: RoleRun | undefined): Promise<void> {
  const { rollout } = role;
  if (rollout?.refuses === undefined && rollout?.objects === undefined) return;
  await member.learnPeers(true);
  const refusals = [...(rollout.refuses?.(member.hostContext(role), hostsOf(batch)) ?? []), ...(await objections(role, batch, observer))];
  for (const { kind, reason, hint } of refusals) fail(kind, reason, { hint });
}

async function objections(role: AnyHostRole, batch: readonly RoleRun[], observer: RoleRun | undefined): Promise<readonly Refusal[]> {
  const { rollout } = role;
  if (rollout?.objects === undefined || observer === undefined) return [];
  await observer.learnPeers(false);
  const answer = await observer.run.answer(rollout.objects(observer.hostContext(role), hostsOf(batch)), false);
  return answer.kind === 'known' ? answer.value : fail('unreadable', `${observer.run.host.name} could not say whether it can do without: ${answer.reason}`);
}

async function rollBatch(rolling: Rolling, batch: readonly RoleRun[], role: AnyHostRole): Promise<void> {
  await rolling.each(batch, (member) => drain(member, role));
  let todo = await pendingOf(rolling, batch);
  for (let round = 0; todo.length > 0 && round < 4; round += 1) {
    await rolling.applyTogether(todo);
    for (const [member] of todo) await guarded(member, () => member.learnPeers(true));
    todo = await pendingOf(rolling, alive(batch));
  }
}

/** The temporary wants, such as: no shards are moved. Their ids are put back by the role's own `resources`. */
async function drain(member: RoleRun, role: AnyHostRole): Promise<void> {
  const wants = role.rollout?.during?.(member.hostContext(role)) ?? [];
  if (wants.length === 0) return;
  member.temporary = new Set(wants.map(({ id }) => id));
  await putThrough(member, wants);
}

/** Also when the session is lost under it, which happens once at most: a restart without it, or its being left, would do harm. */
async function putThrough(member: RoleRun, wants: readonly Resource[]): Promise<void> {
  await member.run.refresh(wants.flatMap(({ differs }) => differs.asks));
  do await member.apply(judge(wants, member.run.answers.lookup), () => member.asks());
  while (member.isCut);
}

/** What a failed member did not put back, a surviving one does, or else itself, also when the run is being aborted; where none can, the next run does. */
async function undoDrain({ members, scope }: Rolling, batch: readonly RoleRun[]): Promise<void> {
  const failed = batch.filter(({ run }) => run.failure !== undefined);
  const ids = new Set(failed.flatMap((member) => [...member.temporary]));
  const putBack = async (member: RoleRun): Promise<void> => {
    await member.learnPeers(true);
    // Whatever else the member still needs, such as its own restart, has to wait; this must not.
    const normal = member.resources().flatMap(({ needs: _, ...resource }) => (ids.has(resource.id) ? [resource] : []));
    member.temporary = new Set([...member.temporary, ...normal.map(({ id }) => id)]);
    await putThrough(member, normal);
    for (const { id } of normal) ids.delete(id);
  };
  await scope.lastly(async () => {
    for (const survivor of alive(members)) if (ids.size > 0) await guarded(survivor, putBack);
    // Why it failed is said already.
    for (const member of failed) if (ids.size > 0 && member.run.isOpen) await putBack(member).catch(() => undefined);
  });
  if (ids.size > 0)
    scope.emit({ kind: 'notice', text: `${[...ids].join(', ')}: still as it was set for the restart, and nobody could put it back: run again, which does` });
}

async function pendingOf({ each }: Rolling, batch: readonly RoleRun[]): Promise<readonly (readonly [RoleRun, readonly Judged[]])[]> {
  const pending: (readonly [RoleRun, readonly Judged[]])[] = [];
  await each(alive(batch), async (member) => {
    const judged = await member.judge();
    if (isPending(judged)) pending.push([member, judged]);
  });
  return pending;
}

async function passGate(member: RoleRun, observer: RoleRun | undefined, role: AnyHostRole, first: ReadonlyMap<string, unknown>): Promise<void> {
  if (observer === undefined) return;
  const results = await observer.gate(gateChecks(observer, role), first);
  const failure = firstFailure(results);
  if (failure !== undefined) {
    fail(
      'check-failed',
      `gate ${failure.check}, seen from ${observer.run.host.name}: expected ${failure.judgement.expected}, found ${failure.judgement.found}`,
      { hint: failure.judgement.hint },
    );
  }
  const open = results.find(({ outcome }) => outcome.kind !== 'pass');
  if (open !== undefined) fail('check-failed', describe(open, observer));
}

const describe = ({ check, outcome }: CheckResult, observer: RoleRun): string => `gate ${check.id}, seen from ${observer.run.host.name}: ${foundIn(outcome)}`;
