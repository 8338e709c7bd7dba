import type { Resource } from '../plan/model.mts';
import { all, known, refine, sysctlValue, unavailable } from '../plan/questions.mts';
import { sysctlPath } from '../shell/probe-answers.mts';
import { editedText, textChanges, textFile, withLine } from './edit.mts';
import { change, has, resource, type Common } from './resource.mts';

export interface SysctlOptions extends Common {
  /** Where it is kept over a reboot: a file of ours in /etc/sysctl.d. */
  readonly file: string;
  /** A higher number is as good, and is kept. */
  readonly atLeast?: true;
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** A kernel setting, now and after a reboot. */
export function sysctl(key: string, value: string | number, options: SysctlOptions): Resource {
  const want = String(value).trim().replaceAll(/\s+/g, ' ');
  const enough = (have: string): boolean =>
    have === want || (options.atLeast === true && /^\d+$/.test(have) && /^\d+$/.test(want) && BigInt(have) >= BigInt(want));
  const match = `^\\s*-?${escaped(key)}\\s*=`;
  const kept = (have: string): boolean =>
    enough(
      have
        .slice(have.indexOf('=') + 1)
        .trim()
        .replaceAll(/\s+/g, ' '),
    );
  return resource(`sysctl ${key}`, options, {
    wanted: [want, options.file, options.atLeast],
    differs: refine(all({ now: sysctlValue(key), text: textFile(options.file) }), ({ now, text }) => {
      if (now === undefined) return unavailable(`this kernel has no setting ${key}`);
      // A higher value that is accepted now must not be lowered by the next boot.
      const line = `${key} = ${enough(now) ? now : want}`;
      return known([...(enough(now) ? [] : [change('runtime', now, want)]), ...textChanges(text, withLine(text ?? '', { line, match, same: kept }))]);
    }),
    apply(changes, steps) {
      const text = editedText(changes);
      if (text !== undefined) {
        steps.sh`mkdir -p -- ${options.file.slice(0, options.file.lastIndexOf('/'))}`;
        steps.put(options.file, text, 'keep');
      }
      if (has(changes, 'runtime')) steps.sh`printf '%s\\n' ${want} >${sysctlPath(key)}`;
    },
  });
}
