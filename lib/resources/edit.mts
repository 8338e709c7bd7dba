/** Parts of files that others own too: the rest stays as it is, byte for byte. */
import type { Answer, Change, Question, Resource } from '../plan/model.mts';
import { all, checkedPath, constant, known, question, refine, stat, text, unavailable } from '../plan/questions.mts';
import { ofType } from './meta.mts';
import { absentShown, change, resource, shown, type Common } from './resource.mts';

/** The text of a regular file; `undefined` when absent, unavailable when something else is there. */
export function textFile(path: string): Question<string | undefined> {
  const status = stat(checkedPath(path));
  const content = text(path);
  return question<string | undefined>([...status.asks, ...content.asks], (answers) => {
    const now = status.read(answers);
    if (now.kind === 'unavailable') return now;
    const there = ofType('file', path, now.value);
    return there.kind === 'unavailable' ? there : content.read(answers);
  });
}

/** A change of the whole text, or none. */
export function textChanges(have: string | undefined, wanted: string): readonly Change[] {
  return wanted === (have ?? '') ? [] : [change('content', have === undefined ? absentShown : shown(have), shown(wanted))];
}

/** The text a `content` change leads to: an edit is decided once, when it is shown. */
export const editedText = (changes: readonly Change[]): string | undefined => {
  const to = changes.find(({ field }) => field === 'content')?.to;
  return to?.kind === 'text' ? to.text : undefined;
};

function editing(id: string, path: string, options: Common, wanted: unknown, edit: Question<(have: string) => Answer<string>>): Resource {
  return resource(id, options, {
    wanted,
    differs: refine(all({ have: textFile(path), edited: edit }), ({ have, edited }) => {
      const to = edited(have ?? '');
      return to.kind === 'unavailable' ? unavailable(`${path}: ${to.reason}`) : known(textChanges(have, to.value));
    }),
    apply(changes, steps) {
      const to = editedText(changes);
      if (to !== undefined) steps.put(path, to, 'keep');
    },
  });
}

/** A text ends its last line, unless it is empty. */
const ended = (content: string): string => (content === '' || content.endsWith('\n') ? content : `${content}\n`);

export interface BlockOptions extends Common {
  /** Names the block in its first and last line. */
  readonly marker: string;
  /** Empty: no block at all. */
  readonly content: string;
  /** Starts a comment in this kind of file; `#` unless said. */
  readonly comment?: string;
}

/** A block of lines between `# BEGIN marker` and `# END marker`; new ones go to the end of the file. */
export function block(path: string, options: BlockOptions): Resource {
  const comment = options.comment ?? '#';
  const [begin, end] = [`${comment} BEGIN ${options.marker}`, `${comment} END ${options.marker}`];
  const body = ended(options.content);
  if (/[\n\r]/.test(begin) || body.split('\n').some((line) => line === begin || line === end))
    throw new TypeError(`block ${options.marker} cannot hold its own marker`);
  const wanted = body === '' ? '' : `${begin}\n${body}${end}\n`;
  const edit = (have: string): Answer<string> => {
    const lines = have.split(/(?<=\n)/);
    const places = (marker: string): readonly number[] => lines.flatMap((line, index) => (line.replace(/\n$/, '') === marker ? [index] : []));
    const [begins, ends] = [places(begin), places(end)];
    const [first] = begins;
    const [last] = ends;
    if (first === undefined && last === undefined) return known(wanted === '' ? have : ended(have) + wanted);
    if (first === undefined || last === undefined || begins.length > 1 || ends.length > 1 || last < first) {
      return unavailable(`the lines "${begin}" and "${end}" are not one pair: put them right by hand`);
    }
    return known(lines.slice(0, first).join('') + wanted + lines.slice(last + 1).join(''));
  };
  return editing(`block ${path} ${options.marker}`, path, options, wanted, constant(edit));
}

interface Placing {
  /** Source of a regular expression: the last line it matches is replaced. Without it only the line itself counts. */
  readonly match?: string;
  /** Decides whether a matching line already means the same; equality unless said. */
  readonly same?: (have: string) => boolean;
}

/** What the line is may have to be asked of the host; then only `match` says where it belongs. */
export type LineOptions = Common & Placing & ({ readonly line: string } | { readonly line: Question<string>; readonly match: string });

/** The text with its last matching line being `line`; a new one is appended. */
export function withLine(have: string, { line, match, same }: Placing & { readonly line: string }): string {
  const lines = have.split(/(?<=\n)/);
  const bare = lines.map((each) => each.replace(/\n$/, ''));
  const index = match === undefined ? bare.lastIndexOf(line) : bare.findLastIndex((each) => new RegExp(match).test(each));
  const found = bare[index];
  if (found === undefined) return ended(have) + `${line}\n`;
  if (found === line || same?.(found) === true) return have;
  return lines.with(index, line + (lines[index]?.endsWith('\n') === true ? '\n' : '')).join('');
}

/** One line of a file. */
export function line(path: string, options: LineOptions): Resource {
  const { line: said, match } = options;
  const text = typeof said === 'string' ? said : undefined;
  if (text !== undefined && /[\n\r]/.test(text)) throw new TypeError('a line has no line ends');
  const isFoundAgain = (one: string): boolean => match === undefined || new RegExp(match).test(one);
  if (text !== undefined && !isFoundAgain(text)) throw new TypeError(`the line ${JSON.stringify(text)} would never be found again by ${String(match)}`);
  const wanted = typeof said === 'string' ? constant(said) : said;
  const edit = wanted.map(
    (one) => (have: string) => (isFoundAgain(one) ? known(withLine(have, { ...options, line: one })) : unavailable(`${JSON.stringify(one)} is no such line`)),
  );
  return editing(`line ${path} ${match ?? text ?? ''}`, path, options, text ?? match, edit);
}
