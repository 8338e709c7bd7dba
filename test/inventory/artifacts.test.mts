import { expect } from 'chai';
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
    it(`refuses ${what}, naming the file`, () => {
      expect(() => parseCatalogue(text, 'artifacts.yaml'))
        .to.throw()
        .with.nested.property('error.short')
        .that.matches(/artifacts\.yaml/);
    });
  }
  it('takes what is complete', () => {
    expect(parseCatalogue(entry(''), 'artifacts.yaml')).to.have.nested.property('x');
  });
});
