/** Instances as gcloud lists them, and an inventory that wants them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer, Inventory, Question, Raw } from '../../../lib/index.mts';
import { instanceList, type Instance } from '../../../roles/gcp-instances/instance.mts';
import { inventory } from '../support.mts';

/** A key pair's public half, made for these tests. */
export const PUBLIC_KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIOUPoqhKMY96loP4CUGHr/DNIs1oXC2CvwVa1yaqbRpE';

/** A directory with `key.pub`, gone after use. */
export class KeyPair implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'gcp-key-'));
  readonly path = join(this.directory, 'key');
  constructor(line = `ssh-ed25519 ${PUBLIC_KEY} me@here\n`) {
    writeFileSync(`${this.path}.pub`, line);
  }
  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** `es-01` with a data disk, and `kibana-01` with an external address; `vars` are for both, `es` for the first. */
export const twoInstances = (
  key: KeyPair,
  { vars = '', es = '', disk = 100 }: { readonly vars?: string; readonly es?: string; readonly disk?: number } = {},
): Inventory =>
  inventory(`all:
  vars: { host_provider: gcp, gcp_project: my-project, gcp_zone: asia-northeast3-a, gcp_network: net, gcp_subnet: sub, gcp_subnet_range: 10.20.0.0/24, gcp_network_managed: true,
          ansible_user: ops, ansible_ssh_private_key_file: ${key.path}${vars} }
  children:
    es_masters: { hosts: { es-01: { private_address: 10.20.0.11, gcp_data_disk_gb: ${String(disk)}${es} } } }
    monitoring: { hosts: { kibana-01: { private_address: 10.20.0.31, gcp_external_address: ephemeral } } }
`);

export const link = (rest: string): string => `https://www.googleapis.com/compute/v1/projects/my-project/${rest}`;

/** `es-01` as the inventory above wants it. */
export const ES_01 = {
  id: '4512345678901234567',
  name: 'es-01',
  status: 'RUNNING',
  zone: link('zones/asia-northeast3-a'),
  machineType: link('zones/asia-northeast3-a/machineTypes/e2-standard-4'),
  networkInterfaces: [
    { name: 'nic0', network: link('global/networks/net'), subnetwork: link('regions/asia-northeast3/subnetworks/sub'), networkIP: '10.20.0.11' },
  ],
  disks: [
    { boot: true, autoDelete: true, deviceName: 'persistent-disk-0', source: link('zones/asia-northeast3-a/disks/es-01'), diskSizeGb: '30' },
    { boot: false, autoDelete: false, deviceName: 'data', source: link('zones/asia-northeast3-a/disks/es-01-data'), diskSizeGb: '100' },
  ],
  labels: { 'managed-by': 'kafka-mon', team: 'somebody' },
  tags: { items: ['kafka-mon-es-masters', 'somebody'], fingerprint: 'x=' },
  metadata: {
    items: [
      { key: 'enable-guest-attributes', value: 'TRUE' },
      { key: 'enable-oslogin', value: 'FALSE' },
      { key: 'ssh-keys', value: `ops:ssh-ed25519 ${PUBLIC_KEY} ops` },
      { key: 'somebody', value: 'x' },
    ],
  },
  deletionProtection: true,
  lastStartTimestamp: '2026-11-24T05:56:43.302-07:00',
} as const;

/** What the role reads of a list that gcloud printed. */
export function listed(...items: readonly object[]): readonly Instance[] {
  const answer = answerOf(instanceList({ project: 'my-project', network_managed: true }), { stdout: JSON.stringify(items) });
  if (answer.kind === 'unavailable') throw new Error(answer.reason);
  return answer.value;
}

/** The answer of a question when every call of gcloud prints the same, or what is given for the call whose words hold a text. */
export function answerOf<T>(
  question: Question<T>,
  ...outputs: readonly { readonly call?: string; readonly code?: number; readonly stdout?: string; readonly stderr?: string }[]
): Answer<T> {
  return question.read((ask): Raw => {
    const words = ask.at === 'controller' ? ask.argv.join(' ') : '';
    const { code = 0, stdout = '', stderr = '' } = outputs.find(({ call = '' }) => words.includes(call)) ?? { code: 1 };
    return { kind: 'value', bytes: Buffer.from(JSON.stringify({ code, stdout, stderr })) };
  });
}
