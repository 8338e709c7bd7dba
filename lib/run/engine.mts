import pLimit from 'p-limit';
import { toRunError, type RunError, type RunFailure } from '../errors.mts';
import type { Host, Inventory } from '../inventory/model.mts';
import type { HostName } from '../names.mts';
import type { AnyRole, Ask, Playbook } from '../plan/model.mts';
import type { EventBody, Mode } from '../report/events.mts';
import type { LockHolder, Transport } from '../transport/session.mts';
import { alive, guarded } from './cohort.mts';
import { ControllerFailure, type Controller } from './controller.mts';
import { converge } from './converge.mts';
import { HostRun, type Changes } from './host-run.mts';
import { inspect } from './inspect.mts';
import type { Intents } from './journal.mts';
import { Places } from './places.mts';
import { asFarAsKnown, refuse, RoleRun } from './role-run.mts';
import { peerRuns, type ApplyOptions, type Scope } from './scope.mts';

export interface RunPlan extends ApplyOptions {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly mode: Mode;
  /** Hosts of the limit; every host of the inventory when there is none. */
  readonly within: ReadonlySet<HostName>;
  /** The roles asked for; every role of the playbook when there is none. */
  readonly roles: ReadonlySet<string> | undefined;
  readonly holder: LockHolder;
  readonly transport: Transport;
  /** What it was asked already is not asked again. */
  readonly controller: Controller;
  /** Where steps are noted before they are begun. */
  readonly journal?: Intents;
  readonly emit: (event: EventBody) => void;
  readonly signal: AbortSignal;
  stopping(): boolean;
}

export interface StagePlan {
  readonly index: number;
  readonly hosts: readonly Host[];
  readonly roles: readonly AnyRole[];
}

/** The playbook's stages for the chosen hosts and roles, and for what those depend on; stages without either are left out. */
export function stagesOf({ playbook, inventory, within, roles }: Pick<RunPlan, 'playbook' | 'inventory' | 'within' | 'roles'>): readonly StagePlan[] {
  const all = playbook.stages.flatMap((stage) => stage.roles);
  const asked = all.filter((role) => roles === undefined || roles.has(role.name));
  const wanted = new Set<string>(asked.flatMap((role) => [role.name, ...(role.runs === 'controller' ? (role.dependencies ?? []) : [])]));
  const stages = playbook.stages.map((stage, index) => ({
    index,
    hosts: hostsOf(inventory, stage.hosts).filter((host) => within.has(host.name)),
    roles: stage.roles.filter(({ name }) => wanted.has(name)),
  }));
  const hasWork = (role: AnyRole, host: Host): boolean => isAbout(role, host) && (!isAhead(role) || isWorkedOn(host, stages));
  return stages
    .map((stage) => ({ ...stage, hosts: stage.hosts.filter((host) => stage.roles.some((role) => hasWork(role, host))) }))
    .filter(({ hosts, roles: chosen }) => hosts.length > 0 && chosen.length > 0);
}

const isAhead = (role: AnyRole): boolean => role.runs === 'host' && role.looksAhead === true;

/** Whether a host role changes something on it, other than one that only looks at what those will do. */
function isWorkedOn(host: Host, stages: readonly StagePlan[]): boolean {
  const works = (role: AnyRole): boolean => role.runs === 'host' && !isAhead(role) && isAbout(role, host);
  return stages.some((stage) => stage.hosts.includes(host) && !observes(stage, host) && stage.roles.some(works));
}

/** Whether a host is a role's business: a provider has only its own. */
export function isAbout(role: AnyRole, host: Host): boolean {
  const only = role.concerns ?? (role.runs === 'controller' ? role.provides : undefined);
  return only === undefined || (typeof only === 'function' ? only(host) : only === host.provider);
}

/** A playbook names groups that an inventory need not have: one that is missing has no hosts, and the others of a union still have theirs. */
function hostsOf(inventory: Inventory, pattern: string): readonly Host[] {
  const parts = /[&!]/.test(pattern) ? [pattern] : pattern.split(/[:,]/);
  const chosen = new Set(parts.flatMap((part) => selected(inventory, part)));
  return [...inventory.hosts.values()].filter((host) => chosen.has(host));
}

function selected(inventory: Inventory, pattern: string): readonly Host[] {
  try {
    return inventory.select(pattern);
  } catch (thrown) {
    if (toRunError(thrown).kind === 'usage') return [];
    throw thrown;
  }
}

/** Whether a role has anything to do with a host; with observed ones only roles that can observe. */
const concerns = (role: AnyRole, host: Host, stage: StagePlan): boolean =>
  isAbout(role, host) && (role.runs === 'controller' || role.manages !== undefined || !observes(stage, host));

/** A stage observes a host when one of its roles manages hosts, and not this one. */
const observes = ({ roles }: StagePlan, host: Host): boolean => roles.some((role) => role.runs === 'host' && role.manages?.(host) === false);

/** Hosts that a run which was stopped early did not finish, though nothing went wrong there. */
export interface Leftovers {
  /** No role of theirs was begun. */
  readonly notAttempted: readonly HostName[];
  /** Some of their roles were begun and others were not. */
  readonly cut: readonly HostName[];
}

/** Runs a plan to its end and gives the hosts that were left. Never throws for what happens on a host. */
export async function execute(plan: RunPlan): Promise<Leftovers> {
  const engine = new Engine(plan);
  try {
    return await engine.run();
  } finally {
    await engine.close();
  }
}

class Engine {
  readonly #plan: RunPlan;
  readonly #stages: readonly StagePlan[];
  readonly #runs = new Map<HostName, HostRun>();
  readonly #roleRuns = new Map<HostRun, RoleRun[]>();
  readonly #attempted = new Set<HostName>();
  readonly #scope: Scope;
  readonly #controller: Controller;
  readonly #changes: Changes = { count: 0 };
  /** Hosts whose provider has yet to make them. */
  readonly #toCome = new Set<HostName>();
  readonly #places: Places;
  #givenUp = false;
  #fatal: RunFailure | undefined;
  #signal: AbortSignal;

  constructor(plan: RunPlan) {
    this.#plan = plan;
    this.#controller = plan.controller;
    this.#signal = plan.signal;
    const signal = (): AbortSignal => this.#signal;
    const { inventory, within, playbook } = plan;
    this.#places = new Places({
      inventory,
      controller: this.#controller,
      isNew: ({ name }) => this.#runOf(name).isNew,
      providers: playbook.catalogue.filter((role) => role.runs === 'controller').filter(({ locates }) => locates !== undefined),
      contextOf: (role, host) => ({ host, vars: host.vars(role.contract) as unknown, inventory, within }),
    });
    this.#stages = stagesOf(plan);
    this.#scope = {
      mode: plan.mode,
      inventory: plan.inventory,
      within: plan.within,
      emit: plan.emit,
      get signal() {
        return signal();
      },
      forks: plan.forks,
      maxFailures: plan.maxFailures,
      noRestart: plan.noRestart,
      yes: plan.yes,
      ...(plan.serial === undefined ? {} : { serial: plan.serial }),
      stopped: new Set(),
      stopping: () => plan.stopping() || this.#givenUp || this.#fatal !== undefined,
      lastly: (work) => this.#lastly(work),
      giveUp: (failure) => {
        this.#fatal ??= failure;
      },
      runOf: (name) => this.#runOf(name),
    };
    for (const stage of this.#stages) {
      for (const host of stage.hosts) {
        const run = this.#runOf(host.name);
        const list = this.#roleRuns.get(run) ?? [];
        list.push(...stage.roles.filter((role) => this.#concerns(role, host, stage)).map((role) => new RoleRun(role, run, this.#scope, this.#later)));
        this.#roleRuns.set(run, list);
      }
    }
  }

  /** Nothing else is begun meanwhile: what was under way elsewhere has been aborted, or is none of the roles that do something lastly. */
  async #lastly<T>(work: () => Promise<T>): Promise<T> {
    this.#signal = AbortSignal.timeout(LASTLY_MS);
    try {
      return await work();
    } finally {
      this.#signal = this.#plan.signal;
    }
  }

  #runOf(name: HostName): HostRun {
    const known = this.#runs.get(name);
    if (known !== undefined) return known;
    const host = this.#plan.inventory.hosts.get(name);
    if (host === undefined) throw new Error(`bug: no host ${name}`);
    const { transport, emit, holder, journal, mode, within } = this.#plan;
    const writes = mode === 'apply' && within.has(name) && !this.#isObserved(host);
    const run = new HostRun(host, {
      transport,
      emit,
      signal: () => this.#signal,
      stopping: () => this.#scope.stopping(),
      changes: this.#changes,
      controller: this.#controller,
      placed: (one) => this.#places.placed(one),
      ...(writes ? { holder } : {}),
      ...(journal === undefined ? {} : { journal }),
    });
    this.#runs.set(name, run);
    return run;
  }

  async run(): Promise<Leftovers> {
    if (this.#plan.mode !== 'verify') this.#refuseFromInventory();
    for (const stage of this.#stages) {
      if (this.#scope.stopping()) break;
      this.#plan.emit({ kind: 'stage.start', index: stage.index, hosts: stage.hosts.map(({ name }) => name), roles: stage.roles.map(({ name }) => name) });
      await this.#stage(stage);
      this.#countFailures();
    }
    if (this.#fatal !== undefined) throw this.#fatal;
    const all = [...new Set(this.#stages.flatMap(({ hosts }) => hosts.map(({ name }) => name)))];
    return {
      notAttempted: all.filter((name) => !this.#attempted.has(name) || (this.#isCut(name) && !this.#hasBegun(name))),
      cut: all.filter((name) => this.#isCut(name) && this.#hasBegun(name)),
    };
  }

  /** What the inventory alone shows to be wrong ends the run before anything is asked, let alone changed. */
  #refuseFromInventory(): void {
    for (const stage of this.#stages)
      for (const role of stage.roles) {
        const members = stage.hosts.flatMap(({ name }) => this.#membersAt(name).filter((member) => member.role === role));
        refuse((role.per === 'group' ? members.slice(0, 1) : members).flatMap((member) => member.staticRefusals()));
      }
  }

  readonly #membersAt = (name: HostName): readonly RoleRun[] => this.#roleRuns.get(this.#runOf(name)) ?? [];
  readonly #hasBegun = (name: HostName): boolean => this.#membersAt(name).some((member) => member.hasBegun);

  /** Whether a host that did not fail was left before its roles had their turn; a role of a group has it on another host. */
  #isCut(name: HostName): boolean {
    return this.#runOf(name).failure === undefined && this.#membersAt(name).some(({ role, hasBegun }) => role.per !== 'group' && !hasBegun);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.close().catch(() => undefined)));
  }

  #countFailures(): void {
    // A peer outside the limit that could not be asked is no failed host of this run.
    const failed = [...this.#runs.values()].filter(
      ({ failure, host }) => failure !== undefined && this.#plan.within.has(host.name) && !this.#isObserved(host),
    ).length;
    if (failed > this.#plan.maxFailures) this.#givenUp = true;
  }

  async #stage(stage: StagePlan): Promise<void> {
    const all = stage.roles.map((role) => this.#membersOf(stage, role));
    await this.#connect(all.flat());
    const members = all.map((some) => (some[0]?.role.per === 'group' ? firstAlive(some) : some));
    if (this.#plan.mode === 'apply') await this.#applyStage(members);
    else await this.#inspectStage(members.flat());
  }

  /** Whether a role has anything to do with a host of the stage. */
  #concerns(role: AnyRole, host: Host, stage: StagePlan): boolean {
    return isAhead(role) ? isWorkedOn(host, this.#stages) : concerns(role, host, stage);
  }

  /** Host roles that have their turn after a member, on the same host. */
  readonly #later = (member: RoleRun): readonly RoleRun[] => {
    const all = this.#roleRuns.get(member.run) ?? [];
    return all.slice(all.indexOf(member) + 1).filter(({ role }) => role.runs === 'host');
  };

  /** Every host of the stage that a role concerns. */
  #membersOf(stage: StagePlan, role: AnyRole): readonly RoleRun[] {
    const all = stage.hosts.flatMap((host) => (this.#roleRuns.get(this.#runOf(host.name)) ?? []).filter((member) => member.role === role));
    for (const { run } of all) this.#attempted.add(run.host.name);
    return all;
  }

  /** One session for each host that has a role to run on it, and for every peer that its roles ask; all at once, within the transport's own limits. */
  async #connect(members: readonly RoleRun[]): Promise<void> {
    const wanted = new Map<HostRun, Ask[]>(members.filter(({ role }) => role.runs === 'host').map(({ run }) => [run, []]));
    // What a host is asked first is about all its roles, also those of later stages.
    for (const { role } of [...wanted.keys()].flatMap((run) => this.#roleRuns.get(run) ?? [])) {
      if (role.runs === 'controller' || role.peers === undefined) continue;
      for (const peer of peerRuns(this.#scope, role)) {
        const asks = wanted.get(peer) ?? [];
        asks.push(...role.peers.ask(peer.host, this.#plan.inventory).asks);
        wanted.set(peer, asks);
      }
    }
    await Promise.all([...wanted.keys()].map((run) => this.#renew(run)));
    await Promise.all([...wanted].map(([run, asks]) => this.#open(run, asks)));
    await Promise.all(
      members.filter(({ role, run }) => role.runs === 'host' && run.isOpen && run.failure === undefined).map((member) => this.#foresee(member.run)),
    );
  }

  /** What stages before have changed, wherever, may make another answer of what a host said before them. */
  async #renew(run: HostRun): Promise<void> {
    if (!run.isOpen || run.failure !== undefined || !run.isOld) return;
    await run.forget();
    this.#foreseen.delete(run);
  }

  async #open(run: HostRun, asks: readonly Ask[]): Promise<void> {
    const { name } = run.host;
    if (run.failure !== undefined || run.isOpen || this.#toCome.has(name)) return;
    try {
      await run.open(asks);
    } catch (thrown) {
      const error = this.#explained(run.host, run.fail(thrown));
      if (thrown instanceof ControllerFailure) {
        this.#scope.giveUp(thrown);
        return;
      }
      // A peer outside the limit is only looked at: that it cannot be asked is its answer, not a failure of this run.
      if (!this.#plan.within.has(name)) return;
      if (error.kind !== 'bug' && this.#isObserved(run.host))
        this.#plan.emit({ kind: 'host.skipped', host: name, because: `observed only, and could not be asked: ${error.short}` });
      else this.#plan.emit({ kind: 'host.failed', host: name, error });
    }
  }

  /** No role of this run may change anything on it. */
  #isObserved(host: Host): boolean {
    const stages = this.#stages.filter(({ hosts }) => hosts.some(({ name }) => name === host.name));
    const isUntouched = (role: AnyRole, stage: StagePlan): boolean => role.runs === 'controller' || (isAhead(role) && !this.#concerns(role, host, stage));
    return stages.length > 0 && stages.every((stage) => observes(stage, host) || stage.roles.every((role) => isUntouched(role, stage)));
  }

  /** A host that was never made cannot answer: then what makes it comes first. */
  #explained({ provider }: Host, error: RunError): RunError {
    if (provider === undefined || error.kind !== 'unreachable') return error;
    const makers = this.#plan.playbook.catalogue.filter((role) => role.runs === 'controller' && role.provides === provider).map(({ name }) => name);
    const ran = this.#stages.some(({ roles }) => roles.some(({ name }) => makers.includes(name)));
    return ran || makers.length === 0 ? error : { ...error, hint: `if it has not been made yet: run --role ${makers.join(',')} first, or leave --role out` };
  }

  readonly #foreseen = new Map<HostRun, Promise<void>>();

  /** Asks for every role that is still to come on the host in one frame, so that a host in order costs one round trip. */
  #foresee(run: HostRun): Promise<void> {
    const begun = this.#foreseen.get(run) ?? this.#askAll(run);
    this.#foreseen.set(run, begun);
    return begun;
  }

  async #askAll(run: HostRun): Promise<void> {
    const members = (this.#roleRuns.get(run) ?? []).filter(({ role, hasBegun }) => role.runs === 'host' && !hasBegun);
    await Promise.all(members.map((member) => member.learnPeers(false)));
    await run.know(members.flatMap(foreseeable)).catch((thrown: unknown) => {
      const error = run.fail(thrown);
      this.#plan.emit({ kind: 'host.failed', host: run.host.name, error });
    });
  }

  async #inspectStage(members: readonly RoleRun[]): Promise<void> {
    const limit = pLimit(this.#plan.forks);
    const byHost = Map.groupBy(members, ({ run }) => run);
    await Promise.all([...byHost].map(([, list]) => limit(() => inspect(list, this.#scope, this.#toCome))));
  }

  async #applyStage(roles: readonly (readonly RoleRun[])[]): Promise<void> {
    for (const batch of this.#batches(roles)) {
      if (this.#scope.stopping()) return;
      const members = batch.flat();
      await this.#refuseEarly(members);
      await this.#applyRoles(batch);
      await Promise.all([...Map.groupBy(alive(members), ({ run }) => run)].map(([, list]) => this.#verify(list)));
      for (const member of members) member.end();
      this.#countFailures();
      if (members.some(isGroundLost)) this.#givenUp = true;
    }
  }

  /** What a later role will not touch, an earlier one must not have changed. */
  async #refuseEarly(members: readonly RoleRun[]): Promise<void> {
    for (const member of members) if (member.role.runs === 'host' && alive([member]).length > 0) await guarded(member, () => member.refuse());
  }

  /** `--serial` takes the hosts of a stage in groups of that size. */
  #batches(roles: readonly (readonly RoleRun[])[]): readonly (readonly (readonly RoleRun[])[])[] {
    const { serial } = this.#plan;
    const hosts = [...new Set(roles.flat().map(({ run }) => run))];
    if (serial === undefined || serial >= hosts.length) return [roles];
    const groups = Array.from({ length: Math.ceil(hosts.length / serial) }, (_, index) => new Set(hosts.slice(index * serial, (index + 1) * serial)));
    return groups.map((group) => roles.map((members) => members.filter(({ run }) => group.has(run))));
  }

  /** Each host walks its roles alone; a role whose members need each other waits for all of them. */
  async #applyRoles(roles: readonly (readonly RoleRun[])[]): Promise<void> {
    let alone: (readonly RoleRun[])[] = [];
    for (const members of roles) {
      if (members.some((member) => member.isCoordinated)) {
        await this.#walk(alone);
        alone = [];
        await converge({ scope: this.#scope, members: alive(members), rest: (member) => this.#rest(member) });
      } else alone.push(members);
    }
    await this.#walk(alone);
  }

  async #walk(roles: readonly (readonly RoleRun[])[]): Promise<void> {
    const limit = pLimit(this.#plan.forks);
    const byHost = Map.groupBy(roles.flat(), ({ run }) => run);
    await Promise.all(
      [...byHost].map(([run, list]) =>
        limit(async () => {
          for (const member of list) {
            if (run.failure !== undefined || this.#scope.stopping()) return;
            await converge({ scope: this.#scope, members: [member], rest: (one) => this.#rest(one) });
          }
        }),
      ),
    );
  }

  /** What the roles after this one will want to know of the host, and this one's own checks. */
  #rest(member: RoleRun): readonly Ask[] {
    if (member.role.runs === 'controller') return [];
    return [...foreseeable(member), ...this.#later(member).flatMap(foreseeable)];
  }

  /** Together: what one service needs to show that it moves, the next needs as well. */
  async #verify(members: readonly RoleRun[]): Promise<void> {
    if (!this.#scope.stopping()) await Promise.all(members.map((member) => guarded(member, () => member.verify())));
  }
}

const LASTLY_MS = 20_000;

/** A role that runs once for its group runs on the first host that can be worked on. */
const firstAlive = (members: readonly RoleRun[]): readonly RoleRun[] => alive(members).slice(0, 1);

/** What all hosts stand on, such as their network, is not there: none of them is begun. */
const isGroundLost = ({ role, run }: RoleRun): boolean => role.runs === 'controller' && role.per === 'group' && run.failure !== undefined;

const foreseeable = (member: RoleRun): readonly Ask[] => asFarAsKnown(() => member.asks());
