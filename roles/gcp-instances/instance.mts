/** Instances as `gcloud compute instances list` shows them. */
import { z } from 'zod';
import { gcloud, gcloudList, type Question } from '../../lib/index.mts';

/** `asia-northeast3-a` of `https://www.googleapis.com/compute/v1/projects/my-project/zones/asia-northeast3-a`. */
export const lastPart = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

const reference = z.string().transform(lastPart);
const accessConfig = z.object({ name: z.string().default('external-nat'), natIP: z.string().exactOptional() });
const networkInterface = z.object({
  network: reference,
  subnetwork: reference.exactOptional(),
  networkIP: z.string().exactOptional(),
  accessConfigs: z.array(accessConfig).default([]),
});
const attachedDisk = z.object({
  boot: z.boolean().default(false),
  autoDelete: z.boolean().default(false),
  deviceName: z.string().default(''),
  /** Absent for disks that are part of the machine. */
  source: reference.exactOptional(),
  diskSizeGb: z.coerce.number().exactOptional(),
});
const instance = z.object({
  id: z.coerce.string(),
  name: z.string(),
  status: z.string(),
  zone: reference,
  machineType: reference,
  networkInterfaces: z.array(networkInterface).default([]),
  disks: z.array(attachedDisk).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  tags: z.object({ items: z.array(z.string()).default([]) }).default({ items: [] }),
  metadata: z.object({ items: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]) }).default({ items: [] }),
  serviceAccounts: z.array(z.object({ email: z.string(), scopes: z.array(z.string()).default([]) })).default([]),
  deletionProtection: z.boolean().default(false),
  lastStartTimestamp: z.string().exactOptional(),
});
export type Instance = z.output<typeof instance>;
export type AttachedDisk = z.output<typeof attachedDisk>;

/** All instances of a project, asked once for everybody; none while the Compute API is off in a project whose network is made by the run. */
export const instanceList = ({ project, network_managed }: { readonly project: string; readonly network_managed: boolean }): Question<readonly Instance[]> =>
  gcloudList(instance, gcloud(['compute', 'instances', 'list'], { project }), { mayBeOff: network_managed });

/** The label that says which installation made an instance; its value is gcp_prefix. */
export const OWNER = 'managed-by';
export const isOurs = ({ labels }: Pick<Instance, 'labels'>, { prefix }: { readonly prefix: string }): boolean => labels[OWNER] === prefix;

const UP: ReadonlySet<string> = new Set(['PROVISIONING', 'STAGING', 'RUNNING', 'REPAIRING']);
/** It runs, or is on its way to. */
export const isUp = ({ status }: Pick<Instance, 'status'>): boolean => UP.has(status);

/** The addresses of its first network interface. */
export function addressesOf({ networkInterfaces: [first] }: Pick<Instance, 'networkInterfaces'>): { readonly inside?: string; readonly outside?: string } {
  const outside = first?.accessConfigs.find(({ natIP }) => natIP !== undefined)?.natIP;
  return { ...(first?.networkIP === undefined ? {} : { inside: first.networkIP }), ...(outside === undefined ? {} : { outside }) };
}
