import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { DRIFT, NOTE, Program, ROOT, said, SITE } from './program.mts';

describe('command line: questions and mistakes', function () {
  this.timeout(30_000);
  const version = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;

  it('--help names every option and every exit code', async () => {
    using program = new Program();
    const { code, stdout, stderr } = await program.run(SITE, ['--help']);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    for (const word of [
      '--inventory',
      '--limit',
      '--role',
      '--extra-vars',
      '--retry-failed',
      '--check',
      '--verify-only',
      '--no-restart',
      '--serial',
      '--max-failures',
    ])
      expect(stdout).to.include(word);
    for (const word of [
      '--yes',
      '--forks',
      '--diff',
      '--json',
      '--events',
      '--profile',
      '--list-hosts',
      '--user',
      '--private-key',
      '--ask-become-pass',
      '130/143',
    ])
      expect(stdout).to.include(word);
    for (const line of stdout.split('\n')) expect(line.length, line).to.be.at.most(150);
  });

  it('drift offers nothing that writes, and refuses it', async () => {
    using program = new Program();
    expect((await program.run(DRIFT, ['-h'])).stdout).to.not.match(/--no-restart|--serial|--yes|--check/);
    const refused = await program.run(DRIFT, ['-i', 'x', '--no-restart']);
    expect(refused.code).to.equal(4);
    expect(refused.stderr).to.include('--no-restart means nothing to drift');
  });

  it('--version is that of the package', async () => {
    using program = new Program();
    expect(await program.run(SITE, ['--version'])).to.include({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('--list-hosts prints one name a line, in order, after the limit', async () => {
    using program = new Program();
    const inventory = program.write('i.yaml', 'all:\n  vars: {note_path: /tmp/x}\n  hosts:\n    "b[1:3]":\n    a:\n');
    expect((await program.run(NOTE, ['-i', inventory, '--list-hosts'])).stdout).to.equal('b1\nb2\nb3\na\n');
    expect((await program.run(NOTE, ['-i', inventory, '--list-hosts', '-l', 'all:!b2'])).stdout).to.equal('b1\nb3\na\n');
  });

  it('--list-roles prints name and summary', async () => {
    using program = new Program();
    expect((await program.run(NOTE, ['--list-roles'])).stdout).to.equal('note\twrites a note\n');
    expect((await program.run(SITE, ['--list-roles'])).stdout)
      .to.match(/^os-limits\t/m)
      .and.match(/^elasticsearch\t/m);
  });

  it('--syntax-check accepts the shipped inventory', async () => {
    using program = new Program();
    const { code, stdout, stderr } = await program.run(SITE, ['-i', join(ROOT, 'inventory/lab.yaml'), '--syntax-check']);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^site: \d+ hosts, inventory is valid\n$/);
  });

  const mistakes: readonly { readonly what: string; readonly args: readonly string[]; readonly says: RegExp }[] = [
    { what: 'an unknown option', args: ['--chekc'], says: /unknown option '--chekc'[\s\S]*did you mean --check\?/ },
    { what: 'an option without its value', args: ['--inventory'], says: /--inventory/ },
    { what: 'an argument too many', args: ['-i', 'INVENTORY', 'es-01'], says: /unexpected argument "es-01"/ },
    { what: 'no inventory', args: [], says: /no inventory given[\s\S]*-i inventory\/lab\.yaml/ },
    { what: 'an inventory that is not there', args: ['-i', 'nowhere.yaml'], says: /nowhere\.yaml/ },
    { what: 'an unknown role', args: ['-i', 'INVENTORY', '--role', 'ntoe'], says: /no role "ntoe" in note; did you mean note\?[\s\S]*roles: note/ },
    { what: 'a role that looks like a number', args: ['-i', 'INVENTORY', '--role', '007'], says: /no role "007"/ },
    { what: 'an empty name among roles', args: ['-i', 'INVENTORY', '--role', 'note,'], says: /empty name/ },
    { what: 'a host that does not exist', args: ['-i', 'INVENTORY', '--limit', 'hree'], says: /hree[\s\S]*here/ },
    { what: 'forks that are no number', args: ['-i', 'INVENTORY', '--forks', 'many'], says: /--forks takes a whole number from 1 to 1000, not "many"/ },
    { what: 'serial beyond everything', args: ['-i', 'INVENTORY', '--serial', '101%'], says: /--serial takes a whole number from 1 to 100/ },
    { what: 'json and events on one stdout', args: ['-i', 'INVENTORY', '--json', '--events', '-'], says: /both want stdout/ },
    { what: 'an events file that cannot be written', args: ['-i', 'INVENTORY', '--events', '/nonexistent/x'], says: /\/nonexistent\/x/ },
    { what: 'a password prompt without a terminal', args: ['-i', 'INVENTORY', '-K'], says: /no terminal to ask at/ },
    { what: 'a retry when nothing ran yet', args: ['-i', 'INVENTORY', '--retry-failed'], says: /no earlier run/ },
    { what: 'an unreadable extra variable', args: ['-i', 'INVENTORY', '-e', 'novalue'], says: /novalue/ },
  ];
  for (const { what, args, says } of mistakes) {
    it(`${what} ends with 4 and says what to do`, async () => {
      using program = new Program();
      const inventory = program.local();
      const ended = await program.run(NOTE, [...args.map((arg) => (arg === 'INVENTORY' ? inventory : arg)), ...(args.length === 0 ? [] : ['--check'])]);
      expect(ended.code, said(ended)).to.equal(4);
      expect(said(ended)).to.match(says);
      expect(said(ended)).to.not.match(/\n *at .*\.m?[jt]s:\d/);
    });
  }

  const inventories: readonly { readonly what: string; readonly text: string; readonly at: string; readonly says: RegExp }[] = [
    { what: 'a typo in a key', text: 'all:\n  hostss:\n    a:\n', at: ':2:3', says: /hosts/ },
    { what: 'a typo in a variable', text: 'all:\n  hosts:\n    a: {note_path: /x, note_txt: y}\n', at: ':3:24', says: /note_text/ },
    { what: 'a duplicate key', text: 'all:\n  hosts:\n    a:\n    a:\n', at: ':4:5', says: /3/ },
    { what: 'an unquoted version', text: 'all:\n  hosts:\n    a:\n      note_path: /x\n      note_text: 7.10\n', at: ':5:18', says: /'7\.10'|"7\.10"|quote/ },
    { what: 'shell syntax for a host name', text: 'all:\n  hosts:\n    a;rm -rf /:\n', at: ':3:5', says: /a;rm -rf/ },
    { what: 'ten megabytes', text: `all:\n  hosts:\n    a:\n      x: ${'y'.repeat(10 * 1024 * 1024)}\n`, at: '', says: /MB|MiB|bytes|large/ },
    {
      what: 'an alias bomb',
      text: `all:\n  vars:\n    a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefghij'
        .split('')
        .map(
          (name, index) =>
            `    ${name}: &${name} [${Array(10)
              .fill(`*${'abcdefghi'[index] ?? 'a'}`)
              .join(', ')}]\n`,
        )
        .join('')}  hosts:\n    h:\n`,
      at: ':',
      says: /alias|anchor/,
    },
  ];
  for (const { what, text, at, says } of inventories) {
    it(`${what} in an inventory ends with 4, its place and advice, within a second`, async () => {
      using program = new Program();
      program.write('wrong.yaml', text);
      const ended = await program.run(NOTE, ['-i', 'wrong.yaml', '--check', '--json']);
      expect(ended.code, said(ended)).to.equal(4);
      expect(said(ended)).to.include(`wrong.yaml${at}`).and.to.match(says);
      expect(said(ended).length).to.be.below(20_000);
      const { timings } = JSON.parse(ended.stdout) as { timings: { totalMs: number } };
      expect(timings.totalMs).to.be.below(1000);
    });
  }

  it('gives the same arguments through zx as through node, text staying text', async () => {
    using program = new Program();
    const inventory = program.local();
    const args = ['-i', inventory, '--check', '--json', '-e', 'note_text=007', '--limit', 'here', '--role', 'note'];
    const outputs = await Promise.all([false, true].map((zx) => program.run(NOTE, args, { zx })));
    for (const { code, stdout, stderr } of outputs) {
      expect(code, stderr).to.equal(2);
      const { hosts } = JSON.parse(stdout) as { hosts: { here: { roles: { note: { changes: readonly { to: string }[] } } } } };
      expect(hosts.here.roles.note.changes.map(({ to }) => to)).to.include('007\n');
    }
    const unknown = await program.run(NOTE, ['--role', '007', '-i', inventory], { zx: true });
    expect(unknown.stderr + unknown.stdout).to.include('no role "007"');
  });
});
