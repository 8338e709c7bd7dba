/** Which jars hold a class. Names of entries are plain text in a jar, so neither Java nor unzip is needed; a jar packed in another one is not seen. */
import { sh } from '../shell/quote.mts';
import type { Question } from './model.mts';
import { checkedPath, known, refine, shellOutput, unavailable } from './questions.mts';

export interface JarSearch {
  /** A directory, at any depth; a link to one is followed. */
  readonly under: string;
  /** Such as `org/example/Unwanted.class`. */
  readonly entry: string;
}

/** Prints `./path/of.jar` for each; whatever else it prints is why it could not look everywhere. */
export const FIND_JARS = String.raw`cd -- "$under" && find . -type f -name '*.jar' -exec grep -lF -e "$entry" {} +`;

/** The shell variables that FIND_JARS reads. */
export function jarVariables({ under, entry }: JarSearch): string {
  if (!/^[\w$./-]+$/.test(entry)) throw new TypeError(`${JSON.stringify(entry)} is no entry of a jar`);
  return sh`under=${checkedPath(under).replace(/\/+$/, '')} entry=${entry}`;
}

/** Paths below `under`. Nobody knows what is in a jar that cannot be read, or in a directory that is not there. */
export const jarsWith = (search: JarSearch): Question<readonly string[]> =>
  refine(shellOutput(`${jarVariables(search)}\n${FIND_JARS}`), ({ output }) => {
    const lines = output.split('\n').filter((line) => line !== '');
    const trouble = lines.find((line) => !line.startsWith('./'));
    return trouble === undefined ? known(lines.map((line) => line.slice('./'.length)).sort()) : unavailable(trouble);
  });
