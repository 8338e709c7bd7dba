/** Owner, group and mode of what is at a path. */
import type { Answer, Change, FileMeta, Steps } from '../plan/model.mts';
import { known, unavailable, type StatAnswer } from '../plan/questions.mts';
import { changeOf, has, modeText } from './resource.mts';

export interface MetaOptions {
  readonly mode?: number;
  readonly owner?: string;
  /** The owner's name unless said. */
  readonly group?: string;
}

export function metaOf(options: MetaOptions, mode: number): FileMeta {
  const owner = options.owner ?? 'root';
  return { mode: options.mode ?? mode, owner, group: options.group ?? owner };
}

type There = Extract<StatAnswer, { kind: 'there' }>;

/** Nothing of another type is ever replaced, and no symbolic link is followed. */
export function ofType(type: 'file' | 'directory', path: string, now: StatAnswer): Answer<There | undefined> {
  if (now.kind === 'absent') return known(undefined);
  if (now.type === type) return known(now);
  const what = { file: 'a file', directory: 'a directory', other: 'neither a file nor a directory', link: `a symbolic link to ${now.target ?? '?'}` }[now.type];
  return unavailable(`${path} is ${what}, not a ${type}: it is left alone`);
}

export const metaChanges = (now: There, want: FileMeta): readonly Change[] => [
  ...changeOf('mode', modeText(now.mode), modeText(want.mode)),
  ...changeOf('owner', want.owner === now.uid.toString() ? want.owner : now.owner, want.owner),
  ...changeOf('group', want.group === now.gid.toString() ? want.group : now.group, want.group),
];

export function applyMeta(path: string, want: FileMeta, changes: readonly Change[], steps: Steps): void {
  // chown drops setuid and setgid bits, so the mode comes after it.
  if (has(changes, 'owner') || has(changes, 'group')) steps.sh`chown -h -- ${`${want.owner}:${want.group}`} ${path}; chmod -- ${modeText(want.mode)} ${path}`;
  else if (has(changes, 'mode')) steps.sh`chmod -- ${modeText(want.mode)} ${path}`;
}
