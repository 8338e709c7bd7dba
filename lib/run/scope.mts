import type { RunFailure } from '../errors.mts';
import type { Inventory } from '../inventory/model.mts';
import type { HostName } from '../names.mts';
import type { Answer, AnyHostRole } from '../plan/model.mts';
import type { EventBody, Mode } from '../report/events.mts';
import type { HostRun } from './host-run.mts';

export interface ApplyOptions {
  /** Hosts worked on at a time. */
  readonly forks: number;
  /** Overrides a rollout's batch size. */
  readonly serial?: number;
  /** More failed hosts than this stop the run; rollouts stop at their first. */
  readonly maxFailures: number;
  /** Write, but leave every restart pending. */
  readonly noRestart: boolean;
  /** `--yes`: also what nobody does by accident. */
  readonly yes: boolean;
}

/** What all parts of one run share. */
export interface Scope extends ApplyOptions {
  readonly mode: Mode;
  readonly inventory: Inventory;
  /** Hosts that this run may change. */
  readonly within: ReadonlySet<HostName>;
  readonly emit: (event: EventBody) => void;
  /** Aborted by the second interrupt; another one while something is done `lastly`. */
  readonly signal: AbortSignal;
  /** Roles whose rollout has stopped: no later group of `--serial` takes it up again. */
  readonly stopped: Set<AnyHostRole['name']>;
  /** Set by the first interrupt: finish what is under way, begin nothing new. */
  stopping(): boolean;
  /** What has to be done even by a run that is being aborted, within a short time of its own: putting back what it changed for a while. */
  lastly<T>(work: () => Promise<T>): Promise<T>;
  /** Something stands in the way of all hosts alike: the run ends with it. */
  giveUp(failure: RunFailure): void;
  /** The run of any host of the inventory, also outside the limit. */
  runOf(host: HostName): HostRun;
}

/** The hosts whose answers a role wants to see, in inventory order. */
export function peerRuns(scope: Scope, { peers }: AnyHostRole): readonly HostRun[] {
  if (peers === undefined) return [];
  const asked = new Set([peers.group].flat().flatMap((group) => scope.inventory.group(group)));
  return [...scope.inventory.hosts.values()].filter((host) => asked.has(host)).map(({ name }) => scope.runOf(name));
}

/** What the peers say; with `again` asked anew. A peer that cannot be asked is `unavailable`, never absent. */
export async function askPeers(scope: Scope, role: AnyHostRole, again: boolean): Promise<ReadonlyMap<HostName, Answer<unknown>>> {
  const { peers } = role;
  if (peers === undefined) return new Map();
  const answers = await Promise.all(
    peerRuns(scope, role).map(async (run): Promise<readonly [HostName, Answer<unknown>]> => {
      if (!run.isOpen) return [run.host.name, { kind: 'unavailable', reason: run.failure?.short ?? 'not connected' }];
      try {
        return [run.host.name, await run.answer(peers.ask(run.host, scope.inventory), again)];
      } catch (thrown) {
        return [run.host.name, { kind: 'unavailable', reason: thrown instanceof Error ? thrown.message : String(thrown) }];
      }
    }),
  );
  return new Map(answers);
}
