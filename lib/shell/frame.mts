/**
 * One frame: a POSIX sh text for the stdin of a persistent shell; frame-reader.mts reads what it prints.
 *
 * Everything stands in one brace group, so the shell has parsed all of it before anything runs and reads no further stdin until it
 * is over: what arrives meanwhile belongs to the watchdog of the running step. `ABORT` ends the step, end of file also ends the
 * session. `nonce` is fresh for every frame, so no output of a step can pass for a marker.
 */
import { bytesOf } from '../secret.mts';
import type { CompiledStep } from '../plan/model.mts';
import { ABORT, BEAT, isOrphaned, knowParent, TICK_SECONDS } from './lifeline.mts';

export type HostStep = Extract<CompiledStep, { at: 'host' }>;

/** The descriptor on which a session shell holds the host's lock; everything that is not uninterruptible closes it. */
export const LOCK_FD = 9;

/** How long a step may take to end after TERM, before KILL. */
const KILL_AFTER_SECONDS = 5;

export interface FrameText {
  readonly nonce: string;
  readonly steps: readonly HostStep[];
  /** Script whose output is handed back byte for byte; runs after the steps even when one failed, but not after an abort. */
  readonly probe: string;
  /** The shell that steps run in. */
  readonly shell?: string;
}

/** Needs `setsid` and `base64` on the host when there are steps; a frame without steps starts no process of its own. */
export function compileFrame({ nonce, steps, probe, shell = '/bin/sh' }: FrameText): string {
  if (steps.length === 0)
    return `{ printf '\\nBEGIN ${nonce}\\n\\nPROBE ${nonce}\\n'\n${probe}\nprintf '\\nEND ${nonce} 0\\n'\n} </dev/null 2>/dev/null ${LOCK_FD}>&-\n`;
  return `{ printf '\\nBEGIN ${nonce}\\n'
kem_stop= kem_count=0
${machinery(nonce, shell)}
${steps.map((step, index) => invocation(nonce, step, index)).join('')}if [ "$kem_stop" != abort ]; then printf '\\nPROBE ${nonce}\\n'
{ :
${probe}
} 2>/dev/null 3<&- ${LOCK_FD}>&-
fi
printf '\\nEND ${nonce} %s\\n' "$kem_count"
} 3<&0 </dev/null
`;
}

/**
 * A step runs in its own process group beside a watchdog on the session's stdin (3), which also hands on the signs of life, and a timer. Both
 * end the whole group and tell by their exit code that they did (`kill -TERM "-$pid"` is the one spelling that dash, bash and busybox share);
 * both are reaped before the next line of the frame, or they would eat the next frame. Where the session's shell is gone the timer ends the
 * step, but for an uninterruptible one, which has its time and keeps the lock meanwhile.
 * A step may end before the timer's sleep has begun: "$!" names it before any variable could, and only KILL reaches what is not yet a sleep.
 * They keep no copy of the session's outputs, not even one that the shell saved for a redirection: the link could not close while they live.
 */
const machinery = (nonce: string, shell: string): string => `kem_kill() {
kill -TERM "-$1" || kill -TERM "$1"
kem_waited=0
while [ "$kem_waited" -lt ${KILL_AFTER_SECONDS * 10} ] && kill -0 "-$1"; do if sleep 0.1; then kem_waited=$((kem_waited + 1)); else sleep 1; kem_waited=$((kem_waited + 10)); fi; done
kill -KILL "-$1"
}
kem_step() {
[ -z "$kem_stop" ] || return 0
printf '\\nSTEP ${nonce} %s\\n' "$1"
if [ "$3" = keep ]; then setsid ${shell} <&4 2>&1 3<&- 4<&- & else setsid ${shell} <&4 2>&1 3<&- 4<&- ${LOCK_FD}>&- & fi
kem_pid=$!
( exec >/dev/null 2>&1 4<&- ${LOCK_FD}>&-
kem_end=0
trap 'exit "$kem_end"' TERM
while read -r kem_line <&3; do
if [ "$kem_line" != '${ABORT}' ]; then ${BEAT}; continue; fi
kem_end=91
if [ "$3" != keep ]; then trap '' TERM; kem_kill "$kem_pid"; exit 91; fi
done
trap '' TERM
if [ "$3" != keep ]; then kem_kill "$kem_pid"; fi
exit 92 ) &
kem_dog=$!
( exec >/dev/null 2>&1 3<&- 4<&- ${LOCK_FD}>&-
${knowParent}
trap '[ "$!" = "$kem_dog" ] || kill -KILL "$!"; exit 0' TERM
kem_left=$2
while [ "$kem_left" -gt 0 ]; do
if [ "$kem_left" -lt ${TICK_SECONDS} ]; then kem_tick=$kem_left; else kem_tick=${TICK_SECONDS}; fi
sleep "$kem_tick" & wait "$!"
kem_left=$((kem_left - kem_tick))
if ${isOrphaned}; then
if [ "$3" != keep ]; then break; fi
if ! kill -0 "-$kem_pid"; then kill "$kem_dog"; exit 0; fi
fi
done
trap '' TERM; kem_kill "$kem_pid"; if ${isOrphaned}; then kill "$kem_dog"; fi; exit 93 ) &
kem_timer=$!
wait "$kem_pid" 2>/dev/null; kem_code=$?; kem_why=own
kill "$kem_timer" 2>/dev/null; wait "$kem_timer" 2>/dev/null; if [ $? = 93 ]; then kem_why=timeout; fi
kill "$kem_dog" 2>/dev/null; wait "$kem_dog" 2>/dev/null
case $? in 91) kem_stop=abort; if [ "$3" != keep ]; then kem_why=abort; fi ;; 92) kem_why=gone ;; esac
printf '\\nDONE ${nonce} %s %s %s\\n' "$1" "$kem_code" "$kem_why"
kem_count=$((kem_count + 1))
if [ "$kem_why" = gone ]; then exit 0; fi
if [ -z "$kem_stop" ] && { [ "$kem_why" = timeout ] || [ "$kem_code" != 0 ]; }; then kem_stop=failed; fi
}`;

function invocation(nonce: string, step: HostStep, index: number): string {
  const end = `STEP_${nonce}_${index}`;
  const seconds = Math.max(1, Math.ceil(step.deadlineMs / 1000));
  return `kem_step ${index} ${seconds} ${step.interruptible ? 'free' : 'keep'} 4<<'${end}'\n${stepScript(nonce, step)}${end}\n`;
}

/**
 * What the step's own shell reads. Its exit line tells a script that ended by itself from one that was killed. An uninterruptible body
 * writes to a relay that outlives the link, since a package manager that gets EPIPE stops half way.
 */
function stepScript(nonce: string, step: HostStep): string {
  const cases = step.payloads
    .map((content, index) => `${index}) base64 -d <<'PAYLOAD_${nonce}'\n${base64Lines(bytesOf(content))}PAYLOAD_${nonce}\n;;\n`)
    .join('');
  const run = step.interruptible
    ? `( kem_body ) </dev/null\nkem_code=$?`
    : `exec 8>&1
kem_code=$( exec 7>&1 >&8; { ( kem_body ) </dev/null 7>&- 8>&- ${LOCK_FD}>&-; printf %s "$?" >&7; } 2>&1 8>&- | { trap '' PIPE; cat 2>/dev/null; cat >/dev/null; } 7>&- )`;
  return `{ progress() { printf '\\nPROGRESS ${nonce} %s %s\\n' "$1" "\${2-}"; }
payload() { case $1 in
${cases}*) echo "no payload $1" >&2; return 1 ;;
esac; }
kem_body() { set -e
${step.script}
}
${run}
printf '\\nEXIT ${nonce} %s\\n' "$kem_code"
exit "$kem_code"
}
`;
}

const base64Lines = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('base64')
    .replace(/.{1,1000}/g, '$&\n');
