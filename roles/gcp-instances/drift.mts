/** How an instance differs from what the inventory wants. What a change needs beside both values is in the name of its field. */
import { change, type Change } from '../../lib/index.mts';
import { groupTag } from './contract.mts';
import { addressesOf, isOurs, isUp, OWNER, type AttachedDisk, type Instance } from './instance.mts';
import { withKey } from './login.mts';
import { scopeAddresses } from './scopes.mts';
import type { WantedInstance } from './wanted.mts';

/** What the way out of a refusal looks like depends on the command line of the run. */
export interface Commands {
  /** The commands of this program that delete an instance and make it anew. */
  anew(name: string): string;
  /** The command of this program that changes one instance. */
  alone(name: string): string;
}

/** The instance of that name: in its zone if there is one, otherwise wherever it is. */
export const instanceOf = ({ name, zone }: Pick<WantedInstance, 'name' | 'zone'>, all: readonly Instance[]): Instance | undefined => {
  const named = all.filter((each) => each.name === name);
  return named.find((each) => each.zone === zone) ?? named[0];
};

/** `others` are instances of this run that would be stopped at the same time. */
export function instanceChanges(wanted: WantedInstance, now: Instance | undefined, others: readonly string[], commands: Commands): readonly Change[] {
  if (now === undefined) return [change('instance', { kind: 'absent' }, summary(wanted))];
  const stranger = strangers(wanted, now);
  if (stranger !== undefined) return [stranger];
  return [
    ...fixed(wanted, now, commands),
    ...status(now),
    ...stopping(wanted, now, others, commands),
    ...tags(wanted, now),
    ...entries('label', wanted.allLabels, now.labels),
    ...metadata(wanted, now),
    ...externalAddress(wanted, now),
    ...(now.deletionProtection === wanted.deletion_protection
      ? []
      : [change('deletion protection', onOff(now.deletionProtection), onOff(wanted.deletion_protection))]),
  ];
}

const onOff = (on: boolean): string => (on ? 'on' : 'off');

const summary = ({ machine_type, zone, privateAddress, external_address, image_family, dataDisk }: WantedInstance): string =>
  [
    `${machine_type} in ${zone} at ${privateAddress ?? 'any address'}`,
    image_family,
    ...(external_address === 'none' ? [] : [`external address ${external_address}`]),
    ...(dataDisk === undefined ? [] : [`data disk ${dataDisk.name} of ${gigabytes(dataDisk.gb)}`]),
  ].join(', ');

/** A machine of that name that this installation did not make is left alone until somebody says that it is ours. */
function strangers({ name, zone, project, prefix }: WantedInstance, now: Instance): Change | undefined {
  if (isOurs(now, { prefix })) return undefined;
  const owner = now.labels[OWNER];
  const reason = `there is an instance ${name} in ${now.zone} that was not made by this installation`;
  const adopt = `gcloud compute instances add-labels ${name} --labels=${OWNER}=${prefix} --zone=${now.zone} --project=${project}`;
  const hint =
    now.zone === zone
      ? `if it is to be managed by this inventory, adopt it: ${adopt}; otherwise name the host otherwise`
      : `names of instances are taken in the whole project here: name the host otherwise`;
  return { ...change(`label ${OWNER}`, owner ?? { kind: 'absent' }, prefix), refused: { reason, hint } };
}

/** What an instance is born with. */
function fixed(wanted: WantedInstance, now: Instance, commands: Commands): readonly Change[] {
  const nic = now.networkInterfaces[0];
  const born: readonly (readonly [string, string, string])[] = [
    ['zone', now.zone, wanted.zone],
    ['network', nic?.network ?? 'none', wanted.network],
    ['subnet', nic?.subnetwork ?? 'none', wanted.subnet],
    ['private address', addressesOf(now).inside ?? 'none', wanted.privateAddress ?? 'any'],
  ];
  return born
    .filter(([, from, to]) => from !== to)
    .map(([field, from, to]) => {
      const reason = `the ${field} of ${now.name} is ${from}, and an instance keeps its ${field} for life`;
      return { ...change(field, from, to), refused: { reason, hint: `${field === 'zone' ? moving(wanted, now) : ''}${commands.anew(now.name)}` } };
    });
}

/** A disk stays in its zone: without its copy, the new instance would get a blank one. */
function moving({ dataDisk, zone, project }: WantedInstance, now: Instance): string {
  if (dataDisk === undefined) return '';
  const { name } = dataDisk;
  return `first copy its data disk: gcloud compute disks snapshot ${name} --snapshot-names=${name} --zone=${now.zone} --project=${project} && gcloud compute disks create ${name} --source-snapshot=${name} --zone=${zone} --project=${project}; then `;
}

const status = (now: Instance): readonly Change[] => (isUp(now) ? [] : [change('status', now.status, 'RUNNING')]);

const text = (list: readonly string[]): string => list.join(', ') || 'none';

/** What only a stopped instance takes. */
function stopping(wanted: WantedInstance, now: Instance, others: readonly string[], commands: Commands): readonly Change[] {
  const changes = [...(now.machineType === wanted.machine_type ? [] : [change('machine type', now.machineType, wanted.machine_type)]), ...account(wanted, now)];
  if (now.status === 'TERMINATED' || changes.length === 0) return changes;
  const all = [now.name, ...others].sort();
  return changes.map((each) => ({
    ...each,
    disrupts: true,
    consent: `stops ${now.name}`,
    ...(others.length === 0
      ? {}
      : {
          refused: {
            reason: `${all.join(', ')} would be stopped at the same time`,
            hint: `take one after the other, each time until everything is in order again: ${commands.alone(all[0] ?? now.name)}`,
          },
        }),
  }));
}

function account({ service_account, scopes }: Pick<WantedInstance, 'service_account' | 'scopes'>, { serviceAccounts: [now] }: Instance): readonly Change[] {
  const wantedScopes = service_account === 'none' ? [] : scopeAddresses(scopes);
  const hasScopes = scopeAddresses(now?.scopes ?? []);
  return [
    ...((now?.email ?? 'none') === service_account ? [] : [change('service account', now?.email ?? 'none', service_account)]),
    ...(text(hasScopes) === text(wantedScopes) ? [] : [change('scopes', text(hasScopes), text(wantedScopes))]),
  ];
}

/** Whether something differs that only a stopped instance takes, while it runs. */
export const needsStop = (wanted: Pick<WantedInstance, 'prefix' | 'machine_type' | 'service_account' | 'scopes'>, now: Instance | undefined): boolean =>
  now !== undefined && isOurs(now, wanted) && now.status !== 'TERMINATED' && (now.machineType !== wanted.machine_type || account(wanted, now).length > 0);

/** Tags of other people are none of our business; those that begin like ours are. */
function tags(wanted: WantedInstance, { tags: { items } }: Instance): readonly Change[] {
  const surplus = items.filter((tag) => tag.startsWith(groupTag(wanted, '')) && !wanted.allTags.includes(tag));
  return [
    ...wanted.allTags.filter((tag) => !items.includes(tag)).map((tag) => change(`tag ${tag}`, { kind: 'absent' }, 'present')),
    ...surplus.map((tag) => change(`tag ${tag}`, 'present', { kind: 'absent' })),
  ];
}

/** Those of others are kept. */
const entries = (kind: string, wanted: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): readonly Change[] =>
  Object.entries(wanted)
    .filter(([key, value]) => now[key] !== value)
    .map(([key, value]) => change(`${kind} ${key}`, now[key] ?? { kind: 'absent' }, value));

function metadata({ allMetadata, key }: WantedInstance, { metadata: { items } }: Instance): readonly Change[] {
  const now = Object.fromEntries(items.map((item) => [item.key, item.value]));
  return entries('metadata', { ...allMetadata, ...(key === undefined ? {} : { 'ssh-keys': withKey(now['ssh-keys'], key) }) }, now);
}

/** Google does not say of an address whether it is reserved: any will do where an ephemeral one is wanted. */
function externalAddress({ external_address }: WantedInstance, { networkInterfaces: [first] }: Instance): readonly Change[] {
  const config = first?.accessConfigs[0];
  const field = `external address ${config?.name ?? 'external-nat'}`;
  if (config === undefined) return external_address === 'none' ? [] : [change(field, { kind: 'absent' }, external_address)];
  const now = config.natIP ?? 'ephemeral';
  if (external_address === 'none') return [change(field, now, { kind: 'absent' })];
  return external_address === 'ephemeral' || external_address === now ? [] : [change(field, now, external_address)];
}

// ---- disks -------------------------------------------------------------------------------------------------------

const dataDisk = ({ disks }: Instance, name: string): AttachedDisk | undefined => disks.find(({ source }) => source === name);
/** A disk of its own as `/dev/disk/by-id/google-data`. */
export const DEVICE = 'data';

/** Whether the data disk is attached, under its name, and outlives the instance; nothing for an instance that is not there or not ours. */
export function dataDiskChanges(wanted: WantedInstance, now: Instance | undefined): readonly Change[] {
  if (now === undefined || wanted.dataDisk === undefined || !isOurs(now, wanted)) return [];
  const { name, gb } = wanted.dataDisk;
  const disk = dataDisk(now, name);
  if (disk === undefined) return [change('disk', { kind: 'absent' }, `${gigabytes(gb)}, attached as ${DEVICE}`)];
  return [
    ...(disk.autoDelete ? [change('auto-delete', 'on', 'off')] : []),
    ...(disk.deviceName === DEVICE ? [] : [{ ...change('device', disk.deviceName, DEVICE), refused: otherDevice(wanted, now, name) }]),
  ];
}

const otherDevice = ({ project, zone }: WantedInstance, { name }: Instance, disk: string): NonNullable<Change['refused']> => ({
  reason: `${disk} is attached to ${name} under another device name, and whatever is mounted from it would lose it`,
  hint: `stop what uses it and unmount it, then: gcloud compute instances detach-disk ${name} --disk=${disk} --zone=${zone} --project=${project}; the next run attaches it`,
});

/** Disks that are smaller than wanted grow while they are used; none shrinks. */
export function sizeChanges(wanted: WantedInstance, now: Instance | undefined): readonly Change[] {
  if (now === undefined || !isOurs(now, wanted)) return [];
  const boot = now.disks.find((disk) => disk.boot);
  return [
    ...sizeChange(boot, wanted.boot_disk_gb, 'gcp_boot_disk_gb'),
    ...(wanted.dataDisk === undefined ? [] : sizeChange(dataDisk(now, wanted.dataDisk.name), wanted.dataDisk.gb, 'gcp_data_disk_gb')),
  ];
}

function sizeChange(disk: AttachedDisk | undefined, gb: number, variable: string): readonly Change[] {
  if (disk?.source === undefined || disk.diskSizeGb === undefined || disk.diskSizeGb === gb) return [];
  const differs = change(`size of ${disk.source}`, gigabytes(disk.diskSizeGb), gigabytes(gb));
  if (disk.diskSizeGb < gb) return [differs];
  const refused = {
    reason: `${disk.source} has ${gigabytes(disk.diskSizeGb)}, and no disk becomes smaller`,
    hint: `set ${variable}: ${String(disk.diskSizeGb)}`,
  };
  return [{ ...differs, refused }];
}

const gigabytes = (gb: number): string => `${String(gb)} GB`;
