/** The README is true: what it names exists, what it shows is what the program says. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { PAGES as GENERATED, withGenerated } from '../../scripts/readme.mts';
import { exitCodeOf } from '../../lib/errors.mts';
import { connectionSchema } from '../../lib/inventory/connection.mts';
import { prefixOf } from '../../lib/inventory/vocabulary.mts';
import { catalogue } from '../../roles/index.mts';
import * as door from '../../lib/index.mts';
import { documentIn, PLAYBOOK } from './support.mts';
import { Program, ROOT, SITE, said } from '../cli/program.mts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const README = read('README.md');
const PAGES = [...GENERATED, ...globSync('docs/*.md', { cwd: ROOT })];
const found = (pattern: RegExp, text = README): readonly string[] => [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? match[0]))];
/** Code blocks in one language. */
const blocks = (language: string): readonly string[] => found(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'));
const section = (title: string): string => README.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';

const HELP: Readonly<Record<string, string>> = Object.fromEntries(
  ['site', 'lab', 'gcp', 'inventory'].map((name) => [name, new RegExp(`<!-- ${name}-help: npm run docs -->([^]*?)<!-- /`).exec(README)?.[1] ?? '']),
);
/** Options of the lab, of Google Cloud and of the inventory's playbook beside their own. */
const knownOptions = (playbook: string): ReadonlySet<string> =>
  new Set(found(/(?<![\w-])(--?[a-zA-Z][\w-]*)/g, `${HELP['site'] ?? ''}${playbook === 'site' || playbook === 'drift' ? '' : (HELP[playbook] ?? '')}`));

describe('README.md', () => {
  for (const page of GENERATED)
    it(`${page} has what comes from the code as the code has it (npm run docs)`, async function () {
      this.timeout(30_000);
      expect(await withGenerated(page, read(page), ROOT)).to.equal(read(page));
    });

  for (const page of PAGES) {
    it(`${page}: every relative link leads somewhere`, () => {
      const text = read(page);
      const links = found(/\]\(([^)\s]+)\)/g, text);
      expect(links).to.not.be.empty;
      const anchors = found(/^#{1,6} (.+)$/gm, text).map((title) =>
        title
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      );
      for (const link of links.filter((each) => !/^https?:/.test(each))) {
        if (link.startsWith('#')) expect(anchors, link).to.include(link.slice(1));
        else expect(existsSync(join(ROOT, dirname(page), link)), link).to.equal(true);
      }
    });
  }

  it('names files of this repository that exist', () => {
    const files = found(/`((?:playbooks|inventory|lib|roles|test|docs|scripts|\.ci)\/[\w./-]+)`/g).filter((file) => !/^roles\/swap\/|\/$/.test(file));
    expect(files.length).to.be.greaterThan(5);
    for (const file of files) expect(existsSync(join(ROOT, file)), file).to.equal(true);
  });

  it('runs only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const used = found(/npm run ([a-z]+)/g);
    expect(used).to.include('bench');
    for (const name of used) expect(Object.keys(scripts), name).to.include(name);
    for (const tier of found(/npm test -- ([a-z ]+):/g).flatMap((words) => words.split(' '))) expect(read('test/all'), tier).to.include(`${tier})`);
  });

  it('gives commands of the program only options that they have', () => {
    const commands = found(/(npx zx playbooks\/[\w-]+\.mts[^\n`]*)/g);
    expect(commands.length).to.be.greaterThan(10);
    for (const command of commands) {
      const [, playbook = '', rest = ''] = /playbooks\/([\w-]+)\.mts(.*)/.exec(command) ?? [];
      expect(existsSync(join(ROOT, `playbooks/${playbook}.mts`)), command).to.equal(true);
      const own = rest.split(/ -- | #/)[0]?.split(/\s+/) ?? [];
      for (const option of own.filter((word) => /^--?[a-z]/i.test(word))) expect([...knownOptions(playbook)], command).to.include(option);
      for (const file of own.filter((word) => /^inventory\/lab/.test(word))) expect(existsSync(join(ROOT, file)), command).to.equal(true);
    }
  });

  it('names only options, roles and variables that exist', () => {
    const text = README.replaceAll(/^```[^]*?^```$/gm, '');
    const options = new Set(Object.keys(HELP).flatMap((name) => [...knownOptions(name)]));
    for (const option of found(/`(--[a-z][a-z-]*)/g, text)) expect([...options], option).to.include(option);
    const roles = catalogue.map(({ name }) => name as string);
    for (const role of found(/--role ([a-z][\w,-]+)/g).flatMap((list) => list.split(','))) expect(roles, role).to.include(role);
    const variables = new Set([
      ...Object.keys(connectionSchema.shape),
      ...catalogue.flatMap(({ contract }) => Object.keys(contract.schema.shape).map((key) => prefixOf(contract) + key)),
    ]);
    const prefixes = ['ansible_', 'connection_', ...catalogue.map(({ contract }) => prefixOf(contract))];
    const named = found(/`([a-z]+(?:_[a-z]+)+)\b/g, text).filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
    expect(named.length).to.be.greaterThan(30);
    for (const name of named.filter((each) => each !== 'ansible_ssh_common_args')) expect([...variables], name).to.include(name);
  });

  it('lists every exit code, and no other', () => {
    const listed = found(/^\| (\d+(?:, \d+)?) +\|/gm, section('Command line')).flatMap((cell) => cell.split(', ').map(Number));
    expect(listed.sort((a, b) => a - b)).to.deep.equal([...new Set([0, 2, 143, ...Object.values(exitCodeOf)])].sort((a, b) => a - b));
  });

  it('lists every playbook', () => {
    for (const file of globSync('playbooks/*.mts', { cwd: ROOT })) expect(section('Playbooks'), file).to.include(file);
  });

  it('lists resources that a role can use', () => {
    const list = /There are ([^.]*)\./.exec(section('Roles'))?.[1] ?? '';
    const names = found(/`(\w+)`/g, list);
    expect(names.length).to.be.greaterThan(10);
    for (const name of names) expect(door, name).to.have.property(name);
  });

  it('explains messages that the program says', () => {
    const sources = globSync(['lib/**/*.mts', 'roles/**/*.mts'], { cwd: ROOT }).map(read).join('\n');
    const messages = found(/^\| (`[^|]*`) +\|/gm, section('Troubleshooting')).flatMap((cell) => found(/`([^`]+)`/g, cell));
    expect(messages.length).to.be.greaterThan(25);
    for (const message of messages)
      for (const part of message.split('…').map((each) => each.trim()))
        expect(sources.includes(part) ? part : `nobody says ${JSON.stringify(part)}`).to.equal(part);
  });

  it('has inventories that are valid', async () => {
    using program = new Program();
    const inventories = blocks('yaml');
    expect(inventories).to.have.length(1);
    for (const text of inventories) {
      const ended = await program.run(SITE, ['-i', program.write('inventory.yaml', text), '--syntax-check'], { env: { SUDO_PASSWORD: 'x' } });
      expect(ended.code, said(ended)).to.equal(0);
      expect(ended.stdout).to.equal('site: 8 hosts, inventory is valid\n');
    }
  });

  it('has an example role that works: its check says what it would change', async function () {
    this.timeout(30_000);
    using program = new Program();
    const inventory = (value: number): string =>
      program.write('inventory.yaml', `all: {hosts: {here: {ansible_connection: local, swap_swappiness: ${value.toString()}}}}\n`);
    const now = Number(readFileSync('/proc/sys/vm/swappiness', 'utf8'));
    const other = now === 7 ? 8 : 7;
    const ended = await program.run(PLAYBOOK, ['-i', inventory(other), '--check', '--json']);
    expect(ended.code, said(ended)).to.equal(2);
    const changes = documentIn(ended).hosts['here']?.roles['swap']?.changes.map(({ resource, field, from, to }) => ({ resource, field, from, to }));
    expect(changes).to.deep.include({ resource: 'sysctl vm.swappiness', field: 'runtime', from: now.toString(), to: other.toString() });
    const verified = await program.run(PLAYBOOK, ['-i', inventory(now), '--verify-only']);
    expect(verified.code, said(verified)).to.equal(0);
    const wrong = await program.run(PLAYBOOK, ['-i', inventory(other), '--verify-only']);
    expect(wrong.code, said(wrong)).to.equal(1);
  });
});
