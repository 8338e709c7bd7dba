/** Reads what roles write, as the programs do that it is written for: none of it shares a line with what wrote it. */

/** As java.util.Properties.load does, for files without continued lines. */
export function readProperties(text: string): Readonly<Record<string, string>> {
  const unescaped = (raw: string): string =>
    raw.replace(/\\(u[0-9a-f]{4}|.)/g, (_, code: string) =>
      code.length > 1
        ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
        : (({ n: '\n', r: '\r', t: '\t', f: '\f' } as Record<string, string>)[code] ?? code),
    );
  const entries = text.split('\n').filter((line) => line !== '' && !/^[ \t\f]*[#!]/.test(line));
  return Object.fromEntries(
    entries.map((line) => {
      if (/(^|[^\\])(\\\\)*\\$/.test(line)) throw new Error(`goes on in the next line: ${line}`);
      const [, key = '', value = ''] = /^[ \t\f]*((?:\\.|[^\\ \t\f=:])*)[ \t\f]*[=:]?[ \t\f]*(.*)$/.exec(line) ?? [];
      return [unescaped(key), unescaped(value)];
    }),
  );
}

export interface UnitLine {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/** Lines of a unit, systemd.syntax(7); a line that is none throws. */
export function readUnit(text: string): readonly UnitLine[] {
  let section = '';
  return text.split('\n').flatMap((line): UnitLine[] => {
    if (line.endsWith('\\')) throw new Error(`goes on in the next line: ${line}`);
    if (/^\s*([#;].*)?$/.test(line)) return [];
    const header = /^\[([A-Za-z]+)\]$/.exec(line);
    if (header !== null) {
      section = header[1] ?? '';
      return [];
    }
    const [, key, value = ''] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined) throw new Error(`no line of a unit: ${line}`);
    return [{ section, key, value }];
  });
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', s: ' ', '\\': '\\', '"': '"', "'": "'" };

/** Words of a line, "Quoting" of systemd.syntax(7). Quotes count at the beginning of a word only; a specifier throws, as does a variable of a command. */
export function unitWords(line: string, { command }: { readonly command: boolean }): readonly string[] {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== '') {
    const quote = /^["']/.exec(rest)?.[0];
    const raw = quote === undefined ? (/^(?:\\.|[^\s\\])*/s.exec(rest)?.[0] ?? '') : (/^(["'])(?:\\.|(?!\1)[^\\])*\1/s.exec(rest)?.[0] ?? '');
    const after = rest.slice(raw.length);
    if (raw === '' || /^\S/.test(after)) throw new Error(`not read as words: ${rest}`);
    const inside = quote === undefined ? raw : raw.slice(1, -1);
    const word = inside.replaceAll(/\\(.)/gs, (_, letter: string) => {
      const meant = ESCAPES[letter];
      if (meant === undefined) throw new Error(`no escape of systemd: ${raw}`);
      return meant;
    });
    words.push(expanded(expanded(word, '%'), command ? '$' : ''));
    rest = after.trimStart();
  }
  return words;
}

/** A doubled mark is one, a single one would be replaced by something else. */
function expanded(word: string, mark: string): string {
  if (mark === '') return word;
  const pieces = word.split(`${mark}${mark}`);
  if (pieces.some((piece) => piece.includes(mark))) throw new Error(`${mark} stands for something else: ${word}`);
  return pieces.join(mark);
}

/** `Environment=` of a unit, each variable once. */
export function readEnvironment(unit: readonly UnitLine[]): Readonly<Record<string, string>> {
  const words = unit.filter(({ key }) => key === 'Environment').flatMap(({ value }) => unitWords(value, { command: false }));
  const entries = words.map((word): [string, string] => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]);
  if (new Set(entries.map(([name]) => name)).size !== entries.length) throw new Error(`a variable twice: ${words.join(' ')}`);
  return Object.fromEntries(entries);
}

/** Options of a jvm.options file for one Java, as the launchers of Elasticsearch and Logstash take them: any other line keeps them from starting. */
export function readJvmOptions(text: string, java: number): readonly string[] {
  return text.split('\n').flatMap((line): string[] => {
    if (/^\s*(#.*)?$/.test(line)) return [];
    const [, from, range, to, option] = /^(?:(\d+)(?:(-)(\d+)?)?:)?(-\S(?:.*\S)?)$/.exec(line) ?? [];
    if (option === undefined) throw new Error(`no line of jvm.options: ${line}`);
    const first = Number(from ?? 0);
    const last = from === undefined || (range !== undefined && to === undefined) ? Infinity : Number(to ?? from);
    return java >= first && java <= last ? [option] : [];
  });
}
