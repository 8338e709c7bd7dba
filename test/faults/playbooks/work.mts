/** A playbook whose one role does what the inventory says: any script, a file, an archive, packages, an upload. */
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { z } from 'zod';
import { play } from '../../../lib/play.mts';

await play(async () => {
  const { archive, command, contract, daemon, defineRole, directory, file, packages, runScript, shellOutput, uploadedFile } =
    await import('../../../lib/index.mts');
  const [owner, group] = [userInfo().username, execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()];
  const work = contract(
    'work',
    z.strictObject({
      /** Done once, which the file `done` tells; nothing follows when it fails. */
      script: z.string().exactOptional(),
      done: z.string().exactOptional(),
      /** A script that is part of the question whether it was done. */
      question: z.string().default(':'),
      whole: z.boolean().default(false),
      seconds: z.int().default(120),
      /** A file of so many bytes. */
      file: z.string().exactOptional(),
      bytes: z.int().default(10),
      /** A process that reads this file of settings when it starts. */
      service: z.strictObject({ config: z.string(), content: z.string(), pid: z.string() }).exactOptional(),
      packages: z.array(z.string()).default([]),
      directory: z.string().exactOptional(),
      upload: z.strictObject({ from: z.string(), sha256: z.string(), to: z.string() }).exactOptional(),
      archive: z.strictObject({ url: z.string(), sha256: z.string(), into: z.string() }).exactOptional(),
    }),
  );
  const serviceOf = ({ config, content, pid }: { readonly config: string; readonly content: string; readonly pid: string }) => [
    file(config, { content, syntax: 'settings', owner, group }),
    daemon('service', { user: owner, start: ['/bin/sleep', '600'], pidFile: pid, inputs: [{ path: config, content, syntax: 'settings' }], stopSeconds: 5 }),
  ];
  const role = defineRole({
    contract: work,
    summary: 'does what it is told',
    runs: 'host',
    per: 'host',
    resources: ({ vars }) => [
      ...(vars.file === undefined ? [] : [file(vars.file, { content: `${'x'.repeat(vars.bytes - 1)}\n`, owner, group })]),
      ...(vars.service === undefined ? [] : serviceOf(vars.service)),
      ...(vars.directory === undefined ? [] : [directory(vars.directory, { owner, group })]),
      ...(vars.packages.length === 0 ? [] : [packages(vars.packages)]),
      ...(vars.upload === undefined ? [] : [uploadedFile(vars.upload.to, { from: { path: vars.upload.from, sha256: vars.upload.sha256 }, owner, group })]),
      ...(vars.archive === undefined
        ? []
        : [
            archive({
              name: 'thing',
              version: '1',
              owner,
              source: { from: 'host', url: vars.archive.url, sha256: vars.archive.sha256 },
              into: vars.archive.into,
            }),
          ]),
      ...(vars.script === undefined
        ? []
        : [
            command('work', {
              differs: shellOutput(`${vars.question}\n${vars.done === undefined ? ':' : `test -e '${vars.done}' && echo done`}`).map(({ output }) =>
                output.includes('done') ? [] : [{ field: 'work', from: { kind: 'absent' }, to: { kind: 'text', text: 'done' } }],
              ),
              run: (steps) => {
                const { script = '' } = vars;
                steps.within(vars.seconds, (bounded) => {
                  if (vars.whole)
                    bounded.uninterruptible((kept) => {
                      runScript(kept, script);
                    });
                  else runScript(bounded, script);
                });
              },
            }),
          ]),
    ],
  });
  return { name: 'work', summary: 'Does what it is told.', stages: [{ hosts: 'all', roles: [role] }], catalogue: [role] };
});
