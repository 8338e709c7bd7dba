/** The instance that a host of the inventory is to be, and the calls that make it. */
import { gcloud, type Host } from '../../lib/index.mts';
import { dataDiskOf, gcp, hostTags, type GcpVars } from './contract.mts';
import { OWNER } from './instance.mts';
import { loginKey, withKey, type LoginKey } from './login.mts';

export type Argv = readonly [string, ...string[]];

export interface WantedInstance extends GcpVars {
  readonly name: string;
  /** `undefined` where the inventory gives none, which the role refuses. */
  readonly privateAddress: string | undefined;
  readonly allTags: readonly string[];
  readonly allLabels: Readonly<Record<string, string>>;
  /** Without `ssh-keys`, in which others may have lines. */
  readonly allMetadata: Readonly<Record<string, string>>;
  /** Put into the instance's own metadata; none with OS Login. */
  readonly key: LoginKey | undefined;
  readonly dataDisk: { readonly name: string; readonly gb: number } | undefined;
}

export function wantedInstance(host: Host): WantedInstance {
  const vars = host.vars(gcp);
  const key = vars.login === 'metadata' ? loginKey(host) : undefined;
  return {
    ...vars,
    name: host.name,
    privateAddress: host.privateAddress,
    allTags: hostTags(host),
    allLabels: { ...vars.labels, [OWNER]: vars.prefix },
    // FALSE, because the project may say TRUE for all instances, and keys in metadata mean nothing then.
    allMetadata: { ...vars.metadata, 'enable-guest-attributes': 'TRUE', 'enable-oslogin': vars.login === 'os-login' ? 'TRUE' : 'FALSE' },
    key: key === undefined || 'problem' in key ? undefined : key,
    dataDisk: vars.data_disk_gb === undefined ? undefined : { name: dataDiskOf(host), gb: vars.data_disk_gb },
  };
}

/** A call about one instance. */
export const about = ({ name, zone, project }: Pick<WantedInstance, 'name' | 'zone' | 'project'>, verb: string, ...flags: readonly string[]): Argv =>
  gcloud(['compute', 'instances', verb, name, `--zone=${zone}`, ...flags], { project });

export function diskCreation({ dataDisk, zone, project, data_disk_type, allLabels }: WantedInstance): readonly Argv[] {
  if (dataDisk === undefined) return [];
  const flags = [`--zone=${zone}`, `--size=${String(dataDisk.gb)}GB`, `--type=${data_disk_type}`, `--labels=${dictionary(allLabels)}`];
  return [gcloud(['compute', 'disks', 'create', dataDisk.name, ...flags], { project })];
}

/** The call that makes the instance, whose data disk is there by then. */
export function creation(wanted: WantedInstance): Argv {
  const { allMetadata, key, dataDisk, privateAddress } = wanted;
  const metadata = { ...allMetadata, ...(key === undefined ? {} : { 'ssh-keys': withKey(undefined, key) }) };
  return about(
    wanted,
    'create',
    `--machine-type=${wanted.machine_type}`,
    `--image-family=${wanted.image_family}`,
    `--image-project=${wanted.image_project}`,
    `--boot-disk-size=${String(wanted.boot_disk_gb)}GB`,
    `--boot-disk-type=${wanted.boot_disk_type}`,
    ...(dataDisk === undefined ? [] : [`--disk=name=${dataDisk.name},device-name=data,auto-delete=no`]),
    `--network=${wanted.network}`,
    `--subnet=${wanted.subnet}`,
    ...(privateAddress === undefined ? [] : [`--private-network-ip=${privateAddress}`]),
    ...addressFlags(wanted),
    ...(wanted.allTags.length === 0 ? [] : [`--tags=${wanted.allTags.join(',')}`]),
    `--labels=${dictionary(wanted.allLabels)}`,
    `--metadata=${dictionary(metadata)}`,
    ...accountFlags(wanted),
    wanted.deletion_protection ? '--deletion-protection' : '--no-deletion-protection',
  );
}

function addressFlags({ external_address }: WantedInstance): readonly string[] {
  switch (external_address) {
    case 'none':
      return ['--no-address'];
    case 'ephemeral':
      return [];
    default:
      return [`--address=${external_address}`];
  }
}

export const accountFlags = ({ service_account, scopes }: WantedInstance): readonly string[] =>
  service_account === 'none' ? ['--no-service-account', '--no-scopes'] : [`--service-account=${service_account}`, `--scopes=${scopes.join(',')}`];

/** `a=b,c=d` as gcloud reads it; with another delimiter, said in front, where a value has commas (`gcloud topic escaping`). */
export function dictionary(entries: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(entries).map(([key, value]) => `${key}=${value}`);
  for (let n = 0; ; n += 1) {
    const delimiter = [',', ';', '|', '~'][n] ?? `:${String(n)}:`;
    const joined = pairs.join(delimiter);
    if (joined.split(delimiter).length === pairs.length) return delimiter === ',' ? joined : `^${delimiter}^${joined}`;
  }
}
