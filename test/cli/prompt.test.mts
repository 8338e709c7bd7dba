import { spawn } from 'node:child_process';
import { expect } from 'chai';
import { quote } from '../../lib/shell/quote.mts';

const MODULES = ['prompt', '../errors'].map((name) => new URL(`../../lib/cli/${name}.mts`, import.meta.url).href);
const program = (ask: string): string => `const [prompt, { toRunError }] = await Promise.all(${JSON.stringify(MODULES)}.map((url) => import(url)));
await prompt.${ask}.then(() => console.log('an answer'), (thrown) => console.log(toRunError(thrown).kind));`;

/** The prompt is written just before the terminal gives every key to the program. */
const RAW_MS = 500;

/** What the prompt comes to at a terminal of its own, where `typed` is typed. */
function answered(ask: string, typed: string): Promise<string> {
  const child = spawn('script', ['-qec', [process.execPath, '--input-type=module', '-e', program(ask)].map(quote).join(' '), '/dev/null']);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (!said.includes('password: ') && chunk.includes('password: ')) setTimeout(() => child.stdin.write(typed), RAW_MS);
    said += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      resolve(said.trim().split(/\s*\n/).at(-1) ?? '');
    });
  });
}

for (const [name, ask] of [
  ['the prompt for a password', "askSecret('password')"],
  ['the prompt for a name', "askLine('password: ')"],
] as const)
  describe(name, function () {
    this.timeout(10_000);

    for (const [what, typed, is] of [
      ['an answer', 'word\r', 'an answer'],
      ['Ctrl-C', '\x03', 'interrupted'],
      ['Ctrl-D', '\x04', 'interrupted'],
    ] as const)
      it(`${what} is ${is === what ? 'taken' : 'no bug and no silent end'}`, async () => {
        expect(await answered(ask, typed)).to.equal(is);
      });
  });
