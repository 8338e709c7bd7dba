/** How the output of a probe is read: its sections, and for each kind which key got which answer. */
import type { HostAskKind, Raw } from '../plan/model.mts';
import { HTTP_LIMIT, httpRaw } from '../plan/http.mts';

/** Longest text a question reads; a longer file is unavailable. */
export const TEXT_LIMIT = 256 * 1024;

/** `net.ipv4.ip_forward` and `net/ipv4/ip_forward` name the same file; a dot inside a component is written as a slash in the dotted form. */
export function sysctlPath(key: string): string {
  const swapped = key.replaceAll(/[./]/g, (letter) => (letter === '.' ? '/' : '.'));
  return `/proc/sys/${/^[^./]*\//.test(key) ? key : swapped}`;
}

/** What one command printed; binary text, one character a byte. */
export interface Section {
  readonly stdout: string;
  readonly status: number;
  readonly stderr: string;
}

interface Parsed {
  readonly keys: readonly string[];
  /** At least one; only `shell` has several, one for each key. */
  readonly sections: readonly Section[];
  readonly nonce: string;
  /** What `stat` said of the same paths. */
  readonly stats: ReadonlyMap<string, Raw>;
}
type Answers = ReadonlyMap<string, Raw>;

const binary = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
const value = (text: string): Raw => ({ kind: 'value', bytes: binary(text) });
const unavailable = (reason: string): Raw => ({ kind: 'unavailable', reason });
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** Sections by kind, complete ones only: one counts when the next marker was seen. */
export function markers(output: Uint8Array, nonce: string): ReadonlyMap<string, readonly Section[]> {
  const text = Buffer.from(output).toString('latin1');
  const sections = new Map<string, Section[]>();
  let open: { kind: string; from: number; ended?: { stdout: string; status: number; from: number } } | undefined;
  for (const found of text.matchAll(new RegExp(`\\n${nonce} ([a-z0-9]+)( [^\\n]*)?\\n`, 'g'))) {
    const [whole, name = '', rest] = found;
    const next = found.index + whole.length;
    if (name === 'status' && open !== undefined) open.ended = { stdout: text.slice(open.from, found.index), status: Number(rest), from: next };
    if (name === 'status' || rest !== undefined) continue;
    if (open?.ended !== undefined) {
      const { stdout, status, from } = open.ended;
      const same = sections.get(open.kind) ?? [];
      same.push({ stdout, status, stderr: text.slice(from, found.index) });
      sections.set(open.kind, same);
    }
    open = { kind: name, from: next };
  }
  return sections;
}

/** All keys get the same answer. */
const same = (keys: readonly string[], raw: Raw): Answers => new Map(keys.map((key) => [key, raw]));

const lastPart = (message: string): string => message.slice(message.lastIndexOf(': ') + (message.includes(': ') ? 2 : 0)).trim();
const firstLine = (text: string): string => linesOf(utf8(text))[0]?.trim() ?? 'no reason given';

/** ENOENT and ENOTDIR mean absent, every other error means that nothing is known. */
function failure(message: string): Raw {
  const reason = lastPart(message);
  return reason === 'No such file or directory' || reason === 'Not a directory' ? { kind: 'absent' } : unavailable(reason);
}

/** Commands take their operands in order, so the first error line belongs to the first operand without an answer. */
function withErrorsInOrder(keys: readonly string[], found: Answers, stderr: string): Answers {
  const errors = linesOf(stderr);
  const missing = keys.filter((key) => !found.has(key));
  const sure = errors.length === missing.length;
  return new Map([...found, ...missing.map((key, index): [string, Raw] => [key, sure ? failure(utf8(errors[index] ?? '')) : unavailable(firstLine(stderr))])]);
}

/** The one section of a kind whose tool must exist. */
function only({ sections, keys }: Parsed, tool: string, read: (section: Section) => Answers): Answers {
  const [section] = sections;
  if (section === undefined || sections.length > 1) return same(keys, unavailable('the host gave no answer'));
  return section.status === 127 ? same(keys, unavailable(tool.startsWith('neither ') ? `${tool} is installed` : `${tool} is not installed`)) : read(section);
}

function statAnswers(parsed: Parsed): Answers {
  return only(parsed, 'stat', ({ stdout, stderr }) => {
    const found = new Map<string, Raw>();
    const shown = parsed.keys.map((key) => ({ key, forms: shownForms(key) }));
    for (const line of linesOf(stdout)) {
      const name = /^(?:[^:]*:){6}(.*)$/s.exec(line)?.[1];
      const key = name === undefined ? undefined : shown.find(({ forms }) => forms.some(({ text, link }) => name === text || name.startsWith(link)))?.key;
      if (key !== undefined && !found.has(key)) found.set(key, value(line));
    }
    return withErrorsInOrder(parsed.keys, found, stderr);
  });
}

/** A name as GNU stat shows it under QUOTING_STYLE=c; busybox puts a link's name between apostrophes and escapes nothing. */
function shownForms(path: string): readonly { readonly text: string; readonly link: string }[] {
  const bytes = Buffer.from(path, 'utf8').toString('latin1');
  const octal = (letter: string): string => `\\${letter.charCodeAt(0).toString(8)}`;
  const quoted = `"${bytes.replaceAll(/["\\]/g, '\\$&').replaceAll(/[^ -~]/g, octal)}"`;
  return [
    { text: quoted, link: `${quoted} -> ` },
    { text: bytes, link: `'${bytes}' -> '` },
  ];
}

/** Why a path that exists was not opened, by the letter the script gave it. */
const NOT_OPENED: Readonly<Record<string, string>> = {
  u: 'Permission denied',
  o: 'not a regular file',
  l: 'a symbolic link that leads nowhere',
  m: 'it changed while it was looked at',
};

/** The keys whose content follows, and the answers of the others. */
function opened(parsed: Parsed, letters: string): { readonly keys: readonly string[]; readonly others: Answers } {
  const others = new Map<string, Raw>();
  const keys = parsed.keys.filter((key, index) => {
    const stat = parsed.stats.get(key);
    const letter = letters[index] ?? '';
    if (letter === 'r') return true;
    others.set(key, stat !== undefined && stat.kind !== 'value' ? stat : unavailable(NOT_OPENED[letter] ?? 'the host gave no answer'));
    return false;
  });
  return { keys, others };
}

function splitLetters(stdout: string): { readonly letters: string; readonly rest: string } {
  const end = stdout.indexOf('\n');
  return { letters: stdout.slice(0, Math.max(end, 0)), rest: stdout.slice(end + 1) };
}

function sha256Answers(parsed: Parsed): Answers {
  return only(parsed, 'sha256sum', ({ stdout, stderr }) => {
    const { letters, rest } = splitLetters(stdout);
    const { keys, others } = opened(parsed, letters);
    const found = new Map<string, Raw>();
    for (const line of linesOf(rest)) {
      const [, escaped, digest, name] = /^(\\?)([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? [];
      if (digest === undefined || name === undefined) continue;
      found.set(utf8(escaped === '' ? name : name.replaceAll('\\\\', '\\')), value(digest));
    }
    const known = new Map(keys.flatMap((key) => (found.has(key) ? [[key, found.get(key) ?? unavailable('')] as const] : [])));
    return new Map([...others, ...withErrorsInOrder(keys, known, stderr)]);
  });
}

function textAnswers(parsed: Parsed): Answers {
  return only(parsed, 'head', ({ stdout, stderr }) => {
    const { letters, rest } = splitLetters(stdout);
    const { keys, others } = opened(parsed, letters);
    const [before = '', ...contents] = keys.length === 0 ? [''] : rest.split(`KEM=${parsed.nonce}\0`);
    if (before !== '' || contents.length !== keys.length) return new Map([...others, ...same(keys, unavailable(firstLine(stderr)))]);
    const errors = linesOf(utf8(stderr));
    const read = (key: string, content: string): Raw => {
      // An error names its file, unless the name is an odd one: then no empty content can be trusted.
      const error = errors.find((line) => names(line, key)) ?? (content === '' && stderr !== '' ? firstLine(stderr) : undefined);
      // It was there a moment ago: one that has gone meanwhile is not known to be absent.
      if (error !== undefined) return unavailable(lastPart(error));
      return content.length > TEXT_LIMIT ? unavailable(`larger than ${(TEXT_LIMIT / 1024).toString()} KiB`) : value(content);
    };
    return new Map([...others, ...keys.map((key, index): [string, Raw] => [key, read(key, contents[index] ?? '')])]);
  });
}

/** Whether an error line is about this path, and not about one that begins with it. */
const names = (line: string, path: string): boolean =>
  ["'", '"', ' '].some((before) => ["'", '"', ':', ' '].some((after) => `${line} `.includes(`${before}${path}${after}`)));

function sysctlAnswers(parsed: Parsed): Answers {
  return only(parsed, 'grep', ({ stdout, stderr }) => {
    const printed = linesOf(stdout);
    const errors = linesOf(utf8(stderr));
    const answer = (key: string): Raw => {
      const path = `${sysctlPath(key)}:`;
      const error = errors.find((line) => line.includes(path) || line.includes(` ${path}`));
      if (error !== undefined) return failure(error);
      const lines = printed.filter((line) => line.startsWith(path)).map((line) => line.slice(path.length));
      // An empty setting is a line, too: none at all means that grep did not come to it.
      return lines.length === 0 ? unavailable(firstLine(stderr)) : value(lines.join('\n'));
    };
    return new Map(parsed.keys.map((key) => [key, answer(key)]));
  });
}

function unitAnswers(parsed: Parsed): Answers {
  return only(parsed, 'systemctl', ({ stdout, stderr }) => {
    const blocks = stdout
      .split(/\n\n+/)
      .map((block) => block.replace(/^\n+|\n+$/g, ''))
      .filter((block) => block !== '');
    // An alias shows another Id, so the order decides; a name systemd refuses ends its output early, then only a matching Id counts.
    const block = (key: string, index: number): string | undefined =>
      blocks.length === parsed.keys.length ? blocks[index] : blocks.find((candidate) => candidate.split('\n').includes(`Id=${key}`));
    return new Map(
      parsed.keys.map((key, index) => {
        const found = block(key, index);
        return [key, found === undefined ? unavailable(firstLine(stderr)) : value(found)];
      }),
    );
  });
}

const accountAnswers = (parsed: Parsed): Answers =>
  only(parsed, 'getent', ({ stdout, status, stderr }) => {
    if (status !== 0 && status !== 2) return same(parsed.keys, unavailable(firstLine(stderr)));
    const lines = linesOf(stdout);
    return new Map(
      parsed.keys.map((key) => {
        const line = lines.find((candidate) => candidate.startsWith(`${key}:`));
        return [key, line === undefined ? { kind: 'absent' } : value(line)];
      }),
    );
  });

const packageAnswers = (parsed: Parsed): Answers =>
  only(parsed, 'neither dpkg-query nor rpm', ({ stdout, status, stderr }) => {
    const broken = status > 1 && !/no packages found/.test(stderr) && !/ is not installed/.test(stdout);
    if (broken || /^error:/m.test(stderr)) return same(parsed.keys, unavailable(firstLine(stderr)));
    const installed = linesOf(stdout).map((line) => line.split('\t'));
    return new Map(
      parsed.keys.map((key) => {
        const [, , version] = installed.find(([name, state]) => name === key && state?.startsWith('ii')) ?? [];
        return [key, version === undefined ? { kind: 'absent' } : value(version)];
      }),
    );
  });

const listenerAnswers = (parsed: Parsed): Answers =>
  only(parsed, 'ss', ({ stdout, status, stderr }) => same(parsed.keys, status === 0 ? value(stdout) : unavailable(firstLine(stderr))));

/** CURLE_FILESIZE_EXCEEDED. */
const TOO_LARGE = '63';
const tooLarge = unavailable('the answer is larger than 1 MiB');

function httpAnswers(parsed: Parsed): Answers {
  return only(parsed, 'curl', ({ stdout, stderr }) => {
    const ends = [...stdout.matchAll(new RegExp(`\\n${parsed.nonce} http (\\d{3}) (\\d*)\\n`, 'g'))];
    const errors = linesOf(utf8(stderr)).flatMap((line) => /^curl: \(\d+\) (.*)$/.exec(line)?.[1] ?? []);
    // Before curl 7.75 there is no exit code of a transfer: then a failed one is known by having no status.
    const failed = (end: RegExpExecArray): boolean => (end[2] === '' ? end[1] === '000' : end[2] !== '0');
    const sure = errors.length === ends.filter(failed).length;
    let from = 0;
    let nthError = 0;
    return new Map(
      parsed.keys.map((key, index): [string, Raw] => {
        const end = ends[index];
        if (end === undefined) return [key, unavailable(firstLine(stderr))];
        const body = stdout.slice(from, end.index);
        from = end.index + end[0].length;
        if (end[2] === TOO_LARGE) {
          nthError += 1;
          return [key, tooLarge];
        }
        if (failed(end)) return [key, { kind: 'value', bytes: httpRaw({ refused: (sure ? errors[nthError++] : undefined) ?? firstLine(stderr) }) }];
        if (!sure) return [key, unavailable('an answer was cut off')];
        if (body.length > HTTP_LIMIT) return [key, tooLarge];
        return [key, { kind: 'value', bytes: httpRaw({ status: Number(end[1]) }, binary(body)) }];
      }),
    );
  });
}

/** A shell answer is its exit status, a line end, and everything it printed. */
function shellAnswers({ keys, sections }: Parsed): Answers {
  return new Map(
    keys.map((key, index) => {
      const section = sections[index];
      return [key, section === undefined ? unavailable('the host gave no answer') : value(`${section.status.toString()}\n${section.stdout}`)];
    }),
  );
}

export const parsers: Readonly<Record<HostAskKind, (parsed: Parsed) => Answers>> = {
  stat: statAnswers,
  sha256: sha256Answers,
  text: textAnswers,
  sysctl: sysctlAnswers,
  unit: unitAnswers,
  passwd: accountAnswers,
  group: accountAnswers,
  package: packageAnswers,
  listeners: listenerAnswers,
  http: httpAnswers,
  shell: shellAnswers,
};
