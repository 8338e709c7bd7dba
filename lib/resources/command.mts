/** For what has no resource of its own: a question that says whether it is needed, and what to do then. */
import type { Change, Fetch, Question, Resource, Steps } from '../plan/model.mts';
import { resource, type Common } from './resource.mts';

export interface CommandOptions extends Common {
  readonly differs: Question<readonly Change[]>;
  /** What is wanted, where a service's inputs depend on it. */
  readonly wanted?: string;
  /** What it fetches from elsewhere when it runs. */
  readonly fetches?: Fetch;
  run(steps: Steps, changes: readonly Change[]): void;
}

export function command(id: string, options: CommandOptions): Resource {
  return resource(id, options, {
    wanted: options.wanted ?? id,
    differs: options.differs,
    ...(options.fetches === undefined ? {} : { fetches: options.fetches }),
    apply(changes, steps) {
      options.run(steps, changes);
    },
  });
}

export type ControllerCommandOptions = Common & { readonly differs: Question<readonly Change[]>; readonly wanted?: string; readonly apart?: true } & (
    { readonly argv: readonly [string, ...string[]] } | { readonly run: (steps: Steps, changes: readonly Change[]) => void }
  );

/** The same on the controller: `differs` asks there too. */
export function controllerCommand(id: string, options: ControllerCommandOptions): Resource {
  return resource(id, options, {
    wanted: options.wanted ?? id,
    differs: options.differs,
    ...(options.apart === undefined ? {} : { apart: options.apart }),
    apply(changes, steps) {
      if ('argv' in options) steps.controller(options.argv);
      else options.run(steps, changes);
    },
  });
}
