import { all, exposure, http, unitState, type Check, type Context, type HttpAnswer, type Judgement } from '../../lib/index.mts';
import { listeners, managerUrl, type KafkaManagerVars } from './contract.mts';
import { UNIT } from './paths.mts';

type Here = Pick<Context<KafkaManagerVars>, 'host' | 'vars'>;
type Unit = { readonly activeState: string; readonly subState: string; readonly result: string; readonly execMainStatus: number };

/** Either product is a Java web application with many classes. */
const START_MS = 120_000;

export const checks = ({ host, vars }: Here): readonly Check[] => {
  if (!vars.enabled) return [];
  const check: Check<{ answer: HttpAnswer; unit: Unit }> = {
    id: 'page',
    ask: all({ answer: http({ url: `${managerUrl(host)}/`, timeoutMs: 8000 }), unit: unitState(UNIT) }),
    judge: ({ answer, unit }) => judgePage(answer, unit, managerUrl(host)),
    retry: { everyMs: 2000, deadlineMs: START_MS },
  };
  return [check, exposure(listeners(host))] as readonly Check[];
};

/** AKHQ sends its first page on to another; both are fine. */
export function judgePage(answer: HttpAnswer, unit: Unit, url: string): Judgement {
  const expected = 'a page';
  const hint = 'journalctl -u kafka-manager says why';
  if (unit.activeState === 'failed' || unit.subState.startsWith('auto-restart'))
    return { kind: 'fail', expected, found: `${UNIT} ended: ${unit.result}, exit status ${String(unit.execMainStatus)}`, hint, final: true };
  if (answer.kind === 'refused') return { kind: 'fail', expected, found: answer.reason, hint };
  return answer.status >= 200 && answer.status < 400
    ? { kind: 'pass', found: url }
    : { kind: 'fail', expected, found: `status ${String(answer.status)}`, hint };
}
