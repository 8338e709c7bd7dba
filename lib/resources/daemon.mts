import type { Change, Resource } from '../plan/model.mts';
import { checkedPath, known, refine, shellOutput, unavailable } from '../plan/questions.mts';
import { inputsDigest, type Input } from '../shell/digest.mts';
import { sh } from '../shell/quote.mts';
import { quoteAll, runScript } from '../shell/steps.mts';
import { absentShown, change, resource, type Common } from './resource.mts';
import { inputArguments, START_RECORD_SCRIPT } from './start-record.mts';

export interface DaemonOptions extends Common {
  /** Whose process it is; the starting user's when that is this one already. */
  readonly user: string;
  readonly start: readonly [string, ...string[]];
  /** Its directory exists. The record of the start is kept beside it as `<pidFile>.record`. */
  readonly pidFile: string;
  readonly inputs: readonly Input[];
  /** Output goes here; nowhere unless said. */
  readonly logFile?: string;
  /** How long it may take to end after TERM; 30 unless said. */
  readonly stopSeconds?: number;
}

/** Prints `<pid> <start time> <digest>` of a recorded process that is still the same one; a recycled pid has another start time. */
const RUNNING = `running() {
  pid=''; began=''; digest=''
  [ -f "$1" ] && read -r pid began digest <"$1" || return 1
  [ -n "$pid" ] && [ -r "/proc/$pid/stat" ] && { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
  [ "$(start_time "$stat")" = "$began" ]
}
start_time() { set -f; set -- \${1##*)}; [ "$1" != Z ] && printf '%s' "\${20}"; }
`;

/** A process of a host without systemd: a pid file, and beside it what the process was started with. */
export function daemon(name: string, options: DaemonOptions): Resource {
  const wanted = inputsDigest(options.inputs);
  const record = `${checkedPath(options.pidFile)}.record`;
  const stopSeconds = options.stopSeconds ?? 30;
  const check = `${RUNNING}${sh`if running ${record}; then printf '%s' "$digest"; else printf stopped; fi`}`;
  return resource(`daemon ${name}`, options, {
    wanted: [wanted, options.start, options.user],
    differs: refine(shellOutput(check), ({ code, output }) => {
      if (code !== 0) return unavailable(output);
      if (output === 'stopped') return known<readonly Change[]>([change('active', 'stopped', 'running')]);
      if (output === wanted) return known<readonly Change[]>([]);
      return known<readonly Change[]>([change('started-with', output === '' ? absentShown : output.slice(0, 12), wanted.slice(0, 12), { disrupts: true })]);
    }),
    apply(_changes, steps) {
      const log = options.logFile ?? '/dev/null';
      steps.within(stopSeconds + 60, (bounded) => {
        runScript(
          bounded,
          `${RUNNING}
${sh`record=${record} pid_file=${options.pidFile} user=${options.user} log=${log} left=${stopSeconds * 10}`}
if running "$record"; then
  kill "$pid"
  while running "$record" && [ "$left" -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
  if running "$record"; then kill -KILL "$pid"; sleep 0.2; fi
fi
digest=$(/bin/sh -c ${quoteAll([START_RECORD_SCRIPT, 'start-record', '--digest', ...inputArguments(options.inputs)])})
# setpriv and the shell exec, so the pid stays the one that is written down here.
[ "$(id -un)" = "$user" ] || set -- setpriv "--reuid=$user" "--regid=$(id -g -- "$user")" --init-groups --
set -- "$@" ${quoteAll(options.start)}
[ -e "$log" ] || touch -- "$log"
[ "$(id -un)" = "$user" ] || [ ! -f "$log" ] || chown -- "$user" "$log"
rm -f -- "$record" "$pid_file"
setsid sh -c 'printf "%s\\n" "$$" >"$0.new" && mv -f -- "$0.new" "$0" && exec "$@"' "$pid_file" "$@" </dev/null >>"$log" 2>&1 9>&- &
left=50
until [ -s "$pid_file" ] && read -r pid <"$pid_file"; do
  left=$((left - 1)); [ "$left" -gt 0 ] || { say "the process was not started"; exit 1; }
  sleep 0.1
done
sleep 0.5
if read -r stat <"/proc/$pid/stat"; then printf '%s %s %s\\n' "$pid" "$(start_time "$stat")" "$digest" >"$record"; fi 2>/dev/null
running "$record" || { tail -n 15 -- "$log" 2>/dev/null || :; say ${quoteAll([name])} "ended at once"; exit 1; }`,
        );
      });
    },
  });
}
