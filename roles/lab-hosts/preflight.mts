/** Whether a lab can be made on this machine: judged from facts, before anything is touched, and only where something has to be made. */
import { z } from 'zod';
import { all, controllerOutput, type Inventory, type Question, type Refusal } from '../../lib/index.mts';
import { program } from './programs.mts';
import { memoryOf, servedBy } from './served.mts';
import { document, image, isUp, lab, type ImageStatus, type LabStatus } from './status.mts';
import { labHosts, wantedHost, wantedHosts, type WantedHost } from './wanted.mts';

const listener = z.object({ address: z.string(), port: z.int(), process: z.string(), pid: z.int(), labHost: z.string() });
const machine = z.union([
  z.object({
    system: z.literal('Linux'),
    root: z.boolean(),
    mayMount: z.boolean(),
    overlay: z.boolean(),
    cgroups: z.boolean(),
    memoryKib: z.int(),
    diskKib: z.int(),
    fileSystem: z.string(),
    listeners: z.array(listener),
  }),
  z.object({ system: z.string() }),
]);
export type Machine = Extract<z.output<typeof machine>, { root: boolean }>;
type AnyMachine = z.output<typeof machine>;
type FoundListener = z.output<typeof listener>;

/** What one host takes, and the base image once; in KiB. */
const HOST_DISK = 700 * 1024;
const IMAGE_DISK = 1200 * 1024;

const ELSEWHERE = 'the lab runs on Debian or Ubuntu, on the machine itself or in a virtual machine, as root or with sudo; other inventories need neither';

export interface ToMake {
  readonly hosts: readonly WantedHost[];
  /** What all of them take when their services run. */
  readonly memoryKib: number;
  readonly image: boolean;
  /** Every address and port that hosts to be made will serve. */
  readonly listeners: readonly { readonly host: string; readonly address: string; readonly port: number }[];
}

/** Reasons why `wanted` cannot be made on this machine. */
export function judgeMachine(found: AnyMachine, wanted: ToMake): readonly Refusal[] {
  if (wanted.hosts.length === 0 && !wanted.image) return [];
  if (!('root' in found)) return [usage(`the lab needs Linux, and this is ${found.system === 'Darwin' ? 'macOS' : found.system}`, ELSEWHERE)];
  if (!found.root)
    return [
      usage(
        'the lab needs root, and neither is this root nor does sudo work without a password',
        'run as root, or allow sudo without a password (sudo -n true must work)',
      ),
    ];
  return [...abilities(found), ...room(found, wanted), ...taken(found.listeners, wanted)];
}

const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });

function abilities({ mayMount, overlay, cgroups, fileSystem }: Machine): readonly Refusal[] {
  if (!mayMount) return [usage('this root may not mount file systems: an unprivileged container', `${ELSEWHERE}; a container must be privileged`)];
  return [
    ...(overlay ? [] : [usage('this kernel has no overlay file system', ELSEWHERE)]),
    ...(cgroups
      ? []
      : [
          usage(
            'there is no writable cgroup version 2 hierarchy on this machine',
            'mount one: mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified',
          ),
        ]),
    ...(/overlay|nfs|fuse|smb|9p|vfat/.test(fileSystem)
      ? [
          usage(
            `the lab's directory is on ${fileSystem}, which cannot hold the disks of hosts`,
            'set LAB_DIR to a directory on a local file system such as ext4 or xfs',
          ),
        ]
      : []),
  ];
}

function room({ memoryKib, diskKib }: Machine, wanted: ToMake): readonly Refusal[] {
  const memory = wanted.memoryKib;
  const disk = wanted.hosts.length * HOST_DISK + (wanted.image ? IMAGE_DISK : 0);
  const hosts = `${wanted.hosts.length.toString()} more ${wanted.hosts.length === 1 ? 'host' : 'hosts'}`;
  return [
    ...(memoryKib >= memory
      ? []
      : [
          usage(
            `${hosts} of the lab take ${gib(memory)} of memory, and ${gib(memoryKib)} are free`,
            'take hosts out of the inventory, lower their heaps, or end other programs',
          ),
        ]),
    ...(diskKib >= disk ? [] : [usage(`the lab takes ${gib(disk)} of disk, and ${gib(diskKib)} are free`, 'set LAB_DIR to a directory with more room')]),
  ];
}

const gib = (kib: number): string => `${(kib / 1024 / 1024).toFixed(1)} GiB`;
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '*', '[::]', '::']);

/** Ports of hosts to be made that somebody else has; what is left of such a host itself is ended before it is made. */
function taken(found: readonly FoundListener[], wanted: ToMake): readonly Refusal[] {
  return wanted.listeners.flatMap(({ host, address, port }) => {
    const other = found.find(
      (one) => one.port === port && (WILDCARDS.has(one.address) || one.address === address || one.address === `[::ffff:${address}]`) && one.labHost === '',
    );
    if (other === undefined) return [];
    const owner = other.pid === 0 ? 'a process that does not show itself' : `${other.process} (pid ${other.pid.toString()})`;
    return [
      usage(
        `${host} is to serve ${address}:${port.toString()}, but ${owner} already listens on ${other.address}:${port.toString()}`,
        'end it, or let it listen on an address of its own only',
      ),
    ];
  });
}

/** What is not there yet of what the inventory wants. */
export function toMake(inventory: Inventory, status: LabStatus, { hasImage }: ImageStatus): ToMake {
  const up = new Set(status.hosts.filter(isUp).map(({ name }) => name));
  const hosts = wantedHosts(inventory).filter(({ name }) => !up.has(name));
  const names = new Set(hosts.map(({ name }) => name));
  const made = labHosts(inventory).filter(({ name }) => names.has(name));
  const served = made.flatMap((host) => servedBy(host, inventory).map(({ address, port }) => ({ host: host.name, address, port })));
  return {
    hosts,
    memoryKib: made.reduce((sum, host) => sum + memoryOf(host, inventory) / 1024, 0),
    image: !hasImage && labHosts(inventory).length > 0,
    listeners: [...hosts.map(({ name, address, port }) => ({ host: name, address, port })), ...served],
  };
}

/** Everything that speaks against making the lab of an inventory here. */
export function preflight(inventory: Inventory): Question<readonly Refusal[]> {
  const impossible = labHosts(inventory).flatMap((host) => {
    const wanted = wantedHost(host);
    return 'problem' in wanted ? [usage(wanted.problem, wanted.hint)] : [];
  });
  return all({ status: lab(), image: image(), found: document(controllerOutput(program('lab-preflight')), machine) }).map(({ status, image: made, found }) => [
    ...impossible,
    ...judgeMachine(found, toMake(inventory, status, made)),
  ]);
}
