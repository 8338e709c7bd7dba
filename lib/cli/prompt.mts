import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fail, RunFailure } from '../errors.mts';
import { Secret } from '../secret.mts';

const unanswered = (): RunFailure => new RunFailure({ kind: 'interrupted', short: 'no answer was given', message: 'no answer was given' });

/** One line of what is typed at the terminal; an `interrupted` failure where nobody answers. */
export async function askLine(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.question(question, resolve);
      for (const end of ['SIGINT', 'close'] as const)
        lines.once(end, () => {
          reject(unanswered());
        });
    });
  } catch (thrown) {
    // Nobody pressed Enter: whatever is said about it begins on a line of its own.
    process.stderr.write('\n');
    throw thrown;
  } finally {
    lines.close();
  }
}

/** Asks once, before anything is contacted, without echoing. Throws a `usage` failure where there is no terminal to ask at. */
export async function askSecret(question: string): Promise<Secret> {
  if (!process.stdin.isTTY)
    fail('usage', `${question}: there is no terminal to ask at`, {
      hint: 'put ansible_become_password: {secret: env:NAME} into the inventory instead of using -K',
    });
  process.stderr.write(`${question}: `);
  const mute = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output: mute, terminal: true });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      // Ctrl-C and Ctrl-D: nothing was asked of any host yet, and a promise that nobody settles would end the program without a word.
      lines.once('SIGINT', () => {
        reject(unanswered());
      });
      lines.once('close', () => {
        reject(unanswered());
      });
    });
    return new Secret(answer, 'prompt');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
