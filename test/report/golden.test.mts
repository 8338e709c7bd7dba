import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { exitCodeFor } from '../../lib/report/outcome.mts';
import { writerOf } from '../../lib/report/output.mts';
import { plainReporter } from '../../lib/report/plain.mts';
import { stateOf } from '../../lib/report/run-state.mts';
import { cases, type Case } from './recorded.mts';
import { FakeClock, FakeOutput, play, stamped } from './support.mts';

const GOLDEN = new URL('../golden/', import.meta.url);
const WIDTHS = [60, 80, 120];

async function printed({ events, diff = false, verbosity = 0, ascii = false }: Case, width: number): Promise<string> {
  const output = new FakeOutput();
  const clock = new FakeClock();
  const look = { colour: false, unicode: !ascii, width };
  await play(plainReporter(writerOf(output), { look, diff, verbosity }, clock), stamped(events), clock);
  return output.text;
}

describe('what people read (UPDATE_GOLDEN=1 rewrites test/golden)', () => {
  const names = new Set<string>();
  for (const one of cases) {
    it(`${one.name} asks for exit ${String(one.exit)}`, () => {
      expect(exitCodeFor(stateOf(stamped(one.events)))).to.equal(one.exit);
    });
    for (const width of WIDTHS) {
      const name = `${one.name}-${String(width)}.${String(one.exit)}.txt`;
      names.add(name);
      it(`${one.name} at ${String(width)} columns`, async () => {
        const text = await printed(one, width);
        const file = new URL(name, GOLDEN);
        if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
        expect(existsSync(file), `${name} is missing`).to.equal(true);
        expect(text).to.equal(readFileSync(file, 'utf8'));

        expect(text).not.to.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);

        if (one.ascii === true) expect(text).not.to.match(/[^\x00-\x7f]/);
      });
    }
  }

  it('has no golden file without its case', () => {
    expect(readdirSync(GOLDEN).filter((name) => !names.has(name) && cases.some((one) => name.startsWith(one.name)))).to.deep.equal([]);
  });
});
