import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { RunFailure } from '../../lib/errors.mts';
import { checkInventory, loadInventory } from '../../lib/inventory/load.mts';
import { InventoryFiles } from '../support/inventory-files.mts';

const HOSTS = 'all:\n  hosts:\n    es-01:\n';

describe('inventory files that cannot be read', () => {
  it('missing: names a neighbour, else where to start', () => {
    using files = new InventoryFiles({ 'lab.yaml': HOSTS });
    expect(files.problems({ files: ['lap.yaml'] })).to.deep.equal([
      { file: 'lap.yaml', line: 0, column: 0, message: 'no such file', hint: 'did you mean "lab.yaml"?' },
    ]);
    expect(files.problems({ files: ['elsewhere/x.yaml'] })[0]?.hint).to.contain('inventory/lab.yaml');
    expect(files.problems({ files: ['es-01,'] })[0]?.hint).to.contain('a list of hosts');
  });

  it('a directory: names its files', () => {
    using files = new InventoryFiles({ 'inventory/lab.yaml': HOSTS });
    expect(files.problems({ files: ['inventory'] })[0]).to.include({ message: 'is a directory', hint: 'name the files: -i inventory/lab.yaml' });
  });

  it('unreadable, a pipe, not UTF-8, UTF-16', function () {
    using files = new InventoryFiles({});
    execFileSync('mkfifo', [join(files.directory, 'pipe')]);
    files.write('latin1.yaml', Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
    files.write('utf16.yaml', Buffer.from([0xff, 0xfe, 0x61, 0x00]));
    const message = (file: string): string | undefined => files.problems({ files: [file] })[0]?.message;
    expect(message('pipe')).to.equal('is not a regular file');
    expect(message('latin1.yaml')).to.equal('is not UTF-8 text');
    expect(message('utf16.yaml')).to.equal('is UTF-16 text');
    chmodSync(files.write('locked.yaml', HOSTS), 0o000);
    // Root reads everything: only others can see this refusal.
    expect(message('locked.yaml')).to.equal(process.getuid?.() === 0 ? undefined : 'cannot be read: permission denied');
  });

  it('an empty file is said to be empty', () => {
    using files = new InventoryFiles({ 'inventory.yaml': '' });
    expect(files.problems()[0]?.message).to.equal('the inventory is empty');
  });

  it('no -i at all', () => {
    using files = new InventoryFiles({});
    expect(files.problems({ files: [] })[0]?.message).to.equal('no inventory is given');
  });

  it('a byte order mark and Windows line ends do no harm', () => {
    using files = new InventoryFiles({ 'inventory.yaml': `\ufeff${HOSTS.replaceAll('\n', '\r\n')}      ansible_prot: 1\r\n` });
    expect(files.problems()[0]).to.include({ line: 4, column: 7 });
  });
});

describe('inventories made to hurt', () => {
  /** Of this process's own time: what else the machine does is not its fault. */
  const within = (milliseconds: number, act: () => void): void => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000, 'milliseconds').to.be.below(milliseconds);
  };

  it('10 MB are refused without being read', () => {
    using files = new InventoryFiles({});
    files.write('inventory.yaml', `all:\n  vars:\n    a: ${'x'.repeat(10 * 1024 * 1024)}\n`);
    const before = process.memoryUsage().rss;
    within(1000, () => expect(files.problems()[0]?.message).to.match(/^is 10\.0 MiB, more than the 1 MiB/));
    expect(process.memoryUsage().rss - before).to.be.below(8 * 1024 * 1024);
  });

  for (const [name, text] of Object.entries({
    'brackets 20 000 deep': `all: ${'['.repeat(20_000)}`,
    'mappings 20 000 deep': `all: ${'{a: '.repeat(20_000)}`,
    'a million characters in one line': `all: {vars: {a: "${'{'.repeat(1_000_000)}`,
    'a wide alias bomb': `all:\n  vars:\n    l0: &l0 [x,x,x,x,x,x,x,x,x]\n${[1, 2, 3, 4, 5, 6, 7].map((level) => `    l${String(level)}: &l${String(level)} [${Array.from({ length: 9 }, () => `*l${String(level - 1)}`).join(',')}]\n`).join('')}`,
    'a tall alias bomb': `all:\n  vars:\n    l0: &l0 [x,x]\n${Array.from({ length: 40 }, (_, level) => `    l${String(level + 1)}: &l${String(level + 1)} [*l${String(level)}, *l${String(level)}]\n`).join('')}`,
    'ranges multiplied': 'all:\n  hosts:\n    "a[1:9999][1:9999][1:9999]":\n',
    'many anchors': `all:\n  vars:\n${Array.from({ length: 20_000 }, (_, index) => `    v${String(index)}: &a${String(index)} 1\n`).join('')}  hosts: {a: , b: *a1}\n`,
    'a very long key': `all:\n  vars:\n    ${'k'.repeat(900_000)}: 1\n`,
    'a very long line': `all:\n  vars: {${Array.from({ length: 30_000 }, (_, index) => `ansible_x${String(index)}: 1`).join(', ')}}\n`,
  }))
    it(`${name}: refused in time`, () => {
      using files = new InventoryFiles({ 'inventory.yaml': text });
      const before = process.memoryUsage().heapUsed;
      within(3000, () => expect(files.problems()).not.to.be.empty);
      expect(process.memoryUsage().heapUsed - before).to.be.below(400 * 1024 * 1024);
    });

  it('ten thousand hosts are loaded', function () {
    this.timeout(20_000);
    using files = new InventoryFiles({ 'inventory.yaml': 'all:\n  hosts:\n    h-[00001:10000]:\n  vars: {ansible_user: ops, store_heap: 512m}\n' });
    within(10_000, () => expect(files.load().hosts.size).to.equal(10_000));
  });
});

describe('any text', function () {
  this.timeout(60_000);
  const word = fc.constantFrom(
    'all',
    'hosts',
    'children',
    'vars',
    'es-01',
    'es-[01:03]',
    'a[b:',
    'ansible_host',
    'ansible_port',
    'store_heap',
    'store_tls',
    'store_password',
    '10.0.0.1',
    '70000',
    '7.10',
    'yes',
    '~',
    '<<',
    '&a',
    '*a',
    '!!str',
    '!vault',
    '{{ x }}',
    '"',
    "'",
    '|',
    '>',
    '---',
    '? ',
    '__proto__',
    'secret',
    'env:X',
    '\u0000',
    '\ud800',
    '#',
  );
  const glue = fc.constantFrom(': ', ':\n  ', ':\n    ', '\n', '\n  ', '\n    ', ' ', ', ', '{', '}', '[', ']', '- ', '\t', ':');
  const yamlish = fc.array(fc.tuple(word, glue), { maxLength: 40 }).map((parts) => parts.flat().join(''));
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      word,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(word, tie('node'), { maxKeys: 4 }),
    ),
  })).node;

  const endsWell = (load: () => void): void => {
    const before = process.cpuUsage();
    try {
      load();
    } catch (thrown) {
      if (!(thrown instanceof RunFailure) || thrown.error.kind !== 'usage') throw thrown;
    }
    expect(process.cpuUsage(before).user / 1000).to.be.below(2000);
  };
  const survives = (text: string, extraVars: readonly string[] = []): void => {
    using files = new InventoryFiles({ 'inventory.yaml': text });
    endsWell(() => {
      const inventory = loadInventory(files.options({ extraVars }));
      for (const name of inventory.hosts.keys()) inventory.explainAll(name);
    });
  };

  it('of words that mean something in an inventory ends in an inventory or a usage failure', () => {
    fc.assert(
      fc.property(yamlish, (text) => {
        survives(text);
      }),
      { numRuns: 1500 },
    );
  });
  it('that is well-formed and nonsense does, too', () => {
    fc.assert(
      fc.property(value, (tree) => {
        survives(JSON.stringify({ all: { hosts: { 'es-01': tree }, vars: tree, children: tree } }));
      }),
      { numRuns: 700 },
    );
  });
  it('of any characters does, too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        survives(text, [text, `a=${text}`]);
      }),
      { numRuns: 500 },
    );
  });
  it('in any tree of files does, too, whatever else lies there', () => {
    const folder = fc.constantFrom('', 'group_vars/', 'host_vars/', 'group_vars/all/', 'group_vars/stores/', 'host_vars/es-01/', 'host_vars/es-01/deep/');
    const name = fc.constantFrom(
      'all',
      'all.yml',
      'stores.yaml',
      'stores.json',
      'es-01',
      'es-01.yaml',
      '10-a',
      'a~',
      '.hidden.yaml',
      'x.txt',
      'other.yaml',
      '..yaml',
    );
    const content = fc.oneof(
      yamlish,
      fc.constantFrom(
        'store_heap: 2g\n',
        'ansible_port: 22\n',
        '{"store_heap": "2g"}',
        '[1]',
        '',
        '{secret: file:/etc/passwd}',
        '$ANSIBLE_VAULT;1.1;AES256\n3132\n',
      ),
      fc.uint8Array({ maxLength: 20 }),
    );
    const entry = fc.record({
      path: fc.tuple(folder, name).map((parts) => parts.join('')),
      is: fc.oneof(
        { weight: 6, arbitrary: fc.record({ kind: fc.constant('file' as const), content }) },
        {
          weight: 1,
          arbitrary: fc.record({ kind: fc.constant('link' as const), target: fc.constantFrom('.', '..', 'all', 'es-01', '/nonexistent', '/dev/zero', '/etc') }),
        },
        { weight: 1, arbitrary: fc.constant({ kind: 'directory' as const }) },
        { weight: 1, arbitrary: fc.constant({ kind: 'pipe' as const }) },
      ),
    });
    const inventory = 'all:\n  hosts: {es-01: , es-02: }\n  children: {stores: {hosts: {es-01: }}}\n';
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 6 }),
        fc.subarray(['inventory.yaml', '.', 'group_vars', 'group_vars/all', 'none.yaml'], { minLength: 1 }),
        (entries, given) => {
          using files = new InventoryFiles({ 'inventory.yaml': inventory });
          // Files first, so that nothing is written through a link or into a pipe.
          for (const { path, is } of entries.toSorted((one, other) => Number(one.is.kind !== 'file') - Number(other.is.kind !== 'file'))) {
            const absolute = join(files.directory, path);
            // What an earlier one made may be in the way of this one.
            try {
              if (is.kind === 'file') files.write(path, is.content);
              else mkdirSync(dirname(absolute), { recursive: true });
              if (is.kind === 'link') symlinkSync(is.target, absolute);
              if (is.kind === 'directory') mkdirSync(absolute);
              if (is.kind === 'pipe') execFileSync('mkfifo', [absolute], { stdio: 'ignore' });
            } catch {
              continue;
            }
          }
          endsWell(() => {
            const loaded = loadInventory(files.options({ files: given }));
            for (const host of loaded.hosts.keys()) loaded.explainAll(host);
          });
        },
      ),
      { numRuns: 300 },
    );
  });
  it('every problem is at a place that exists', () => {
    fc.assert(
      fc.property(yamlish, (text) => {
        using files = new InventoryFiles({ 'inventory.yaml': text });
        const lines = text.split(/\r\n|\r|\n/);
        for (const { line, column } of checkInventory(files.options()).problems) {
          expect(line).to.be.within(0, lines.length);
          if (line > 0) expect(column).to.be.within(1, (lines[line - 1] ?? '').length + 1);
        }
      }),
      { numRuns: 500 },
    );
  });
});
