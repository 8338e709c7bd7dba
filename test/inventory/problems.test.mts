import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkInventory, loadInventory } from '../../lib/inventory/load.mts';
import { InventoryFailure, formatProblems, place } from '../../lib/inventory/problems.mts';
import type { Problem } from '../../lib/inventory/problems.mts';
import { contracts } from '../support/contracts.mts';

/**
 * Every file in test/cases/inventory/problems is a wrong inventory that ends with the problems it has, one `# expect LINE:COLUMN MESSAGE — HINT` each.
 * `UPDATE_CASES=1` rewrites those lines.
 */
const directory = join(import.meta.dirname, '..', 'cases', 'inventory', 'problems');
const check = (file: string): readonly Problem[] => checkInventory({ files: [file], directory, contracts, environment: {} }).problems;
const told = ({ line, column, message, hint }: Problem): string =>
  `# expect ${String(line)}:${String(column)} ${message}${hint === undefined ? '' : ` — ${hint}`}`;

describe('wrong inventories', () => {
  for (const file of readdirSync(directory).sort()) {
    it(file.replace('.yaml', ''), () => {
      const path = join(directory, file);
      const lines = readFileSync(path, 'utf8').split('\n');
      const problems = check(file);
      if (process.env['UPDATE_CASES'] === '1')
        writeFileSync(path, [...lines.filter((line) => line !== '' && !line.startsWith('# expect ')), ...problems.map(told), ''].join('\n'));
      const expected = lines.filter((line) => line.startsWith('# expect '));
      expect(expected, 'a case says what it expects').not.to.be.empty;
      expect(problems.map(told)).to.deep.equal(expected);
    });
  }

  it('shows no secret that stands where it should not', () => {
    for (const file of readdirSync(directory)) expect(formatProblems(check(file)), file).not.to.contain('hunter2');
  });

  it('shows a clipped line and points into it', () => {
    const excerpt = check('long-line.yaml')[0]?.excerpt ?? ['', ''];
    expect(excerpt[0])
      .to.have.lengthOf(120)
      .and.to.match(/^….*…$/);
    expect(excerpt[0].slice(excerpt[1].indexOf('^'))).to.match(/^ansible_prot/);
  });

  it('lets no line of a file drive the terminal', () => {
    for (const file of readdirSync(directory)) expect(formatProblems(check(file)), file).not.to.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  it('ends a load as one usage failure that lists them all', () => {
    const load = (): unknown => loadInventory({ files: ['many.yaml'], directory, contracts, environment: {} });
    expect(load)
      .to.throw(InventoryFailure)
      .with.property('error')
      .that.deep.includes({ kind: 'usage', source: { file: 'many.yaml', line: 3, column: 27 } });
    expect(load).to.throw(/many\.yaml:3:27 {2}error {2}ansible_port must be from 1 to 65535[^]*many\.yaml:4:5[^]*many\.yaml:5:25/);
  });

  it('names the place of a whole file without a line', () => {
    expect(place(check('nowhere.yaml')[0]!)).to.equal('nowhere.yaml');
  });
});
