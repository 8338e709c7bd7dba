/** What is on the data disk and where it is mounted: read-only, and in doubt it is not blank. */
import { known, quote, refine, shellOutput, unavailable, type Answer, type Question } from '../../lib/index.mts';

export type Content =
  | { readonly kind: 'blank' }
  | { readonly kind: 'ext4'; readonly uuid: string; readonly bytes: number }
  /** As blkid and wipefs call it. */
  | { readonly kind: 'other'; readonly what: string };

export interface Mount {
  readonly point: string;
  readonly source: string;
  /** Neither this mount nor the file system is read-only. */
  readonly writable: boolean;
}

export interface Disk {
  /** What the link in /dev/disk leads to. */
  readonly device: string;
  readonly bytes: number;
  readonly content: Content;
}

export interface Found {
  /** `undefined`: no such disk is attached. */
  readonly disk: Disk | undefined;
  /** Where the disk is mounted. */
  readonly mounts: readonly Mount[];
  /** What is mounted at the mount point and is not this disk. */
  readonly stranger: Mount | undefined;
  /** Some of what is in the directory while nothing is mounted there. */
  readonly entries: readonly string[];
  /** Of the mounted file system. */
  readonly lostAndFound: 'absent' | 'empty' | 'full';
}

/**
 * `content DISK` prints `blank`, `ext4 UUID BYTES`, or `other` and what it is. Blank is proven twice: no signature that blkid or wipefs know, nobody
 * uses it, and nothing but zeros at both ends, which can be read.
 */
export const CONTENT = `content() {
  code=0
  signs=$(blkid -p -o export -- "$1" 2>/dev/null) || code=$?
  if [ "$code" = 0 ]; then
    sign() { printf '%s\\n' "$signs" | sed -n "s/^$1=//p"; }
    if [ "$(sign TYPE)" = ext4 ] && [ -n "$(sign UUID)" ]; then
      size() { dumpe2fs -h "$disk" 2>/dev/null | sed -n "s/^Block $1: *//p"; }
      disk=$1
      echo "ext4 $(sign UUID) $(($(size count) * $(size size)))"
    else
      echo "other $(printf '%s\\n' "$signs" | grep -v ^DEVNAME= | tr '\\n' ' ')"
    fi
    return
  fi
  marks=$(wipefs -n -- "$1" 2>&1) || marks="what wipefs cannot read: $marks"
  users=$(lsblk -rno NAME -- "$1" 2>/dev/null | tail -n +2 | tr '\\n' ' ')
  if [ "$code" != 2 ]; then echo "other several signatures at once $(printf %s "$marks" | tr '\\n' ' ')"
  elif [ -n "$marks" ]; then echo "other $(printf %s "$marks" | tr '\\n' ' ')"
  elif [ -n "$users" ]; then echo "other a disk that $users is made of"
  else
    last=$(($(blockdev --getsize64 "$1") / 1048576 - 1))
    for at in 0 "$last"; do
      megabyte() { dd if="$1" bs=1048576 skip="$at" count=1 2>/dev/null; }
      if [ "$(megabyte "$1" | wc -c)" != 1048576 ]; then echo "other what cannot be read"; return; fi
      if [ "$(megabyte "$1" | tr -d '\\000' | wc -c)" != 0 ]; then echo "other data without a known signature"; return; fi
    done
    echo blank
  fi
}
`;

const script = (device: string, mount: string): string => `${CONTENT}device=${quote(device)} mount=${quote(mount)} number=none
if [ -e "$device" ]; then
  disk=$(readlink -f -- "$device")
  [ -b "$disk" ] || { echo "$device is no disk"; exit 1; }
  [ -r "$disk" ] || { echo "$disk cannot be read by this login"; exit 1; }
  number=$(mountpoint -x -- "$disk") || exit 1
  echo "disk $number $(blockdev --getsize64 "$disk") $disk"
  echo "content $(content "$disk")"
fi
echo "point $mount"
grep -F -e " $number " -e " $mount " /proc/self/mountinfo | sed 's/^/mount /'
if [ -d "$mount" ] && ! mountpoint -q -- "$mount"; then
  [ -r "$mount" ] && [ -x "$mount" ] || { echo "$mount cannot be read by this login"; exit 1; }
  ls -A -- "$mount" | head -n 3 | sed 's/^/entry /'
fi
if [ -d "$mount/lost+found" ]; then
  if [ -z "$(ls -A -- "$mount/lost+found")" ]; then echo 'lost+found empty'; else echo 'lost+found full'; fi
fi
exit 0`;

export const look = (device: string, mount: string): Question<Found> =>
  refine(shellOutput(script(device, mount)), ({ code, output }) => (code === 0 ? readFound(output) : unavailable(output.trim())));

/** Reads what the script prints. */
export function readFound(output: string): Answer<Found> {
  const lines = output.split('\n').map((line) => /^(\S+) (.*)$/s.exec(line));
  const all = (key: string): readonly string[] => lines.flatMap((line) => (line?.[1] === key && line[2] !== undefined ? [line[2]] : []));
  const one = (key: string): string | undefined => all(key)[0];
  const [, number, bytes, device] = /^(\d+:\d+) (\d+) (.+)$/.exec(one('disk') ?? '') ?? [];
  const content = readContent(one('content') ?? '');
  const mounted = all('mount').flatMap(readMount);
  const top = mounted.findLast(({ point }) => point === one('point'));
  if (one('disk') !== undefined && (device === undefined || content === undefined))
    return unavailable(`what is on the disk could not be understood: ${output}`);
  return known({
    disk: device === undefined || content === undefined ? undefined : { device, bytes: Number(bytes), content },
    mounts: mounted.filter((mount) => mount.number === number && mount.root === '/'),
    stranger: top?.number === number ? undefined : top,
    entries: all('entry'),
    lostAndFound: (['empty', 'full'] as const).find((state) => state === one('lost+found')) ?? 'absent',
  });
}

function readContent(text: string): Content | undefined {
  const [, uuid, bytes] = /^ext4 (\S+) (\d+)$/.exec(text) ?? [];
  if (text === 'blank') return { kind: 'blank' };
  if (uuid !== undefined) return { kind: 'ext4', uuid, bytes: Number(bytes) };
  return text.startsWith('other ') ? { kind: 'other', what: text.slice('other '.length).trim() } : undefined;
}

/** One line of /proc/self/mountinfo (proc(5)). */
function readMount(line: string): readonly (Mount & { readonly number: string; readonly root: string })[] {
  const [, number, root, point, options, source, all] = /^\d+ \d+ (\S+) (\S+) (\S+) (\S+) .*?- \S+ (\S+) (\S+)$/.exec(line) ?? [];
  if (number === undefined || root === undefined || point === undefined || options === undefined || source === undefined || all === undefined) return [];
  const isReadOnly = [options, all].some((list) => list.split(',').includes('ro'));
  return [{ number, root, point, source, writable: !isReadOnly }];
}
