import { expect } from 'chai';
import fc from 'fast-check';
import { lineOf } from '../lib/index.mts';
import { httpJson, parseJson } from '../lib/plan/questions.mts';
import { linesOf, oneLine, safeData, safeText } from '../lib/report/sanitize.mts';
import { excerpt, redact, Secret } from '../lib/secret.mts';

describe('redaction', () => {
  it('leaves nothing of a secret that begins with another one', () => {
    new Secret('qwJx7h', 'env:SHORT');
    new Secret('qwJx7hQmPz0d', 'env:LONG');
    expect(redact('a qwJx7hQmPz0d b qwJx7h')).to.equal('a [secret] b [secret]');
  });

  it('knows the lines of a secret of several lines, as a diff or a log shows them', () => {
    new Secret('-----BEGIN THING-----\nMIIEvQIBADANBgkq\r\nhkiG9w0BAQEF\n', 'file:key');
    expect(redact('+ MIIEvQIBADANBgkq\n+ hkiG9w0BAQEF')).to.equal('+ [secret]\n+ [secret]');
  });
});

/** Secrets have no small letter, and what surrounds them nothing else: whatever is left of one is seen. */
describe('any secret in any text', () => {
  const secret = fc
    .string({ unit: fc.constantFrom(...Array.from('ABCXYZ0189"\'\\ %&+/=\n\t#$€')), minLength: 6, maxLength: 40 })
    .filter((value) => /^[A-Z0-9].*[A-Z0-9]$/s.test(value) && value.split('\n').every((line) => line.length >= 6));
  const around = fc.string({ unit: fc.constantFrom(...Array.from('abc xyz\n"\'\\:,{}')), maxLength: 400 });
  const forms: Readonly<Record<string, (value: string) => string>> = {
    'as it is': (value) => value,
    'in JSON': (value) => JSON.stringify(value),
    'in JSON in JSON': (value) => JSON.stringify(JSON.stringify(value)),
    'in a URL': encodeURIComponent,
    'in a form': (value) => new URLSearchParams({ a: value }).toString(),
    'in base64': (value) => Buffer.from(value).toString('base64'),
    'in base64 without its end': (value) => Buffer.from(value).toString('base64').replace(/=+$/, ''),
    'in base64 for URLs': (value) => Buffer.from(value).toString('base64url'),
    'in quotes of a shell': (value) => `'${value.replaceAll("'", `'\\''`)}'`,
    'line by line': (value) =>
      value
        .split('\n')
        .map((line) => `+ ${line}`)
        .join('\n'),
    'with the line ends of Windows': (value) => value.replaceAll('\n', '\r\n'),
  };
  const ways: Readonly<Record<string, (text: string) => string>> = {
    redact,
    oneLine: (text) => oneLine(text, 300),
    safeText: (text) => safeText(text, 300),
    linesOf: (text) => linesOf(text).join('\n'),
    safeData: (text) => JSON.stringify(safeData({ a: [text], b: { c: text } }, 300, new Set())),
    excerpt: (text) => excerpt(text, 300),
    parseJson: (text) => JSON.stringify(parseJson(`x${text}`)).replace('not JSON', ''),
    httpJson: (text) => {
      const of = httpJson('http://127.0.0.1/', { safeParse: () => undefined } as never);
      const raw = Buffer.from(`{"status":500,"headers":{}}\n${text}`);
      return JSON.stringify(of.read(() => ({ kind: 'value', bytes: raw }))).replace('http://127.0.0.1/ answered 500', '');
    },
    lineOf: (text) => {
      const match = /[A-Z]/.exec(text);
      return match === null ? '' : lineOf(match);
    },
  };
  for (const [form, write] of Object.entries(forms))
    it(`${form}: nothing of it is shown, wherever it is cut`, () => {
      fc.assert(
        fc.property(secret, around, around, (value, before, after) => {
          new Secret(value, 'test');
          const written = write(value);
          for (const [name, show] of Object.entries(ways)) {
            const shown = show(`${before}${written}${after}`);
            if (form.startsWith('in base64')) for (let at = 0; at + 8 <= written.length; at += 4) expect(shown, name).not.to.include(written.slice(at, at + 8));
            else expect(shown.replaceAll(/\(clipped: \d+ of \d+ characters\)/g, ''), name).not.to.match(/[A-Z0-9]{2}/);
          }
        }),
      );
    });
});

describe('a secret in JSON', () => {
  it('is its literal, and still a secret', () => {
    const secret = new Secret('a"b\\c d', 'env:X').inJson();
    expect(JSON.parse(Secret.reveal(secret))).to.equal('a"b\\c d');
    expect(String(secret)).to.equal('[secret env:X]');
    expect(redact('"password":"a\\"b\\\\c d"')).to.equal('"password":[secret]');
  });
});
