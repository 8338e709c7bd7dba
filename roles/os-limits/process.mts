/** Limits of a running process, which are those of the moment it was started. */
import { shellOutput, type Judgement, type Question } from '../../lib/index.mts';

export interface Limited {
  readonly soft: number;
  readonly hard: number;
}

/** Open files and processes in pieces, locked memory in bytes; `Infinity` is unlimited, `NaN` a line that is missing. */
export interface ProcessLimits {
  readonly nofile: Limited;
  readonly nproc: Limited;
  readonly memlock: Limited;
}

/** Reads /proc/PID/limits. */
export function parseProcessLimits(text: string): ProcessLimits {
  const row = (name: string): Limited => {
    const found = new RegExp(`^${name} +(\\S+) +(\\S+)`, 'm').exec(text);
    return { soft: amount(found?.[1]), hard: amount(found?.[2]) };
  };
  return { nofile: row('Max open files'), nproc: row('Max processes'), memlock: row('Max locked memory') };
}

const amount = (text: string | undefined): number => (text === 'unlimited' ? Infinity : text === undefined || !/^\d+$/.test(text) ? NaN : Number(text));

export const showLimit = (value: number): string => (value === Infinity ? 'unlimited' : Number.isNaN(value) ? 'unknown' : String(value));

/** The main process of a service; both `undefined` when there is none. */
export interface OwnProcess {
  readonly pid: number | undefined;
  readonly limits: ProcessLimits | undefined;
}

/** Shell that sets `pid` to the main process of a unit, or to that of its pid file where systemd is absent. */
export const pidOf = (unit: string, pidFile = '/nonexistent'): string => `pid=$(systemctl show -p MainPID --value ${unit} 2>/dev/null)
[ "\${pid:-0}" -gt 0 ] || pid=$(cat ${pidFile} 2>/dev/null)`;

export function serviceProcess(unit: string, pidFile?: string): Question<OwnProcess> {
  const script = `${pidOf(unit, pidFile)}
[ -n "$pid" ] && cat "/proc/$pid/limits" 2>/dev/null && echo "pid $pid"`;
  return shellOutput(script).map(({ code, output }) => {
    const pid = /^pid (\d+)$/m.exec(output)?.[1];
    return code === 0 && pid !== undefined ? { pid: Number(pid), limits: parseProcessLimits(output) } : { pid: undefined, limits: undefined };
  });
}

export interface WantedLimits {
  readonly nofile: number;
  readonly nproc?: number;
  readonly memoryLock?: boolean;
}

/** `have` is `undefined` when there is no such process; `service` is what systemctl calls it. */
export function judgeLimits(have: ProcessLimits | undefined, want: WantedLimits, service: string): Judgement {
  const files = `${String(want.nofile)} open files`;
  const processes = want.nproc === undefined ? '' : `, ${String(want.nproc)} processes`;
  const expected = `at least ${files}${processes}${want.memoryLock === true ? ', unlimited locked memory' : ''}`;
  if (have === undefined) return { kind: 'fail', expected, found: 'no process', hint: `is it running? systemctl status ${service}` };
  const found = [
    `${showLimit(have.nofile.soft)} open files`,
    ...(want.nproc === undefined ? [] : [`${showLimit(have.nproc.soft)} processes`]),
    ...(want.memoryLock === true ? [`${showLimit(have.memlock.soft)} locked memory`] : []),
  ].join(', ');
  const ok = have.nofile.soft >= want.nofile && have.nproc.soft >= (want.nproc ?? 0) && (want.memoryLock !== true || have.memlock.soft === Infinity);
  if (ok) return { kind: 'pass', found };
  const hint = `it was started before the limit was raised (restart ${service}), or its unit asks for more than this machine grants (systemd lowers it silently): raise the limit of the machine, or set os_limits_nofile to what is possible`;
  return { kind: 'fail', expected, found, hint };
}
