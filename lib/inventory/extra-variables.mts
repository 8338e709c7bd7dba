import { Document } from './document.mts';
import { readDocument } from './files.mts';
import type { Problems } from './problems.mts';
import { quoted } from './problems.mts';
import type { Setting, Structure } from './structure.mts';
import type { YamlNode } from './yaml.mts';
import { looseScalar, parseYaml } from './yaml.mts';

/**
 * The variables of `-e`, each `NAME=VALUE`, `@FILE`, or a YAML mapping in braces; later ones win. A value is typed by what its variable
 * wants, since a shell has no quotes left to tell text from numbers; `{…}` and `[…]` are read as YAML.
 */
export function readExtraVariables(given: readonly string[], structure: Structure, directory: string, problems: Problems): ReadonlyMap<string, Setting> {
  const found = new Map<string, Setting>();
  for (const text of given) {
    if (text.startsWith('@')) {
      const file = text.slice(1);
      const document = readDocument(file, '.', directory, problems);
      if (document !== undefined) addMapping(found, document, structure, problems);
      continue;
    }
    const document = new Document('-e', directory, text);
    if (/^\s*\{/.test(text)) {
      addMapping(found, document, structure, problems);
      continue;
    }
    const [, name, value] = /^([a-zA-Z_]\w*)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      problems.at(document, 0, `${quoted(text.split('=', 1)[0] ?? '')} is no extra variable`, 'write -e NAME=VALUE or -e @FILE.yaml');
      continue;
    }
    const at = name.length + 1;
    const node = /^\s*[[{](?!\{)/.test(value) ? parsedValue(value, at, document, problems) : looseScalar(value, at);
    if (/\{\{|\{%/.test(value)) problems.at(document, at, 'templates ({{ … }}) are not evaluated', 'write the value itself');
    else if (node !== 'broken') found.set(name, { name, node, document, at: 0 });
  }
  return found;
}

function addMapping(into: Map<string, Setting>, document: Document, structure: Structure, problems: Problems): void {
  const root = parseYaml(document, problems);
  if (root === 'broken') return;
  if (root.kind === 'map') structure.addVariables(into, document, root, 'the extra variables');
  else problems.at(document, root.at, 'extra variables must be a mapping', 'write NAME: VALUE');
}

/** The value alone, with positions as if it stood where it does: blanks keep its columns. */
function parsedValue(value: string, at: number, document: Document, problems: Problems): YamlNode | 'broken' {
  return parseYaml(new Document(document.file, document.base, ' '.repeat(at) + value), problems);
}
