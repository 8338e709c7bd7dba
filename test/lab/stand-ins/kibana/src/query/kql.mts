/** The Kibana query language: text to a tree, the tree to a query of Elasticsearch. */
import type { JsonObject } from '../json.mts';

export interface Value {
  readonly text: string;
  readonly quoted: boolean;
  /** Has an unquoted, unescaped star. */
  readonly wild: boolean;
}

export type Kql =
  | { readonly kind: 'everything' }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Kql[] }
  | { readonly kind: 'not'; readonly of: Kql }
  | { readonly kind: 'is'; readonly field: Value | undefined; readonly value: Value }
  | { readonly kind: 'range'; readonly field: Value; readonly operator: RangeOperator; readonly value: Value };
type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte';

export class KqlSyntaxError extends Error {
  readonly position: number;

  constructor(expected: string, text: string, position: number) {
    const found = position >= text.length ? 'end of input' : `"${text[position] ?? ''}"`;
    super(`Expected ${expected} but ${found} found.\n${text}\n${'-'.repeat(position)}^`);
    this.position = position;
  }
}

/** A star in a wildcard value; no text that a person types has this character. */
const STAR = '\u{f0000}';

export function parseKql(text: string): Kql {
  const parser = new Parser(text);
  return parser.whole();
}

const RANGES: readonly (readonly [string, RangeOperator])[] = [
  ['<=', 'lte'],
  ['>=', 'gte'],
  ['<', 'lt'],
  ['>', 'gt'],
];

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Kql {
    this.#space();
    if (this.#at === this.#text.length) return { kind: 'everything' };
    const found = this.#or(() => this.#expression());
    this.#space();
    if (this.#at < this.#text.length) this.#fail('AND, OR, end of input');
    return found;
  }

  /** One grammar twice: for expressions, and for the values in the parentheses behind a field. */
  #or(leaf: () => Kql): Kql {
    return this.#chain('or', () => this.#chain('and', () => this.#not(leaf)));
  }

  #chain(word: 'and' | 'or', next: () => Kql): Kql {
    const first = next();
    const rest: Kql[] = [];
    while (this.#word(word)) rest.push(next());
    return rest.length === 0 ? first : { kind: word, of: [first, ...rest] };
  }

  #not(leaf: () => Kql): Kql {
    this.#space();
    if (/^not\s/i.test(this.#text.slice(this.#at, this.#at + 4))) {
      this.#at += 4;
      return { kind: 'not', of: this.#not(leaf) };
    }
    if (!this.#take('(')) return leaf();
    const inner = this.#or(leaf);
    this.#space();
    if (!this.#take(')')) this.#fail('")"');
    return inner;
  }

  #expression(): Kql {
    const value = this.#value('field name, value, "("');
    this.#space();
    if (this.#take(':')) {
      this.#space();
      if (this.#text[this.#at] === '{') this.#fail('a field that is not nested');
      return this.#not(() => ({ kind: 'is', field: value, value: this.#value('value, "("') }));
    }
    const range = RANGES.find(([sign]) => this.#take(sign));
    if (range === undefined) return { kind: 'is', field: undefined, value };
    this.#space();
    return { kind: 'range', field: value, operator: range[1], value: this.#value('value') };
  }

  #value(expected: string): Value {
    this.#space();
    if (this.#take('"')) return this.#quoted();
    let text = '';
    while (this.#at < this.#text.length) {
      const rest = this.#text.slice(this.#at);
      // Blanks belong to a value unless a word follows that ends it.
      if (/^\s+(?:and|or)\s/i.test(rest) || /^[():<>"{}]/.test(rest)) break;
      const escaped = /^\\(u[0-9a-f]{4}|and|or|not|[^])/i.exec(rest);
      if (escaped?.[1] === undefined) text += rest.startsWith('*') ? STAR : (rest[0] ?? '');
      else text += unescaped(escaped[1]);
      this.#at += escaped?.[0].length ?? 1;
    }
    text = text.trim();
    if (text === '') this.#fail(expected);
    return { text: text.replaceAll(STAR, '*'), quoted: false, wild: text.includes(STAR) };
  }

  #quoted(): Value {
    let text = '';
    while (!this.#take('"')) {
      if (this.#at >= this.#text.length) this.#fail('"\\""');
      const escaped = /^\\(u[0-9a-f]{4}|[^])/i.exec(this.#text.slice(this.#at));
      text += escaped?.[1] === undefined ? (this.#text[this.#at] ?? '') : unescaped(escaped[1]);
      this.#at += escaped?.[0].length ?? 1;
    }
    return { text, quoted: true, wild: false };
  }

  /** Blanks before it may have been read already, and after a parenthesis or a quotation mark there need be none. */
  #word(word: string): boolean {
    const blanks = /[\s)"]/.test(this.#text[this.#at - 1] ?? '') ? '*' : '+';
    const found = new RegExp(`^\\s${blanks}${word}\\s+`, 'i').exec(this.#text.slice(this.#at));
    if (found === null) return false;
    this.#at += found[0].length;
    return true;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #take(sign: string): boolean {
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  #fail(expected: string): never {
    throw new KqlSyntaxError(expected, this.#text, this.#at);
  }
}

function unescaped(sequence: string): string {
  if (/^u[0-9a-f]{4}$/i.test(sequence)) return String.fromCharCode(Number.parseInt(sequence.slice(1), 16));
  return ({ t: '\t', r: '\r', n: '\n' } as Readonly<Record<string, string>>)[sequence] ?? sequence;
}

export function kqlToQuery(node: Kql): JsonObject {
  switch (node.kind) {
    case 'everything':
      return { match_all: {} };
    case 'and':
      return { bool: { filter: node.of.map(kqlToQuery) } };
    case 'or':
      return oneOf(node.of.map(kqlToQuery));
    case 'not':
      return { bool: { must_not: kqlToQuery(node.of) } };
    case 'is':
      return isQuery(node.field, node.value);
    case 'range':
      return oneOf([{ range: { [node.field.text]: { [node.operator]: node.value.text } } }]);
  }
}

const oneOf = (should: readonly JsonObject[]): JsonObject => ({ bool: { should, minimum_should_match: 1 } });

function isQuery(field: Value | undefined, value: Value): JsonObject {
  const everything = value.wild && value.text === '*';
  if (field === undefined || (field.wild && field.text === '*')) {
    if (everything) return { match_all: {} };
    if (value.wild) return { query_string: { query: luceneWildcard(value.text) } };
    return { multi_match: { type: value.quoted ? 'phrase' : 'best_fields', query: value.text, lenient: true } };
  }
  if (field.wild) return { multi_match: { type: value.quoted ? 'phrase' : 'best_fields', fields: [field.text], query: value.text, lenient: true } };
  if (everything) return oneOf([{ exists: { field: field.text } }]);
  if (value.wild) return oneOf([{ query_string: { fields: [field.text], query: luceneWildcard(value.text) } }]);
  return oneOf([{ [value.quoted ? 'match_phrase' : 'match']: { [field.text]: value.text } }]);
}

/** Everything but the star is taken literally. */
const luceneWildcard = (text: string): string => text.replaceAll(/[+\-=&|!(){}[\]^"~?:\\/ ]/g, '\\$&').replaceAll(/[<>]/g, '');
