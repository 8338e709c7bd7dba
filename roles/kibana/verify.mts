import { all, exposure, listeningSockets, unitState, type Check, type Context, type Judgement, type Question } from '../../lib/index.mts';
import { listeners, type KibanaVars } from './contract.mts';
import { askBlocked } from './elasticsearch.mts';
import * as judge from './judge.mts';
import { UNIT } from './paths.mts';
import { askStatus } from './status.mts';

type Here = Pick<Context<KibanaVars>, 'host' | 'vars'>;

/** The first start makes Kibana's own indices and reads all of its plugins. */
const FIRST_START_MS = 120_000;

const check = <T,>(id: string, needs: readonly string[], ask: Question<T>, judgement: (now: T) => Judgement, deadlineMs: number): Check<T> => ({
  id,
  needs,
  ask,
  judge: judgement,
  retry: { everyMs: 2000, deadlineMs },
});

export function ready({ host, vars }: Here): readonly Check[] {
  const ask = all({ said: askStatus(host), unit: unitState(UNIT) });
  return [check('answers', [], ask, ({ said, unit }) => judge.started(said, unit, vars.version), FIRST_START_MS)];
}

export function checks({ host, vars, inventory }: Here & Pick<Context<KibanaVars>, 'inventory'>): readonly Check[] {
  const listening = all({ sockets: listeningSockets(), unit: unitState(UNIT) });
  return [
    check('status', [], askStatus(host), (said) => judge.status(said, vars.version), 60_000),
    check('elasticsearch', ['status'], askStatus(host), judge.connected, 30_000),
    check('writable', ['elasticsearch'], askBlocked(inventory, host), judge.writable, 10_000),
    check('listeners', ['status'], listening, ({ sockets, unit }) => judge.listening(sockets, listeners(host), unit.mainPid), 10_000),
    exposure(listeners(host)),
  ];
}
