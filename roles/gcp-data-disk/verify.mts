import { all, pass, text, wrong, type Check, type Judgement } from '../../lib/index.mts';
import { look, type Found } from './look.mts';

const GIBIBYTE = 1024 ** 3;
export const gibibytes = (bytes: number): string => `${(bytes / GIBIBYTE).toFixed(1)} GiB`;

interface Seen {
  readonly found: Found;
  readonly fstab: string | undefined;
}

export function check(device: string, mount: string, wanted: number): Check<Seen> {
  return {
    id: 'data-disk',
    ask: all({ found: look(device, mount), fstab: text('/etc/fstab') }),
    judge: (seen) => judge(mount, wanted, seen),
    retry: { everyMs: 1000, deadlineMs: 10_000 },
  };
}

/** `wanted` in GB as Google counts them, which are GiB. */
export function judge(mount: string, wanted: number, { found, fstab }: Seen): Judgement {
  const { disk, mounts, stranger, lostAndFound } = found;
  const expected = `ext4 at ${mount}, writable, mounted by UUID at every boot`;
  const again = 'run --role gcp-data-disk';
  if (disk === undefined) return wrong(expected, 'no such disk', 'run --role gcp-instances, which attaches it', true);
  const here = mounts.find(({ point }) => point === mount);
  if (disk.content.kind !== 'ext4' || here === undefined) return wrong(expected, `${disk.device}, not mounted there`, again, true);
  if (stranger !== undefined) return wrong(expected, `${stranger.source} is mounted over it`, 'see findmnt on the host, and unmount it', true);
  if (!here.writable)
    return wrong(expected, 'mounted read-only', 'the kernel does that after errors of the disk: look at dmesg, stop what uses it, and run e2fsck on it');
  const { uuid } = disk.content;
  if (!(fstab ?? '').split('\n').some((line) => line.split(/\s+/).slice(0, 2).join(' ') === `UUID=${uuid} ${mount}`))
    return wrong(expected, 'not in /etc/fstab: it would be missing after a reboot', again);
  if (disk.bytes < wanted * GIBIBYTE)
    return wrong(`a disk of ${String(wanted)} GB`, gibibytes(disk.bytes), 'run --role gcp-instances, which lets it grow; a disk never shrinks');
  if (lostAndFound === 'full')
    return wrong(
      'no lost+found',
      `files in ${mount}/lost+found`,
      'e2fsck found them after a crash: look at them and move them away, Kafka does not start beside them',
    );
  return pass(`${gibibytes(disk.content.bytes)} of ext4 at ${mount}, UUID ${uuid}`);
}
