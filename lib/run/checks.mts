import { setTimeout as sleep } from 'node:timers/promises';
import type { Ask, Check, CheckOutcome, Judgement, Question, Raw } from '../plan/model.mts';

export interface CheckResult {
  readonly check: Check;
  readonly outcome: CheckOutcome;
}

/** Where checks are asked. `know` may answer from what is already known; `refresh` asks again. */
export interface Asker {
  know(asks: readonly Ask[]): Promise<void>;
  refresh(asks: readonly Ask[]): Promise<void>;
  readonly answers: { readonly lookup: (ask: Ask) => Raw };
}

export interface Patience {
  /** Give each check the time it asks for: something may just be starting. Otherwise its `steadyMs`, or `STEADY_MS`. */
  readonly patient: boolean;
  readonly signal: AbortSignal;
  /** Nothing depends on the answers any more: what was found so far has to do. */
  isOver?(): boolean;
  onWaiting?(check: string, attempt: number, found: string): void;
  /** What was known before does not count: the first look is a new one. */
  readonly anew?: boolean;
  /** Values to judge against, such as those before a batch; the first answers otherwise. */
  readonly first?: ReadonlyMap<string, unknown>;
}

const STEADY_MS = 2000;

/** Asks all checks together until every one passes or has used up its time; a check whose `needs` do not pass is skipped. */
export async function settle(checks: readonly Check[], asker: Asker, patience: Patience): Promise<readonly CheckResult[]> {
  if (checks.length === 0) return [];
  const first = new Map(patience.first);
  const started = performance.now();
  const asks = checks.flatMap((check) => check.ask.asks);
  const closerAsks = (): readonly Ask[] => checks.flatMap((check) => (check.closer === undefined ? [] : asked(check, asker.answers.lookup).asks));
  const look = (wanted: readonly Ask[]): Promise<void> => (patience.anew === true ? asker.refresh(wanted) : asker.know(wanted));
  await look(asks);
  await look(closerAsks());
  for (let attempt = 1; ; attempt += 1) {
    const results = judgeAll(checks, asker.answers.lookup, first);
    const elapsed = performance.now() - started;
    const waiting = results.filter(({ check, outcome }) => outcome.kind !== 'pass' && !isFinal(outcome) && elapsed < deadlineOf(check, patience));
    const open = waiting.find(({ outcome }) => outcome.kind !== 'skipped');
    if (open === undefined || patience.signal.aborted || patience.isOver?.() === true) return results;
    patience.onWaiting?.(open.check.id, attempt, foundIn(open.outcome));
    await sleep(Math.min(...waiting.map(({ check }) => check.retry.everyMs)), undefined, { signal: patience.signal }).catch(() => undefined);
    await asker.refresh(asks);
    await asker.refresh(closerAsks());
  }
}

/** Its own question, or the closer one that the answer to it leads to. */
function asked(check: Check, lookup: (ask: Ask) => Raw): Question<unknown> {
  const answer = check.ask.read(lookup);
  return answer.kind === 'known' ? (check.closer?.(answer.value) ?? check.ask) : check.ask;
}

const isFinal = (outcome: CheckOutcome): boolean => outcome.kind === 'fail' && outcome.final === true;

const deadlineOf = ({ retry }: Check, { patient }: Patience): number => (patient ? retry.deadlineMs : Math.min(retry.steadyMs ?? STEADY_MS, retry.deadlineMs));

function judgeAll(checks: readonly Check[], lookup: (ask: Ask) => Raw, first: Map<string, unknown>): readonly CheckResult[] {
  const outcomes = new Map<string, CheckOutcome>();
  return checks.map((check) => {
    const outcome = outcomeOf(check, lookup, first, outcomes);
    outcomes.set(check.id, outcome);
    return { check, outcome };
  });
}

function outcomeOf(check: Check, lookup: (ask: Ask) => Raw, first: Map<string, unknown>, earlier: ReadonlyMap<string, CheckOutcome>): CheckOutcome {
  const missed = check.needs?.find((id) => earlier.get(id)?.kind !== 'pass');
  if (missed !== undefined) return { kind: 'skipped', because: missed };
  const answer = asked(check, lookup).read(lookup);
  if (answer.kind === 'unavailable') return { kind: 'unknown', because: answer.reason };
  if (!first.has(check.id)) first.set(check.id, answer.value);
  return check.judge(answer.value, first.get(check.id));
}

export const foundIn = (outcome: CheckOutcome): string => ('found' in outcome ? outcome.found : outcome.because);

export const firstFailure = (
  results: readonly CheckResult[],
): { readonly check: string; readonly judgement: Extract<Judgement, { kind: 'fail' }> } | undefined => {
  for (const { check, outcome } of results) if (outcome.kind === 'fail') return { check: check.id, judgement: outcome };
  return undefined;
};
