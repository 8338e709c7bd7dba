import {
  change,
  command,
  constant,
  defineRole,
  dropIn,
  line,
  playing,
  quote,
  refine,
  requirement,
  runScript,
  known,
  unavailable,
  type Change,
  type Context,
  type Question,
  type Resource,
} from '../../lib/index.mts';
import { gcp, PROVIDER, type GcpVars } from '../gcp-instances/contract.mts';
import { CONTENT, look, type Disk, type Found } from './look.mts';
import { mountPoint, unitsOn } from './place.mts';
import { objections, withoutPlace } from './refusals.mts';
import { check, gibibytes } from './verify.mts';

type Here = Context<GcpVars>;

export default defineRole<GcpVars>({
  name: 'gcp-data-disk',
  contract: gcp,
  summary: 'data disk of an instance: formatted where it is blank, mounted by UUID, grown online',
  concerns: (host) => host.provider === PROVIDER && host.vars(gcp).data_disk_gb !== undefined,
  runs: 'host',
  per: 'host',
  refuses: withoutPlace,
  objects: (here) => {
    const mount = wanted(here);
    return mount === undefined ? constant([]) : look(here.vars.data_disk_device, mount).map((found) => objections(here, mount, found));
  },
  resources: (here) => {
    const mount = wanted(here);
    return mount === undefined ? [] : resources(here, mount);
  },
  verify: (here) => {
    const mount = wanted(here);
    return mount === undefined ? [] : [check(here.vars.data_disk_device, mount, here.vars.data_disk_gb ?? 0)];
  },
});

/** Where the disk belongs; `undefined` where there is to be none. */
const wanted = ({ host, inventory, vars }: Here): string | undefined => (vars.data_disk_gb === undefined ? undefined : mountPoint(host, inventory));

function resources(here: Here, mount: string): readonly Resource[] {
  const { host, inventory, vars, facts } = here;
  const found = look(vars.data_disk_device, mount);
  const attached = requirement('data disk', {
    because: ['gcp_data_disk_gb'],
    missing: found.map(({ disk }) => (disk === undefined ? `${vars.data_disk_device} is not attached` : undefined)),
    hint: `run this first: ${playing(here, 'gcp-instances')}`,
  });
  const filesystem = formatted(vars.data_disk_device, found, attached);
  // A host whose disk is missing is to boot all the same, so that somebody can look; the services wait for the disk (below).
  const atBoot = line('/etc/fstab', {
    line: refine(found, ({ disk }) =>
      disk?.content.kind === 'ext4' ? known(`UUID=${disk.content.uuid} ${mount} ext4 discard,defaults,nofail 0 2`) : unavailable('the disk has no file system'),
    ),
    match: `^[^#]*\\s${mount.replaceAll('.', '\\.')}\\s`,
    needs: [filesystem.id],
    because: ['gcp_data_disk_mount'],
  });
  const mounted = mountedAt(mount, found, atBoot);
  return [
    attached,
    filesystem,
    atBoot,
    mounted,
    grown(vars.data_disk_device, found, mounted),
    withoutLostAndFound(mount, found, mounted),
    ...(facts.init === 'systemd'
      ? unitsOn(mount, host, inventory).map((unit) =>
          dropIn(unit, '60-data-disk', `[Unit]\n# Without its disk it would begin anew on the boot disk.\nRequiresMountsFor=${mount}\n`),
        )
      : []),
  ];
}

const onDisk = (of: Question<Found>, changes: (disk: Disk, found: Found) => readonly Change[]): Question<readonly Change[]> =>
  of.map((found) => (found.disk === undefined ? [] : changes(found.disk, found)));

/** Looks once more right before: between the check and this moment somebody may have used the disk. */
function formatted(device: string, found: Question<Found>, attached: Resource): Resource {
  return command('data disk file system', {
    needs: [attached.id],
    because: ['gcp_data_disk_gb'],
    differs: onDisk(found, ({ content, bytes }) => (content.kind === 'blank' ? [change('type', 'blank', `ext4, ${gibibytes(bytes)}`)] : [])),
    run: (steps) => {
      steps.within(600, (long) => {
        long.uninterruptible((whole) => {
          runScript(
            whole,
            `${CONTENT}disk=$(readlink -f -- ${quote(device)})
now=$(content "$disk")
[ "$now" = blank ] || refuse "$disk is not blank any more: $now"
# Only root may fill what is reserved, and no service is root: 1 percent instead of 5 is enough against fragmentation.
mkfs.ext4 -q -m 1 "$disk" </dev/null`,
          );
        });
      });
    },
  });
}

/** In a new file system lost+found is empty: Kafka takes it for a broken topic, and Elasticsearch's founding for data. */
function mountedAt(mount: string, found: Question<Found>, atBoot: Resource): Resource {
  return command(`mount ${mount}`, {
    needs: [atBoot.id],
    because: ['gcp_data_disk_mount'],
    differs: onDisk(found, ({ device }, { mounts }) => (mounts.some(({ point }) => point === mount) ? [] : [change('device', { kind: 'absent' }, device)])),
    run: (steps) => {
      steps.sh`mkdir -p -- ${mount}
[ -z "$(ls -A -- ${mount})" ] || refuse ${mount} 'is not empty any more: a disk mounted over it would hide what is there'
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
mount -- ${mount}
if command -v restorecon >/dev/null 2>&1; then restorecon -- ${mount}; fi
rmdir --ignore-fail-on-non-empty -- ${`${mount}/lost+found`} 2>/dev/null || :`;
    },
  });
}

/** Made anew by a full e2fsck. */
function withoutLostAndFound(mount: string, found: Question<Found>, mounted: Resource): Resource {
  return command(`lost+found of ${mount}`, {
    needs: [mounted.id],
    differs: onDisk(found, (_, { lostAndFound }) => (lostAndFound === 'empty' ? [change('directory', 'empty', { kind: 'absent' })] : [])),
    run: (steps) => {
      steps.sh`rmdir -- ${`${mount}/lost+found`}`;
    },
  });
}

/** What a file system leaves over at the end of its disk is less. */
const SLACK = 64 * 1024 ** 2;

function grown(device: string, found: Question<Found>, mounted: Resource): Resource {
  return command('data disk size', {
    needs: [mounted.id],
    because: ['gcp_data_disk_gb'],
    differs: onDisk(found, ({ bytes, content }) =>
      content.kind === 'ext4' && bytes - content.bytes > SLACK ? [change('size', gibibytes(content.bytes), gibibytes(bytes))] : [],
    ),
    run: (steps) => {
      steps.within(600, (long) => {
        long.sh`resize2fs "$(readlink -f -- ${device})"`;
      });
    },
  });
}
