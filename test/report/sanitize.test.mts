import { expect } from 'chai';
import fc from 'fast-check';
import { linesOf, oneLine, safeText } from '../../lib/report/sanitize.mts';
import { columnsOf, fit } from '../../lib/report/style.mts';

const hostile: readonly (readonly [string, string, string])[] = [
  ['colour', '\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
  ['a window title', '\x1b]0;owned\x07', '\\x1b]0;owned\\x07'],
  ['the clipboard', '\x1b]52;c;ZXZpbA==\x1b\\', '\\x1b]52;c;ZXZpbA==\\x1b\\'],
  ['an 8-bit introducer', '\x9b2J', '\\x9b2J'],
  ['a forged line', 'ok\nRECAP all good\r\x00', 'ok\\nRECAP all good\\r\\x00'],
  ['text written backwards', 'a\u202eb\u2066c', 'a\\u{202e}b\\u{2066}c'],
  ['invisible characters', 'a\u200bb\u{e0041}\ufeff', 'a\\u{200b}b\\u{e0041}\\u{feff}'],
  ['line separators', 'a\u2028b\u2029', 'a\\u{2028}b\\u{2029}'],
  ['half of a surrogate pair', 'a\ud83d', 'a\\u{d83d}'],
  ['backspaces', 'safe\b\b\b\bevil\x7f', 'safe\\x08\\x08\\x08\\x08evil\\x7f'],
  ['nothing bad', '한국어 ünïcode ✓', '한국어 ünïcode ✓'],
];

/** Whatever is not visible or a space. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

describe('text of hosts', () => {
  for (const [name, raw, shown] of hostile) {
    it(`shows ${name} instead of obeying it`, () => {
      expect(oneLine(raw)).to.equal(shown);
    });
  }
  it('shows bytes that are no UTF-8 as such', () => {
    expect(oneLine(Buffer.from([0x61, 0xff, 0xfe, 0x62]).toString('utf8'))).to.equal('a\ufffd\ufffdb');
  });
  it('is safe whatever it was, twice over', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(oneLine(text)).not.to.match(UNSAFE);
        expect(oneLine(oneLine(text))).to.equal(oneLine(text));
        expect(safeText(text).replaceAll(/[\n\t]/g, '')).not.to.match(UNSAFE);
        for (const line of linesOf(text)) expect(line).not.to.match(UNSAFE);
      }),
    );
  });
  it('is cut to a length and says so, never inside a character', () => {
    expect(oneLine('x'.repeat(50), 10)).to.equal('xxxxxxxxxx… (clipped: 10 of 50 characters)');
    expect(oneLine('😀😀😀', 3)).to.equal('😀… (clipped: 3 of 6 characters)');
  });
  it('fits a width counted in columns', () => {
    const look = { colour: false, unicode: true };
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 3, max: 40 }), (text, columns) => {
        const line = fit([text, ['red', text]], columns, look).map((span) => (typeof span === 'string' ? span : span[1]));
        expect(columnsOf(line.join(''))).to.be.at.most(columns);
      }),
    );
    expect(fit(['한국어 모니터링'], 8, look)).to.deep.equal(['한국어 ', '…']);
  });
});
