/** What takes an installation out of Google Cloud again: roles of `playbooks/gcp.mts down` alone. */
import { z } from 'zod';
import {
  allOf,
  change,
  constant,
  controllerCommand,
  defineControllerRole,
  gcloud,
  gcloudList,
  pass,
  type AnyControllerRole,
  type Change,
  type Check,
  type Host,
  type Inventory,
  type Question,
  type Refusal,
  type Resource,
  type Stage,
} from '../../lib/index.mts';
import { isOurs as isOurRule } from '../firewall-gcloud/contract.mts';
import { gcp, instances, PROVIDER, regionOf, type GcpVars } from './contract.mts';
import { instanceOf } from './drift.mts';
import { addressesOf, instanceList, isOurs, lastPart, type Instance } from './instance.mts';
import { about, wantedInstance, type WantedInstance } from './wanted.mts';

export interface Teardown {
  /** The name of the project, as somebody typed it. */
  readonly typed: string | undefined;
  /** Data disks go as well. */
  readonly disks: boolean;
  /** Nothing is deleted by this run, and nobody has to type anything. */
  readonly onlyShown: boolean;
}

/** Deleting waits for the operating system to end, in seconds. */
const DELETING_SECONDS = 600;

/** Instances first: while one of them runs, it is behind its firewall. */
export function teardown(options: Teardown): readonly Stage[] {
  return [
    { hosts: 'all', roles: [goneInstances(options)] },
    { hosts: 'all', roles: [goneRules] },
  ];
}

const goneInstances = (options: Teardown): AnyControllerRole =>
  defineControllerRole({
    name: 'gcp-instances-down',
    contract: gcp,
    summary: 'instances are deleted; their data disks are kept unless said otherwise',
    runs: 'controller',
    per: 'host',
    concerns: PROVIDER,
    refuses: ({ vars }) => constant(unasked(vars, options)),
    resources: ({ host }) => {
      const wanted = wantedInstance(host);
      return [goneInstance(wanted, options), ...(options.disks ? [goneDisk(wanted)] : [])];
    },
    verify: ({ host }) => (options.disks ? [] : keptDisk(wantedInstance(host))),
  });

function unasked({ project }: GcpVars, { typed, onlyShown }: Teardown): readonly Refusal[] {
  if (onlyShown || typed === project) return [];
  const reason =
    typed === undefined
      ? `nothing of project ${project} is deleted without --yes and its name`
      : `the name that was typed is ${typed}, and the instances are in project ${project}`;
  return [{ kind: 'refused', reason, hint: `look at it with --check, then add: --yes --project ${project}` }];
}

function goneInstance(wanted: WantedInstance, { disks }: Teardown): Resource {
  return controllerCommand(`instance ${wanted.name}`, {
    differs: instanceList(wanted).map((all) => goneChanges(wanted, instanceOf(wanted, all), disks)),
    run: (steps, changes) => {
      for (const { field } of changes.filter((each) => each.field.startsWith('instance in '))) {
        const there = { ...wanted, zone: field.replace('instance in ', '') };
        if (changes.some((each) => each.field === 'deletion protection')) steps.controller(about(there, 'update', '--no-deletion-protection'));
        steps.within(DELETING_SECONDS, (patient) => {
          // Said again here: whatever its auto-delete is by now, a data disk does not go with its instance.
          patient.controller(about(there, 'delete', '--keep-disks=data'));
        });
      }
    },
  });
}

/** What deleting an instance changes; its zone is in the name of the field. */
export function goneChanges(wanted: WantedInstance, now: Instance | undefined, disks: boolean): readonly Change[] {
  if (now === undefined) return [];
  const gone = change(`instance in ${now.zone}`, `${now.status} at ${addressesOf(now).inside ?? 'no address'}`, { kind: 'absent' });
  if (!isOurs(now, wanted))
    return [
      {
        ...gone,
        refused: {
          reason: `${now.name} in ${now.zone} was not made by this installation`,
          hint: `leave it out with --limit, or delete it by hand: gcloud compute instances delete ${now.name} --zone=${now.zone} --project=${wanted.project}`,
        },
      },
    ];
  const kept = disks ? [] : now.disks.filter(({ boot, source }) => !boot && source !== undefined);
  return [
    { ...gone, disrupts: true, consent: `deletes ${now.name} and its boot disk` },
    ...(now.deletionProtection ? [change('deletion protection', 'on', 'off')] : []),
    ...kept.map(({ source }) => change(`disk ${source ?? ''}`, 'attached', 'kept')),
  ];
}

const disk = z.object({
  name: z.string(),
  zone: z.string().transform(lastPart).exactOptional(),
  sizeGb: z.coerce.number(),
  labels: z.record(z.string(), z.string()).default({}),
});
type Disk = z.output<typeof disk>;

/** Data disks of the instance's name, in whatever zone it lived. */
const dataDisks = ({ dataDisk, project, network_managed }: WantedInstance): Question<readonly Disk[]> =>
  dataDisk === undefined
    ? constant([])
    : gcloudList(disk, gcloud(['compute', 'disks', 'list'], { project }), { mayBeOff: network_managed }).map((all) =>
        all.filter(({ name, zone }) => name === dataDisk.name && zone !== undefined),
      );

function goneDisk(wanted: WantedInstance): Resource {
  return controllerCommand(`data disk of ${wanted.name}`, {
    differs: dataDisks(wanted).map((all) =>
      all.map((each): Change => {
        const gone = change(`disk in ${each.zone ?? ''}`, `${each.name}, ${String(each.sizeGb)} GB`, { kind: 'absent' });
        return isOurs(each, wanted)
          ? { ...gone, disrupts: true, consent: `deletes ${each.name} and all data on it, for good` }
          : { ...gone, refused: { reason: `the disk ${each.name} was not made by this installation`, hint: 'leave --disks out, and delete it by hand' } };
      }),
    ),
    run: (steps, changes) => {
      for (const { field } of changes) {
        const zone = `--zone=${field.replace('disk in ', '')}`;
        if (wanted.dataDisk !== undefined) steps.controller(gcloud(['compute', 'disks', 'delete', wanted.dataDisk.name, zone], wanted));
      }
    },
  });
}

function keptDisk(wanted: WantedInstance): readonly Check<readonly Disk[]>[] {
  if (wanted.dataDisk === undefined) return [];
  return [
    {
      id: 'kept',
      headline: `data of ${wanted.name}`,
      ask: dataDisks(wanted),
      judge: (all) =>
        all.length === 0
          ? { kind: 'skipped', because: 'there is no data disk of its name' }
          : pass(all.map(({ name, zone, sizeGb }) => `kept and paid for: disk ${name}, ${String(sizeGb)} GB in ${zone ?? ''}; --disks deletes it`).join('; ')),
      retry: { everyMs: 1000, deadlineMs: 2000 },
    },
  ];
}

// ---- what all instances share --------------------------------------------------------------------------------------

const rule = z.object({ name: z.string(), description: z.string().default(''), network: z.string().transform(lastPart) });

/** The rules go with the last instance only; networks, routers and NAT stay. */
const goneRules = defineControllerRole({
  name: 'gcp-network-down',
  contract: gcp,
  summary: 'firewall rules of the installation are deleted once no instance is left; networks are kept',
  runs: 'controller',
  per: 'group',
  concerns: PROVIDER,
  resources: ({ inventory, within }) =>
    instances(inventory).every(({ name }) => within.has(name)) ? installations(inventory).map((installation) => goneRule(installation)) : [],
  verify: ({ inventory, within }) => keptNetworks(instances(inventory).filter(({ name }) => within.has(name))),
});

type Installation = Pick<GcpVars, 'project' | 'network' | 'prefix' | 'network_managed'>;

function installations(inventory: Inventory): readonly Installation[] {
  const all = instances(inventory).map((host) => host.vars(gcp));
  return [...Map.groupBy(all, ({ project, network, prefix }) => `${project}/${network}/${prefix}`).values()].flatMap((some) => some.slice(0, 1));
}

function goneRule({ project, network, prefix, network_managed }: Installation): Resource {
  const rules = gcloudList(rule, gcloud(['compute', 'firewall-rules', 'list'], { project }), { mayBeOff: network_managed });
  return controllerCommand(`firewall rules ${project}/${network}/${prefix}`, {
    differs: rules.map((all) =>
      all
        .filter((each) => each.network === network && isOurRule(each, prefix))
        .map(({ name }) => ({ ...change(`rule ${name}`, 'present', { kind: 'absent' }), consent: `deletes firewall rule ${name}` })),
    ),
    run: (steps, changes) => {
      const names = changes.map(({ field }) => field.replace('rule ', ''));
      steps.controller(gcloud(['compute', 'firewall-rules', 'delete', ...names], { project }));
    },
  });
}

/** Said and left: a network may hold what others made in it, and costs nothing by itself; Cloud NAT does. */
function keptNetworks(hosts: readonly Host[]): readonly Check[] {
  const managed = hosts.map((host) => host.vars(gcp)).filter(({ network_managed }) => network_managed);
  const kept = [...new Map(managed.map((vars) => [`${vars.project}/${regionOf(vars)}/${vars.subnet}`, vars])).values()];
  return kept.map((vars): Check<readonly never[]> => {
    const { project, network, subnet, prefix } = vars;
    const region = regionOf(vars);
    const commands = [
      `gcloud compute routers delete ${prefix}-${region} --region=${region} --project=${project}`,
      `gcloud compute networks subnets delete ${subnet} --region=${region} --project=${project}`,
      `gcloud compute networks delete ${network} --project=${project}`,
    ];
    return {
      id: `kept ${project}/${region}/${subnet}`,
      headline: `network ${network}`,
      ask: allOf<never>([]),
      judge: () => pass(`kept: the network, its subnet ${subnet}, and router and NAT where there are; when nothing is left in it: ${commands.join(' && ')}`),
      retry: { everyMs: 1000, deadlineMs: 2000 },
    };
  });
}
