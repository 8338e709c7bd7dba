import { expect } from 'chai';
import type { Shown } from '../../lib/plan/model.mts';
import { contentDiff } from '../../lib/report/diff.mts';
import { paint } from '../../lib/report/style.mts';
import { Secret } from '../../lib/secret.mts';

const text = (value: string): Shown => ({ kind: 'text', text: value });
const numbered = (count: number, prefix: string): string => Array.from({ length: count }, (_, index) => `${prefix}${String(index)}\n`).join('');
const told = (from: Shown, to: Shown, limits?: { timeout?: number }): string[] =>
  contentDiff({ from, to }, limits).map((line) => paint(line, { colour: false, unicode: true }));

describe('diff of contents', () => {
  it('says nothing about equal contents', () => {
    expect(told(text('a\n'), text('a\n'))).to.deep.equal([]);
    expect(told({ kind: 'absent' }, { kind: 'absent' })).to.deep.equal([]);
  });
  it('is unified, with the missing line feed named', () => {
    expect(told(text('a\nb\n'), text('a\nc'))).to.deep.equal(['@@ -1,2 +1,2 @@', ' a', '-b', '+c', '\\ No newline at end of file']);
  });
  it('shows a new file whole and an empty one as such', () => {
    expect(told({ kind: 'absent' }, text('a\n'))).to.deep.equal(['@@ -0,0 +1,1 @@', '+a']);
    expect(told({ kind: 'absent' }, text(''))).to.deep.equal(['(absent) -> (empty)']);
  });
  it('makes visible what only differs invisibly', () => {
    expect(told(text('a\n'), text('a\r\n')).slice(1)).to.deep.equal(['-a', '+a\\r']);
    expect(told(text('\ta\n'), text('    a\n')).slice(1)).to.deep.equal(['-\\ta', '+    a']);
  });
  it('never shows what is hidden', () => {
    expect(told({ kind: 'hidden' }, { kind: 'hidden' })).to.deep.equal(['(hidden) -> (hidden)']);
  });
  it('does not show a secret of several lines that is in the text', () => {
    new Secret('-----BEGIN KEY-----\nplanted-in-a-diff\n-----END KEY-----', 'test');
    const key = '-----BEGIN KEY-----\nplanted-in-a-diff\n-----END KEY-----';
    expect(told(text('a\n'), text(`a\n${key}\n`)).join('\n')).not.to.include('planted-in-a-diff');
    expect(told(text(`${key}\n`), text('[secret]\n'))).to.deep.equal(['only secrets in it differ']);
  });
  it('gives up on contents that have nothing in common or are too large', () => {
    expect(told(text(numbered(3_000, 'a')), text(numbered(2_000, 'b')))).to.deep.equal(['files differ entirely, 3000/2000 lines']);
    expect(told(text('a\n'.repeat(600_000)), text('b\n'))).to.deep.equal(['files differ entirely, 600000/1 lines']);
  });
  it('says how many lines it leaves out', () => {
    const lines = told({ kind: 'absent' }, text(numbered(1_000, 'a')));
    expect(lines).to.have.length(401);
    expect(lines.at(-1)).to.equal('… 601 more lines of this diff are not shown');
  });
});
