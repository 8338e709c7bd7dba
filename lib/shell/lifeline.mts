/**
 * Signs of life. A session that holds a host's lock hears `BEAT` from the program every few seconds; a guard beside its shell ends the shell
 * when none has come for `SILENCE_SECONDS`, which frees the lock: the link may be dead, or the program's machine asleep, for hours before TCP
 * notices. The running step is ended by its own timer, which sees that the shell is gone.
 *
 * Both lines are written at any moment and read by whoever reads the session's stdin: the shell itself, or the watchdog of a step, which may
 * be ended in the middle of one. So each is a single character: what is left of it is an empty line, and means nothing to either.
 */

/** A function of the session's shell. */
export const BEAT = '_';
/** To the shell itself a comment. */
export const ABORT = '#';

export const BEAT_EVERY_MS = 10_000;

export const TICK_SECONDS = 5;
/** With the rest of a tick, the next tick of the step's timer, and the time between TERM and KILL: all is over after 60 s. */
export const SILENCE_SECONDS = 45;

/** How the guard ends the shell, so that silence can be told from every other end. */
export const SILENCE_SIGNAL = 'ALRM';

/** At the start of a child of the session's shell; where there is no /proc nobody is ever found orphaned. */
export const knowParent = 'read -r kem_x kem_x kem_x kem_mother kem_x </proc/self/stat';
/** Whether the session's shell is gone since: also as a zombie that nobody has reaped, which `kill -0` takes for alive. */
export const isOrphaned = '{ read -r kem_x kem_x kem_x kem_parent kem_x </proc/self/stat && [ "$kem_parent" != "$kem_mother" ]; }';

/** How often the guard looks: whoever asks is gone when it says nothing more to them, and then all is over within 5 s. */
const LOOK_SECONDS = 3;

/**
 * Starts the guard, as `$kem_guard`, in the shell that becomes the session's. Of the session it holds its stderr, in place of the lock: a line
 * that cannot be written there tells that the link has closed. It ends with the shell.
 *
 * A step ends by its own watchdog and timer. Questions have nobody beside them, so the guard ends them with the shell, and all that they
 * started: first their root, stopped so that it starts nothing more. That questions run can be seen from outside, as the shell closes the lock
 * for them only.
 */
export function guard(lockFd: number, silenceSeconds: number): string {
  const look = Math.min(LOOK_SECONDS, silenceSeconds);
  // Ignored until the guard has its trap: a sign of life would end it.
  return `trap '' USR1
( exec </dev/null >/dev/null ${lockFd}>&2 2>&1
${knowParent}
read -r kem_own kem_x </proc/self/stat
kem_children() { kem_found=; for kem_file in /proc/[0-9]*/stat; do
read -r kem_line <"$kem_file" || continue
kem_parent=\${kem_line##*) ? }
if [ "\${kem_parent%% *}" = "$1" ] && [ "\${kem_line%% *}" != "$kem_own" ]; then kem_found="$kem_found \${kem_line%% *}"; fi
done; }
kem_end() { while [ $# -gt 0 ]; do
kem_next=$1; shift
kill -STOP "$kem_next"; kem_children "$kem_next"; set -- "$@" $kem_found; kill -KILL "$kem_next"
done; }
kem_quiet=0
trap '' PIPE
trap 'kem_quiet=0' USR1
trap 'kill -KILL "$!"; exit 0' TERM
while [ "$kem_quiet" -lt ${silenceSeconds} ]; do
sleep ${look} ${lockFd}>&- & wait "$!"
if [ $? -gt 128 ]; then kill -KILL "$!"; else kem_quiet=$((kem_quiet + ${look})); fi
if ${isOrphaned}; then exit 0; fi
echo >&${lockFd} || [ -e /proc/$$/fd/${lockFd} ] || break
done
trap '' TERM
exec ${lockFd}>&-
kem_found=
[ -e /proc/$$/fd/${lockFd} ] || kem_children $$
kill -${SILENCE_SIGNAL} $$
kem_end $kem_found
sleep 1
${isOrphaned} || kill -KILL $$ ) &
kem_guard=$!
trap - USR1
`;
}

/**
 * The first line for a shell that was started with the guard's process id as its argument. A child of bash that is ended before it has begun,
 * as the timer of a short step may be, does at its end what its mother is to do at hers: there it is none of its business. What `read` returns
 * while a signal ends the child says nothing.
 */
export const MEET_GUARD = `kem_guard=$1; ${BEAT}() { kill -USR1 "$kem_guard"; } 2>/dev/null
trap 'kem_self=; read -r kem_self kem_x </proc/self/stat; case \${kem_self:-$$} in $$) kill "$kem_guard" 2>/dev/null ;; esac' EXIT\n`;
