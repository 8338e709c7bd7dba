/** How one content became another: a unified diff that neither shows secrets nor takes long. */
import { structuredPatch } from 'diff/lib/patch/create.js';
import type { Change, Shown } from '../plan/model.mts';
import { redact } from '../secret.mts';
import type { Line } from './style.mts';

/** Beyond these nobody reads a diff, and computing it would hold up the run. */
const LONGEST_CONTENT = 1_000_000;
const MOST_EDITS = 2_000;
const MOST_LINES = 400;
const TIMEOUT_MS = 200;

/** Contents are compared line by line; every other field is told as `from -> to`. */
export const isContent = (change: Change): boolean =>
  change.field === 'content' || [change.from, change.to].some((shown) => shown.kind === 'text' && shown.text.includes('\n'));

export function shownText(shown: Shown): string {
  switch (shown.kind) {
    case 'text':
      return redact(shown.text);
    case 'absent':
      return '(absent)';
    case 'hidden':
      return '(hidden)';
  }
}

const linesIn = (text: string): number => (text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0));

/** `[]` when nothing differs. */
export function contentDiff({ from, to }: Pick<Change, 'from' | 'to'>, limits: { readonly timeout?: number } = {}): readonly Line[] {
  if (from.kind === 'hidden' || to.kind === 'hidden') return [[['dim', `${shownText(from)} -> ${shownText(to)}`]]];
  const before = from.kind === 'text' ? from.text : '';
  const after = to.kind === 'text' ? to.text : '';
  if (before === after)
    return from.kind === to.kind ? [] : [[['dim', `${from.kind === 'absent' ? '(absent)' : '(empty)'} -> ${to.kind === 'absent' ? '(absent)' : '(empty)'}`]]];
  // Redacted before the lines are split, since a secret may have several.
  const [old, wanted] = [redact(before), redact(after)];
  if (old === wanted) return [[['dim', 'only secrets in it differ']]];
  if (old.includes('\0') || wanted.includes('\0')) return [[['dim', `binary contents differ, ${String(before.length)}/${String(after.length)} characters`]]];
  const tooLong = Math.max(old.length, wanted.length) > LONGEST_CONTENT;
  const patch = tooLong
    ? undefined
    : structuredPatch('', '', old, wanted, undefined, undefined, { context: 3, maxEditLength: MOST_EDITS, timeout: limits.timeout ?? TIMEOUT_MS });
  if (patch === undefined) return [[['dim', `files differ entirely, ${String(linesIn(old))}/${String(linesIn(wanted))} lines`]]];
  const lines = patch.hunks.flatMap((hunk): Line[] => [
    [['cyan', `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`]],
    ...hunk.lines.map(coloured),
  ]);
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), [['dim', `… ${String(lines.length - MOST_LINES)} more lines of this diff are not shown`]]];
}

/** An empty range stands after the line before it. */
const range = (start: number, lines: number): string => `${String(lines === 0 ? start - 1 : start)},${String(lines)}`;

function coloured(line: string): Line {
  if (line.startsWith('+')) return [['green', line]];
  if (line.startsWith('-')) return [['red', line]];
  return line.startsWith('\\') ? [['dim', line]] : [line];
}
