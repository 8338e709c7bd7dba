/** What is kept of the metrics: a timer on one host that deletes daily indices by age and by size. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  absent,
  all,
  change,
  command,
  constant,
  directory,
  file,
  quote,
  service,
  shellOutput,
  unitFile,
  unitState,
  type Change,
  type Facts,
  type Host,
  type Question,
  type Resource,
  type UnitState,
} from '../../lib/index.mts';
import { nodeUrl } from '../elasticsearch/contract.mts';
import type { MetricsIndexVars } from './contract.mts';

export const SCRIPT = '/usr/local/lib/kafka-elastic-monitoring/metrics-retention';
export const SERVICE = 'metrics-retention.service';
export const TIMER = 'metrics-retention.timer';
const STATE_DIRECTORY = 'metrics-retention';
export const STATE = `/var/lib/${STATE_DIRECTORY}/last-success`;

const script = (): string => readFileSync(join(import.meta.dirname, 'bin/metrics-retention.sh'), 'utf8');

/** There is something to delete, sooner or later. */
export const isBounded = (vars: MetricsIndexVars): boolean =>
  vars.rotation === 'daily' && (vars.retention_days !== 'forever' || vars.retention_size !== 'unlimited');

const GIBIBYTE = 1024 ** 3;
export const retentionArgv = (vars: MetricsIndexVars, nodes: readonly Host[]): readonly string[] => [
  SCRIPT,
  vars.name,
  String(vars.retention_days === 'forever' ? 0 : vars.retention_days),
  String(vars.retention_size === 'unlimited' ? 0 : Number.parseInt(vars.retention_size, 10) * GIBIBYTE),
  STATE,
  ...nodes.map(nodeUrl),
];

const RUN_SECONDS = 1800;

/** A user that exists while it runs, and may write nothing but its own state. Each word is plain: names, numbers, paths, addresses. */
export const serviceUnit = (argv: readonly string[]): string => `[Unit]
Description=Deletes old indices of Kafka's metrics
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/bin/sh ${argv.join(' ')}
DynamicUser=true
StateDirectory=${STATE_DIRECTORY}
ProtectHome=true
CapabilityBoundingSet=
TimeoutStartSec=${String(RUN_SECONDS)}
`;

/** Days of indices are UTC's, and the deletion is to be seen at the same time everywhere. A host that was off runs it when it is back. */
export const TIMER_UNIT = `[Unit]
Description=Deletes old indices of Kafka's metrics every night

[Timer]
OnCalendar=*-*-* 03:10:00 UTC
RandomizedDelaySec=5min
Persistent=true

[Install]
WantedBy=timers.target
`;

export interface LastRun {
  /** Seconds since the last success; `undefined` when there was none. */
  readonly age: number | undefined;
  /** What the script said then. */
  readonly said: string;
}

/** By the host's own clock. */
export const lastRun: Question<LastRun> = shellOutput(`[ -e ${STATE} ] && echo $(($(date +%s) - $(stat -L -c %Y ${STATE}))) && head -c 500 ${STATE}`).map(
  ({ output }) => {
    const [, age, said = ''] = /^(-?\d+)\n([^]*)$/.exec(output) ?? [];
    return { age: age === undefined ? undefined : Number(age), said: said.trim() };
  },
);

/** The timer and its service; `undefined` where systemd is absent and something else has to start the script. */
export const units = (facts: Pick<Facts, 'init'>): Question<{ readonly timer: UnitState; readonly service: UnitState } | undefined> =>
  facts.init === 'systemd' ? all({ timer: unitState(TIMER), service: unitState(SERVICE) }) : constant(undefined);

/** A night and two hours. */
export const STALE_SECONDS = 26 * 3600;

/** Runs once at the start, and again where nights were missed: nobody waits until the next one to see that it works. */
function firstRun(argv: readonly string[], facts: Pick<Facts, 'init'>, needs: Resource['needs']): Resource {
  const differs = lastRun.map(({ age }): readonly Change[] =>
    age !== undefined && age <= STALE_SECONDS
      ? []
      : [change('last success', age === undefined ? { kind: 'absent' } : `more than ${String(STALE_SECONDS / 3600)} hours ago`, 'now')],
  );
  return command('metrics retention', {
    ...(needs === undefined ? {} : { needs }),
    differs,
    run: (steps) => {
      steps.within(RUN_SECONDS, (bounded) => {
        if (facts.init === 'none') bounded.sh`/bin/sh -c ${argv.map(quote).join(' ')}`;
        else
          bounded.sh`systemctl start ${SERVICE} || {
  reason=$(journalctl --unit=${SERVICE} --lines=20 --no-pager --output=cat 2>/dev/null | grep '^metrics-retention: ' | tail -n 1)
  say "\${reason:-"$(systemctl show --property=Result --value ${SERVICE})"}; journalctl -u ${SERVICE} has the rest"
  exit 1
}`;
      });
    },
  });
}

export function retention(vars: MetricsIndexVars, nodes: readonly Host[], facts: Pick<Facts, 'init'>, needs: Resource['needs']): readonly Resource[] {
  const argv = retentionArgv(vars, nodes);
  const because = ['metrics_index_retention_days', 'metrics_index_retention_size'];
  const scheduled =
    facts.init === 'systemd'
      ? [unitFile(SERVICE, serviceUnit(argv), { because }), unitFile(TIMER, TIMER_UNIT), service(TIMER)]
      : [directory(`/var/lib/${STATE_DIRECTORY}`)];
  return [file(SCRIPT, { content: script(), mode: 0o755, parents: true }), ...scheduled, firstRun(argv, facts, needs)];
}

/** Two hosts that delete are one too many: a host that is no collector (any more) has neither timer nor script. */
export const noRetention = (facts: Pick<Facts, 'init'>): readonly Resource[] => [
  ...(facts.init === 'systemd' ? [service(TIMER, { running: false, enabled: false })] : []),
  ...[`/etc/systemd/system/${TIMER}`, `/etc/systemd/system/${SERVICE}`, SCRIPT, STATE].map((path) => absent(path)),
];
