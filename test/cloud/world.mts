/** Two instances of an inventory, a double of the Compute API, and the playbooks as their users start them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program, ROOT, SITE, type Ended, type Started } from '../cli/program.mts';
import { startDouble, type Double, type DoubleOptions } from './support.mts';

const GCP = join(ROOT, 'playbooks/gcp.mts');
export const PROJECT = 'demo-project';
export const ZONE = `projects/${PROJECT}/zones/asia-northeast3-a`;
export const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIOUPoqhKMY96loP4CUGHr/DNIs1oXC2CvwVa1yaqbRpE';

/** A resource as the double keeps it: only what is looked at here. */
export interface Kept {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly status?: string;
  readonly machineType?: string;
  readonly serviceAccounts?: readonly { readonly email: string; readonly scopes: readonly string[] }[];
  readonly deletionProtection?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tags?: { readonly items?: readonly string[] };
  readonly metadata?: { readonly items?: readonly { readonly key: string; readonly value: string }[] };
  readonly networkInterfaces?: readonly {
    readonly networkIP?: string;
    readonly accessConfigs?: readonly { readonly name: string; readonly natIP?: string }[];
  }[];
  readonly disks?: readonly { readonly source?: string; readonly deviceName?: string; readonly autoDelete?: boolean }[];
  readonly nats?: readonly { readonly name: string }[];
  readonly ipCidrRange?: string;
  readonly sizeGb?: string;
}

interface Report {
  readonly exitCode: number;
  readonly hosts: Readonly<
    Record<string, { readonly roles: Readonly<Record<string, { readonly changes: readonly { readonly resource: string; readonly field: string }[] }>> }>
  >;
}

/** A double and a directory to start playbooks in. */
export class World implements AsyncDisposable {
  readonly program = new Program();
  readonly double: Double;
  readonly inventory: string;

  private constructor(double: Double) {
    this.double = double;
    mkdirSync(this.program.path('.ssh'));
    this.program.write('.ssh/key.pub', `ssh-ed25519 ${KEY} me@here\n`);
    this.inventory = this.write();
  }

  static async begin(options: DoubleOptions = {}): Promise<World> {
    return new World(await startDouble(options));
  }

  /** es-01 with a data disk, and kibana-01 with an external address; `vars` are for all, `es` for the first, and `more` are hosts beside it. */
  write({ vars = {}, es = {}, more = {} }: { readonly vars?: object; readonly es?: object; readonly more?: object } = {}, name = 'cloud.yaml'): string {
    const common = {
      host_provider: 'gcp',
      gcp_project: PROJECT,
      gcp_zone: 'asia-northeast3-a',
      gcp_network: 'net',
      gcp_subnet: 'sub',
      gcp_subnet_range: '10.20.0.0/24',
      gcp_network_managed: true,
      gcp_labels: { team: 'metrics' },
      ansible_user: 'ops',
      ansible_ssh_private_key_file: this.program.path('.ssh/key'),
      ...vars,
    };
    const children = {
      es_masters: { hosts: { 'es-01': { private_address: '10.20.0.11', gcp_data_disk_gb: 20, ...es }, ...more } },
      monitoring: { hosts: { 'kibana-01': { private_address: '10.20.0.31', gcp_external_address: 'ephemeral' } } },
    };
    return this.program.write(name, JSON.stringify({ all: { vars: common, children } }));
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}, playbook = SITE): Started {
    return this.program.start(playbook, args, { env: { ...this.double.environment, ...env } });
  }
  /** The site playbook for instances alone. */
  site(...args: readonly string[]): Promise<Ended> {
    return this.start(['-i', this.inventory, '--role', 'gcp-instances', ...args]).ended;
  }
  gcp(...args: readonly string[]): Promise<Ended> {
    return this.start(args, {}, GCP).ended;
  }

  async kept(kind: string): Promise<readonly Kept[]> {
    return ((await this.double.resources(PROJECT)) as unknown as readonly Kept[]).filter((each) => each.kind === `compute#${kind}`);
  }
  async instance(name: string): Promise<Kept> {
    const found = (await this.kept('instance')).find((each) => each.name === name);
    if (found === undefined) throw new Error(`no instance ${name}`);
    return found;
  }
  /** Waits until something is there; the double works on operations for a while. */
  async until(what: string, is: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (await is()) return;
      await sleep(100);
    }
    throw new Error(`${what} did not come`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.double.close();
    this.program[Symbol.dispose]();
  }
}

export const changed = ({ stdout }: Ended): readonly string[] =>
  Object.entries((JSON.parse(stdout) as Report).hosts).flatMap(([host, { roles }]) =>
    Object.values(roles).flatMap(({ changes }) => changes.map(({ resource, field }) => `${host} ${resource}: ${field}`)),
  );
