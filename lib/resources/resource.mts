/** What all resources share. */
import { createHash } from 'node:crypto';
import { resourceId, type ResourceId } from '../names.mts';
import type { Change, Fetch, Question, Resource, Shown, Steps } from '../plan/model.mts';

/** Options every resource takes. */
export interface Common {
  /** Its answers mean nothing until these are converged. */
  readonly needs?: readonly ResourceId[];
  /** Inventory variables that decide it, with the role's prefix. */
  readonly because?: readonly string[];
}

interface Definition {
  readonly differs: Question<readonly Change[]>;
  /** The wanted state, by meaning. */
  readonly wanted: unknown;
  readonly fetches?: Fetch;
  readonly apart?: true;
  apply(changes: readonly Change[], steps: Steps): void;
}

export function resource(id: string, options: Common, definition: Definition): Resource {
  return {
    id: resourceId(id),
    ...(options.needs === undefined ? {} : { needs: options.needs }),
    ...(options.because === undefined ? {} : { because: options.because }),
    differs: definition.differs,
    ...(definition.fetches === undefined ? {} : { fetches: definition.fetches }),
    ...(definition.apart === undefined ? {} : { apart: definition.apart }),
    fingerprint: createHash('sha256').update(JSON.stringify(definition.wanted)).digest('hex'),
    apply: (changes, steps) => {
      definition.apply(changes, steps);
    },
  };
}

export const shown = (text: string | number): Shown => ({ kind: 'text', text: String(text) });
export const absentShown: Shown = { kind: 'absent' };
export const hidden: Shown = { kind: 'hidden' };

export const change = (
  field: string,
  from: Shown | string,
  to: Shown | string,
  more: Pick<Change, 'cosmetic' | 'disrupts' | 'consent' | 'refused'> = {},
): Change => ({
  field,
  from: typeof from === 'string' ? shown(from) : from,
  to: typeof to === 'string' ? shown(to) : to,
  ...more,
});

/** No change where both are equal. */
export const changeOf = (field: string, from: string | number, to: string | number): readonly Change[] =>
  from === to ? [] : [change(field, shown(from), shown(to))];

export const has = (changes: readonly Change[], field: string): boolean => changes.some((each) => each.field === field);

/** Permission bits as people write them, such as `0644`. */
export const modeText = (mode: number): string => mode.toString(8).padStart(4, '0');
