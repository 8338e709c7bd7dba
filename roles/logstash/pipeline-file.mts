/** A pipeline that replaces the running one only when Logstash itself has found no fault in it. */
import { command, file, type Resource } from '../../lib/index.mts';
import { CURRENT, USER, type Places } from './paths.mts';

export interface PipelineFileOptions {
  readonly places: Places;
  readonly content: string;
  /** `undefined`: the Java that comes with the archive. */
  readonly javaHome: string | undefined;
  readonly because?: readonly string[];
}

/** A JVM that loads all of JRuby: a minute on a small machine. */
const TEST_SECONDS = 300;

/**
 * Written beside, tested as the service's user with a data directory of the test's own (so that a running instance is not disturbed), then
 * moved into place.
 */
export function pipelineFile({ places, content, javaHome, because }: PipelineFileOptions): Resource {
  const options = { content, syntax: 'lines', mode: 0o640, owner: 'root', group: USER } as const;
  const target = file(places.pipeline, options);
  const candidate = `${places.config}/.pipeline.candidate`;
  return command(target.id, {
    ...(because === undefined ? {} : { because }),
    ...(target.fingerprint === undefined ? {} : { wanted: target.fingerprint }),
    differs: target.differs,
    run: (steps, changes) => {
      if (!changes.some(({ field }) => field === 'content')) {
        target.apply(changes, steps);
        return;
      }
      steps.within(TEST_SECONDS, (bounded) => {
        bounded.put(candidate, content, { mode: options.mode, owner: options.owner, group: options.group });
        bounded.sh`candidate=${candidate} pipeline=${places.pipeline} home=${CURRENT} config=${places.config} user=${USER} java=${javaHome ?? ''}
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch" "$candidate"' EXIT
trap 'exit 143' HUP INT TERM
[ -x "$home/bin/logstash" ] || { say "Logstash is not installed: the role logstash comes first"; exit 1; }
mkdir -- "$scratch/data" "$scratch/logs"
chown -R -- "$user:" "$scratch"
unset LS_JAVA_OPTS JAVA_OPTS JAVA_TOOL_OPTIONS
if [ -n "$java" ]; then export JAVA_HOME="$java"; else unset JAVA_HOME; fi
cd "$scratch"
status=0
setpriv "--reuid=$user" "--regid=$user" --init-groups -- "$home/bin/logstash" --path.settings "$config" --path.data "$scratch/data" --path.logs "$scratch/logs" \
  --log.level error -f "$candidate" -t >"$scratch/said" 2>&1 </dev/null || status=$?
if [ "$status" -ne 0 ]; then
  # The reason goes on with the whole text up to the fault: its first line says where that is.
  reason=$(sed -n 's/.*The given configuration is invalid\\. Reason: //p' "$scratch/said" | head -n 1 | cut -c 1-300)
  line=$(printf '%s' "$reason" | sed -n 's/.* at line \\([0-9][0-9]*\\),.*/\\1/p')
  [ -n "$reason" ] || tail -n 20 -- "$scratch/said" >&2
  [ -z "$line" ] || say "line $line of the new pipeline: $(sed -n "$line p" "$candidate" | cut -c 1-200)"
  say "logstash -t refuses the new pipeline, and the present one stays as it is: \${reason:-exit status $status}"
  exit 1
fi
mv -fT -- "$candidate" "$pipeline"
if command -v restorecon >/dev/null 2>&1; then restorecon -- "$pipeline"; fi`;
      });
    },
  });
}
