/** What is measured: how each tool is told to ask the ten questions, and how it is read whether all hosts answered and were found in order. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Farm, Way } from './farm.mts';
import type { Command, Measured } from './measure.mts';
import type { Environment } from './venv.mts';

const ROOT = join(import.meta.dirname, '../..');
const WORKLOAD = join(import.meta.dirname, 'workload');
/** How many hosts at a time, for tools that have to be told. */
export const FORKS = 32;

/** Some hosts of the farm, reached one way. */
export interface Scene {
  readonly farm: Farm;
  readonly way: Way;
  readonly hosts: number;
}

export interface Verdict {
  readonly inOrder: number;
  readonly differing: number;
}

export interface Tool {
  readonly name: string;
  /** Whether it ends with this program's own document. */
  readonly reports?: true;
  command(scene: Scene): Command;
  verdict(measured: Measured): Verdict;
}

const targetOf = ({ directory }: Farm): string => join(directory, 'home/target');

/** Makes what the ten questions are about, all of it in order, or with one file that is not. */
export function makeTarget(farm: Farm, state: 'in order' | 'different'): void {
  const owner = Number(execFileSync('id', ['-u', farm.user], { encoding: 'utf8' }));
  const group = Number(execFileSync('id', ['-g', farm.user], { encoding: 'utf8' }));
  const at = (name: string): string => join(targetOf(farm), name);
  for (const name of ['', 'etc', 'etc/conf.d', 'data']) {
    mkdirSync(at(name), { recursive: true, mode: 0o755 });
    chownSync(at(name), owner, group);
  }
  const write = (name: string, text: string): void => {
    writeFileSync(at(name), text, { mode: 0o644 });
    chownSync(at(name), owner, group);
  };
  for (const name of ['one', 'two', 'three', 'four']) write(`etc/conf.d/${name}.conf`, `name = ${state === 'different' && name === 'two' ? 'other' : name}\n`);
  write('etc/main.conf', 'listen = 127.0.0.1\nworkers = 4\n');
}

const some = ({ farm, hosts }: Scene): readonly string[] => farm.addresses.slice(0, hosts);
const portOf = ({ farm, way }: Scene): string => farm.ports[way].toString();

/** An inventory of the scene, written where the farm goes away with everything else. */
function inventoryOf(scene: Scene, lines: (address: string, index: number) => string, head: string, extension: string): string {
  const path = join(scene.farm.directory, `${scene.way}-${scene.hosts.toString()}.${extension}`);
  writeFileSync(path, head + some(scene).map(lines).join(''));
  return path;
}

const nameOf = (index: number): string => `bench-${(index + 1).toString()}`;

export const yamlInventory = (scene: Scene, group: 'all' | 'es_masters' = 'all'): string =>
  inventoryOf(
    scene,
    (address, index) => `${group === 'all' ? '' : '    '}    ${nameOf(index)}: {ansible_host: ${address}}\n`,
    `all:
  vars:
    ansible_port: ${portOf(scene)}
    ansible_user: ${scene.farm.user}
    ansible_ssh_private_key_file: ${scene.farm.key}
    connection_known_hosts_file: ${scene.farm.knownHosts}
    ten_directory: ${targetOf(scene.farm)}
    ten_owner: ${scene.farm.user}
${group === 'all' ? '  hosts:\n' : `  children:\n    ${group}:\n      hosts:\n`}`,
    `${group}.yaml`,
  );

export const rawSsh: Tool = {
  name: `xargs -P ${FORKS.toString()} ssh HOST true`,
  command: (scene) => {
    const options = ['-F', 'none', '-p', portOf(scene), '-l', scene.farm.user, '-i', scene.farm.key];
    const settings = [`UserKnownHostsFile=${scene.farm.knownHosts}`, 'IdentitiesOnly=yes', 'BatchMode=yes'].flatMap((setting) => ['-o', setting]);
    const script = '"$@" true 2>/dev/null && echo answered; true';
    return {
      argv: ['xargs', '-P', FORKS.toString(), '-I{}', 'sh', '-c', script, 'sh', 'ssh', ...options, ...settings, '{}'],
      input: `${some(scene).join('\n')}\n`,
    };
  },
  verdict: ({ stdout }) => ({ inOrder: stdout.split('\n').filter((line) => line === 'answered').length, differing: 0 }),
};

/** What the document says of a host; figures only of one that was reached. */
export interface HostReport {
  readonly outcome: string;
  readonly roundTrips?: number;
  readonly bytesSent?: number;
  readonly bytesReceived?: number;
}

export const reportsIn = ({ stdout }: Measured): readonly HostReport[] =>
  Object.values((JSON.parse(stdout) as { readonly hosts: Readonly<Record<string, HostReport>> }).hosts);

const outcomes = (measured: Measured): Verdict => {
  const reports = reportsIn(measured);
  const those = (outcome: string): number => reports.filter((report) => report.outcome === outcome).length;
  return { inOrder: those('converged'), differing: those('pending') };
};

export const ours: Tool = {
  name: 'this program',
  reports: true,
  command: (scene) => ({ argv: [process.execPath, join(WORKLOAD, 'ten.mts'), '-i', yamlInventory(scene), '--check', '--json'] }),
  verdict: outcomes,
};

/** A check that users run, with its facts, its refusals and its own questions. What it finds is the machine's: that it has an answer counts. */
export const site: Tool = {
  name: 'site --role os-limits --check',
  reports: true,
  command: (scene) => ({
    argv: [process.execPath, join(ROOT, 'playbooks/site.mts'), '-i', yamlInventory(scene, 'es_masters'), '--role', 'os-limits', '--check', '--json'],
  }),
  verdict: (measured) => {
    const { inOrder, differing } = outcomes(measured);
    return { inOrder: inOrder + differing, differing: 0 };
  },
};

function emptyFile({ directory }: Farm, name: string): string {
  writeFileSync(join(directory, name), '');
  return join(directory, name);
}

const recap = ({ stdout }: Measured): Verdict => {
  const those = (pattern: RegExp): number => stdout.split('\n').filter((line) => pattern.test(line)).length;
  const head = String.raw`^bench-\d+ +: ok=10 +changed=`;
  const tail = String.raw` +unreachable=0 +failed=0 `;
  return { inOrder: those(new RegExp(`${head}0${tail}`)), differing: those(new RegExp(`${head}[1-9]\\d*${tail}`)) };
};

const ansible = ({ bin }: Environment, scene: Scene, more: Readonly<Record<string, string>>): Command => ({
  argv: [join(bin, 'python'), join(bin, 'ansible-playbook'), '-i', yamlInventory(scene), '--check', join(WORKLOAD, 'ansible.yaml')],
  env: {
    ANSIBLE_CONFIG: emptyFile(scene.farm, 'ansible.cfg'),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_FORKS: FORKS.toString(),
    ANSIBLE_PIPELINING: '1',
    ANSIBLE_RETRY_FILES_ENABLED: '0',
    ANSIBLE_LOCAL_TEMP: join(scene.farm.directory, 'ansible'),
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
    ANSIBLE_SSH_ARGS: `-F none -C -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${scene.farm.knownHosts} -o IdentitiesOnly=yes`,
    ANSIBLE_SSH_CONTROL_PATH_DIR: join(scene.farm.directory, 'cp'),
    ...more,
  },
});

export const ansiblePipelining = (environment: Environment): Tool => ({
  name: `ansible, pipelining, ${FORKS.toString()} forks`,
  command: (scene) => ansible(environment, scene, {}),
  verdict: recap,
});

export const ansibleMitogen = (environment: Environment): Tool => ({
  name: `ansible + mitogen, ${FORKS.toString()} forks`,
  command: (scene) => ansible(environment, scene, { ANSIBLE_STRATEGY_PLUGINS: environment.strategies, ANSIBLE_STRATEGY: 'mitogen_linear' }),
  verdict: recap,
});

export const pyinfra = ({ bin }: Environment): Tool => ({
  name: 'pyinfra',
  command: (scene) => {
    const data = {
      ssh_port: scene.farm.ports[scene.way],
      ssh_user: scene.farm.user,
      ssh_key: scene.farm.key,
      ssh_known_hosts_file: scene.farm.knownHosts,
      ssh_strict_host_key_checking: 'yes',
      ten_directory: targetOf(scene.farm),
      ten_owner: scene.farm.user,
    };
    const inventory = inventoryOf(scene, (address) => `    (${JSON.stringify(address)}, data),\n`, `data = ${JSON.stringify(data)}\nhosts = [\n`, 'py');
    writeFileSync(inventory, ']\n', { flag: 'a' });
    return { argv: [join(bin, 'python'), join(bin, 'pyinfra'), inventory, join(WORKLOAD, 'pyinfra.py'), '--dry', '--json'] };
  },
  verdict: ({ stdout, stderr }) => {
    const { plan } = JSON.parse(stdout) as { readonly plan: readonly Readonly<Record<'hosts_with_change' | 'hosts_with_conditional_change', string[]>>[] };
    const differing = new Set(plan.flatMap((operation) => [...operation.hosts_with_change, ...operation.hosts_with_conditional_change])).size;
    const asked = new Set(stderr.match(/\[[\d.]+\] +Ready/g)).size;
    return { inOrder: asked - differing, differing };
  },
});
