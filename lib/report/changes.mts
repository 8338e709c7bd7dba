/** What changed, or would change, and why: first by name, then in detail; hosts with equal changes are told together. */
import type { HostName, ResourceId, RoleName } from '../names.mts';
import type { Change } from '../plan/model.mts';
import type { Reason } from './events.mts';
import { contentDiff, isContent, shownText } from './diff.mts';
import { count, listed } from './format.mts';
import { isReadOnly } from './outcome.mts';
import type { RunState } from './run-state.mts';
import { linesOf } from './sanitize.mts';
import { symbol, type Line, type Look } from './style.mts';

interface ChangedResource {
  readonly id: ResourceId;
  readonly state: 'changed' | 'pending' | 'unfinished';
  readonly changes: readonly Change[];
  /** One for each host of the group that has one. */
  readonly reasons: readonly Reason[];
}

interface Group {
  readonly role: RoleName;
  readonly hosts: HostName[];
  resources: readonly ChangedResource[];
}

/** By role and equal changes, whatever line asked for them, in the order in which hosts and roles stand in the run. */
function groupsOf(state: RunState): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const host of state.hosts.values()) {
    for (const [role, { resources }] of host.roles) {
      const changed = [...resources].flatMap(([id, { verdict, changes, because }]): ChangedResource[] => {
        if (changes.length === 0) return [];
        const kind = verdict.kind === 'changed' || (verdict.kind === 'pending' && isReadOnly(state.mode)) ? verdict.kind : 'unfinished';
        return [{ id, state: kind, changes, reasons: because === undefined ? [] : [because] }];
      });
      if (changed.length === 0) continue;
      const key = JSON.stringify([role, changed.map(({ reasons: _, ...same }) => same)]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { role, hosts: [host.name], resources: changed });
      else {
        group.hosts.push(host.name);
        group.resources = group.resources.map((one, index) => ({ ...one, reasons: [...one.reasons, ...(changed[index]?.reasons ?? [])] }));
      }
    }
  }
  return [...groups.values()];
}

function heading(state: RunState, groups: readonly Group[]): string {
  const hosts = new Set(groups.flatMap((group) => group.hosts)).size;
  const resources = groups.reduce((sum, group) => sum + group.hosts.length * group.resources.length, 0);
  const what = `${count(resources, 'resource')} on ${count(hosts, 'host')}`;
  if (!isReadOnly(state.mode)) return `CHANGES  ${what}`;
  return state.mode === 'drift' ? `DRIFT  ${what} ${resources === 1 ? 'differs' : 'differ'}` : `WOULD CHANGE  ${what}`;
}

const markOf = (resource: ChangedResource, look: Look) => {
  if (resource.state === 'unfinished') return symbol('unknown', look);
  // A field of several words, such as `entry x.conf` or `panel "Bytes in"`, names a part: the thing itself was there and stays.
  if (resource.changes.some(({ field }) => field.includes(' '))) return symbol('changed', look);
  if (resource.changes.every(({ from }) => from.kind === 'absent')) return symbol('created', look);
  return symbol(resource.changes.every(({ to }) => to.kind === 'absent') ? 'removed' : 'changed', look);
};

/** Resources that cannot be judged yet: a dry run that left them out would promise too much. */
function unknownLines(state: RunState, look: Look): readonly Line[] {
  const alike = new Map<string, { readonly hosts: HostName[]; readonly line: Line }>();
  for (const host of state.hosts.values()) {
    for (const [role, { resources }] of host.roles) {
      for (const [id, { verdict }] of resources) {
        if (verdict.kind !== 'unknown') continue;
        const line: Line = ['  ', role, '  ', id, ['dim', `  unknown until ${verdict.because} is in order`]];
        const known = alike.get(JSON.stringify(line));
        if (known === undefined) alike.set(JSON.stringify(line), { hosts: [host.name], line });
        else known.hosts.push(host.name);
      }
    }
  }
  return [...alike.values()].map(({ hosts, line }): Line => ['  ', symbol('unknown', look), ' ', ['bold', listed(hosts)], ...line]);
}

export function changeLines(state: RunState, look: Look, diff: boolean): readonly Line[] {
  const groups = groupsOf(state);
  const unknown = unknownLines(state, look);
  if (groups.length === 0) return unknown.length === 0 ? [] : [[], [['bold', 'UNKNOWN']], ...unknown];
  const names = (group: Group): Line => [['bold', listed(group.hosts)], '  ', group.role];
  const summary = isReadOnly(state.mode)
    ? groups.flatMap((group): Line[] => group.resources.map((resource) => ['  ', markOf(resource, look), ' ', ...names(group), '  ', resource.id]))
    : [];
  const details = groups.flatMap((group): Line[] => [[], names(group), ...group.resources.flatMap((resource) => resourceLines(resource, look, diff))]);
  return [[], [['bold', heading(state, groups)]], ...summary, ...unknown, ...details];
}

/** What is new is told in one line, unless a diff is asked for: every field of it would only say so again. */
function resourceLines(resource: ChangedResource, look: Look, diff: boolean): readonly Line[] {
  const note = resource.state === 'unfinished' ? ' (not finished)' : '';
  const why = reasonText(resource.reasons);
  const head: Line = ['  ', markOf(resource, look), ' ', resource.id, ['yellow', note]];
  if (!diff && resource.changes.every(({ from }) => from.kind === 'absent')) return [why === '' ? head : [...head, '  ', ['dim', why]]];
  return [
    head,
    ...resource.changes.flatMap((change) => fieldLines(change, resource.state, diff)),
    ...(why === '' ? [] : [['      ', ['dim', why]] satisfies Line]),
  ];
}

const REASONS = 3;

/** Equal reasons once: `why: elasticsearch_heap at inventory/lab.yaml:23`. */
function reasonText(reasons: readonly Reason[]): string {
  const distinct = [...new Set(reasons.map(({ variable, source }) => `${variable} at ${source.file}:${String(source.line)}`))];
  if (distinct.length === 0) return '';
  return `why: ${distinct.slice(0, REASONS).join(', ')}${distinct.length > REASONS ? ` and ${String(distinct.length - REASONS)} more` : ''}`;
}

function fieldLines(change: Change, state: ChangedResource['state'], diff: boolean): readonly Line[] {
  const restart = noteOf(change, state);
  const indent = '      ';
  if (!isContent(change)) return [[indent, `${change.field}: `, ['red', inline(change.from)], ' -> ', ['green', inline(change.to)], ...restart]];
  if (change.from.kind === 'hidden' || change.to.kind === 'hidden') return [[indent, `${change.field}: (hidden)`, ...restart]];
  if (!diff)
    return [
      [
        indent,
        `${change.field}: ${change.from.kind === 'absent' ? 'new' : change.to.kind === 'absent' ? 'removed' : 'differs'} `,
        ['dim', '(--diff shows how)'],
        ...restart,
      ],
    ];
  return [[indent, `${change.field}:`, ...restart], ...contentDiff(change).map((line): Line => [indent, ...line])];
}

function noteOf({ cosmetic, disrupts, consent, refused }: Change, state: ChangedResource['state']): Line {
  if (refused !== undefined) return [['yellow', ` (refused: ${refused.reason})`]];
  if (consent !== undefined && state !== 'changed') return [['yellow', ` (needs a yes: ${consent})`]];
  if (cosmetic === true) return [['dim', ' (cosmetic: only comments and blank lines)']];
  return disrupts === true ? [['yellow', ' (disrupts what is running)']] : [];
}

const inline = (shown: Change['from']): string => {
  const [first = '', ...more] = linesOf(shownText(shown));
  const text = more.length === 0 ? first : `${first} (+ ${count(more.length, 'line')})`;
  return text === '' ? '(empty)' : text;
};
