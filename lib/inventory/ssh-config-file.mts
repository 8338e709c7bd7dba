/**
 * OpenSSH's ssh_config(5) as statements. Ours instead of the package ssh-config, which knows neither the lines that `explain` names nor
 * Include, and holds code that runs what `Match exec` says.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../errors.mts';
import type { Source } from './model.mts';
import { printable, quoted } from './problems.mts';

/** What is read of it, as ssh_config(5) spells it; everything else is left out. */
const KEYWORDS = ['HostName', 'User', 'Port', 'IdentityFile', 'IdentitiesOnly', 'ProxyJump', 'ProxyCommand', 'HostKeyAlias', 'UserKnownHostsFile'] as const;
export type Keyword = (typeof KEYWORDS)[number];

export type Statement =
  /** Begins a section that ends with the next one. */
  | { readonly kind: 'host'; readonly patterns: readonly string[] }
  /** `Match all` fits always, every other Match never: it may run commands. */
  | { readonly kind: 'match'; readonly all: boolean; readonly source: Source }
  | { readonly kind: 'value'; readonly keyword: Keyword; readonly words: readonly [string, ...string[]]; readonly source: Source }
  | { readonly kind: 'include'; readonly files: readonly (readonly Statement[])[] };

export interface Reading {
  readonly home: string;
  /** What relative names in Include are about. */
  readonly directory: string;
  /** `~` in Include is for users only. */
  readonly owner: 'user' | 'system';
}

/** As OpenSSH's READCONF_MAX_DEPTH. */
const MOST_DEPTH = 16;
/** Files that include each other twice would be read 2^16 times. */
const MOST_FILES = 1000;
const MOST_BYTES = 1024 * 1024;

/**
 * The statements of a file and of what it includes; a missing file has none. Fails with `usage` and the line that ssh would stop at, or with
 * `refused` when others may write a file that ssh checks for it: the user's own, and everything included.
 */
export function readSshConfig(file: string, reading: Reading): readonly Statement[] {
  let files = 0;
  return read(file, 0, reading.owner === 'user');

  function read(name: string, depth: number, guarded: boolean): readonly Statement[] {
    if (++files > MOST_FILES) fail('usage', `${shownPath(name, reading.home)}: more than ${String(MOST_FILES)} ssh configuration files are included`);
    const shown = shownPath(name, reading.home);
    const text = textOf(name, shown, guarded);
    return text.split('\n').flatMap((line, index) => {
      if (IDLE.test(line)) return [];
      const statement = parse(line, { file: shown, line: index + 1, column: 1 + (/^[ \t]*/.exec(line)?.[0].length ?? 0) });
      if (statement === undefined || statement.kind !== 'include') return statement ?? [];
      if (depth >= MOST_DEPTH) wrong(statement.source, `more than ${String(MOST_DEPTH)} files include each other`);
      const included = statement.words.flatMap((word) => expandGlob(anchored(word, reading, statement.source)));
      return { kind: 'include' as const, files: included.map((each) => read(each, depth + 1, true)) };
    });
  }
}

export function wrong(source: Source, message: string, hint = 'ssh would not accept this either'): never {
  fail('usage', message, { message: `${source.file}:${String(source.line)}  error  ${message} — ${hint}`, hint, source });
}

const IDLE = /^[ \t\r]*(?:#|$)/;

type Parsed = Exclude<Statement, { kind: 'include' }> | { readonly kind: 'include'; readonly words: readonly string[]; readonly source: Source };

function parse(line: string, source: Source): Parsed | undefined {
  const [, quotedKeyword, plain = '', rest = ''] = /^[ \t\r]*(?:"([^"]*)"|([^ \t\r\f="]+))[ \t]*=?[ \t]*(.*)$/s.exec(line.replace(/[ \t\r\f]+$/, '')) ?? [];
  const name = (quotedKeyword ?? plain).toLowerCase();
  if (name === '' || name.startsWith('#')) return undefined;
  const keyword = KEYWORDS.find((each) => each.toLowerCase() === name);
  if (keyword === undefined && name !== 'host' && name !== 'match' && name !== 'include') return undefined;
  if (rest === '') wrong(source, `nothing follows ${name}`);
  if (name === 'match') return { kind: 'match', all: rest.trim().toLowerCase() === 'all', source };
  // A command of its own syntax, of which only matters that it is there.
  if (keyword === 'ProxyCommand') return { kind: 'value', keyword, words: [rest], source };
  const words = splitWords(rest) ?? wrong(source, `${keyword ?? name} has a quote that is never closed`);
  if (words.includes('')) wrong(source, `${keyword ?? name} has an empty value`);
  if (keyword === undefined) return name === 'host' ? { kind: 'host', patterns: words } : { kind: 'include', words, source };
  const [first, ...more] = words;
  // ssh takes a list that is only a comment for no list.
  if (first === undefined && keyword === 'UserKnownHostsFile') return undefined;
  if (first === undefined) wrong(source, `nothing follows ${keyword}`);
  if (more.length > 0 && keyword !== 'UserKnownHostsFile') wrong(source, `${keyword} has more than one value`);
  if (keyword === 'Port' && !(/^\d{1,5}$/.test(first) && Number(first) >= 1 && Number(first) <= 65535)) wrong(source, `${quoted(first)} is no port`);
  if (keyword === 'IdentitiesOnly' && !/^(?:yes|no|true|false)$/i.test(first)) wrong(source, `IdentitiesOnly is yes or no, not ${quoted(first)}`);
  return { kind: 'value', keyword, words: [first, ...more], source };
}

/** As OpenSSH's argv_split: both quotes, few escapes, a comment where a word could begin. */
function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    const next = text.charAt(index + 1);
    if (word === undefined && character === '#') break;
    if (character === '\\' && (next === '"' || next === "'" || next === '\\' || (next === ' ' && quote === undefined))) {
      word = (word ?? '') + next;
      index++;
    } else if (quote === undefined && (character === ' ' || character === '\t')) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === undefined && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (character === quote) quote = undefined;
    else word = (word ?? '') + character;
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

function textOf(file: string, shown: string, guarded: boolean): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) return '';
    const { mode, uid, size } = found;
    if (guarded && ((uid !== 0 && uid !== process.getuid?.()) || (mode & 0o022) !== 0))
      fail('refused', `${shown}: others may write it`, {
        message: `${shown} may be written by others (owner ${String(uid)}, mode ${(mode & 0o777).toString(8).padStart(4, '0')}), so it is not read; nor would ssh read it`,
        hint: `chmod go-w ${shown}, or chown it to yourself`,
      });
    if (size > MOST_BYTES) fail('usage', `${shown}: larger than ${String(MOST_BYTES)} bytes`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    return fail('usage', `${shown}: cannot be read`, {
      message: `${shown} cannot be read: ${cause.message}`,
      hint: 'make it readable, or take it away',
      cause,
    });
  }
}

const shownPath = (file: string, home: string): string => printable(file.startsWith(`${home}/`) ? `~${file.slice(home.length)}` : file);

function anchored(word: string, { home, directory, owner }: Reading, source: Source): string {
  if (!word.startsWith('~')) return path.resolve(directory, word);
  if (owner === 'system') wrong(source, 'Include of a system file cannot begin with ~');
  if (word !== '~' && !word.startsWith('~/')) wrong(source, `${quoted(word)}: only your own home directory can be included from`, 'write the whole path');
  return path.join(home, word.slice(1));
}

/** The files that a pattern of glob(7) names, sorted; hidden ones only when the pattern names their dot. */
function expandGlob(pattern: string): readonly string[] {
  let found = ['/'];
  for (const part of pattern.split('/').filter((each) => each !== '')) {
    if (/[*?[]/.test(part)) {
      const fits = globPart(part);
      found = found.flatMap((directory) =>
        namesIn(directory)
          .filter((name) => fits.test(name) && (part.startsWith('.') || !name.startsWith('.')))
          .map((name) => path.join(directory, name)),
      );
    } else found = found.map((directory) => path.join(directory, part.replace(/\\(.)/g, '$1')));
  }
  return found.sort();
}

function globPart(part: string): RegExp {
  const source = part.replace(/\[[!^]?\]?[^\]]*\]|\\?[^]/g, (piece) => {
    if (piece === '*') return '.*';
    if (piece === '?') return '.';
    if (piece.length > 2 && piece.startsWith('['))
      return `[${piece
        .slice(1, -1)
        .replace(/^!/, '^')
        .replace(/[\\\][]/g, '\\$&')}]`;
    return piece.replace(/^\\(?=.)/s, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return /^[]$/;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
