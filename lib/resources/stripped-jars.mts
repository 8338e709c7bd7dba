import type { Change, Resource } from '../plan/model.mts';
import { FIND_JARS, jarsWith, jarVariables, type JarSearch } from '../plan/jars.mts';
import { known, question } from '../plan/questions.mts';
import { runScript } from '../shell/steps.mts';
import { absentShown, change, resource, type Common } from './resource.mts';

export interface StrippedJarsOptions extends Common, JarSearch {
  /** What brings jars, earlier in the same role: while it has something to do, so has this. */
  readonly after?: readonly Resource[];
}

/**
 * A copy is edited and takes the place of the jar in one step: a Java that runs keeps the file it opened, and a full disk leaves what was there.
 * `zip` says 12 where it finds nothing to do: what is left then is text that only looks like the entry.
 */
const STRIP = `[ -d "$under" ] || { say "$under is no directory"; exit 1; }
command -v zip >/dev/null 2>&1 || { say "zip is not installed"; exit 1; }
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' HUP INT TERM
# What a killed run left behind.
find "$under/" -type d -name '.stripped-??????' -prune -exec rm -rf -- {} +
strip() {
  scratch=$(mktemp -d -- "\${1%/*}/.stripped-XXXXXX")
  copy=$scratch/copy.zip status=0
  cp -p -- "$1" "$copy" || { say "$1 could not be copied"; exit 1; }
  zip -q -d "$copy" "$entry" || status=$?
  case $status in 0 | 12) ;; *) say "zip ended with $status: $1 is as it was"; exit 1 ;; esac
  if grep -qF -e "$entry" "$copy"; then say "$1 holds $entry in a way that zip cannot remove: it is as it was"; exit 1; fi
  chown -- "$(stat -c %u:%g -- "$1")" "$copy"
  chmod -- "$(stat -c %a -- "$1")" "$copy"
  sync -- "$copy" 2>/dev/null || sync
  mv -fT -- "$copy" "$1"
  rm -rf -- "$scratch"
  scratch=
  if command -v restorecon >/dev/null 2>&1; then restorecon -- "$1"; fi
}
jars=$(${FIND_JARS}) || :
set -f
IFS='
'
for jar in $jars; do strip "$under/\${jar#./}"; done`;

/** No jar under a directory holds this class; owner and mode stay. Needs `zip` on the host where there is one to strip. */
export function strippedJars(id: string, options: StrippedJarsOptions): Resource {
  const { after = [], entry } = options;
  const holding = jarsWith(options);
  const name = entry.slice(entry.lastIndexOf('/') + 1);
  return resource(id, options, {
    wanted: [options.under, entry],
    differs: question<readonly Change[]>([...holding.asks, ...after.flatMap(({ differs }) => differs.asks)], (answers) => {
      for (const { id: before, differs } of after) {
        const pending = differs.read(answers);
        if (pending.kind === 'unavailable') return pending;
        if (pending.value.length > 0) return known([change('jars', `unknown before ${before}`, `without ${name}`)]);
      }
      const jars = holding.read(answers);
      return jars.kind === 'unavailable' ? jars : known(jars.value.map((jar) => change(jar, `holds ${name}`, absentShown)));
    }),
    apply(_changes, steps) {
      runScript(steps, `${jarVariables(options)}\n${STRIP}`);
    },
  });
}
