import { excerpt } from '../secret.mts';

export { excerpt };

/** The line of a match, clipped: what a host prints is shown, never interpreted. */
export function lineOf({ input, index }: RegExpExecArray): string {
  const end = input.indexOf('\n', index);
  return excerpt(input.slice(input.lastIndexOf('\n', index) + 1, end < 0 ? undefined : end));
}
