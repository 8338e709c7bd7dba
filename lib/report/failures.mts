/** What failed: host, role, step, last output, hint and diagnosis; hosts that failed alike are told together. */
import type { RunError } from '../errors.mts';
import type { Diagnosis, Judgement } from '../plan/model.mts';
import { listed } from './format.mts';
import type { HostState, RoleState, RunState } from './run-state.mts';
import { linesOf } from './sanitize.mts';
import { prose, symbol, type Line, type Look } from './style.mts';

const MOST_TAIL_LINES = 20;

interface Failure {
  readonly role?: string;
  /** The resource or check. */
  readonly what?: string;
  readonly error?: RunError;
  readonly failed?: Extract<Judgement, { kind: 'fail' }>;
  readonly unknown?: string;
  readonly tail?: string;
  readonly diagnoses: readonly Diagnosis[];
}

function* failuresOfHost(host: HostState): Iterable<Failure> {
  if (host.error !== undefined) yield { error: host.error, diagnoses: [] };
  for (const [role, state] of host.roles) yield* failuresOfRole(role, state);
}

function* failuresOfRole(role: string, state: RoleState): Iterable<Failure> {
  const { error, tail, failedStep, diagnoses } = state;
  const resources = [...state.resources].flatMap(([id, { verdict }]) => (verdict.kind === 'failed' ? [{ id, error: verdict.error }] : []));
  for (const resource of resources) if (resource.error.message !== error?.message) yield { role, what: resource.id, error: resource.error, diagnoses: [] };
  let isTold = false;
  for (const [check, outcome] of state.checks) {
    if (outcome.kind === 'unknown') yield { role, what: check, unknown: outcome.because, diagnoses: [] };
    if (outcome.kind !== 'fail') continue;
    yield { role, what: check, failed: outcome, diagnoses: isTold ? [] : diagnoses };
    isTold = true;
  }
  // That a check failed is told by the check itself.
  if (isTold && (error === undefined || error.kind === 'check-failed')) return;
  if (error === undefined && diagnoses.length === 0) return;
  const what = failedStep ?? resources.find((resource) => resource.error.message === error?.message)?.id;
  yield {
    role,
    diagnoses: isTold ? [] : diagnoses,
    ...(error === undefined ? {} : { error }),
    ...(what === undefined ? {} : { what }),
    ...(tail === undefined ? {} : { tail }),
  };
}

export function failureLines(state: RunState, look: Look): readonly Line[] {
  const groups = new Map<string, { readonly hosts: string[]; readonly failure: Failure }>();
  for (const host of state.hosts.values()) {
    for (const failure of failuresOfHost(host)) {
      const key = JSON.stringify(failure);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { hosts: [host.name], failure });
      else group.hosts.push(host.name);
    }
  }
  const blocks = [...groups.values()].flatMap(({ hosts, failure }) => [[], ...failureBlock(hosts, failure, look)]);
  const ofRun = state.errors.flatMap((error) => [[], [symbol('failed', look), ' ', ['bold', error.short] as const], ...errorBody(error, look)]);
  return [...blocks, ...ofRun];
}

function failureBlock(hosts: readonly string[], failure: Failure, look: Look): readonly Line[] {
  const { error, failed, unknown } = failure;
  const head: Line = [
    symbol(unknown === undefined ? 'failed' : 'unknown', look),
    ' ',
    ['bold', listed(hosts)],
    ...[failure.role, failure.what].flatMap((part) => (part === undefined ? [] : ['  ', part])),
  ];
  return [
    head,
    ...(failed === undefined
      ? []
      : [...prose('    expected: ', failed.expected, look), ...prose('    found: ', failed.found, look), ...hintLines(failed.hint, look)]),
    ...(unknown === undefined ? [] : prose('    unknown: ', unknown, look)),
    ...(error === undefined ? [] : [...prose('    ', error.short, look, 'red'), ...errorBody(error, look, failure.tail)]),
    ...failure.diagnoses.flatMap((diagnosis) => diagnosisLines(diagnosis, look)),
  ];
}

/** Everything about an error but its `short`; multi-line messages keep their lines, which may be a table. */
function errorBody(error: RunError, look: Look, tail?: string): readonly Line[] {
  // The tail often is the message: told once, as output.
  const message = error.message === tail ? [] : linesOf(error.message).filter((line, index) => index > 0 || line !== linesOf(error.short)[0]);
  return [
    ...message.map((line): Line => ['    ', line]),
    ...(error.source === undefined ? [] : [[`    at ${error.source.file}:${String(error.source.line)}:${String(error.source.column)}`]]),
    ...(tail === undefined ? [] : tailLines(tail)),
    ...(error.hint === undefined ? [] : hintLines(error.hint, look)),
  ];
}

function tailLines(tail: string): readonly Line[] {
  const lines = linesOf(tail);
  if (lines.length === 0) return [['    (no output)']];
  const left = lines.length - MOST_TAIL_LINES;
  const last = lines.slice(-MOST_TAIL_LINES).map((line): Line => [['dim', '    | '], line]);
  return left > 0 ? [[['dim', `    | (${String(left)} earlier lines are not shown)`]], ...last] : last;
}

const hintLines = (hint: string, look: Look): readonly Line[] =>
  linesOf(hint).flatMap((line, index) => prose(index === 0 ? '    hint: ' : '          ', line, look));

const diagnosisLines = ({ cause, evidence, fix }: Diagnosis, look: Look): readonly Line[] => [
  ...prose('    cause: ', cause, look, 'yellow'),
  ...linesOf(evidence).flatMap((line, index) => prose(index === 0 ? '      evidence: ' : '                ', line, look)),
  ...linesOf(fix).flatMap((line, index) => prose(index === 0 ? '      fix: ' : '           ', line, look)),
];
