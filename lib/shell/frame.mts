/**
 * One frame: a POSIX sh text for the stdin of a persistent shell, and the reader of what it prints.
 *
 * Everything stands in one brace group, so the shell has parsed all of it before anything runs and reads no further stdin until it
 * is over: what arrives meanwhile belongs to the watchdog of the running step. `ABORT` ends the step, end of file also ends the
 * session. `nonce` is fresh for every frame, so no output of a step can pass for a marker.
 */
import { constants } from 'node:os';
import { bytesOf } from '../secret.mts';
import type { CompiledStep } from '../plan/model.mts';
import { ABORT, BEAT, isOrphaned, knowParent, TICK_SECONDS } from './lifeline.mts';

/** How one step ended; `signalled` is the step's own shell, a command of it that was killed shows as an exit code above 128. */
export type StepEnding =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' };

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

// ---- reading ---------------------------------------------------------------------------------------------------

export interface FramedStep {
  /** Place among the frame's steps. */
  readonly index: number;
  readonly end: StepEnding;
  readonly tail: string;
}

const TAIL_LINES = 20;
const TAIL_LINE_BYTES = 2000;
/** A line of a step that never ends is cut here; markers are far shorter. */
const LONGEST_STEP_LINE = 64 * 1024;
const LONGEST_MARKER = 300;
const NEWLINE = 10;

/** Takes a frame's output in pieces of any size; bytes before `BEGIN` with the right nonce are ignored (login scripts print). */
export class FrameReader {
  /** From here on the shell has parsed the frame, and a newline reaches the watchdog. */
  begun = false;
  /** What came between BEGIN and the first section: the facts, in the first command of a session. */
  readonly #head: Buffer[] = [];
  readonly steps: FramedStep[] = [];
  running: number | undefined;
  /** Set by the END line; `probe` is undefined when the probe did not run. */
  finished: { readonly probe: Buffer | undefined } | undefined;

  readonly #nonce: string;
  readonly #onProgress: ((step: number, done: number, total: number | undefined) => void) | undefined;
  readonly #onStep: ((step: number, ended: FramedStep | undefined) => void) | undefined;
  readonly #expected: number;
  /** The line that has not ended yet, in pieces: put together once, however long it grows. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #section: 'before' | 'head' | 'step' | 'between' | 'probe' = 'before';
  #tail: Buffer[] = [];
  #exit: number | undefined;
  readonly #probe: Buffer[] = [];

  /** `onStep` is called when a step begins, and again with its end. `expected` steps were sent: what a host says of others is no marker. */
  constructor(
    nonce: string,
    onProgress?: (step: number, done: number, total: number | undefined) => void,
    onStep?: (step: number, ended: FramedStep | undefined) => void,
    expected = Infinity,
  ) {
    this.#nonce = nonce;
    this.#expected = expected;
    this.#onProgress = onProgress;
    this.#onStep = onStep;
  }

  get head(): string {
    return Buffer.concat(this.#head).toString('utf8');
  }

  push(bytes: Uint8Array): void {
    const data = Buffer.from(bytes);
    let from = 0;
    for (let newline = data.indexOf(NEWLINE); newline >= 0 && this.finished === undefined; newline = data.indexOf(NEWLINE, from)) {
      const end = data.subarray(from, newline + 1);
      this.#line(this.#rest.length === 0 ? end : Buffer.concat([...this.#rest, end]));
      this.#keep([]);
      from = newline + 1;
    }
    if (from === data.length || this.finished !== undefined) return;
    this.#rest.push(data.subarray(from));
    this.#restLength += data.length - from;
    if (this.#restLength > LONGEST_STEP_LINE && this.#section !== 'probe') this.#keep([Buffer.concat(this.#rest).subarray(-TAIL_LINE_BYTES)]);
  }

  #keep(rest: Buffer[]): void {
    this.#rest = rest;
    this.#restLength = rest[0]?.length ?? 0;
  }

  /** `line` ends in a newline. */
  #line(line: Buffer): void {
    const words = line.length <= LONGEST_MARKER ? line.toString('latin1').trimEnd().split(' ') : [];
    if (words[1] === this.#nonce && this.#marker(words)) return;
    switch (this.#section) {
      case 'head':
        this.#head.push(line);
        break;
      case 'probe':
        this.#probe.push(line);
        break;
      case 'step':
        this.#tail.push(Buffer.from(line.subarray(0, TAIL_LINE_BYTES)));
        // The markers' own leading newlines must not push out what the step said.
        if (this.#tail.length > TAIL_LINES * 4) this.#tail.splice(0, TAIL_LINES * 2);
        break;
      case 'before':
      case 'between':
        break;
    }
  }

  #marker([word, , ...values]: readonly string[]): boolean {
    const number = Number(values[0]);
    if (this.#section === 'before') {
      if (word !== 'BEGIN') return false;
      this.begun = true;
      this.#section = 'head';
      return true;
    }
    switch (word) {
      case 'STEP':
        if (number !== this.steps.length || number >= this.#expected) return false;
        this.#section = 'step';
        this.running = number;
        this.#tail = [];
        this.#exit = undefined;
        this.#onStep?.(number, undefined);
        return true;
      case 'PROGRESS':
        if (this.#tail.at(-1)?.length === 1) this.#tail.pop();
        if (this.running !== undefined && Number.isFinite(number))
          this.#onProgress?.(this.running, number, /^\d+$/.test(values[1] ?? '') ? Number(values[1]) : undefined);
        return true;
      case 'EXIT':
        this.#exit = number;
        return true;
      case 'DONE':
        if (number !== this.running) return false;
        this.#ended({ index: number, end: stepEnd(this.#exit, Number(values[1]), values[2]), tail: this.#tailText() });
        return true;
      case 'PROBE':
        this.#section = 'probe';
        return true;
      case 'END':
        // A count that is not ours means lines went missing: that is no end.
        if (number !== this.steps.length) return true;
        this.finished = { probe: this.#section === 'probe' ? withoutLastByte(this.#probe) : undefined };
        return true;
      default:
        return false;
    }
  }

  #ended(step: FramedStep): void {
    this.steps.push(step);
    this.running = undefined;
    this.#section = 'between';
    this.#onStep?.(step.index, step);
  }

  #tailText(): string {
    const text = Buffer.concat(this.#tail).toString('utf8').replace(/\n+$/, '');
    return text.split('\n').slice(-TAIL_LINES).join('\n');
  }
}

/** Every marker is printed with a newline before it, which is not part of what the probe printed. */
function withoutLastByte(lines: readonly Buffer[]): Buffer {
  const all = Buffer.concat(lines);
  return all.subarray(0, Math.max(0, all.length - 1));
}

function stepEnd(exit: number | undefined, status: number, why: string | undefined): StepEnding {
  if (why === 'abort' || why === 'gone') return { kind: 'aborted' };
  if (why === 'timeout') return { kind: 'timeout' };
  if (exit === undefined && status > 128) return { kind: 'signalled', signal: signalName(status - 128) };
  return { kind: 'exited', code: exit ?? status };
}

const signalName = (number: number): string => Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
