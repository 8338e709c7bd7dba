/** A host with a kernel of its own and what is asked of it. It works inside of test/kernel/alone only, which ends all that is started here. */
import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../lib/index.mts';
import { command, document, eventually, must, ROOT, type Document, type Result, type Variables } from '../lab/support.mts';

/** Kept between runs for its base image, archive and key; git-ignored. */
export const LAB = join(ROOT, '.lab-test-kernel');
/** In memory, and gone with the tests. */
const HERE = join(LAB, 'host');
const CONSOLE = join(HERE, 'console.log');
const KEY = join(LAB, 'id_ed25519');
const KNOWN_HOSTS = join(HERE, 'known_hosts');

export const NAME = 'es-kernel';
export const ADDRESS = '10.77.0.2';
const GATEWAY = '10.77.0.1';

/** Assembled: inside of the tests' network nobody reaches the vendor. */
export const VARS: Variables = { elasticsearch_source: 'assembled', elasticsearch_heap: '256m' };

const program = (what: 'make' | 'run'): readonly string[] => [join(import.meta.dirname, 'host.sh'), LAB, NAME, ADDRESS, GATEWAY, what];
const ALONE = join(import.meta.dirname, 'alone');

export const make = (): Promise<string> => must(command('sh', program('make'), { timeoutMs: 120_000 }));

/** Nobody waits for it to end: it does when the tests do. */
export function boot(): void {
  const log = openSync(CONSOLE, 'a');
  spawn('sh', program('run'), { stdio: ['ignore', log, log] }).unref();
}

/** Another one in namespaces inside of these. */
export const bootAlone = (): ChildProcess =>
  spawn(ALONE, ['sh', '-c', `sh ${program('make').map(quote).join(' ')} && exec sh ${program('run').map(quote).join(' ')}`], { stdio: 'ignore' });

/** The processes of every such kernel, its own and those it runs programs in. */
export const kernels = (): readonly string[] =>
  globSync('/proc/[0-9]*/cmdline').filter((file) => {
    try {
      return readFileSync(file, 'utf8').startsWith(join(import.meta.dirname, 'kernel'));
    } catch {
      return false;
    }
  });

/** One command, as root, in a login of its own. */
export function onHost(script: string): Promise<Result> {
  const options = ['BatchMode=yes', 'IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=3', 'LogLevel=ERROR'];
  const files = [`UserKnownHostsFile=${KNOWN_HOSTS}`, 'GlobalKnownHostsFile=/dev/null'];
  const words = [...options, ...files].flatMap((option) => ['-o', option]);
  return command('ssh', ['-F', 'none', ...words, '-i', KEY, `ops@${ADDRESS}`, `sudo sh -c ${quote(script)}`]);
}

export const said = async (script: string): Promise<string> => (await must(onHost(script))).trim();

/** Waits until somebody is let in under another boot than that one, and gives its id. */
export async function bootAfter(before: string, within: number): Promise<string> {
  let now = before;
  try {
    await eventually(`${NAME} lets somebody in`, within, async () => {
      now = await said('cat /proc/sys/kernel/random/boot_id');
      return now !== before;
    });
  } catch (error) {
    throw new Error(`its console ends with:\n${readFileSync(CONSOLE, 'utf8').slice(-3000)}`, { cause: error });
  }
  return now;
}

/** An inventory as somebody writes it who has this one host. */
export function inventory(vars: Variables = {}): string {
  const path = join(HERE, 'inventory.yaml');
  const all = { ...VARS, ansible_user: 'ops', ansible_become: true, ansible_ssh_private_key_file: KEY, connection_known_hosts_file: KNOWN_HOSTS, ...vars };
  const children = { es_masters: { hosts: { [NAME]: { ansible_host: ADDRESS } } } };
  writeFileSync(path, JSON.stringify({ all: { vars: all, children } }, undefined, 2));
  return path;
}

/** Runs a playbook on it; Elasticsearch takes minutes to start there. */
export const run = (playbook: 'site' | 'drift', ...args: readonly string[]): Promise<Document & { readonly text: string; readonly ms: number }> =>
  document(playbook, args, { env: { LAB_DIR: LAB, RUNS_DIR: join(HERE, 'runs') }, timeoutMs: 800_000 });
