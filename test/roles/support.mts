/** Contexts of roles from a few lines of inventory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadInventory } from '../../lib/inventory/load.mts';
import type { Change, Context, Contract, Facts, Host, HostName, Answer, Inventory, Resource } from '../../lib/index.mts';
import { hostName } from '../../lib/index.mts';
import { compileSteps } from '../../lib/shell/steps.mts';
import { catalogue } from '../../roles/index.mts';

export const FACTS: Facts = {
  os: 'debian',
  version: '12',
  arch: 'x86_64',
  cpus: 4,
  memoryBytes: 16 * 1024 ** 3,
  init: 'systemd',
  bootId: 'b',
  uid: 0,
  tools: new Set(['curl', 'tar']),
  limits: { nofile: { soft: 1024, hard: 1048576 }, nproc: { soft: 1000, hard: 1000 }, memlock: { soft: 65536, hard: 65536 } },
  mayRaiseLimits: true,
  nrOpen: 1048576,
  aheadMs: 0,
};

export function inventory(yaml: string): Inventory {
  const directory = mkdtempSync(join(tmpdir(), 'roles-'));
  try {
    writeFileSync(join(directory, 'hosts.yaml'), yaml);
    return loadInventory({
      files: ['hosts.yaml'],
      directory,
      contracts: catalogue.map(({ contract }) => contract),
      environment: { HOME: directory, USER: 'ops' },
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Three masters at 10.0.0.11-13 with `vars` for all of them, in YAML flow style. */
export const threeMasters = (vars = '{}', hosts: Readonly<Record<string, string>> = {}): Inventory =>
  inventory(`all:
  vars: ${vars}
  children:
    es_masters:
      hosts:
${[1, 2, 3].map((n) => `        es-0${String(n)}: {private_address: 10.0.0.1${String(n)}${hosts[`es-0${String(n)}`] ?? ''}}\n`).join('')}`);

export function hostOf(from: Inventory, name: string): Host {
  const host = from.hosts.get(hostName(name));
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}

export function context<V, P = never>(
  contract: Contract<V>,
  from: Inventory,
  name: string,
  facts: Partial<Facts> = {},
  peers: ReadonlyMap<HostName, Answer<P>> = new Map(),
): Context<V, P> {
  const host = hostOf(from, name);
  return { host, vars: host.vars(contract), facts: { ...FACTS, ...facts }, inventory: from, peers, within: new Set(from.hosts.keys()), upcoming: () => [] };
}

/** The text of every step that a resource would take if all of it had to be done. */
export function steps(resource: Resource): string {
  const changes = ['content', 'active', 'unpacked'].map((field): Change => ({ field, from: { kind: 'absent' }, to: { kind: 'absent' } }));
  const all = compileSteps(resource, changes);
  return all.map((step) => (step.at === 'host' ? [step.script, ...step.payloads.map(String)].join('\n') : JSON.stringify(step))).join('\n');
}

export function find(resources: readonly Resource[], id: string): Resource {
  const found = resources.find((resource) => resource.id === id);
  if (found === undefined) throw new Error(`no resource ${id} among: ${resources.map((resource) => resource.id).join(', ')}`);
  return found;
}
