import { execFile } from 'node:child_process';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** ansible-core of this release series is what inventories and patterns are compared with. */
const SERIES = '2.19';
const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

/**
 * A private virtual environment with ansible-core, made on first use and kept in the temporary directory. Takes about a minute the first time; needs
 * python3 with venv, and a package index. It is built under another name, so that an interrupted installation is never taken for a finished one.
 */
export async function ansibleHome(): Promise<string> {
  const home = join(tmpdir(), `kem-ansible-${SERIES}-${String(process.getuid?.() ?? 0)}`);
  if (await exists(home)) return home;
  const building = `${home}.${String(process.pid)}`;
  await mkdir(building, { recursive: true, mode: 0o700 });
  try {
    await run('python3', ['-m', 'venv', building]);
    await run(join(building, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ansible-core==${SERIES}.*`]);
    await writeFile(join(building, 'empty.cfg'), '');
    await rename(building, home).catch(async (reason: unknown) => {
      if (!(await exists(home))) throw reason;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return home;
}

const PROGRAMS = { ansible: ['-m', 'ansible.cli.adhoc'], 'ansible-inventory': ['-m', 'ansible.cli.inventory'], python: [] };

/** Runs one of ansible's programs, or python with ansible importable, without anybody's configuration; rejects unless it exits 0. */
export async function ansible(program: keyof typeof PROGRAMS, args: readonly string[], cwd: string): Promise<string> {
  const home = await ansibleHome();
  const environment = { PATH: process.env['PATH'] ?? '', HOME: home, LC_ALL: 'C.UTF-8', ANSIBLE_CONFIG: join(home, 'empty.cfg'), ANSIBLE_NOCOLOR: '1' };
  const { stdout } = await run(join(home, 'bin', 'python'), [...PROGRAMS[program], ...args], { cwd, env: environment, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

const MATCHER = `
import json, sys
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
files, patterns = json.loads(sys.argv[1])
manager = InventoryManager(loader=DataLoader(), sources=files)
print(json.dumps([[host.name for host in manager.list_hosts(pattern)] for pattern in patterns]))
`;

/** What `ansible PATTERN --list-hosts` lists, for many patterns at the cost of one start of Python. */
export async function ansibleHosts(files: readonly string[], patterns: readonly string[], cwd: string): Promise<readonly (readonly string[])[]> {
  return JSON.parse(await ansible('python', ['-c', MATCHER, JSON.stringify([files, patterns])], cwd)) as string[][];
}
