import { fail, RunFailure, toRunError, type RunError } from '../errors.mts';
import type { HostName, ResourceId } from '../names.mts';
import type { Answer, AnyControllerRole, AnyHostRole, AnyRole, Ask, Change, Check, Question, Refusal, Resource, StandIn, Verdict } from '../plan/model.mts';
import { disrupts, judge, withoutDisruption, type Judged } from '../plan/verdict.mts';
import { compileSteps } from '../shell/steps.mts';
import type { Reason, RoleVerdict } from '../report/events.mts';
import { firstFailure, settle, type CheckResult } from './checks.mts';
import { ControllerFailure } from './controller.mts';
import type { HostRun } from './host-run.mts';
import { askPeers, type Scope } from './scope.mts';

/** One role on one host during one run. */
export class RoleRun {
  readonly role: AnyRole;
  readonly run: HostRun;
  readonly #scope: Scope;
  /** The roles that come after this one on the same host. */
  readonly #later: (self: RoleRun) => readonly RoleRun[];
  #peers: ReadonlyMap<HostName, Answer<unknown>> = new Map();
  #started: number | undefined;
  #verdict: RoleVerdict = 'converged';
  /** Ids already reported as changed: what a later round does to them again is part of the same change. */
  readonly #reported = new Set<ResourceId>();
  /** Ids of `during`: putting them back is the end of a restart and no change of its own. */
  temporary: ReadonlySet<ResourceId> = new Set();
  changed = false;
  /** What was left for want of a yes, in words. */
  #unallowed: readonly string[] = [];
  /** Its session was lost under its steps, and not all that they were for is there: the next round does it. */
  isCut = false;

  constructor(role: AnyRole, run: HostRun, scope: Scope, later: (self: RoleRun) => readonly RoleRun[]) {
    this.role = role;
    this.run = run;
    this.#scope = scope;
    this.#later = later;
  }

  get isCoordinated(): boolean {
    return this.role.runs === 'host' && (this.role.rollout !== undefined || this.role.peers !== undefined);
  }

  async learnPeers(again: boolean): Promise<void> {
    if (this.role.runs === 'host') this.#peers = await askPeers(this.#scope, this.role, again);
  }

  get peers(): ReadonlyMap<HostName, Answer<unknown>> {
    return this.#peers;
  }

  hostContext(role: AnyHostRole): Parameters<AnyHostRole['resources']>[0] {
    const { host, facts } = this.run;
    const vars: unknown = host.vars(role.contract);
    const upcoming = (): readonly Resource[] => this.#later(this).flatMap((member) => asFarAsKnown(() => member.resources()));
    return { host, vars, facts, inventory: this.#scope.inventory, peers: this.#peers, within: this.#scope.within, upcoming };
  }

  controllerContext(role: AnyControllerRole): Parameters<AnyControllerRole['resources']>[0] {
    const { host } = this.run;
    const vars: unknown = host.vars(role.contract);
    return { host, vars, inventory: this.#scope.inventory, within: this.#scope.within };
  }

  resources(): readonly Resource[] {
    return this.role.runs === 'host' ? this.role.resources(this.hostContext(this.role)) : this.role.resources(this.controllerContext(this.role));
  }

  checks(): readonly Check[] {
    return (this.role.runs === 'host' ? this.role.verify?.(this.hostContext(this.role)) : this.role.verify?.(this.controllerContext(this.role))) ?? [];
  }

  /** Everything this role wants to know about its host now. */
  asks(): readonly Ask[] {
    const resources = this.#scope.mode === 'verify' ? [] : [...(this.#objections()?.asks ?? []), ...this.resources().flatMap(({ differs }) => differs.asks)];
    const checks = this.#scope.mode === 'check' ? [] : this.checks().flatMap((check) => check.ask.asks);
    return [...resources, ...checks];
  }

  /** Throws a `refused` or `usage` failure when the role will not touch the host. */
  async refuse(): Promise<void> {
    refuse(await this.#refusals());
  }

  /** What can be refused from the inventory alone. */
  staticRefusals(): readonly Refusal[] {
    if (this.role.runs === 'host') return [];
    const question = this.role.refuses?.(this.controllerContext(this.role));
    if (question === undefined || question.asks.length > 0) return [];
    const answer = question.read(this.run.answers.lookup);
    return answer.kind === 'known' ? answer.value : [];
  }

  async #refusals(): Promise<readonly Refusal[]> {
    const known = this.role.runs === 'host' ? (this.role.refuses?.(this.hostContext(this.role)) ?? []) : [];
    const question = this.#objections();
    if (known.length > 0 || question === undefined) return known;
    const answer = await this.run.answer(question, false);
    return answer.kind === 'known' ? answer.value : fail('unreadable', `${this.role.name} could not look before it started: ${answer.reason}`);
  }

  /** Reasons not to touch anything that have to be asked for. */
  #objections(): Question<readonly Refusal[]> | undefined {
    return this.role.runs === 'host' ? this.role.objects?.(this.hostContext(this.role)) : this.role.refuses?.(this.controllerContext(this.role));
  }

  get hasBegun(): boolean {
    return this.#started !== undefined;
  }

  begin(): void {
    if (this.#started !== undefined) return;
    this.#started = performance.now();
    this.#scope.emit({ kind: 'role.start', host: this.run.host.name, role: this.role.name });
    for (const standIn of this.#standIns()) this.#scope.emit({ kind: 'stand-in', host: this.run.host.name, ...standIn });
  }

  #standIns(): readonly StandIn[] {
    if (this.role.runs !== 'host' || !this.run.isOpen) return [];
    return this.role.standIns?.(this.hostContext(this.role)) ?? [];
  }

  end(): void {
    if (this.#started === undefined) return;
    if (this.#unallowed.length > 0) this.#sayFailed(needsYes(this.#unallowed).error);
    const ms = Math.round(performance.now() - this.#started);
    this.#scope.emit({ kind: 'role.end', host: this.run.host.name, role: this.role.name, verdict: this.#verdict, ms });
  }

  async judge(): Promise<readonly Judged[]> {
    const resources = this.resources();
    await this.run.know(resources.flatMap((resource) => resource.differs.asks));
    const judged = judge(resources, this.run.answers.lookup);
    const failed = judged.find(({ verdict }) => verdict.kind === 'failed');
    if (failed?.verdict.kind === 'failed' && this.#scope.mode === 'apply') {
      this.report(failed);
      throw new RunFailure(failed.verdict.error);
    }
    return judged;
  }

  /** Whether the host of a provider is yet to be made or started, judged by what is pending. */
  async isToCome(judged: readonly Judged[]): Promise<boolean> {
    const { role } = this;
    if (role.runs === 'host' || role.provides === undefined || !isPending(judged)) return false;
    const question = role.locates?.(this.controllerContext(role));
    if (question === undefined) return true;
    const answer = await this.run.answer(question, false);
    return answer.kind === 'unavailable' || answer.value === undefined;
  }

  /** All resources unknown, because of what is still to come before them. */
  unknown(because: HostName): void {
    this.begin();
    this.#raise('unknown');
    this.#scope.emit({ kind: 'notice', text: `${this.run.host.name}: ${this.role.name} is unknown until ${because} exists` });
    this.end();
  }

  /** Applies what is pending and known, asks again, and reports it; gives whether there was anything. */
  async apply(judged: readonly Judged[], rest: () => readonly Ask[]): Promise<boolean> {
    this.isCut = false;
    const work = judged.flatMap(({ resource, verdict }) => {
      const changes = this.#wanted(verdict);
      return changes.length === 0 ? [] : [{ resource, changes }];
    });
    if (work.length === 0) return false;
    refuse(work.flatMap(({ changes }) => changes.flatMap(({ refused }) => (refused === undefined ? [] : [{ kind: 'refused' as const, ...refused }]))));
    this.#requireConsent(work);
    const reask = [...judged.flatMap(({ resource }) => resource.differs.asks), ...rest()];
    const isSeen = await this.run.apply(
      this.role.name,
      work.flatMap(({ resource, changes }) => compileSteps(resource, changes)),
      reask,
    );
    this.changed = true;
    if (this.role.runs === 'controller' && this.role.provides !== undefined) this.run.isNew = true;
    for (const { resource, changes } of work) {
      if (!isSeen && this.#isLeft(resource)) {
        this.isCut = true;
        continue;
      }
      this.#requireConverged(resource);
      this.report({ resource, verdict: { kind: 'changed', changes } });
    }
    return true;
  }

  #requireConsent(work: readonly Work[]): void {
    if (this.#scope.yes) return;
    const asking = work.flatMap(asksYes);
    if (asking.length > 0) throw needsYes(asking);
  }

  #wanted(verdict: Verdict): readonly Change[] {
    if (verdict.kind !== 'pending' || this.#waits(verdict.changes)) return [];
    return this.#scope.noRestart ? withoutDisruption(verdict.changes) : verdict.changes;
  }

  /** Whether anything is to be applied now. */
  hasWork(judged: readonly Judged[]): boolean {
    return judged.some(({ verdict }) => this.#wanted(verdict).length > 0);
  }

  /** What a whole group stands on is put right as far as it may be, and the hosts go on: only what needs a yes waits for it. */
  #waits(changes: readonly Change[]): boolean {
    const isGround = this.role.runs === 'controller' && this.role.per === 'group';
    return isGround && !this.#scope.yes && changes.some(({ consent }) => consent !== undefined);
  }

  /** Reports what is in order and what was left; for what waits for a yes the run ends as refused, when everything else is done. */
  settle(judged: readonly Judged[]): void {
    for (const each of judged) this.report(each);
    this.#unallowed = judged.flatMap(({ resource, verdict }) =>
      verdict.kind === 'pending' && this.#waits(verdict.changes) ? asksYes({ resource, changes: verdict.changes }) : [],
    );
  }

  #isLeft({ differs }: Resource): boolean {
    const answer = differs.read(this.run.answers.lookup);
    return answer.kind === 'known' && answer.value.length > 0;
  }

  #requireConverged(resource: Resource): void {
    const answer = resource.differs.read(this.run.answers.lookup);
    const left = answer.kind === 'known' ? (this.#scope.noRestart ? withoutDisruption(answer.value) : answer.value).map(({ field }) => field) : [answer.reason];
    if (left.length === 0) return;
    fail('not-converged', `${resource.id} is still different after it was applied: ${left.join(', ')}`, {
      hint: 'something on the host puts it back, or the step did not do what it should; run with --diff to see both sides',
    });
  }

  report({ resource, verdict }: Judged): void {
    if (this.#reported.has(resource.id) || (verdict.kind === 'changed' && this.temporary.has(resource.id))) return;
    if (verdict.kind === 'changed') this.#reported.add(resource.id);
    this.#raise(verdict.kind);
    const because = this.#reason(resource);
    this.#scope.emit({
      kind: 'resource.verdict',
      host: this.run.host.name,
      role: this.role.name,
      resource: resource.id,
      verdict,
      ...(because === undefined ? {} : { because }),
    });
  }

  /** The inventory line that asked for it: the variable that decides it, else the line that names the host. */
  #reason(resource: Resource): Reason | undefined {
    const { host } = this.run;
    for (const variable of resource.because ?? []) {
      const explained = this.#scope.inventory.explain(host.name, variable);
      if (explained?.source !== undefined) return { variable, source: explained.source };
    }
    return { variable: host.name, source: host.source };
  }

  /** Waits until the service that was changed answers. */
  async ready(): Promise<void> {
    if (this.role.runs !== 'host' || this.role.ready === undefined) return;
    const results = await settle(this.role.ready(this.hostContext(this.role)), this.run, this.#patience('ready', true));
    const failure = firstFailure(results);
    if (failure !== undefined) throw new RunFailure(checkError(failure.check, failure.judgement));
    const unknown = results.find(({ outcome }) => outcome.kind === 'unknown');
    if (unknown?.outcome.kind === 'unknown') fail('unreadable', `${unknown.check.id}: ${unknown.outcome.because}`);
    await this.run.forget();
  }

  async verify(): Promise<void> {
    const checks = this.checks();
    if (checks.length === 0) return;
    const results = await settle(checks, this.run, this.#patience('verify', this.#scope.mode === 'apply' && this.#unallowed.length === 0));
    for (const { check, outcome } of results)
      this.#scope.emit({
        kind: 'check.result',
        host: this.run.host.name,
        role: this.role.name,
        check: check.id,
        outcome,
        ...(check.headline === undefined ? {} : { headline: check.headline }),
      });
    const failure = firstFailure(results);
    if (failure !== undefined) throw new RunFailure(checkError(failure.check, failure.judgement));
    const unknown = unknownIn(results);
    if (unknown !== undefined) fail('unreadable', unknown);
  }

  #patience(what: 'ready' | 'verify' | 'gate', patient: boolean): Parameters<typeof settle>[2] {
    const { emit, signal } = this.#scope;
    return {
      patient,
      signal,
      // What a restart waits for is part of it; looking on is not.
      ...(what === 'verify' ? { isOver: () => this.#scope.stopping() } : {}),
      onWaiting: (check, attempt, found) => {
        emit({ kind: 'waiting', host: this.run.host.name, role: this.role.name, what, check, attempt, found });
      },
    };
  }

  /** Asks the gate's checks on this host anew, judged against `first`: what this host said before the batch says nothing of what came after. */
  gate(checks: readonly Check[], first: ReadonlyMap<string, unknown>): Promise<readonly CheckResult[]> {
    return settle(checks, this.run, { ...this.#patience('gate', true), anew: true, first });
  }

  /** Notes the failure, says it, and looks for its cause. */
  async fail(thrown: unknown): Promise<void> {
    const error = this.run.fail(thrown);
    // It is about the whole run, and is said once for all of it.
    if (thrown instanceof ControllerFailure) {
      this.#scope.giveUp(thrown);
      return;
    }
    this.begin();
    await this.#diagnose(error);
    this.#sayFailed(error);
  }

  #sayFailed(error: RunError): void {
    this.#raise('failed');
    const lines = error.kind === 'step-failed' || error.kind === 'timeout' ? error.message : undefined;
    this.#scope.emit({ kind: 'role.failed', host: this.run.host.name, role: this.role.name, error, ...(lines === undefined ? {} : { tail: lines }) });
  }

  async #diagnose(error: RunError): Promise<void> {
    const diagnosable =
      error.kind === 'check-failed' ||
      error.kind === 'step-failed' ||
      error.kind === 'not-converged' ||
      error.kind === 'timeout' ||
      error.kind === 'unreadable';
    if (this.role.runs !== 'host' || this.role.diagnose === undefined || !this.run.isOpen || !diagnosable) return;
    try {
      const answer = await this.run.answer(this.role.diagnose(this.hostContext(this.role)), true);
      if (answer.kind === 'unavailable') return;
      for (const diagnosis of answer.value) this.#scope.emit({ kind: 'diagnosis', host: this.run.host.name, role: this.role.name, diagnosis });
    } catch {
      // The failure itself is what matters; a host too broken to be questioned adds nothing to it.
    }
  }

  #raise(kind: RoleVerdict): void {
    if (WEIGHT[kind] > WEIGHT[this.#verdict]) this.#verdict = kind;
  }

  get verdict(): RoleVerdict {
    return this.#verdict;
  }
}

interface Work {
  readonly resource: Resource;
  readonly changes: readonly Change[];
}

const asksYes = ({ resource, changes }: Work): readonly string[] =>
  changes.flatMap(({ consent }) => (consent === undefined ? [] : [`${resource.id}: ${consent}`]));

function needsYes(asking: readonly string[]): RunFailure {
  const short = `needs a yes: ${[...new Set(asking)].join(', ')}`;
  return new RunFailure({ kind: 'refused', short, message: short, hint: 'look at it with --check --diff, then run again with --yes' });
}

/** Throws for refusals, if there are any: each reason and each hint once. */
export function refuse(refusals: readonly Refusal[]): void {
  const first = refusals[0];
  if (first === undefined) return;
  const usage = refusals.find(({ kind }) => kind === 'usage');
  fail((usage ?? first).kind, first.reason, {
    message: [...new Set(refusals.map(({ reason }) => reason))].join('\n'),
    hint: [...new Set(refusals.map(({ hint }) => hint))].join('\n'),
  });
}

/** A role that cannot say yet what it will ask or want (a peer is missing, a variable is wrong) says it when its turn comes. */
export function asFarAsKnown<T>(say: () => readonly T[]): readonly T[] {
  try {
    return say();
  } catch (thrown) {
    if (toRunError(thrown).kind === 'bug') throw thrown;
    return [];
  }
}

const WEIGHT: Readonly<Record<RoleVerdict, number>> = { converged: 0, unknown: 1, pending: 2, changed: 3, failed: 4 };

export const isDisruptive = (judged: readonly Judged[]): boolean => judged.some(({ verdict }) => disrupts(verdict));
export const isPending = (judged: readonly Judged[]): boolean => judged.some(({ verdict }) => verdict.kind === 'pending');

export const checkError = (
  check: string,
  { expected, found, hint }: { readonly expected: string; readonly found: string; readonly hint: string },
): RunError => ({
  kind: 'check-failed',
  short: `${check}: expected ${expected}, found ${found}`,
  message: `${check}: expected ${expected}, found ${found}`,
  hint,
});

function unknownIn(results: readonly CheckResult[]): string | undefined {
  for (const { check, outcome } of results) if (outcome.kind === 'unknown') return `${check.id}: ${outcome.because}`;
  return undefined;
}
