/** Digests of contents, and what a text means once its comments are gone; the same on the controller and, in LC_ALL=C, on a host. */
import { createHash } from 'node:crypto';
import { bytesOf, type Content } from '../secret.mts';

/** SHA-256 in hexadecimal; secrets go in, only the digest comes out. */
export const sha256Of = (content: Content): string => createHash('sha256').update(bytesOf(content)).digest('hex');

/** How the program that reads a text takes its lines; `comments` is a POSIX extended regular expression. */
const SYNTAXES = {
  /** Each counts where it stands: JVM options, limits, pipelines. */
  lines: { comments: '^[[:space:]]*(#|$)', isOrdered: true },
  /** One setting each, in any order: properties, flat YAML. */
  settings: { comments: '^[[:space:]]*(#|$)', isOrdered: false },
  /** systemd's own. */
  unit: { comments: '^[[:space:]]*([#;]|$)', isOrdered: true },
} as const;
export type Syntax = keyof typeof SYNTAXES;

export const isOrdered = (syntax: Syntax): boolean => SYNTAXES[syntax].isOrdered;

/** Lines without meaning, as a POSIX extended regular expression: comments, blank lines, and those of `ignore`. */
export const meaningless = (syntax: Syntax, ignore?: string): string =>
  ignore === undefined ? SYNTAXES[syntax].comments : `${SYNTAXES[syntax].comments}|${ignore}`;

const CLASSES: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  digit: '0-9',
  lower: 'a-z',
  space: ' \\t\\n\\v\\f\\r',
  upper: 'A-Z',
};

/** A bracket expression, or an escape. */
const TOKEN = /\[\^?\]?(?:\[:[a-z]+:\]|[^\]])*\]|\\./g;

/**
 * A POSIX extended regular expression as one of ours, matching bytes as in the C locale.
 * Only what grep and JavaScript agree on is taken: anything else throws.
 */
export function posixPattern(ere: string): RegExp {
  const refuse = (why: string): never => {
    throw new TypeError(`${JSON.stringify(ere)} is no pattern that can be used here: ${why}`);
  };
  if (ere === '') refuse('it matches every line');
  if (!/^[ -~]*$/.test(ere)) refuse('only printable ASCII is allowed');
  if (/\(\?|[*+?}][*+?{]/.test(ere)) refuse('POSIX has no such group or quantifier');
  if (/(^|[(|^])[*+?{]/.test(ere)) refuse('a quantifier needs something before it');
  if (/\{(?!\d+(,\d*)?\})/.test(ere.replaceAll(TOKEN, ''))) refuse('a { starts an interval such as {1,3}');
  const source = ere.replaceAll(TOKEN, (token) => {
    if (token.startsWith('\\')) return /^\\[A-Za-z0-9<>'`]/.test(token) ? refuse(`${token} means different things`) : token;
    const [, open = '', body = ''] = /^(\[\^?)(.*)\]$/.exec(token) ?? [];
    if (/\[[.=]/.test(body)) refuse('collating elements mean nothing here');
    // In a POSIX bracket a backslash is an ordinary character and a leading ] is a member.
    const inside = body.replaceAll(/\[:([a-z]+):\]|[\\[\]]/g, (part, name: string | undefined) =>
      name === undefined ? `\\${part}` : (CLASSES[name] ?? refuse(`unknown class ${part}`)),
    );
    return `${open}${inside}]`;
  });
  return new RegExp(source, 's');
}

/** Text is one character a byte. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

const joined = (lines: readonly string[], syntax: Syntax): string => (isOrdered(syntax) ? lines : lines.toSorted()).map((line) => `${line}\n`).join('');

/** The lines that mean something, each with its line end: what `grep -Ev` prints, sorted where their order says nothing. */
export function meaningOf(text: string, syntax: Syntax, ignore?: string): string {
  const pattern = posixPattern(meaningless(syntax, ignore));
  return joined(
    linesOf(text).filter((line) => !pattern.test(line)),
    syntax,
  );
}

/** How one text stands to another in the eyes of who reads it: `cosmetic` where only comments and blank lines differ. */
export function compared(have: string, want: string, syntax: Syntax): 'same' | 'cosmetic' | 'different' {
  const [one, other] = [have, want].map((text) => Buffer.from(text).toString('latin1')) as [string, string];
  if (have === want || (!isOrdered(syntax) && joined(linesOf(one), syntax) === joined(linesOf(other), syntax))) return 'same';
  return meaningOf(one, syntax) === meaningOf(other, syntax) ? 'cosmetic' : 'different';
}

/** One thing that a service reads at its start. */
export type Input =
  | {
      readonly path: string;
      readonly content: Content;
      /** `lines` unless said. */
      readonly syntax?: Syntax;
      /** POSIX extended regular expression of lines that are no reason to start it again, beside comments and blank ones. */
      readonly ignore?: string;
    }
  | { readonly link: string; readonly target: string }
  /** Jars below a directory, none of which holds this entry. */
  | { readonly jars: string; readonly without: string };

/** Digest of what the inputs mean; the start-record script computes the same from what is on disk. */
export function inputsDigest(inputs: readonly Input[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) {
    if ('link' in input) {
      hash.update(`link ${input.link} ${input.target}\n`);
      continue;
    }
    if ('jars' in input) {
      hash.update(`jars ${input.jars} ${input.without}\n`);
      continue;
    }
    const text = Buffer.from(bytesOf(input.content)).toString('latin1');
    if (text.includes('\0')) throw new TypeError(`${input.path} is no text: it cannot be an input`);
    hash.update(`file ${input.path}\n`).update(meaningOf(text, input.syntax ?? 'lines', input.ignore), 'latin1');
  }
  return hash.digest('hex');
}
