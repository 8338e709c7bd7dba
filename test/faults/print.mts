/** Prints the lines that the rows left in the file named first, in the order of the table. */
import { readFileSync } from 'node:fs';
import type { Line } from './table.mts';

const [file = ''] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Line)
  .sort((one, other) => one.row - other.row);

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
for (const { row, fault, done, expected, verdict, seen } of lines) {
  const head = `${row.toString().padStart(3)}  ${verdict.padEnd(7)}  `;
  const indent = ' '.repeat(head.length);
  process.stdout.write(
    `${head}${oneLine(fault)}\n${indent}done      ${oneLine(done)}\n${indent}expected  ${oneLine(expected)}\n${indent}seen      ${oneLine(seen)}\n`,
  );
}
const count = (verdict: Line['verdict']): string => lines.filter((line) => line.verdict === verdict).length.toString();
const rows = new Set(lines.map(({ row }) => row)).size.toString();
process.stdout.write(`\n${rows} rows: ${count('ok')} passed, ${count('FAILED')} failed, ${count('skipped')} cannot be tried here\n`);
