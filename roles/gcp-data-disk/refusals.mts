/** Reasons not to touch a data disk: it is formatted only where nothing can be lost, and hides nothing. */
import type { Context, Refusal } from '../../lib/index.mts';
import type { GcpVars } from '../gcp-instances/contract.mts';
import type { Found } from './look.mts';
import { mountPoint } from './place.mts';

type Here = Context<GcpVars>;

/** What the inventory alone shows. */
export function withoutPlace({ host, inventory, vars }: Here): readonly Refusal[] {
  if (vars.data_disk_gb === undefined || mountPoint(host, inventory) !== undefined) return [];
  return [
    {
      kind: 'usage',
      reason: `where the data disk of ${host.name} belongs is not clear: it runs neither Elasticsearch nor Kafka alone`,
      hint: `say it: gcp_data_disk_mount, such as /var/lib/elasticsearch, for ${host.name}`,
    },
  ];
}

export function objections({ host, vars }: Here, mount: string, { disk, mounts, stranger, entries }: Found): readonly Refusal[] {
  const refused = (reason: string, hint: string): Refusal => ({ kind: 'refused', reason, hint });
  const elsewhere = mounts.some(({ point }) => point === mount) ? [] : mounts;
  const found: Refusal[] = [];
  if (disk?.content.kind === 'other')
    found.push(
      refused(
        `the data disk of ${host.name} (${vars.data_disk_device}, ${disk.device}) is neither blank nor ext4: ${disk.content.what}`,
        `only a blank disk is formatted. If nothing on it is needed: wipefs --all ${disk.device} && blkdiscard --zeroout ${disk.device} on ${host.name}; else attach another one`,
      ),
    );
  if (elsewhere.length > 0)
    found.push(
      refused(
        `the data disk of ${host.name} is mounted at ${elsewhere.map(({ point }) => point).join(', ')}, and not at ${mount}`,
        `unmount it there, or set gcp_data_disk_mount: ${elsewhere[0]?.point ?? mount}`,
      ),
    );
  if (stranger !== undefined)
    found.push(refused(`${stranger.source} is mounted at ${mount} of ${host.name}`, 'unmount it, or choose another gcp_data_disk_mount'));
  if (disk !== undefined && entries.length > 0 && mounts.length === 0)
    found.push(
      refused(
        `${mount} of ${host.name} is not empty (${entries.join(', ')}): a disk mounted over it would hide what is there`,
        `stop what writes there, then on ${host.name}: mv ${mount} ${mount}.boot-disk; run this again; and before anything is started: cp -a ${mount}.boot-disk/. ${mount}/`,
      ),
    );
  return found;
}
