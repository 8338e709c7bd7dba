/** Faults of files that the program keeps: edited by an operator, replaced by something else, made immutable. */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { NOTE, Program, said } from '../cli/program.mts';
import { flatYaml } from '../../roles/elasticsearch/yaml.mts';
import { ending, hostsOf, seen, WORK } from './support.mts';
import { CannotTry, row } from './table.mts';

describe('faults of managed files', function () {
  /** A converged host. */
  const converged = async (program: Program): Promise<string> => {
    const inventory = program.local();
    const ended = await program.run(NOTE, ['-i', inventory]);
    expect(ended.code, said(ended)).to.equal(0);
    return inventory;
  };

  for (const [done, edit, telling] of [
    [
      'a line is added',
      (note: string) => {
        appendFileSync(note, 'mine\n');
      },
      /^ *-? *mine$/,
    ],
    [
      'the mode is changed to 0666',
      (note: string) => {
        chmodSync(note, 0o666);
      },
      /0666/,
    ],
    [
      'the file is removed',
      (note: string) => {
        rmSync(note);
      },
      /^ *\+ file .*note/,
    ],
  ] as const)
    row(58, { fault: 'an operator edits a managed file', done, expected: 'check exits 2 and shows it, changing nothing; apply puts it right' }, async () => {
      using program = new Program();
      const inventory = await converged(program);
      edit(program.path('note'));
      const check = await program.run(NOTE, ['-i', inventory, '--check', '--diff']);
      expect(check.code, said(check)).to.equal(2);
      const apply = await program.run(NOTE, ['-i', inventory]);
      expect(apply.code, said(apply)).to.equal(0);
      expect([readFileSync(program.path('note'), 'utf8'), statSync(program.path('note')).mode & 0o777]).to.deep.equal(['hello\n', 0o644]);
      return seen(check, telling).replaceAll(program.directory, '');
    });

  const SETTINGS = flatYaml({ 'cluster.name': 'kafka-monitoring', 'node.name': 'es-01', 'http.port': 9200 });
  /** A converged host whose service was started with the settings of `service.yml`. */
  async function serving(program: Program): Promise<{ readonly inventory: string; readonly config: string; readonly pid: () => string } & Disposable> {
    const [config, pidFile] = [program.path('service.yml'), program.path('service.pid')];
    const service = { config, content: SETTINGS, pid: pidFile };
    const inventory = program.write('inventory.yaml', hostsOf({ here: JSON.stringify({ ansible_connection: 'local', work_service: service }) }));
    const pid = (): string => readFileSync(pidFile, 'utf8').trim();
    ending(await program.run(WORK, ['-i', inventory]), 0, /changed: daemon service/);
    return {
      inventory,
      config,
      pid,
      [Symbol.dispose]() {
        process.kill(Number(pid()), 'SIGKILL');
      },
    };
  }
  const edits: readonly { readonly done: string; readonly expected: string; readonly edit: (text: string) => string; readonly says: RegExp | 'nothing' }[] = [
    {
      done: 'a comment and a blank line are added to the settings of a running service',
      expected: 'check exits 2 and says that it is cosmetic; apply rewrites the file, and the service goes on',
      edit: (text) => `# mine\n\n${text}`,
      says: /content: differs .*\(cosmetic: only comments and blank lines\)/,
    },
    {
      done: 'its settings are written in another order',
      expected: 'no drift: check exits 0, apply changes nothing, also after the service was started with it',
      edit: (text) =>
        text
          .split(/(?<=\n)/)
          .toReversed()
          .join(''),
      says: 'nothing',
    },
    {
      done: 'one of its settings is made a comment',
      expected: 'check exits 2 with a difference that is not cosmetic; apply rewrites the file, and the service, which has not read it, goes on',
      edit: (text) => text.replace('http.port', '#http.port'),
      says: /content: differs \(--diff shows how\)$/,
    },
  ];
  for (const { done, expected, edit, says } of edits)
    row(58, { fault: 'an operator edits a managed file', done, expected }, async () => {
      using program = new Program();
      using service = await serving(program);
      const { inventory, config, pid } = service;
      const edited = edit(readFileSync(config, 'utf8'));
      writeFileSync(config, edited);
      const before = pid();
      const check = await program.run(WORK, ['-i', inventory, '--check']);
      const apply = await program.run(WORK, ['-i', inventory]);
      expect(apply.code, said(apply)).to.equal(0);
      expect(pid(), said(apply)).to.equal(before);
      if (says !== 'nothing') {
        expect(readFileSync(config, 'utf8')).to.equal(SETTINGS);
        return ending(check, 2, says);
      }
      expect(readFileSync(config, 'utf8')).to.equal(edited);
      process.kill(Number(before), 'SIGKILL');
      ending(await program.run(WORK, ['-i', inventory]), 0, /changed: daemon service/);
      ending(await program.run(WORK, ['-i', inventory, '--check']), 0, /here/);
      return ending(check, 0, /here/);
    });

  /** A converged host whose note lies on an ext4 of its own, gone after `body`; a temporary directory may be on one that knows neither attributes nor lists. */
  async function onExt4(program: Program, body: (directory: string, inventory: string) => Promise<string>): Promise<string> {
    if (process.getuid?.() !== 0) throw new CannotTry('a file system of its own needs root');
    const [image, directory] = [program.path('ext4'), program.path('mounted')];
    mkdirSync(directory);
    chmodSync(program.directory, 0o755);
    execFileSync('truncate', ['--size=8M', image]);
    execFileSync('mkfs.ext4', ['-q', image]);
    const mounted = spawnSync('mount', ['-o', 'loop', image, directory], { encoding: 'utf8' });
    if (mounted.status !== 0) throw new CannotTry(`no file system can be mounted from a file here: ${mounted.stderr.trim()}`);
    try {
      const inventory = program.write('inventory.yaml', hostsOf({ here: JSON.stringify({ ansible_connection: 'local', note_path: `${directory}/note` }) }));
      ending(await program.run(NOTE, ['-i', inventory]), 0, /changed: file/);
      return await body(directory, inventory);
    } finally {
      execFileSync('umount', ['--lazy', directory]);
    }
  }

  row(
    59,
    {
      fault: 'a managed file replaced by a directory',
      done: 'a directory with a file in it stands at its path',
      expected: 'exit 3 with the reason; the directory is left alone',
    },
    async () => {
      using program = new Program();
      const inventory = await converged(program);
      rmSync(program.path('note'));
      mkdirSync(program.path('note'));
      writeFileSync(program.path('note/theirs'), 'theirs\n');
      const ended = await program.run(NOTE, ['-i', inventory]);
      expect(readdirSync(program.path('note'))).to.deep.equal(['theirs']);
      return ending(ended, 3, /is a directory, not a file: it is left alone/).replaceAll(program.directory, '');
    },
  );

  row(
    59,
    {
      fault: 'a managed file replaced by a symbolic link',
      done: 'a link to a file of somebody else stands at its path',
      expected: 'exit 3 with the reason; neither link nor target is touched',
    },
    async () => {
      using program = new Program();
      const inventory = await converged(program);
      rmSync(program.path('note'));
      symlinkSync(program.write('theirs', 'theirs\n'), program.path('note'));
      const ended = await program.run(NOTE, ['-i', inventory]);
      expect(lstatSync(program.path('note')).isSymbolicLink()).to.equal(true);
      expect(readFileSync(program.path('theirs'), 'utf8')).to.equal('theirs\n');
      return ending(ended, 3, /is a symbolic link to .*, not a file: it is left alone/).replaceAll(program.directory, '');
    },
  );

  row(
    59,
    {
      fault: 'a managed file that is immutable',
      done: 'chattr +i on an edited file',
      expected: 'exit 1 with what the host says; the file is as it was, no other file is left',
    },
    async () => {
      using program = new Program();
      return await onExt4(program, async (directory, inventory) => {
        const note = `${directory}/note`;
        writeFileSync(note, 'kept\n');
        execFileSync('chattr', ['+i', note]);
        try {
          const before = readdirSync(directory).sort();
          const ended = await program.run(NOTE, ['-i', inventory]);
          expect(readFileSync(note, 'utf8')).to.equal('kept\n');
          expect(readdirSync(directory).sort()).to.deep.equal(before);
          return ending(ended, 1, /Operation not permitted/).replaceAll(program.directory, '');
        } finally {
          execFileSync('chattr', ['-i', note]);
        }
      });
    },
  );

  /** Whether somebody else may write to it, which neither owner nor mode say. */
  const isOpen = (file: string): boolean => spawnSync('setpriv', ['--reuid=nobody', '--regid=nogroup', '--clear-groups', 'test', '-w', file]).status === 0;
  row(
    59,
    {
      fault: 'a managed file with an access control list',
      done: 'setfacl lets nobody write to it',
      expected: 'check exits 2 with the mode that it shows as, apply takes the right away; the content stays',
    },
    async () => {
      using program = new Program();
      return await onExt4(program, async (directory, inventory) => {
        const note = `${directory}/note`;
        execFileSync('setfacl', ['-m', 'u:nobody:rw', note]);
        expect(isOpen(note)).to.equal(true);
        const check = await program.run(NOTE, ['-i', inventory, '--check']);
        ending(await program.run(NOTE, ['-i', inventory]), 0, /changed: file/);
        expect(isOpen(note)).to.equal(false);
        ending(await program.run(NOTE, ['-i', inventory, '--check']), 0, /here/);
        return ending(check, 2, /mode: 0664 -> 0644/);
      });
    },
  );
  row(
    59,
    {
      fault: 'a managed file in a directory whose access control list is for all that is made in it',
      done: 'setfacl --default lets nobody write, and the file has to be written anew',
      expected: 'exit 0: the new file has the mode that is wanted, and nobody may write to it',
    },
    async () => {
      using program = new Program();
      return await onExt4(program, async (directory, inventory) => {
        const note = `${directory}/note`;
        execFileSync('setfacl', ['-m', 'u:nobody:rwx,d:u:nobody:rwx', directory]);
        writeFileSync(note, 'edited\n');
        const apply = await program.run(NOTE, ['-i', inventory]);
        expect([readFileSync(note, 'utf8'), statSync(note).mode & 0o777, isOpen(note)]).to.deep.equal(['hello\n', 0o644, false]);
        ending(await program.run(NOTE, ['-i', inventory, '--check']), 0, /here/);
        return ending(apply, 0, /changed: file/).replaceAll(program.directory, '');
      });
    },
  );
});
