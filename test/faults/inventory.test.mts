/** Faults of what the program is given: inventories, arguments, keys. Each is refused before anybody is contacted, which a listener in place of the host counts. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Program, ROOT, said, SITE, type Ended } from '../cli/program.mts';
import { seen } from './support.mts';
import { row } from './table.mts';

const ADDRESS = '127.78.251.1';

describe('faults of inventories, arguments and keys', function () {
  let connections = 0;
  let port = 0;
  const listener = net.createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  before(async () => {
    listener.listen(0, ADDRESS);
    await once(listener, 'listening');
    port = (listener.address() as net.AddressInfo).port;
  });
  after(() => listener.close());

  const where = (): string => `ansible_host: ${ADDRESS}, ansible_port: ${String(port)}`;
  /** One candidate for the master, with these further variables. */
  const oneHost = (more = '', vars = ''): string => `all:\n  vars: {${vars}}\n  children:\n    es_masters:\n      hosts:\n        es-01: {${where()}${more}}\n`;

  const check = async (program: Program, args: readonly string[], expected: { readonly code?: number; readonly site?: string } = {}): Promise<Ended> => {
    const before = connections;
    const ended = await program.run(expected.site ?? SITE, ['--check', ...args]);
    expect(ended.code, said(ended)).to.equal(expected.code ?? 4);
    expect(connections - before, 'nobody is contacted').to.equal(0);
    expect(said(ended)).to.not.include('this is a bug');
    return ended;
  };
  interface Refusal {
    readonly number: number;
    readonly fault: string;
    readonly done: string;
    readonly expected: string;
    readonly inventory: string | (() => string | Buffer);
    readonly args?: readonly string[];
    readonly telling: RegExp;
    /** Further lines that must be there. */
    readonly also?: readonly RegExp[];
    readonly code?: number;
  }
  const refusal = ({ number, inventory, args = [], telling, also = [], code, ...what }: Refusal): void => {
    row(number, what, async () => {
      using program = new Program();
      const file = program.path('inventory.yaml');
      writeFileSync(file, typeof inventory === 'string' ? inventory : inventory());
      const ended = await check(program, ['-i', file, ...args], code === undefined ? {} : { code });
      for (const one of also) expect(said(ended)).to.match(one);
      return seen(ended, telling);
    });
  };

  row(1, { fault: 'inventory file missing', done: '-i lap.yaml beside a lab.yaml', expected: 'exit 4, path, reason and the near name' }, async () => {
    using program = new Program();
    program.write('lab.yaml', oneHost());
    return seen(await check(program, ['-i', 'lap.yaml']), /lap\.yaml {2}error {2}no such file — did you mean "lab\.yaml"\?/);
  });
  row(1, { fault: 'inventory is a directory', done: '-i inventory', expected: 'exit 4, the files in it' }, async () => {
    using program = new Program();
    program.write('inventory/lab.yaml', oneHost());
    return seen(await check(program, ['-i', 'inventory']), /is a directory — name the files: -i inventory\/lab\.yaml/);
  });
  row(1, { fault: 'inventory unreadable', done: 'mode 0000, read by a user who is not root', expected: 'exit 4, permission denied' }, () => {
    using program = new Program();
    chmodSync(program.write('inventory.yaml', oneHost()), 0o000);
    chmodSync(program.directory, 0o755);
    const asOther = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
    const { status, stdout, stderr } = spawnSync('env', [...asOther, process.execPath, SITE, '--check', '-i', 'inventory.yaml'], {
      cwd: program.directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: program.directory },
    });
    const ended = { code: status, stdout, stderr, ms: 0 };
    expect(status, said(ended)).to.equal(4);
    return seen(ended, /inventory\.yaml {2}error {2}cannot be read: permission denied/);
  });

  for (const [done, inventory] of [
    ['a file of 0 bytes', ''],
    ['only comments', '# hosts come here\n#\n'],
    ['only ---', '---\n'],
  ] as const)
    refusal({
      number: 2,
      fault: 'empty inventory',
      done,
      expected: 'exit 4, "the inventory is empty"',
      inventory,
      telling: /error {2}the inventory is empty — start from a copy of inventory\/lab\.yaml/,
    });

  const syntax = { number: 3, expected: 'exit 4, file:line:column, excerpt and hint' } as const;
  refusal({
    ...syntax,
    fault: 'tab indent',
    done: 'line 3 begins with a tab',
    inventory: 'all:\n  hosts:\n\tes-01:\n',
    telling: /inventory\.yaml:3:1 {2}error .*tab characters.* — indent with spaces/,
    also: [/^ *\^$/m],
  });
  refusal({
    ...syntax,
    fault: 'bad indent',
    done: 'a host begins one column to the left',
    inventory: 'all:\n  hosts:\n    es-01:\n   es-02:\n',
    telling: /inventory\.yaml:4:4 {2}error .*bad indentation.* — check the indentation/,
    also: [/^ +es-02:\n +\^$/m],
  });
  refusal({
    ...syntax,
    fault: 'unclosed quote',
    done: 'ansible_host: "10.0.0.1',
    inventory: 'all:\n  hosts:\n    es-01: {ansible_host: "10.0.0.1}\n',
    telling: /inventory\.yaml:\d+:\d+ {2}error .* — a quote .* never closed/,
  });

  const twice = { number: 4, expected: 'exit 4, both places' } as const;
  refusal({
    ...twice,
    fault: 'duplicate key',
    done: 'a variable twice',
    inventory: 'all:\n  vars:\n    x_a: 1\n    x_a: 2\n  hosts: {es-01: }\n',
    telling: /inventory\.yaml:4:5 {2}error {2}duplicate key "x_a" — first at \S+inventory\.yaml:3:5/,
  });
  refusal({
    ...twice,
    fault: 'duplicate host',
    done: 'a host twice in a group',
    inventory: 'all:\n  hosts:\n    es-01:\n    es-01:\n',
    telling: /inventory\.yaml:4:5 {2}error {2}duplicate key "es-01" — first at \S+inventory\.yaml:3:5/,
  });
  refusal({
    ...twice,
    fault: 'one address twice',
    done: 'two hosts with one ansible_host',
    inventory: () => `all:\n  hosts:\n    es-01: {${where()}}\n    es-02: {${where()}}\n`,
    telling: /inventory\.yaml:4:\d+ {2}error {2}hosts es-01 and es-02 have the same address.* — the other is at \S+inventory\.yaml:3:/,
  });

  const typo = { number: 5, expected: 'exit 4, did you mean' } as const;
  refusal({
    ...typo,
    fault: 'unknown key',
    done: 'childern',
    inventory: 'all:\n  hosts: {es-01: }\n  childern:\n    es_masters:\n',
    telling: /:3:3 {2}error {2}unknown key "childern" in group all — did you mean "children"\?/,
  });
  refusal({
    ...typo,
    fault: 'unknown variable of a role',
    done: 'elasticsearch_heep',
    inventory: () => oneHost(', elasticsearch_heep: 1g'),
    telling: /unknown variable "elasticsearch_heep" — did you mean "elasticsearch_heap"\?/,
  });
  refusal({
    ...typo,
    fault: 'unknown variable of the connection',
    done: 'ansible_prot',
    inventory: 'all:\n  hosts: {es-01: {ansible_prot: 22}}\n',
    telling: /unknown variable "ansible_prot" — did you mean "ansible_port"\?/,
  });
  refusal({
    ...typo,
    fault: 'unknown role',
    done: '--role os-limit',
    inventory: () => oneHost(),
    args: ['--role', 'os-limit'],
    telling: /no role "os-limit" in site; did you mean os-limits\?/,
  });

  for (const [value, telling] of [
    ['70000', /kafka_port must be from 1024 to 65535, not 70000/],
    ['-1', /kafka_port must be from 1024 to 65535, not -1/],
    ['"9092"', /kafka_port must be a number, not the text "9092" — remove the quotes: 9092/],
    ['1e3', /kafka_port must be from 1024 to 65535, not 1e3/],
    ['9092e0', /kafka_port: "9092e0" is an unusual way to write a number — write 9092/],
  ] as const)
    refusal({
      number: 6,
      fault: 'port that is none',
      done: `kafka_port: ${value}`,
      expected: 'exit 4, the allowed range; text told apart',
      inventory: () => oneHost(`, kafka_port: ${value}`),
      telling,
    });

  refusal({
    number: 7,
    fault: 'version unquoted',
    done: 'elasticsearch_version: 7.10',
    expected: 'exit 4, quote it',
    inventory: () => oneHost(', elasticsearch_version: 7.10'),
    telling: /elasticsearch_version must be text, and YAML reads 7\.10 as 7\.1 — quote it: "7\.10"/,
  });

  const hurt = { number: 8, expected: 'exit 4 within a second of CPU beyond the start, at most 200 MB', fault: 'an inventory made to hurt' } as const;
  for (const [done, text, telling] of [
    ['10 MB of YAML', () => `all:\n  vars:\n    a: ${'x'.repeat(10 * 2 ** 20)}\n`, /is 10\.0 MiB, more than the 1 MiB/],
    [
      'an alias bomb of 9^8',
      () =>
        `all:\n  vars:\n    l0: &l0 [x,x,x,x,x,x,x,x,x]\n${[1, 2, 3, 4, 5, 6, 7].map((n) => `    l${String(n)}: &l${String(n)} [${Array.from({ length: 9 }, () => `*l${String(n - 1)}`).join(',')}]\n`).join('')}`,
      /aliases expand to more than|more than \d+ aliases/,
    ],
    ['20 000 brackets deep', () => `all: ${'['.repeat(20_000)}`, /error .*(nest|deep|depth)/],
  ] as const)
    row(8, { ...hurt, done }, async () => {
      using program = new Program();
      const small = measured(program, program.write('small.yaml', 'all:\n'));
      const file = program.write('inventory.yaml', text());
      const large = measured(program, file);
      expect(large.megabytes, 'MB').to.be.below(200);
      expect(large.seconds - small.seconds, 'seconds').to.be.below(1);
      const ended = await check(program, ['-i', file]);
      return `${seen(ended, telling)} (${large.seconds.toFixed(1)} s of CPU, of which the start is ${small.seconds.toFixed(1)}; ${large.megabytes.toFixed(0)} MB)`;
    });

  const tag = { number: 9, expected: 'exit 4 with the line; the tag or key is named' } as const;
  refusal({
    ...tag,
    fault: '__proto__ and constructor as keys',
    done: 'variables of these names',
    inventory: 'all:\n  hosts:\n    es-01:\n      __proto__: {a: 1}\n      constructor: 1\n',
    telling: /:4:7 {2}error {2}key "__proto__" is not accepted/,
    also: [/:5:7 {2}error {2}key "constructor" is not accepted/],
  });
  refusal({
    ...tag,
    fault: '!!js/function',
    done: 'a variable with the tag',
    inventory: 'all:\n  hosts: {es-01: }\n  vars:\n    x_y: !!js/function "() => 1"\n',
    telling: /:4:10 {2}error {2}tag "!!js\/function" is not accepted/,
  });
  refusal({
    ...tag,
    fault: '!vault',
    done: 'a variable with the tag',
    inventory: 'all:\n  hosts: {es-01: }\n  vars:\n    x_y: !vault |\n      $ANSIBLE_VAULT;1.1\n',
    telling: /:4:10 {2}error {2}tag "!vault" is not accepted — .*\{secret: file:PATH\}/,
  });

  for (const [done, key] of [
    ['a;rm -rf /', 'a;touch PWNED'],
    ['$(id)', '"$(touch PWNED)"'],
    ['-oProxyCommand=x', '-oProxyCommand=touch PWNED'],
    ['a newline', '"es\\n01"'],
    ['NUL', '"es\\0"'],
    ['an emoji', '"🐘"'],
    ['300 characters', 'e'.repeat(300)],
  ] as const)
    row(10, { fault: 'a host name that is none', done, expected: 'exit 4 by its form; no shell sees it, the terminal is not driven' }, async () => {
      using program = new Program();
      const file = program.write('inventory.yaml', `all:\n  hosts:\n    ${key}: {ansible_host: ${ADDRESS}}\n`);
      const ended = await check(program, ['-i', file]);
      expect(existsSync(program.path('PWNED'))).to.equal(false);
      expect(said(ended)).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f]/);
      return seen(ended, /error {2}host name ".*" is not valid/).slice(0, 200);
    });

  for (const [done, value] of [
    ['a quote', `"kafka's"`],
    ['a percent sign', '"100%n"'],
    ['${x}', '"${HOME}"'],
    ['a newline', '"a\\nnode.name: b"'],
  ] as const)
    for (const name of ['elasticsearch_cluster_name', 'kafka_cluster_name'])
      refusal({
        number: 11,
        fault: 'cluster name that a file could read otherwise',
        done: `${name} with ${done}`,
        expected: 'exit 4, what is allowed',
        inventory: () => oneHost(`, ${name}: ${value}`),
        telling: new RegExp(`${name} must be letters, digits, .*"_" and "-", at most 63`),
      });

  for (const [done, value, telling] of [
    ['../../etc/passwd', '../../etc/passwd', /kafka_data_dirs\.0 must be an absolute path without/],
    ['/var/lib/../../etc/cron.d', '/var/lib/../../etc/cron.d', /kafka_data_dirs\.0 must be an absolute path without/],
    ['/etc', '/etc', /kafka_data_dirs\.0 must be a folder of its own.* belongs to the system/],
  ] as const)
    refusal({
      number: 12,
      fault: 'a path that leads elsewhere',
      done: `kafka_data_dirs: [${done}]`,
      expected: 'exit 4, nothing written',
      inventory: () => `all:\n  children:\n    controllers:\n      hosts:\n        b-1: {${where()}, kafka_data_dirs: [${value}]}\n`,
      telling,
    });

  refusal({
    number: 13,
    fault: 'groups that contain each other',
    done: 'a > b > c > a',
    expected: 'exit 4, the cycle',
    inventory: 'all:\n  children:\n    a: {hosts: {es-01: }, children: {b: {children: {c: {children: {a: }}}}}}\n',
    telling: /groups contain each other: [abc] > [abc] > [abc] > [abc]/,
  });
  row(
    13,
    { fault: 'a group without hosts', done: 'brokres: {}, by a slip, beside brokers', expected: 'a notice that the group has no hosts; the check goes on' },
    async () => {
      using program = new Program();
      const file = program.write(
        'inventory.yaml',
        'all:\n  children:\n    es_masters: {hosts: {es-01: {ansible_connection: local, private_address: 127.0.0.1}}}\n    es_master: {hosts: {}}\n',
      );
      const ended = await program.run(SITE, ['-i', file, '--check', '--role', 'os-limits']);
      expect([0, 2], said(ended)).to.include(ended.code);
      return seen(ended, /group es_master has no hosts — did you mean "es_masters"\?/);
    },
  );

  refusal({
    number: 14,
    fault: 'no host matches --limit',
    done: '--limit es-09',
    expected: 'exit 4, close names; no success on 0 hosts',
    inventory: () => oneHost(),
    args: ['--limit', 'es-09'],
    telling: /no host or group is named "es-09" — did you mean "es-01"\?/,
  });
  refusal({
    number: 14,
    fault: 'no host matches --limit',
    done: '--limit of a group without hosts',
    expected: 'exit 4, the group has no hosts',
    inventory: () => `${oneHost()}    empty:\n`,
    args: ['--limit', 'empty'],
    telling: /no host matches "empty" — the group empty has no hosts/,
  });
  refusal({
    number: 14,
    fault: 'no host matches --limit',
    done: '--limit es_masters:!es-01',
    expected: 'exit 4',
    inventory: () => oneHost(),
    args: ['--limit', 'es_masters:!es-01'],
    telling: /no host matches "es_masters:!es-01"/,
  });

  refusal({
    number: 15,
    fault: 'a service for everybody',
    done: 'private_address: 0.0.0.0',
    expected: 'exit 4: no address of the host',
    inventory: () => oneHost(', private_address: 0.0.0.0'),
    telling: /private_address must be one of the host's own IP addresses/,
  });
  refusal({
    number: 15,
    fault: 'a service on a public address',
    done: 'private_address: 34.1.2.3, Elasticsearch',
    expected: 'exit 5 with the reason and what to set',
    inventory: 'all:\n  children:\n    es_masters:\n      hosts:\n        es-01: {ansible_connection: local, private_address: 34.1.2.3}\n',
    args: ['--role', 'elasticsearch'],
    code: 5,
    telling: /Elasticsearch without a login would listen on 34\.1\.2\.3, which is no private address/,
    also: [/hint: set private_address of es-01/],
  });
  refusal({
    number: 15,
    fault: 'a port open to the world',
    done: 'firewall_gcloud_operators: [0.0.0.0/0]',
    expected: 'exit 5 before gcloud is asked, with the way that is meant',
    inventory:
      'all:\n  vars: {gcp_project: my-project-123, gcp_zone: europe-west1-b, firewall_gcloud_operators: [0.0.0.0/0]}\n  children:\n    monitoring:\n      hosts:\n        mon-01: {host_provider: gcp, private_address: 10.0.0.5}\n',
    args: ['--role', 'firewall-gcloud'],
    code: 5,
    telling: /0\.0\.0\.0\/0/,
  });

  const keys: readonly (readonly [string, (directory: string) => string, RegExp])[] = [
    ['a file that is not there', (directory) => join(directory, 'none'), /the private key \S+ cannot be read: ENOENT/],
    ['mode 0644', (directory) => made(directory, '', 0o644), /the private key \S+ is readable by others \(mode 0644\)/],
    ['encrypted, and no agent', (directory) => made(directory, 'a phrase', 0o600), /the private key \S+ is encrypted/],
    ['the public half', (directory) => `${made(directory, '', 0o600)}.pub`, /\S+\.pub is a public key; the private one is needed/],
    ['no key', (directory) => written(directory, 'hello\n'), /is no private key that can be used here/],
    ...(
      [
        ['X25519, which signs nothing', 'genpkey', '-algorithm', 'X25519'],
        ['Ed25519 in PKCS#8', 'genpkey', '-algorithm', 'ed25519'],
        ['a curve that ssh does not have', 'ecparam', '-name', 'secp256k1', '-genkey', '-noout'],
      ] as const
    ).map(([kind, ...openssl]): (typeof keys)[number] => [
      kind,
      (directory) => written(directory, execFileSync('openssl', openssl, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })),
      /is no private key that can be used here/,
    ]),
  ];
  for (const [done, make, telling] of keys)
    row(16, { fault: 'a private key that cannot be used', done, expected: 'exit 4 with the way out, before any connection' }, async () => {
      using program = new Program();
      const file = program.write('inventory.yaml', oneHost(`, ansible_ssh_private_key_file: ${make(program.directory)}`));
      const ended = await check(program, ['-i', file]);
      expect(said(ended)).to.match(/hint: /);
      return seen(ended, telling).replaceAll(program.directory, '');
    });

  for (const [done, from, to, telling] of [
    [
      'a digest of 60 characters',
      'sha256: f6de',
      'sha256: ',
      /artifacts\.yaml:\d+:\d+ {2}error {2}elasticsearch\.7\.10\.2\.official\.sha256 must be 64 hexadecimal digits/,
    ],
    ['a digest in capitals', 'sha256: f6de', 'sha256: F6DE', /sha256 must be 64 hexadecimal digits in lower case/],
    ['a file that is no YAML', '    official:', '   official', /artifacts\.yaml:\d+:\d+ {2}error {2}not valid YAML/],
  ] as const)
    row(38, { fault: 'a wrong digest in inventory/artifacts.yaml', done, expected: 'exit 4 with the place before anybody is contacted' }, async () => {
      using copy = projectCopy();
      const catalogue = join(copy.directory, 'inventory/artifacts.yaml');
      writeFileSync(catalogue, readFileSync(catalogue, 'utf8').replace(from, to));
      using program = new Program();
      const file = program.write('inventory.yaml', oneHost());
      const site = join(copy.directory, 'playbooks/site.mts');
      const syntaxCheck = await program.run(site, ['-i', file, '--syntax-check']);
      expect(syntaxCheck.code, said(syntaxCheck)).to.equal(4);
      return seen(await check(program, ['-i', file], { site }), telling).replaceAll(copy.directory, '');
    });
});

function made(directory: string, phrase: string, mode: number): string {
  const file = join(directory, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', phrase, '-f', file]);
  chmodSync(file, mode);
  return file;
}

function written(directory: string, text: string): string {
  const file = join(directory, 'key');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** CPU time and peak memory of a check that ends with 4. */
function measured(program: Program, inventory: string): { readonly seconds: number; readonly megabytes: number } {
  const file = program.path('measured');
  const script = '/usr/bin/time -f "%M %U %S" -o "$1" "$2" "$3" --check -i "$4" >/dev/null 2>&1; test $? = 4';
  execFileSync('sh', ['-c', script, 'sh', file, process.execPath, SITE, inventory], { cwd: program.directory });
  const [kilobytes = 0, user = 0, system = 0] = (readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { seconds: user + system, megabytes: kilobytes / 1024 };
}

/** The program with files of its own. */
function projectCopy(): Disposable & { readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'kem-copy-'));
  mkdirSync(join(directory, 'inventory'));
  for (const name of ['lib', 'roles', 'playbooks']) cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  for (const name of ['package.json', 'inventory/artifacts.yaml']) copyFileSync(join(ROOT, name), join(directory, name));
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return {
    directory,
    [Symbol.dispose]: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
