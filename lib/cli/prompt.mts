import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fail } from '../errors.mts';
import { Secret } from '../secret.mts';

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
      lines.once('SIGINT', () => {
        reject(new Error('interrupted'));
      });
    });
    return new Secret(answer, 'prompt');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
