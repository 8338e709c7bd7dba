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

/**
 * Starts the guard, as `$kem_guard`, in the shell that becomes the session's. It holds nothing of the session that would keep the link or
 * the lock, and ends with the shell.
 */
export function guard(lockFd: number, silenceSeconds: number): string {
  const tick = Math.min(TICK_SECONDS, silenceSeconds);
  // Ignored until the guard has its trap: a sign of life would end it.
  return `trap '' USR1
( exec </dev/null >/dev/null 2>&1 ${lockFd}>&-
${knowParent}
kem_quiet=0
trap 'kem_quiet=0' USR1
trap 'kill -KILL "$!"; exit 0' TERM
while [ "$kem_quiet" -lt ${silenceSeconds} ]; do
sleep ${tick} & wait "$!"
if [ $? -gt 128 ]; then kill -KILL "$!"; else kem_quiet=$((kem_quiet + ${tick})); fi
if ${isOrphaned}; then exit 0; fi
done
trap '' TERM
kill -${SILENCE_SIGNAL} $$
sleep 1
${isOrphaned} || kill -KILL $$ ) &
kem_guard=$!
trap - USR1
`;
}

/** The first line for a shell that was started with the guard's process id as its argument. */
export const MEET_GUARD = `kem_guard=$1; ${BEAT}() { kill -USR1 "$kem_guard"; } 2>/dev/null; trap 'kill "$kem_guard" 2>/dev/null' EXIT\n`;
