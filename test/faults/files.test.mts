/** Steps that fail, print what they like, or find no room: the real program with this machine as its host. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { Program, said, type Ended } from '../cli/program.mts';
import { at, ending, hostsOf, readOnly, WORK } from './support.mts';
import { row } from './table.mts';

const run = (program: Program, work: Readonly<Record<string, unknown>>, args: readonly string[] = []): Promise<Ended> =>
  program.run(WORK, ['-i', program.write('inventory.yaml', hostsOf({ here: JSON.stringify({ ansible_connection: 'local', ...work }) })), ...args]);

/** A small file system of its own, gone after `body`. */
async function mounted(program: Program, options: string, body: (directory: string) => Promise<string>): Promise<string> {
  const directory = program.path('small');
  mkdirSync(directory);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]);
  try {
    return await body(directory);
  } finally {
    execFileSync('umount', ['--lazy', directory]);
  }
}

describe('faults of steps and files', function () {
  this.timeout(60_000);

  row(27, { fault: 'a silent failure', done: 'a step exits 7 and says nothing', expected: 'exit 1, the code is shown' }, async () => {
    using program = new Program();
    return ending(await run(program, { work_script: 'exit 7' }), 1, /exit code 7/);
  });

  row(28, { fault: 'a step that is killed', done: 'SIGKILL to its own shell, as the OOM killer does', expected: 'exit 1, the signal is named' }, async () => {
    using program = new Program();
    return ending(await run(program, { work_script: 'kill -KILL $$; sleep 5' }), 1, /killed by SIGKILL/);
  });

  row(
    29,
    {
      fault: 'hostile output',
      done: 'a failing step prints colours, a window title, CRLF, a cut and an invalid UTF-8 character',
      expected: 'exit 1; no control character reaches the output',
    },
    async () => {
      using program = new Program();
      const script = String.raw`printf '\033[31mred\033]0;owned\007 h\303\244\303 \377 cr\r\n'; exit 1`;
      const ended = await run(program, { work_script: script });
      expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.exec(said(ended))).to.equal(null);
      return ending(ended, 1, /red.*hä/);
    },
  );

  for (const [fault, options, says] of [
    ['a full file system', 'size=64k', /No space left/],
    ['a file system without inodes', 'size=1m,nr_inodes=3', /No space left/],
    ['a read-only file system', 'size=1m,ro', /Read-only/],
  ] as const)
    row(
      fault === 'a full file system' ? 35 : 34,
      { fault, done: 'a file of 200 kB is written over one that is there', expected: 'exit 1 with the reason; the old file as it was, nothing beside it' },
      async () => {
        using program = new Program();
        return await mounted(program, options.replace(',ro', ''), async (directory) => {
          const file = `${directory}/file`;
          execFileSync('sh', ['-c', `echo old >${file}`]);
          if (options.includes('inodes')) execFileSync('sh', ['-c', `touch ${directory}/last`]);
          if (options.includes('ro')) execFileSync('mount', ['-o', 'remount,ro', directory]);
          const before = readdirSync(directory);
          const ended = await run(program, { work_file: file, work_bytes: 200_000 });
          expect(readFileSync(file, 'utf8')).to.equal('old\n');
          expect(readdirSync(directory)).to.deep.equal(before);
          return ending(ended, 1, says);
        });
      },
    );

  row(
    35,
    {
      fault: 'a file system that fills during an upload',
      done: '8 MB are sent over a file of a file system with 4 MB',
      expected: 'exit 1 with the reason; the old file as it was, nothing beside it',
    },
    async () => {
      using program = new Program();
      return await mounted(program, 'size=4m', async (directory) => {
        writeFileSync(`${directory}/file`, 'old\n');
        const bytes = Buffer.alloc(8_000_000, 'x');
        writeFileSync(program.path('large'), bytes);
        const work_upload = { from: program.path('large'), sha256: createHash('sha256').update(bytes).digest('hex'), to: `${directory}/file` };
        const ended = await run(program, { work_upload });
        expect(readFileSync(`${directory}/file`, 'utf8')).to.equal('old\n');
        expect(readdirSync(directory)).to.deep.equal(['file']);
        return ending(ended, 1, /No space left/);
      });
    },
  );

  row(
    34,
    {
      fault: 'a read-only root',
      done: 'every login finds / mounted read-only, with /tmp in it, and a file there is to be written anew',
      expected: 'exit 1 with the reason; the old file as it was, nothing beside it',
    },
    async () => {
      using program = new Program();
      await using sshd = await readOnly();
      const before = readdirSync(dirname(program.write('file', 'old\n'))).concat('inventory.yaml', '.runs');
      const vars = at(sshd, { work_file: program.path('file') });
      const ended = await program.run(WORK, ['-i', program.write('inventory.yaml', hostsOf({ there: vars }))]);
      expect(readFileSync(program.path('file'), 'utf8')).to.equal('old\n');
      expect(readdirSync(program.directory)).to.have.members(before);
      return ending(ended, 1, /Read-only file system/);
    },
  );

  for (const [done, vars, isDangling] of [
    ['the directory', (path: string) => ({ work_directory: path }), false],
    ['the directory, which the link only promises', (path: string) => ({ work_directory: path }), true],
    ['the file', (path: string) => ({ work_file: path }), false],
  ] as const)
    row(
      12,
      {
        fault: 'a path that a link leads elsewhere',
        done: `${done} is a symbolic link to what is somebody else's`,
        expected: 'exit 3 with the reason, nothing written',
      },
      async () => {
        using program = new Program();
        const [theirs, path] = [program.path('theirs'), program.path('ours')];
        if (done === 'the file') writeFileSync(theirs, 'theirs\n', { mode: 0o600 });
        else if (!isDangling) mkdirSync(theirs, { mode: 0o700 });
        symlinkSync(theirs, path);
        const state = (): unknown => (existsSync(theirs) ? [statSync(theirs).mode, statSync(theirs).mtimeMs] : 'nothing');
        const before = state();
        const ended = await run(program, vars(path));
        expect([state(), readlinkSync(path)]).to.deep.equal([before, theirs]);
        return ending(ended, 3, /is a symbolic link to .*: it is left alone/).replaceAll(program.directory, '');
      },
    );
  row(
    12,
    {
      fault: 'a path that a link leads elsewhere',
      done: 'a symbolic link stands where an upload is laid before it is whole',
      expected: 'exit 0: the upload comes to its place, what the link leads to is as it was',
    },
    async () => {
      using program = new Program();
      const [theirs, from, to] = [program.write('theirs', 'theirs\n'), program.write('large', 'sent\n'), program.path('file')];
      symlinkSync(theirs, program.path('.upload-file'));
      const ended = await run(program, { work_upload: { from, sha256: createHash('sha256').update('sent\n').digest('hex'), to } });
      expect([readFileSync(theirs, 'utf8'), readFileSync(to, 'utf8'), lstatSync(to).isFile()]).to.deep.equal(['theirs\n', 'sent\n', true]);
      return ending(ended, 0, /changed: file/).replaceAll(program.directory, '');
    },
  );

  row(34, { fault: 'a /tmp where nothing may be executed', done: 'the file lies on a file system mounted noexec', expected: 'exit 0' }, async () => {
    using program = new Program();
    return await mounted(program, 'size=1m,noexec', async (directory) => ending(await run(program, { work_file: `${directory}/file` }), 0, /changed: file/));
  });

  row(
    36,
    {
      fault: 'a power cut',
      done: 'a file that was written is cut to half its length, as after a lost write',
      expected: 'the check finds it (exit 2), the next run repairs it',
    },
    async () => {
      using program = new Program();
      const work = { work_file: program.path('file'), work_bytes: 1000 };
      ending(await run(program, work), 0, /changed/);
      truncateSync(program.path('file'), 500);
      const found = ending(await run(program, work, ['--check']), 2, /file/);
      ending(await run(program, work), 0, /changed/);
      expect(readFileSync(program.path('file'), 'utf8')).to.have.length(1000);
      return `${found}; repaired`;
    },
  );
});
