import {
  addressOf,
  all,
  bracketed,
  http,
  exposure,
  jvmAttachPort,
  listening,
  listeningSockets,
  log4shell,
  unitState,
  type Check,
  type Host,
  type Judgement,
  type Listener,
  type Question,
} from '../../lib/index.mts';
import type { Instance } from './instance.mts';
import * as judge from './judge.mts';
import { CURRENT, placesOf } from './paths.mts';
import { logstash } from './variables.mts';

export type Stats = judge.Said<judge.Stats>;

const SECONDS = 1000;
const check = <T,>(id: string, needs: readonly string[], ask: Question<T>, judgement: (now: T, first: T) => Judgement, deadline = 60): Check<T> => ({
  id,
  needs,
  ask,
  judge: judgement,
  retry: { everyMs: SECONDS, deadlineMs: deadline * SECONDS },
});

type Api = Pick<Instance, 'apiPort'>;
const url = (host: Host, { apiPort }: Api): string => `http://${bracketed(addressOf(host))}:${String(apiPort)}`;
const askRoot = (host: Host, api: Api): Question<judge.Said<judge.Root>> =>
  http({ url: `${url(host, api)}/` }).map((answer) => judge.said(answer, judge.rootSchema));
export const askStats = (host: Host, api: Api): Question<Stats> =>
  http({ url: `${url(host, api)}/_node/stats/pipelines` }).map((answer) => judge.said(answer, judge.statsSchema));

export interface Expected {
  readonly instance: Pick<Instance, 'name' | 'apiPort' | 'jmx'>;
  readonly listeners: readonly Listener[];
  /** The longest silence between two events, in seconds. */
  readonly every: number;
  /** Why there may be no events at all. */
  readonly idle?: string;
}

const running = ({ name }: Pick<Instance, 'name'>): Check => {
  const { unit } = placesOf(name);
  return check('process', [], unitState(unit), (now, first) => judge.alive(unit, now, first));
};

/** About an instance that should be at work. */
export function instanceChecks(host: Host, { instance, listeners, every, idle }: Expected): readonly Check[] {
  const { unit } = placesOf(instance.name);
  const events = check('events', ['pipeline'], askStats(host, instance), (now, first) => judge.growing(now, first, idle), 60 + 3 * every);
  const patience = Math.round(every + Math.max(2, every / 2));
  return [
    running(instance),
    check('api', ['process'], askRoot(host, instance), (root) => judge.version(root, host.vars(logstash).version)),
    check('pipeline', ['api'], askStats(host, instance), judge.pipeline),
    { ...events, retry: { ...events.retry, steadyMs: patience * SECONDS } },
    check('listeners', ['api'], all({ sockets: listeningSockets(), unit: unitState(unit) }), ({ sockets, unit: { mainPid } }) =>
      listening(sockets, listeners, mainPid, {
        hint: 'the declared addresses are those of logstash.yml (http.host, http.port) and of the JMX options of the unit',
        ...(instance.jmx === undefined ? {} : { known: jvmAttachPort }),
      }),
    ),
    { ...log4shell(`systemctl show -p MainPID --value ${unit}`, CURRENT), needs: ['process'] },
    exposure(listeners),
  ];
}

/** After a start: JRuby takes up to a minute, three on a busy machine. */
export const instanceReady = (host: Host, instance: Expected['instance']): readonly Check[] => [
  running(instance),
  check(
    'answers',
    [],
    all({ unit: unitState(placesOf(instance.name).unit), stats: askStats(host, instance) }),
    ({ unit, stats }, first) => {
      const alive = judge.alive(placesOf(instance.name).unit, unit, first.unit);
      return alive.kind === 'pass' ? judge.pipeline(stats) : alive;
    },
    240,
  ),
];
