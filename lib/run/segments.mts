/** The steps of a role in the order and the company in which they are taken. */
import type { CompiledStep } from '../plan/model.mts';
import type { ControllerStep } from './controller.mts';

export type HostStep = Exclude<CompiledStep, { at: 'controller' }>;

type Segment =
  | { readonly at: 'controller'; readonly steps: readonly ControllerStep[]; readonly last: boolean }
  | { readonly at: 'host'; readonly steps: readonly HostStep[]; readonly last: boolean };

/** Steps in runs of one place each, so that neighbours on a host share a frame. */
export function segments(steps: readonly CompiledStep[]): readonly Segment[] {
  const found: { at: 'controller' | 'host'; steps: CompiledStep[] }[] = [];
  for (const step of steps) {
    const at = step.at === 'controller' ? 'controller' : 'host';
    const open = found.at(-1);
    if (open?.at === at) open.steps.push(step);
    else found.push({ at, steps: [step] });
  }
  return found.map((segment, index) => ({ ...segment, last: index === found.length - 1 }) as Segment);
}

/** The steps of one resource. */
export type Lane = readonly ControllerStep[];

/** Resources one after the other, but neighbours that stand apart together. */
export function rounds(steps: readonly ControllerStep[]): readonly (readonly Lane[])[] {
  const found: ControllerStep[][][] = [];
  for (const step of steps) {
    const round = found.at(-1);
    const lane = round?.at(-1);
    if (lane?.[0]?.id === step.id) lane.push(step);
    else if (step.apart === true && lane?.[0]?.apart === true) round?.push([step]);
    else found.push([[step]]);
  }
  return found;
}
