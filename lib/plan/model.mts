/**
 * The vocabulary of the engine. A question knows what it asks and how its answer is read; a resource knows how it differs and
 * how that is put right; a role lists resources and checks. Nothing here does I/O or reads a clock.
 */
import type { RunError } from '../errors.mts';
import type { Contract, Host, Inventory } from '../inventory/model.mts';
import type { HostName, ResourceId, RoleName } from '../names.mts';
import type { Content, Secret } from '../secret.mts';

// ---- questions -------------------------------------------------------------------------------------------------

/** Kinds of question a host answers; all keys of one kind are answered by one command of the frame. */
export type HostAskKind = 'stat' | 'sha256' | 'text' | 'sysctl' | 'unit' | 'passwd' | 'group' | 'package' | 'listeners' | 'http' | 'shell';

export type Ask =
  | {
      readonly at: 'host';
      readonly kind: HostAskKind;
      /** A path, a sysctl key, a unit, a user, …; for `http` and `shell` the request or script itself. */
      readonly key: string;
      /** Must be answered by a session opened after the last change (resource limits are fixed at login). */
      readonly fresh?: true;
    }
  | {
      readonly at: 'controller';
      readonly argv: readonly [string, ...string[]];
      /** The run itself switches the API on: that it is off is an answer, and nothing that stands in the run's way. */
      readonly mayBeOff?: true;
    };

/** What came back for one ask. `absent` is ENOENT or ENOTDIR and nothing else. */
export type Raw =
  { readonly kind: 'value'; readonly bytes: Uint8Array } | { readonly kind: 'absent' } | { readonly kind: 'unavailable'; readonly reason: string };

export type Answer<T> = { readonly kind: 'known'; readonly value: T } | { readonly kind: 'unavailable'; readonly reason: string };

export interface Question<T> {
  readonly asks: readonly Ask[];
  read(answers: (ask: Ask) => Raw): Answer<T>;
  map<U>(change: (value: T) => U): Question<U>;
}

// ---- what a host is --------------------------------------------------------------------------------------------

/** Read by the first command of every session, so that it costs no round trip of its own. */
export interface Facts {
  /** `ID` and `VERSION_ID` of os-release, such as `debian` `12`. */
  readonly os: string;
  readonly version: string;
  readonly arch: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly init: 'systemd' | 'none';
  readonly bootId: string;
  readonly uid: number;
  /** Commands found on the path, of those this program uses. */
  readonly tools: ReadonlySet<string>;
  /** Limits of this session: soft and hard, `Infinity` for unlimited. */
  readonly limits: { readonly nofile: Limit; readonly nproc: Limit; readonly memlock: Limit };
  /** CAP_SYS_RESOURCE: hard limits may be raised. Root lacks it in many containers. */
  readonly mayRaiseLimits: boolean;
  /** `fs.nr_open`: no process may have a higher open-files limit. */
  readonly nrOpen: number;
  /** By how much the host's clock is ahead of the controller's; negative: behind. */
  readonly aheadMs: number;
}
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

// ---- resources -------------------------------------------------------------------------------------------------

/** How a value appears in reports. */
export type Shown = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'absent' } | { readonly kind: 'hidden' };

export interface Change {
  readonly field: string;
  readonly from: Shown;
  readonly to: Shown;
  /** Nobody who reads it would notice: comments and blank lines. */
  readonly cosmetic?: true;
  /** Applying it stops or restarts something that is running: rollouts take such hosts in batches. */
  readonly disrupts?: true;
  /** What it is that nobody does by accident, such as `another version`: not applied without `--yes`. */
  readonly consent?: string;
  /** Differs, and is never put right by this program: why, and how people do it. */
  readonly refused?: { readonly reason: string; readonly hint: string };
}

/** A way out for hosts that have no other; `url` is without name and password. */
export interface Proxy {
  readonly url: string;
  readonly user?: string;
  readonly password?: Secret;
}

/** What a resource fetches from elsewhere when it is applied: its host must be able to reach it. */
export type Fetch =
  /** Not where the first line of `stamp.path` says that it is there. */
  | {
      readonly kind: 'archive';
      readonly url: string;
      readonly proxy?: Proxy;
      readonly stamp: { readonly path: string; readonly line: string };
      /** What to do where it cannot be reached; for archives of the vendors that is the same for all. */
      readonly instead?: string;
    }
  /** Those that are not installed, from where the host's package manager is set up to have them. */
  | { readonly kind: 'packages'; readonly names: readonly string[]; readonly proxy?: Proxy };

export interface Resource {
  readonly id: ResourceId;
  /** Its answers mean nothing until these are converged: pending ones make it unknown. */
  readonly needs?: readonly ResourceId[];
  /** Inventory variables that decide it, with the role's prefix: reports name their file and line. */
  readonly because?: readonly string[];
  /** `[]` is converged. Check, apply, the question after an apply, and drift all ask this. */
  readonly differs: Question<readonly Change[]>;
  /** Digest of the wanted state, by meaning: what a service was started with is compared with it. */
  readonly fingerprint?: string;
  readonly fetches?: Fetch;
  /** Its steps on the controller may be taken at the same time as those of its neighbours that say so too. */
  readonly apart?: true;
  /** Only changes that `differs` gave are handed in. Steps run in the order they are written. */
  apply(changes: readonly Change[], steps: Steps): void;
}

export interface FileMeta {
  /** Permission bits, such as 0o644. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
}

/** What a resource may do to a host; every argument is quoted, and a secret cannot be one. */
export interface Steps {
  /** One POSIX sh script; it fails when any of its commands fails (`set -e`). */
  sh(strings: TemplateStringsArray, ...args: readonly (string | number)[]): void;
  /** Writes a file atomically: temporary file beside it, owner and mode before content, sync, rename. `keep`: as the file there now; 0644 when new. */
  put(path: string, content: Content, meta: FileMeta | 'keep'): void;
  /** Streams a file of the controller to a path of the host; the target's directory exists. */
  upload(localPath: string, remotePath: string): void;
  /** Runs on the controller. */
  controller(argv: readonly [string, ...string[]]): void;
  /** Must not be killed half way (package managers); still bounded by the step's deadline. */
  uninterruptible(body: (steps: Steps) => void): void;
  /** Deadline of the steps written in `body`, in seconds; 120 unless said. */
  within(seconds: number, body: (steps: Steps) => void): void;
}

/** Steps of one resource, ready to be framed. A script reads its payload `n` with `payload n` and reports with `progress DONE TOTAL`. */
export type CompiledStep =
  | {
      readonly at: 'host';
      readonly id: ResourceId;
      readonly script: string;
      readonly payloads: readonly Content[];
      readonly deadlineMs: number;
      readonly interruptible: boolean;
    }
  | { readonly at: 'upload'; readonly id: ResourceId; readonly localPath: string; readonly remotePath: string; readonly deadlineMs: number }
  | {
      readonly at: 'controller';
      readonly id: ResourceId;
      readonly argv: readonly [string, ...string[]];
      readonly deadlineMs: number;
      readonly apart?: true;
    };

export type Verdict =
  | { readonly kind: 'converged' }
  | { readonly kind: 'pending' | 'changed'; readonly changes: readonly Change[] }
  | { readonly kind: 'unknown'; readonly because: ResourceId | RoleName | HostName }
  | { readonly kind: 'failed'; readonly error: RunError };

// ---- checks ----------------------------------------------------------------------------------------------------

export type Judgement =
  | { readonly kind: 'pass'; readonly found: string }
  | {
      readonly kind: 'fail';
      readonly expected: string;
      readonly found: string;
      readonly hint: string;
      /** Asking again cannot help: the process ended, for instance. */
      readonly final?: true;
    };

/** There is nothing to judge here. */
export interface Skipped {
  readonly kind: 'skipped';
  readonly because: string;
}

export type CheckOutcome = Judgement | Skipped | { readonly kind: 'unknown'; readonly because: string };

/** A judgement about the running system, asked again until it passes or `deadlineMs` is over. */
export interface Check<T = unknown> {
  /** Unique in its role, such as `cluster-health`. */
  readonly id: string;
  /** Ids of checks of the same role; when one of them does not pass, this one is skipped. */
  readonly needs?: readonly string[];
  /** What people run the program for: when it passes, the summary of a run says what was found, under this name. */
  readonly headline?: string;
  readonly ask: Question<T>;
  /** What only the answer shows how to ask; judged is what it answers. */
  closer?(answer: T): Question<T>;
  judge(now: T, first: T): Judgement | Skipped;
  /** In an apply, where something may just be starting; checks and drift give 2 seconds, or `steadyMs` where what is awaited is rarer. */
  readonly retry: { readonly everyMs: number; readonly deadlineMs: number; readonly steadyMs?: number };
}

export interface Diagnosis {
  readonly cause: string;
  readonly evidence: string;
  readonly fix: string;
}

// ---- listeners -------------------------------------------------------------------------------------------------

/** A TCP port a role serves. Bind addresses, firewall rules, exposure checks and port-owner diagnosis derive from this table. */
export interface Listener {
  readonly name: string;
  readonly port: number;
  readonly address: string;
  /** Who connects: groups of the inventory, or `operators`. */
  readonly from: readonly string[];
  /** Runs as this user, so a port's owner can be told from a stranger. */
  readonly process: string;
  /** The inventory says in words that the internet may reach it; private unless said. */
  readonly exposure?: 'public';
}

/** What stands in for a product, in one line. */
export interface StandIn {
  readonly product: string;
  readonly what: string;
}

// ---- roles and playbooks ---------------------------------------------------------------------------------------

export interface Context<V, P = never> {
  readonly host: Host;
  readonly vars: V;
  readonly facts: Facts;
  readonly inventory: Inventory;
  /** What the hosts of `peers.group` said in their first frame, this host included; asked again after every change. */
  readonly peers: ReadonlyMap<HostName, Answer<P>>;
  /** Hosts that this run may change: those of `--limit`. */
  readonly within: ReadonlySet<HostName>;
  /** What the roles that come after this one on this host want, as far as they can say it yet. */
  upcoming(): readonly Resource[];
}

/** A role that runs on the controller sees no facts and opens no session. */
export type ControllerContext<V> = Omit<Context<V>, 'facts' | 'peers' | 'upcoming'>;

/** Where ssh finds a host that its provider has made, as far as the inventory does not say it. */
export interface Location {
  readonly address: string;
  readonly user?: string;
  /** The name under which known_hosts has the keys of this very machine; another machine of the same name has another one. */
  readonly hostKeyAlias?: string;
  /** Used where the inventory names none. */
  readonly knownHostsFile?: string;
  /** When the machine was last started, ISO 8601: shortly after, it may not let anybody in yet. */
  readonly startedAt?: string;
  /** Host keys as their provider vouches for them, `TYPE BASE64` each; asked only when none is known yet. */
  readonly hostKeys?: Question<readonly string[]>;
  /** A command whose stdin and stdout are the connection, in place of TCP to the address. */
  readonly proxyCommand?: readonly [string, ...string[]];
}

export interface Rollout<V, P> {
  /** Hosts restarted at a time. */
  readonly serial: number;
  /** The order of restarts, such as: elected master last. */
  order?(hosts: readonly Host[], peers: ReadonlyMap<HostName, Answer<P>>): readonly Host[];
  /** Reasons not to take `batch` out now, judged on what the peers say just before; nothing of the batch was touched then. */
  refuses?(context: Context<V, P>, batch: readonly Host[]): readonly Refusal[];
  /** The same for what no peer says by itself: asked of another member just before. */
  objects?(context: Context<V, P>, batch: readonly Host[]): Question<readonly Refusal[]>;
  /** Temporary wants while a batch is out; the same ids in `resources` hold the normal state, so a crash leaves drift. */
  during?(context: Context<V, P>): readonly Resource[];
  /** Judged against its value before the batch, asked from another member; failing stops the rollout. */
  gate(context: Context<V, P>): readonly Check[];
}

interface RoleBase<V> {
  readonly name: RoleName;
  readonly contract: Contract<V>;
  /** One line for `--list-roles`. */
  readonly summary: string;
  /** It has to do only with hosts whose `host_provider` is this, or with those that it says itself; with every host unless said. */
  readonly concerns?: string | ((host: Host) => boolean);
}

/** A role whose questions and steps run on its hosts. */
export interface HostRole<V, P = never> extends RoleBase<V> {
  readonly runs: 'host';
  /** `group`: once, on the first reachable host of the stage. */
  readonly per: 'host' | 'group';
  /**
   * `false`: the host is observed only. Roles of the stage that know no such thing leave it alone, and that it lets nobody in is no failure.
   * Managed unless said.
   */
  manages?(host: Host): boolean;
  /** It is about what other roles of the run will do: hosts that none of them changes are no business of it. */
  readonly looksAhead?: true;
  /** Asked read-only of every host of `group`, one or several, also outside `--limit`. */
  readonly peers?: { readonly group: string | readonly string[]; ask(host: Host, inventory: Inventory): Question<P> };
  /** Reasons not to touch anything, found before the first change; the run exits 5 with them. */
  refuses?(context: Context<V, P>): readonly Refusal[];
  /** The same for what only the host itself can say: asked with everything else. */
  objects?(context: Context<V, P>): Question<readonly Refusal[]>;
  resources(context: Context<V, P>): readonly Resource[];
  listeners?(context: { readonly host: Host; readonly vars: V; readonly inventory: Inventory }): readonly Listener[];
  /** Products that it installs and that are not the vendor's own: every summary of a run names them. */
  standIns?(context: Context<V, P>): readonly StandIn[];
  /** After a change and before the next round of `resources`: the service answers. Then peers are asked again. */
  ready?(context: Context<V, P>): readonly Check[];
  verify?(context: Context<V, P>): readonly Check[];
  diagnose?(context: Context<V, P>): Question<readonly Diagnosis[]>;
  readonly rollout?: Rollout<V, P>;
}

/** A role whose questions and steps are argv on the controller: host providers, cloud firewalls. */
export interface ControllerRole<V> extends RoleBase<V> {
  readonly runs: 'controller';
  readonly per: 'host' | 'group';
  /** Hosts whose `host_provider` is this are made here: while pending, their later roles are unknown, not unreachable. */
  readonly provides?: string;
  /** Roles of the playbook that run before this one also where only this one was asked for. */
  readonly dependencies?: readonly RoleName[];
  /** Checked before anything is made; a failure is a refusal (exit 4 or 5). One that asks nothing is judged before anything of the run is asked. */
  refuses?(context: ControllerContext<V>): Question<readonly Refusal[]>;
  resources(context: ControllerContext<V>): readonly Resource[];
  verify?(context: ControllerContext<V>): readonly Check[];
  /** Of a provider: where its host is reached; `undefined` while it is not made, or does not run. */
  locates?(context: ControllerContext<V>): Question<Location | undefined>;
}

export interface Refusal {
  readonly kind: 'usage' | 'refused';
  readonly reason: string;
  readonly hint: string;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- existential: the engine never looks inside a role's own types
export type AnyHostRole = { [K in keyof HostRole<any, any>]: HostRole<any, any>[K] };
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export type AnyControllerRole = { [K in keyof ControllerRole<any>]: ControllerRole<any>[K] };
export type AnyRole = AnyHostRole | AnyControllerRole;

export interface Stage {
  /** A host pattern; hosts are taken in inventory order. */
  readonly hosts: string;
  readonly roles: readonly AnyRole[];
}

export interface Playbook {
  readonly name: string;
  /** Its word on the command line, where one file has several commands. */
  readonly command?: string;
  readonly summary: string;
  readonly stages: readonly Stage[];
  /** Every role of the project: their variables are what an inventory may name. */
  readonly catalogue: readonly AnyRole[];
}
