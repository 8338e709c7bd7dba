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

  row(
    59,
    {
      fault: 'a managed file replaced by a directory',
      done: 'a directory with a file in it stands at its path',
      expected: 'refused with the reason; the directory is left alone',
    },
    async () => {
      using program = new Program();
      const inventory = await converged(program);
      rmSync(program.path('note'));
      mkdirSync(program.path('note'));
      writeFileSync(program.path('note/theirs'), 'theirs\n');
      const ended = await program.run(NOTE, ['-i', inventory]);
      expect([1, 3], said(ended)).to.include(ended.code);
      expect(readdirSync(program.path('note'))).to.deep.equal(['theirs']);
      return seen(ended, /is a directory, not a file: it is left alone/).replaceAll(program.directory, '');
    },
  );

  row(
    59,
    {
      fault: 'a managed file replaced by a symbolic link',
      done: 'a link to a file of somebody else stands at its path',
      expected: 'refused with the reason; neither link nor target is touched',
    },
    async () => {
      using program = new Program();
      const inventory = await converged(program);
      rmSync(program.path('note'));
      symlinkSync(program.write('theirs', 'theirs\n'), program.path('note'));
      const ended = await program.run(NOTE, ['-i', inventory]);
      expect([1, 3], said(ended)).to.include(ended.code);
      expect(lstatSync(program.path('note')).isSymbolicLink()).to.equal(true);
      expect(readFileSync(program.path('theirs'), 'utf8')).to.equal('theirs\n');
      return seen(ended, /is a symbolic link to .*, not a file: it is left alone/).replaceAll(program.directory, '');
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
      const inventory = await converged(program);
      const note = program.path('note');
      writeFileSync(note, 'kept\n');
      if (spawnSync('chattr', ['+i', note]).status !== 0) throw new CannotTry('this file system or user has no immutable files');
      try {
        const before = readdirSync(program.directory).sort();
        const ended = await program.run(NOTE, ['-i', inventory]);
        expect(ended.code, said(ended)).to.equal(1);
        expect(readFileSync(note, 'utf8')).to.equal('kept\n');
        expect(readdirSync(program.directory).sort()).to.deep.equal(before);
        return seen(ended, /not permitted/i).replaceAll(program.directory, '');
      } finally {
        execFileSync('chattr', ['-i', note]);
      }
    },
  );
});
