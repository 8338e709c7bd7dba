import { expect } from 'chai';
import { RunFailure } from '../../lib/errors.mts';
import { artifacts, parseCatalogue } from '../../lib/inventory/artifacts.mts';

const entry = (more: string): string => `x:\n  '1.0.0':\n    official: {url: 'https://host/x.tar.gz', bytes: 1, sha256: '${'a'.repeat(64)}'${more}}\n`;

describe('the catalogue of archives', () => {
  it('pins every archive by size and digest', () => {
    for (const versions of Object.values(artifacts())) {
      for (const { official, assembled } of Object.values(versions)) {
        for (const pinned of [official, ...(assembled?.parts ?? [])]) expect(pinned.sha256).to.match(/^[0-9a-f]{64}$/);
      }
    }
    expect(artifacts()['elasticsearch']?.['7.10.2']?.official.bytes).to.equal(230871344);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['an unknown key', entry(', colour: red')],
    ['plain http', entry('').replace('https:', 'http:')],
    ['no digest', entry('').replace(/, sha256: '\w+'/, '')],
    ['a short digest', entry('').replace(/a{64}/, 'abc')],
    ['no version', entry('').replace('1.0.0', 'latest')],
  ];
  for (const [what, text] of wrong) {
    it(`refuses ${what}, naming the place`, () => {
      expect(() => parseCatalogue(text, 'artifacts.yaml'))
        .to.throw(RunFailure)
        .with.property('error')
        .that.includes({ kind: 'usage' })
        .and.has.property('short')
        .that.matches(/^artifacts\.yaml:[23]:\d+: /);
    });
  }
  it('says what a digest is, and what is no YAML at all', () => {
    const short = (text: string): unknown => {
      try {
        return parseCatalogue(text, 'artifacts.yaml');
      } catch (thrown) {
        return (thrown as RunFailure).error.short;
      }
    };
    expect(short(entry('').replace(/a{64}/, 'abc'))).to.equal('artifacts.yaml:3:64: x.1.0.0.official.sha256 must be 64 hexadecimal digits in lower case');
    expect(short("x:\n  '1.0.0':\n   a:\n     b\n    c: 1\n")).to.match(/^artifacts\.yaml:5:6: not valid YAML/);
    expect(short('')).to.match(/^artifacts\.yaml:1:1: must be a mapping/);
  });
  it('takes what is complete', () => {
    expect(parseCatalogue(entry(''), 'artifacts.yaml')).to.have.nested.property('x');
  });
});
