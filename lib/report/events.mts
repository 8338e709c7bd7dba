/** The only output path: the engine emits these, and every renderer, document and exit code is made from them. */
import type { ExitCode, RunError } from '../errors.mts';
import type { Source } from '../inventory/model.mts';
import type { HostName, ResourceId, RoleName } from '../names.mts';
import type { CheckOutcome, Diagnosis, Verdict } from '../plan/model.mts';

export type Mode = 'check' | 'apply' | 'verify' | 'drift';

/** Why a resource is wanted: a variable and the line that set it. */
export interface Reason {
  readonly variable: string;
  readonly source: Source;
}

export type RunEvent = { readonly seq: number; /** ISO 8601, UTC. */ readonly at: string } & EventBody;

export type EventBody =
  | {
      readonly kind: 'run.start';
      readonly run: string;
      readonly playbook: string;
      readonly mode: Mode;
      readonly inventory: readonly string[];
      readonly hosts: readonly HostName[];
      readonly roles: readonly RoleName[];
    }
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'stage.start'; readonly index: number; readonly hosts: readonly HostName[]; readonly roles: readonly RoleName[] }
  | { readonly kind: 'host.connecting'; readonly host: HostName }
  /** It is new, and does not let anybody in yet. */
  | { readonly kind: 'host.waiting'; readonly host: HostName; readonly attempt: number; readonly found: string }
  | { readonly kind: 'host.connected'; readonly host: HostName; readonly ms: number }
  /** A round of questions was answered, by the host or by the controller for it. */
  | { readonly kind: 'host.asked'; readonly host: HostName; readonly questions: number; readonly ms: number }
  | { readonly kind: 'role.start'; readonly host: HostName; readonly role: RoleName }
  | {
      readonly kind: 'resource.verdict';
      readonly host: HostName;
      readonly role: RoleName;
      readonly resource: ResourceId;
      readonly verdict: Verdict;
      readonly because?: Reason;
    }
  | {
      readonly kind: 'step.start';
      readonly host: HostName;
      readonly role: RoleName;
      readonly resource: ResourceId;
      /** It is not stopped half way, whatever happens to the run. */
      readonly uninterruptible?: true;
    }
  | {
      readonly kind: 'step.progress';
      readonly host: HostName;
      readonly role: RoleName;
      readonly resource: ResourceId;
      readonly done: number;
      readonly total?: number;
    }
  | { readonly kind: 'step.end'; readonly host: HostName; readonly role: RoleName; readonly resource: ResourceId; readonly ok: boolean; readonly ms: number }
  | {
      readonly kind: 'waiting';
      readonly host: HostName;
      readonly role: RoleName;
      readonly what: 'ready' | 'gate' | 'verify';
      readonly check: string;
      readonly attempt: number;
      readonly found: string;
    }
  | {
      readonly kind: 'check.result';
      readonly host: HostName;
      readonly role: RoleName;
      readonly check: string;
      readonly outcome: CheckOutcome;
      /** What it found belongs into the summary, under this name. */
      readonly headline?: string;
    }
  | { readonly kind: 'diagnosis'; readonly host: HostName; readonly role: RoleName; readonly diagnosis: Diagnosis }
  | { readonly kind: 'role.end'; readonly host: HostName; readonly role: RoleName; readonly verdict: RoleVerdict; readonly ms: number }
  | { readonly kind: 'role.failed'; readonly host: HostName; readonly role: RoleName; readonly error: RunError; readonly tail?: string }
  | { readonly kind: 'host.failed'; readonly host: HostName; readonly error: RunError }
  /** It may let nobody in, so that this is no failure; nothing is known of it either. */
  | { readonly kind: 'host.skipped'; readonly host: HostName; readonly because: string }
  | {
      readonly kind: 'host.end';
      readonly host: HostName;
      readonly connectMs: number;
      readonly roundTrips: number;
      readonly bytesSent: number;
      readonly bytesReceived: number;
    }
  | { readonly kind: 'stand-in'; readonly host: HostName; readonly product: string; readonly what: string }
  | { readonly kind: 'run.failed'; readonly error: RunError }
  | {
      readonly kind: 'run.end';
      readonly exitCode: ExitCode;
      readonly ms: number;
      readonly notAttempted: readonly HostName[];
      /** The command that takes it up where it failed. */ readonly retry?: string;
    };

export type RoleVerdict = 'converged' | 'changed' | 'pending' | 'unknown' | 'failed';

export interface Reporter {
  accept(event: RunEvent): void;
  /** Flushes; called once, after `run.end`. */
  close(): Promise<void>;
}
