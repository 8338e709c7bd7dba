import type { Change, Resource } from '../plan/model.mts';
import { checkedPath, constant, known, question, refine, shellOutput, stat, unavailable } from '../plan/questions.mts';
import { sh } from '../shell/quote.mts';
import { applyMeta, metaChanges, metaOf, ofType, type MetaOptions } from './meta.mts';
import { absentShown, change, has, resource, type Common } from './resource.mts';

export interface DirectoryOptions extends Common, MetaOptions {
  /** The only files that may be in it, by name: others are removed. Directories in it are left alone. */
  readonly exclusive?: readonly string[];
}

/** Names of everything but directories in a directory; a name cannot hold a slash, so slashes end them. What may not be listed is not empty. */
const filesIn = (path: string): string =>
  sh`path=${path}
[ -d "$path" ] || exit 0
cd "$path" 2>/dev/null && [ -r . ] || { printf '%s cannot be listed' "$path"; exit 1; }
for name in * .[!.]* ..?*; do if [ -h "$name" ]; then :; elif [ -d "$name" ] || [ ! -e "$name" ]; then continue; fi; printf '%s/' "$name"; done`;

/** A directory; missing parents are made as root's and 0755. */
export function directory(path: string, options: DirectoryOptions = {}): Resource {
  const meta = metaOf(options, 0o755);
  const status = stat(checkedPath(path));
  const { exclusive } = options;
  const listing =
    exclusive === undefined
      ? constant<readonly string[]>([])
      : refine(shellOutput(filesIn(path)), ({ code, output }) =>
          code === 0 ? known(output.split('/').filter((name) => name !== '' && !exclusive.includes(name))) : unavailable(output),
        );
  return resource(`directory ${path}`, options, {
    wanted: [meta, exclusive],
    differs: question<readonly Change[]>([...status.asks, ...listing.asks], (answers) => {
      const now = status.read(answers);
      if (now.kind === 'unavailable') return now;
      const there = ofType('directory', path, now.value);
      if (there.kind === 'unavailable') return there;
      if (there.value === undefined) return known([change('exists', absentShown, 'directory')]);
      const extra = listing.read(answers);
      if (extra.kind === 'unavailable') return extra;
      return known([...metaChanges(there.value, meta), ...extra.value.map((name) => change(`entry ${name}`, 'present', absentShown))]);
    }),
    apply(changes, steps) {
      if (has(changes, 'exists')) {
        steps.sh`mkdir -p -- ${path}`;
        steps.sh`if command -v restorecon >/dev/null 2>&1; then restorecon -- ${path}; fi`;
        applyMeta(path, meta, [change('owner', absentShown, meta.owner)], steps);
        return;
      }
      applyMeta(path, meta, changes, steps);
      for (const { field } of changes) if (field.startsWith('entry ')) steps.sh`rm -f -- ${`${path}/${field.slice('entry '.length)}`}`;
    },
  });
}

/** Nothing at this path. A directory is never removed. */
export function absent(path: string, options: Common = {}): Resource {
  return resource(`absent ${path}`, options, {
    wanted: 'absent',
    differs: refine(stat(checkedPath(path)), (now) => {
      if (now.kind === 'absent') return known<readonly Change[]>([]);
      if (now.type === 'directory') return unavailable(`${path} is a directory: it is never removed`);
      return known<readonly Change[]>([change('exists', now.type, absentShown)]);
    }),
    apply(_changes, steps) {
      steps.sh`rm -f -- ${path}`;
    },
  });
}
