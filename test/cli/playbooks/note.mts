/** A playbook for tests of the command line: it writes a file, may take its time, may fail, may say a secret aloud. */
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { z } from 'zod';
import { play } from '../../../lib/play.mts';

await play(async () => {
  const { command, contract, defineRole, file, secretSchema, shellOutput, text } = await import('../../../lib/index.mts');
  const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  const note = contract(
    'note',
    z.strictObject({
      path: z.string(),
      text: z.string().default('hello'),
      key: secretSchema.exactOptional(),
      seconds: z.int().default(0),
      fails: z.boolean().default(false),
      whole: z.boolean().default(false),
      limit: z.int().default(1),
    }),
  );
  const role = defineRole({
    contract: note,
    summary: 'writes a note',
    runs: 'host',
    per: 'host',
    resources: ({ vars }) => [
      file(vars.path, { content: `${vars.text}\n`, owner: userInfo().username, group, because: ['note_text'] }),
      ...(vars.key === undefined
        ? []
        : [file(`${vars.path}.key`, { content: { confidential: ['key: ', vars.key, '\n'] }, mode: 0o600, owner: userInfo().username, group })]),
      command('wait', {
        differs: shellOutput(`test -e '${vars.path}.done' && echo done`).map(({ output }) =>
          output.includes('done') || (vars.seconds === 0 && !vars.fails)
            ? []
            : [{ field: 'wait', from: { kind: 'absent' }, to: { kind: 'text', text: 'done' } }],
        ),
        run: (steps) => {
          const write = (bounded: typeof steps): void => {
            bounded.sh`echo begun >${vars.path}.begun; sleep ${vars.seconds}; [ ${String(vars.fails)} = false ] || { cat ${vars.path}.key >&2; exit 7; }; echo done >${vars.path}.done`;
          };
          if (vars.whole) steps.uninterruptible(write);
          else write(steps);
        },
      }),
    ],
    verify: ({ vars }) => [
      {
        id: 'note-there',
        ask: text(vars.path),
        judge: (found: string | undefined) =>
          found === `${vars.text}\n` ? { kind: 'pass', found } : { kind: 'fail', expected: vars.text, found: found ?? 'no file', hint: 'write it' },
        retry: { everyMs: 100, deadlineMs: 300 },
      },
    ],
  });
  return { name: 'note', summary: 'Writes notes.', stages: [{ hosts: 'all', roles: [role] }], catalogue: [role] };
});
