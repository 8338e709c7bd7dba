/** The tools that this program is compared with, in a virtual environment of their own. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const CACHE = join(import.meta.dirname, '../../.bench');

export interface Environment {
  readonly bin: string;
  /** Where mitogen keeps its strategies for Ansible. */
  readonly strategies: string;
}

/** Another set of versions has another place. */
const home = (): string => join(CACHE, `venv-${createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12)}`);

/** Installs what is missing; takes about a minute, once. An installation that was interrupted is begun anew. */
export function installTools(): void {
  const finished = join(home(), 'finished');
  if (existsSync(finished)) return;
  process.stderr.write(`installing what is compared (${readFileSync(REQUIREMENTS, 'utf8').trim().split('\n').join(', ')}) into .bench\n`);
  rmSync(home(), { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  execFileSync('python3', ['-m', 'venv', home()], { stdio: 'inherit' });
  execFileSync(join(home(), 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS], { stdio: 'inherit' });
  writeFileSync(finished, '');
}

export function environment(): Environment {
  const python = join(home(), 'bin/python');
  const at = execFileSync(python, ['-c', 'import ansible_mitogen; print(ansible_mitogen.__path__[0])'], { encoding: 'utf8' }).trim();
  return { bin: join(home(), 'bin'), strategies: join(at, 'plugins/strategy') };
}

export function versionsOf({ bin }: Environment): Readonly<Record<string, string>> {
  const text = execFileSync(join(bin, 'python'), ['-m', 'pip', 'list', '--format', 'json', '--disable-pip-version-check'], { encoding: 'utf8' });
  const all = JSON.parse(text) as { readonly name: string; readonly version: string }[];
  return Object.fromEntries(all.filter(({ name }) => ['ansible-core', 'mitogen', 'pyinfra'].includes(name)).map(({ name, version }) => [name, version]));
}
