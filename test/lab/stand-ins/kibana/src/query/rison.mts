/** Rison, the notation in which the address of a page carries its state: read and written. */
import { isObject, type Json, type JsonObject } from '../json.mts';

export function parseRison(text: string): Json {
  const parser = new Reader(text);
  return parser.whole();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Json {
    const found = this.#value();
    if (this.#at < this.#text.length) this.#fail();
    return found;
  }

  #value(): Json {
    if (this.#take('!(')) return this.#list();
    if (this.#take('(')) return this.#object();
    if (this.#take("'")) return this.#quoted();
    for (const [sign, value] of [
      ['!t', true],
      ['!f', false],
      ['!n', null],
    ] as const)
      if (this.#take(sign)) return value;
    const id = this.#id();
    return /^-?\d+(?:\.\d+)?(?:e-?\d+)?$/.test(id) ? Number(id) : id;
  }

  #list(): Json {
    const found: Json[] = [];
    while (!this.#take(')')) {
      if (found.length > 0 && !this.#take(',')) this.#fail();
      found.push(this.#value());
    }
    return found;
  }

  #object(): Json {
    const found: Record<string, Json> = {};
    for (let first = true; !this.#take(')'); first = false) {
      if (!first && !this.#take(',')) this.#fail();
      const key = this.#take("'") ? this.#quoted() : this.#id();
      if (!this.#take(':')) this.#fail();
      found[key] = this.#value();
    }
    return found;
  }

  #quoted(): string {
    let found = '';
    while (!this.#take("'")) {
      if (this.#at >= this.#text.length) this.#fail();
      this.#take('!');
      found += this.#text[this.#at] ?? '';
      this.#at += 1;
    }
    return found;
  }

  #id(): string {
    const found = /^[^'!:(),*@$ ]+/.exec(this.#text.slice(this.#at))?.[0];
    if (found === undefined) return this.#fail();
    this.#at += found.length;
    return found;
  }

  #take(sign: string): boolean {
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  #fail(): never {
    throw new Error(`invalid rison at ${String(this.#at)}: ${this.#text}`);
  }
}

export function toRison(value: Json | undefined): string {
  if (value === true) return '!t';
  if (value === false) return '!f';
  if (value === null || value === undefined) return '!n';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return /^[a-z_][\w./-]*$/i.test(value) ? value : `'${value.replaceAll(/[!']/g, '!$&')}'`;
  if (isObject(value)) return `(${entries(value).join(',')})`;
  return `!(${value.map(toRison).join(',')})`;
}

const entries = (value: JsonObject): readonly string[] =>
  Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([key, one]) => `${toRison(key)}:${toRison(one)}`);
