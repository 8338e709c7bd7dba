/** Records what a resource wants done and compiles it to scripts: everything a host does for one resource in a row is one script. */
import type { Change, CompiledStep, FileMeta, Resource, Steps } from '../plan/model.mts';
import type { Content } from '../secret.mts';
import { sh, quote } from './quote.mts';

const DEADLINE_SECONDS = 120;

/** How the steps of a resource are bounded while they are being written down. */
interface Bounds {
  readonly deadlineMs: number;
  readonly interruptible: boolean;
}

type Part =
  | ({ readonly at: 'host'; readonly script: string } & Bounds)
  | ({ readonly at: 'put'; readonly path: string; readonly content: Content; readonly meta: FileMeta | 'keep' } & Bounds)
  | ({ readonly at: 'upload'; readonly localPath: string; readonly remotePath: string } & Bounds)
  | ({ readonly at: 'controller'; readonly argv: readonly [string, ...string[]] } & Bounds);

class Recorder implements Steps {
  readonly #parts: Part[];
  readonly #bounds: Bounds;
  constructor(parts: Part[], bounds: Bounds) {
    this.#parts = parts;
    this.#bounds = bounds;
  }
  sh(strings: TemplateStringsArray, ...values: readonly (string | number)[]): void {
    this.#parts.push({ at: 'host', script: sh(strings, ...values), ...this.#bounds });
  }
  put(path: string, content: Content, meta: FileMeta | 'keep'): void {
    this.#parts.push({ at: 'put', path, content, meta, ...this.#bounds });
  }
  upload(localPath: string, remotePath: string): void {
    this.#parts.push({ at: 'upload', localPath, remotePath, ...this.#bounds });
  }
  controller(argv: readonly [string, ...string[]]): void {
    this.#parts.push({ at: 'controller', argv, ...this.#bounds });
  }
  uninterruptible(body: (steps: Steps) => void): void {
    body(new Recorder(this.#parts, { ...this.#bounds, interruptible: false }));
  }
  within(seconds: number, body: (steps: Steps) => void): void {
    body(new Recorder(this.#parts, { ...this.#bounds, deadlineMs: seconds * 1000 }));
  }
}

/** The exit code of a step that would not go on for safety's sake, such as a wrong digest: the run then exits 5. */
export const REFUSED = 86;

/**
 * Every script starts with this. `scratch` is a path that is removed however the script ends;
 * `say` is how a step explains itself: its last line is what the operator sees;
 * `refuse` says why a safety rule forbids to go on.
 */
const PROLOGUE = `set -eu
LC_ALL=C
export LC_ALL
umask 022
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' HUP INT TERM
say() { printf '%s\\n' "$*" >&2; }
refuse() { say "$@"; exit ${REFUSED}; }
`;

/**
 * put PATH PAYLOAD [MODE OWNER GROUP]: owner and mode before content, synced before the rename, never through a link.
 * A file left behind by a killed run has the same pattern and goes first. The label follows the final name, so restorecon comes last.
 */
const PUT = `put() {
  if [ -h "$1" ]; then say "$1 is a symbolic link: not written through it"; return 1; fi
  if [ -e "$1" ] && [ ! -f "$1" ]; then say "$1 is no regular file: not replaced"; return 1; fi
  for stale in "\${1%/*}/.\${1##*/}".new-??????; do [ ! -f "$stale" ] || rm -f -- "$stale"; done
  scratch=$(mktemp -- "\${1%/*}/.\${1##*/}.new-XXXXXX")
  if [ $# -gt 2 ]; then chown -- "$4:$5" "$scratch"; chmod -- "$3" "$scratch"
  elif [ -e "$1" ]; then chown -- "$(stat -c %u:%g -- "$1")" "$scratch"; chmod -- "$(stat -c %a -- "$1")" "$scratch"
  else chmod -- 0644 "$scratch"; fi
  payload "$2" >"$scratch"
  sync -- "$scratch" 2>/dev/null || sync
  mv -fT -- "$scratch" "$1"
  scratch=
  if command -v restorecon >/dev/null 2>&1; then restorecon -- "$1"; fi
}
`;

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

function putLine(part: Extract<Part, { at: 'put' }>, payload: number): string {
  const meta = part.meta === 'keep' ? '' : sh` ${octal(part.meta.mode)} ${part.meta.owner} ${part.meta.group}`;
  return sh`put ${part.path} ` + payload.toString() + meta;
}

const sameBounds = (one: Bounds, other: Bounds): boolean => one.deadlineMs === other.deadlineMs && one.interruptible === other.interruptible;

type HostPart = Extract<Part, { at: 'host' | 'put' }>;

function hostStep(id: Resource['id'], parts: readonly HostPart[]): CompiledStep {
  const payloads: Content[] = [];
  // A fragment runs in a subshell of its own: its variables and its `exit 0` concern nobody else.
  const lines = parts.map((part) => (part.at === 'put' ? putLine(part, payloads.push(part.content) - 1) : `(\n${part.script.trim()}\n)`));
  const script = `${PROLOGUE}${payloads.length > 0 ? PUT : ''}${lines.join('\n')}\n`;
  const [first] = parts;
  return { at: 'host', id, script, payloads, deadlineMs: first?.deadlineMs ?? DEADLINE_SECONDS * 1000, interruptible: first?.interruptible ?? true };
}

function compilePart({ id, apart }: Resource, part: Exclude<Part, HostPart>): CompiledStep {
  switch (part.at) {
    case 'upload':
      return { at: 'upload', id, localPath: part.localPath, remotePath: part.remotePath, deadlineMs: part.deadlineMs };
    case 'controller':
      return { at: 'controller', id, argv: part.argv, deadlineMs: part.deadlineMs, ...(apart === undefined ? {} : { apart }) };
  }
}

/** What putting `changes` right takes, in order. */
export function compileSteps(resource: Resource, changes: readonly Change[]): readonly CompiledStep[] {
  const parts: Part[] = [];
  resource.apply(changes, new Recorder(parts, { deadlineMs: DEADLINE_SECONDS * 1000, interruptible: true }));
  const steps: CompiledStep[] = [];
  let pending: HostPart[] = [];
  const flush = (): void => {
    if (pending.length > 0) steps.push(hostStep(resource.id, pending));
    pending = [];
  };
  for (const part of parts) {
    if (part.at === 'upload' || part.at === 'controller') {
      flush();
      steps.push(compilePart(resource, part));
      continue;
    }
    const [first] = pending;
    if (first !== undefined && !sameBounds(first, part)) flush();
    pending.push(part);
  }
  flush();
  return steps;
}

/** For scripts that are put together by functions: hands ready-made, already quoted text to `steps.sh`. */
export const runScript = (steps: Steps, script: string): void => {
  steps.sh(Object.assign([script], { raw: [script] }));
};

/** Several quoted words in a row. */
export const quoteAll = (words: Iterable<string | number>): string => [...words].map(quote).join(' ');
