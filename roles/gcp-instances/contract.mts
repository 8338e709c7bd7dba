import { BlockList } from 'node:net';
import { z } from 'zod';
import { contract, type Host, type Inventory } from '../../lib/index.mts';
import { OWNER } from './instance.mts';
import { isScope } from './scopes.mts';

export { addressesOf, instanceList, isOurs, isUp, lastPart, type Instance } from './instance.mts';

/** `host_provider` of a host that is made in Google Cloud. */
export const PROVIDER = 'gcp';

/** Names of resources: RFC 1035 labels, as the Compute API wants them. */
const name = z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, beginning with a letter, at most 63');
const diskType = z.enum(['pd-standard', 'pd-balanced', 'pd-ssd', 'hyperdisk-balanced']);
const gigabytes = z.int().min(10).max(65536);
const cidr = z.cidrv4();
const labelPart = /^[a-z][a-z0-9_-]{0,62}$/;

/** Metadata that follows from other variables. */
const OWN_METADATA: ReadonlySet<string> = new Set(['ssh-keys', 'enable-oslogin', 'enable-guest-attributes']);
const notOurs =
  (ours: (key: string) => boolean, what: string) =>
  (given: Readonly<Record<string, string>>, context: z.RefinementCtx): void => {
    for (const key of Object.keys(given).filter(ours)) context.addIssue({ code: 'custom', message: `without ${key}, which ${what}` });
  };

/** Variables of everything in Google Cloud: they are those of the group or host that they are about. */
export const gcp = contract(
  'gcp',
  z.strictObject({
    project: z
      .string()
      .regex(/^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'the id of a project, such as my-project-123')
      .describe('Project that the instances belong to.'),
    zone: z
      .string()
      .regex(/^[a-z]+-[a-z]+\d+-[a-z]$/, 'a zone such as asia-northeast3-a')
      .describe('Zone of the instance.'),
    prefix: name.max(20).default('kafka-mon').describe('What names of rules, routers and network tags of this installation begin with.'),
    network: name.default('default').describe('VPC network of the instances.'),
    subnet: name.default('default').describe('Subnet of the instances, in the region of their zone.'),
    subnet_range: cidr.describe('Range of the subnet; needed where it is to be made.').exactOptional(),
    network_managed: z
      .boolean()
      .default(false)
      .describe('true: network, subnet, router and NAT are made where they are missing. Otherwise they are only checked.'),
    nat: z.boolean().default(true).describe('Instances without an external address reach the internet through Cloud NAT.'),
    machine_type: z
      .string()
      .regex(/^[a-z][a-z0-9]*-[a-z0-9-]+$/, 'a machine type such as e2-standard-4')
      .default('e2-standard-4')
      .describe('Machine type.'),
    image_family: name.default('debian-12').describe('Image family that the boot disk is made from.'),
    image_project: z.string().min(1).default('debian-cloud').describe('Project of that family.'),
    boot_disk_gb: gigabytes.default(30).describe('Size of the boot disk.'),
    boot_disk_type: diskType.default('pd-balanced').describe('Type of the boot disk.'),
    data_disk_gb: gigabytes.describe('Size of a disk for data of its own; none unless given. It is never deleted with the instance.').exactOptional(),
    data_disk_type: diskType.default('pd-balanced').describe('Type of the data disk.'),
    data_disk_device: z
      .string()
      .regex(/^\/dev\/[\w./:+-]+$/, 'a path below /dev')
      .default('/dev/disk/by-id/google-data')
      .describe("Where the host has the data disk, for images without Google's names of disks."),
    data_disk_mount: z
      .string()
      .regex(/^\/[\w./-]+$/, 'an absolute path')
      .describe('Where the data disk is mounted; the data directory of what the host runs unless given.')
      .exactOptional(),
    external_address: z
      .union([z.enum(['none', 'ephemeral']), z.ipv4()])
      .default('none')
      .describe('none, ephemeral (changes with every stop), or a reserved address of the project.'),
    tags: z.array(name).default([]).describe('Network tags beside those of the groups.'),
    labels: z
      .record(z.string().regex(labelPart), z.string().regex(/^[a-z0-9_-]{0,63}$/))
      .superRefine(notOurs((key) => key === OWNER, 'this program sets'))
      .default({})
      .describe('Labels of the instance.'),
    metadata: z
      .record(z.string().regex(/^[\w-]{1,128}$/), z.string())
      .superRefine(notOurs((key) => OWN_METADATA.has(key), 'this program sets, see gcp_login'))
      .default({})
      .describe('Further metadata of the instance.'),
    service_account: z
      .union([z.literal('none'), z.string().regex(/^[^@\s]+@[^@\s]+$/, 'an e-mail address, or none')])
      .default('none')
      .describe('Service account of the instance; none unless given.'),
    scopes: z
      .array(z.string().refine(isScope, 'an alias of gcloud such as cloud-platform, or the address of a scope'))
      .min(1)
      .default(['cloud-platform'])
      .describe('Access scopes of the service account: aliases of gcloud, or addresses.'),
    login: z
      .enum(['metadata', 'os-login'])
      .default('metadata')
      .describe('metadata: the public key beside ansible_ssh_private_key_file is put into the instance for ansible_user. os-login: IAM decides.'),
    access: z
      .enum(['direct', 'iap'])
      .default('direct')
      .describe('How ssh gets there: direct (or connection_jump), or iap: a tunnel of Identity-Aware Proxy, which needs no external address.'),
    deletion_protection: z.boolean().default(true).describe('The instance cannot be deleted until this is taken off.'),
  }),
);

export type GcpVars = NonNullable<(typeof gcp)['typeOfVariables']>;

/** The hosts of the inventory that are instances, in inventory order. */
export const instances = (inventory: Inventory): readonly Host[] => [...inventory.hosts.values()].filter(({ provider }) => provider === PROVIDER);

/** `asia-northeast3` of `asia-northeast3-a`. */
export const regionOf = ({ zone }: Pick<GcpVars, 'zone'>): string => zone.replace(/-[a-z]$/, '');

/** Whether an IPv4 address is in a range such as `10.20.0.0/24`. */
export function contains(range: string, address: string): boolean {
  const [network = '', bits] = range.split('/');
  const list = new BlockList();
  list.addSubnet(network, Number(bits));
  return list.check(address);
}

/** The name of the data disk of an instance. */
export const dataDiskOf = ({ name }: Pick<Host, 'name'>): string => `${name}-data`;

/** The network tag of the hosts of a group: what firewall rules allow from and to. */
export const groupTag = ({ prefix }: Pick<GcpVars, 'prefix'>, group: string): string => `${prefix}-${group.replaceAll('_', '-')}`;

const NO_GROUPS: ReadonlySet<string> = new Set(['all', 'ungrouped']);

/** Every network tag that the instance is to have, sorted. */
export function hostTags(host: Host): readonly string[] {
  const vars = host.vars(gcp);
  const groups = [...host.groups].filter((group) => !NO_GROUPS.has(group));
  return [...new Set([...groups.map((group) => groupTag(vars, group)), ...vars.tags])].sort();
}
