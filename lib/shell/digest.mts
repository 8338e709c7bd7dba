/** Digests of contents, and what a text means once its comments are gone; the same on the controller and, in LC_ALL=C, on a host. */
import { createHash } from 'node:crypto';
import { bytesOf, type Content } from '../secret.mts';

/** SHA-256 in hexadecimal; secrets go in, only the digest comes out. */
export const sha256Of = (content: Content): string => createHash('sha256').update(bytesOf(content)).digest('hex');

/** Comments that start with # and blank lines. */
export const COMMENTS = '^[[:space:]]*(#|$)';

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

/** The lines that mean something, each with its line end: what `grep -Ev` prints. Text is one character a byte. */
export function meaningOf(text: string, ignore: string): string {
  const pattern = posixPattern(ignore);
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines
    .filter((line) => !pattern.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

/** One thing that a service reads at its start. */
export type Input =
  | {
      readonly path: string;
      readonly content: Content;
      /** POSIX extended regular expression of lines without meaning; comments and blank lines unless said. */
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
    hash.update(`file ${input.path}\n`).update(meaningOf(text, input.ignore ?? COMMENTS), 'latin1');
  }
  return hash.digest('hex');
}
