import type { Document } from './document.mts';

/** A guess at what a person meant, from the lines around a syntax error; the parser often notices one line too late. */
export function syntaxHint(document: Document, offset: number, reason: string): string | undefined {
  const { line } = document.source(offset);
  const here = document.line(line);
  const before = document.line(line - 1);
  const first = document.text.split(/\r?\n/).find((each) => each.trim() !== '' && !/^\s*[#;]/.test(each)) ?? '';
  if (/^\[[\w.:-]+\]\s*$/.test(first)) return "this looks like Ansible's INI format: convert it with `ansible-inventory -i FILE --list --yaml`";
  for (const text of [here, before]) {
    if (/^ *\t/.test(text)) return 'indent with spaces: YAML does not accept tabs';
    if (/:\s*\{\{|^\s*-\s*\{\{/.test(text)) return 'templates ({{ … }}) are not evaluated: write the value itself';
  }
  if (reason.includes('maxDepth')) return 'nested deeper than any inventory';
  if (reason.includes('quoted scalar')) return 'a quote is opened and never closed';
  if (reason.includes('non-printable')) return 'the file holds a control character';
  if (/:\s+(?:"[^"]*|'[^']*)$/.test(before)) return 'a quote on the line before is opened and never closed';
  if (/[{,]\s*[\w.-]+\[\w*:\w*/.test(here)) return 'a host range inside braces needs quotes: "es-[01:03]"';
  if (/\b(?:flow|comma)\b/.test(reason) || /[[{][^\]}]*$/.test(here) || /[[{][^\]}]*$/.test(before))
    return 'a bracket or brace is not closed, or a comma is missing';
  if (/:\s+"[^"]*"\s*[^\s#,}\]]/.test(here) || /:\s+'(?:[^']|'')*'\s*[^\s#,}\]]/.test(here)) return 'text after a closing quote: quote the whole value';
  if (/:\s+[^'"#\s][^#]*:\s/.test(here)) return 'a value with a colon needs quotes';
  if (/:\s+[@`%]/.test(here)) return 'a value that begins with @, ` or % needs quotes';
  if (/^\s*[\w.-]+$/.test(before) || /^\s*[\w.-]+$/.test(here)) return 'a colon seems to be missing after the name';
  return /indent/.test(reason) || /document separator/.test(reason) ? 'check the indentation: entries of one mapping begin in the same column' : undefined;
}
