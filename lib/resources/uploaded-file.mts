import type { Change, Resource } from '../plan/model.mts';
import { checkedPath, known, question, sha256, stat } from '../plan/questions.mts';
import { applyMeta, metaChanges, metaOf, ofType, type MetaOptions } from './meta.mts';
import { absentShown, change, has, modeText, resource, shown, type Common } from './resource.mts';

export interface UploadedFileOptions extends Common, MetaOptions {
  readonly from: { readonly path: string; readonly sha256: string };
}

/** A copy of a file of the controller, too large for a script; its directory exists. */
export function uploadedFile(path: string, options: UploadedFileOptions): Resource {
  const { from } = options;
  const meta = metaOf(options, 0o644);
  const status = stat(checkedPath(path));
  const digest = sha256(path);
  return resource(`file ${path}`, options, {
    wanted: [from.sha256, meta],
    differs: question<readonly Change[]>([...status.asks, ...digest.asks], (answers) => {
      const now = status.read(answers);
      if (now.kind === 'unavailable') return now;
      const there = ofType('file', path, now.value);
      if (there.kind === 'unavailable') return there;
      const want = `sha256 ${from.sha256}`;
      if (there.value === undefined) return known([change('content', absentShown, want)]);
      const have = digest.read(answers);
      if (have.kind === 'unavailable') return have;
      const same = have.value === from.sha256;
      return known([
        ...(same ? [] : [change('content', have.value === undefined ? absentShown : shown(`sha256 ${have.value}`), want)]),
        ...metaChanges(there.value, meta),
      ]);
    }),
    apply(changes, steps) {
      if (!has(changes, 'content')) {
        applyMeta(path, meta, changes, steps);
        return;
      }
      const staged = `${path.slice(0, path.lastIndexOf('/'))}/.upload-${path.slice(path.lastIndexOf('/') + 1)}`;
      steps.within(UPLOAD_SECONDS, (bounded) => {
        bounded.upload(from.path, staged);
      });
      steps.sh`staged=${staged} path=${path} digest=${from.sha256}
found=$(sha256sum <"$staged")
[ "\${found%% *}" = "$digest" ] || { rm -f -- "$staged"; say "what arrived for $path is not what was sent: it is as it was"; exit 1; }
chown -- ${`${meta.owner}:${meta.group}`} "$staged"
chmod -- ${modeText(meta.mode)} "$staged"
sync -- "$staged" 2>/dev/null || sync
mv -fT -- "$staged" "$path"
if command -v restorecon >/dev/null 2>&1; then restorecon -- "$path"; fi`;
    },
  });
}

const UPLOAD_SECONDS = 1800;
