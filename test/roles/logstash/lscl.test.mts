import { expect } from 'chai';
import fc from 'fast-check';
import { canQuote, codec, pipelineText, plugin, type Value } from '../../../roles/logstash/contract.mts';

/** Reads what Logstash's grammar reads in a value: enough of it to see that nothing was lost. */
class Reader {
  readonly #text: string;
  #at = 0;
  constructor(text: string) {
    this.#text = text;
  }
  value(): unknown {
    const next = this.#next();
    if (next === '"' || next === "'") return this.#string(next);
    if (next === '[') return this.#list();
    if (next === '{') return this.#hash();
    const bare = /^(true|false|-?\d+(?:\.\d+)?)/.exec(this.#text.slice(this.#at))?.[0];
    if (bare === undefined) throw new Error(`no value at ${this.#text.slice(this.#at, this.#at + 20)}`);
    this.#at += bare.length;
    return bare === 'true' || bare === 'false' ? bare === 'true' : Number(bare);
  }
  #skip(): void {
    this.#at += 1;
  }
  #string(quote: string): string {
    const end = this.#text.indexOf(quote, this.#at + 1);
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }
  #list(): unknown[] {
    this.#at += 1;
    const items: unknown[] = [];
    while (this.#next() !== ']') {
      if (this.#text[this.#at] === ',') this.#at += 1;
      items.push(this.value());
    }
    this.#skip();
    return items;
  }
  #hash(): Record<string, unknown> {
    this.#at += 1;
    const entries: Record<string, unknown> = {};
    while (this.#next() !== '}') {
      const key = String(this.value());
      this.#space();
      if (!this.#text.startsWith('=>', this.#at)) throw new Error('no => after a key');
      this.#at += 2;
      entries[key] = this.value();
    }
    this.#skip();
    return entries;
  }
  #next(): string {
    this.#space();
    return this.#text[this.#at] ?? '';
  }
  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }
}

const written = (value: Value): string => /x => (.*)\n {2}\}\n\}\n/s.exec(pipelineText({ input: [plugin('p', { x: value })], output: [] }))?.[1] ?? '';

describe("Logstash's configuration language", () => {
  it('a pipeline is written as people write it', () => {
    const text = pipelineText({
      input: [plugin('jmx', { path: '/etc/x', nb_thread: 4 })],
      filter: [plugin('drop'), { when: '[a] == "b"', then: [plugin('mutate', { add_field: { c: 'd' } })] }],
      moreFilters: 'mutate { add_tag => ["mine"] }\n',
      output: [
        plugin('kafka', { codec: codec('plain', { format: '%{message}' }), hosts: ['a', 'b'], manage: false }),
        plugin('stdout', { codec: codec('dots') }),
      ],
    });
    expect(text).to.equal(`input {
  jmx {
    path => "/etc/x"
    nb_thread => 4
  }
}
filter {
  drop {}
  if [a] == "b" {
    mutate {
      add_field => { "c" => "d" }
    }
  }
  mutate { add_tag => ["mine"] }
}
output {
  kafka {
    codec => plain { format => "%{message}" }
    hosts => ["a", "b"]
    manage => false
  }
  stdout {
    codec => dots
  }
}
`);
  });

  const quotable = fc.string({ unit: 'grapheme' }).filter(canQuote);
  const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      quotable,
      fc.integer(),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(quotable, tie('value'), { maxKeys: 3 }),
    ),
  })).value;

  it('every value is read back as it was', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(new Reader(written(value)).value()).to.deep.equal(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  for (const text of ['both "kinds" of \'quotes\'', 'a variable ${HOME}', 'ends with \\', 'two\nlines', 'a\0b']) {
    it(`what no string can hold is refused: ${JSON.stringify(text)}`, () => {
      expect(() => written(text)).to.throw('cannot be written');
    });
  }
});
