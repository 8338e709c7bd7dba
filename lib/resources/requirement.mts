import type { Question, Resource } from '../plan/model.mts';
import { command } from './command.mts';
import { absentShown, change, type Common } from './resource.mts';

export interface RequirementOptions extends Common {
  /** `undefined`: it is there. Otherwise what is the matter. */
  readonly missing: Question<string | undefined>;
  /** What to do first, such as a command. */
  readonly hint: string;
}

/** What another role brings: where it is missing, nothing that comes after in this role is tried, and the run says what to do first. */
export function requirement(id: string, { missing, hint, ...common }: RequirementOptions): Resource {
  return command(id, {
    ...common,
    differs: missing.map((what) => (what === undefined ? [] : [change(what, absentShown, 'needed first')])),
    run: (steps, changes) => {
      steps.sh`say ${`${changes.map(({ field }) => field).join('; ')}; ${hint}`}
exit 1`;
    },
  });
}
