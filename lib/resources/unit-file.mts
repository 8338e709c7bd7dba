import type { Change, Resource } from '../plan/model.mts';
import { known, question, unitState } from '../plan/questions.mts';
import type { Input } from '../shell/digest.mts';
import { file } from './file.mts';
import { dropInId } from './ids.mts';
import { change, has, resource, type Common } from './resource.mts';
import { resourceId } from '../names.mts';

/** A file of a unit; systemd knows what is in it, not only the disk. */
function unitPart(id: string, unit: string, path: string, content: string, options: Common): Resource {
  const disk = file(path, { content, syntax: 'unit', mode: 0o644, parents: true });
  const state = unitState(unit);
  return resource(id, options, {
    wanted: disk.fingerprint,
    differs: question<readonly Change[]>([...disk.differs.asks, ...state.asks], (answers) => {
      const changes = disk.differs.read(answers);
      const now = state.read(answers);
      if (changes.kind === 'unavailable') return changes;
      if (now.kind === 'unavailable') return now;
      return known([
        ...changes.value,
        ...(now.value.needDaemonReload && changes.value.length === 0 ? [change('loaded', 'an older version', 'the file on disk')] : []),
      ]);
    }),
    apply(changes, steps) {
      if (!has(changes, 'loaded')) disk.apply(changes, steps);
      steps.sh`systemctl daemon-reload`;
    },
  });
}

const pathOf = (unit: string): string => `/etc/systemd/system/${unit}`;

/** /etc/systemd/system/<unit>, known to systemd. */
export const unitFile = (unit: string, content: string, options: Common = {}): Resource =>
  unitPart(resourceId(`unit ${unit}`), unit, pathOf(unit), content, options);

/** The same file as what its service reads when it starts. */
export const unitInput = (unit: string, content: string): Input => ({ path: pathOf(unit), content, syntax: 'unit' });

/** /etc/systemd/system/<unit>.d/<name>.conf, for units that others installed. */
export const dropIn = (unit: string, name: string, content: string, options: Common = {}): Resource =>
  unitPart(dropInId(unit, name), unit, `/etc/systemd/system/${unit}.d/${name}.conf`, content, options);
