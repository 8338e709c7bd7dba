/** The calls that put the differences of an instance right. */
import { gcloud, type Change, type Steps } from '../../lib/index.mts';
import { DEVICE } from './drift.mts';
import { about, accountFlags, creation, dictionary, diskCreation, type Argv, type WantedInstance } from './wanted.mts';

/** Starting, stopping and making an instance, in seconds: stopping waits 90 s for the operating system. */
const POWER_SECONDS = 600;

export function applyInstance(wanted: WantedInstance, changes: readonly Change[], steps: Steps): void {
  const slow = (...calls: readonly Argv[]): void => {
    steps.within(POWER_SECONDS, (patient) => {
      for (const argv of calls) patient.controller(argv);
    });
  };
  if (changes.some(({ field }) => field === 'instance')) {
    slow(...diskCreation(wanted), creation(wanted));
    return;
  }
  const status = changes.find(({ field }) => field === 'status');
  const isSuspended = status !== undefined && /^SUSPEND/.test(fromText(status));
  const stopped = whileStopped(wanted, changes);
  if (stopped.length > 0) {
    if (isSuspended) slow(about(wanted, 'resume'));
    if (status === undefined || fromText(status) !== 'TERMINATED') slow(about(wanted, 'stop'));
    for (const argv of stopped) steps.controller(argv);
  }
  for (const argv of whileRunning(wanted, changes)) steps.controller(argv);
  if (stopped.length > 0 || (status !== undefined && !isSuspended)) slow(about(wanted, 'start'));
  else if (isSuspended) slow(about(wanted, 'resume'));
}

const fromText = ({ from }: Change): string => (from.kind === 'text' ? from.text : '');
const toText = ({ to }: Change): string => (to.kind === 'text' ? to.text : '');

function whileStopped(wanted: WantedInstance, changes: readonly Change[]): readonly Argv[] {
  const has = (...fields: readonly string[]): boolean => changes.some(({ field }) => fields.includes(field));
  return [
    ...(has('machine type') ? [about(wanted, 'set-machine-type', `--machine-type=${wanted.machine_type}`)] : []),
    ...(has('service account', 'scopes') ? [about(wanted, 'set-service-account', ...accountFlags(wanted))] : []),
  ];
}

function whileRunning(wanted: WantedInstance, changes: readonly Change[]): readonly Argv[] {
  const named = (kind: string): readonly (Change & { readonly name: string })[] =>
    changes.filter(({ field }) => field.startsWith(`${kind} `)).map((each) => ({ ...each, name: each.field.slice(kind.length + 1) }));
  const tags = named('tag');
  const added = tags.filter(({ to }) => to.kind !== 'absent').map(({ name }) => name);
  const removed = tags.filter(({ to }) => to.kind === 'absent').map(({ name }) => name);
  const labels = Object.fromEntries(named('label').map((each) => [each.name, toText(each)]));
  const metadata = Object.fromEntries(named('metadata').map((each) => [each.name, toText(each)]));
  const protection = changes.find(({ field }) => field === 'deletion protection');
  return [
    ...(added.length === 0 ? [] : [about(wanted, 'add-tags', `--tags=${added.join(',')}`)]),
    ...(removed.length === 0 ? [] : [about(wanted, 'remove-tags', `--tags=${removed.join(',')}`)]),
    ...(Object.keys(labels).length === 0 ? [] : [about(wanted, 'update', `--update-labels=${dictionary(labels)}`)]),
    ...(Object.keys(metadata).length === 0 ? [] : [about(wanted, 'add-metadata', `--metadata=${dictionary(metadata)}`)]),
    ...named('external address').flatMap((each) => externalAddress(wanted, each)),
    ...(protection === undefined ? [] : [about(wanted, 'update', wanted.deletion_protection ? '--deletion-protection' : '--no-deletion-protection')]),
  ];
}

/** An address is never replaced, so the old one goes first. */
function externalAddress(wanted: WantedInstance, each: Change & { readonly name: string }): readonly Argv[] {
  const config = `--access-config-name=${each.name}`;
  return [
    ...(each.from.kind === 'absent' ? [] : [about(wanted, 'delete-access-config', config)]),
    ...(each.to.kind === 'absent' ? [] : [about(wanted, 'add-access-config', config, ...(toText(each) === 'ephemeral' ? [] : [`--address=${toText(each)}`]))]),
  ];
}

/** A disk of that name that is there already is the one from an earlier life of the instance, and is attached as it is. */
export function applyDataDisk(wanted: WantedInstance, changes: readonly Change[], steps: Steps): void {
  const { dataDisk } = wanted;
  if (dataDisk === undefined) return;
  const has = (wantedField: string): boolean => changes.some(({ field }) => field === wantedField);
  if (has('disk')) {
    for (const argv of diskCreation(wanted)) steps.controller(argv);
    steps.controller(about(wanted, 'attach-disk', `--disk=${dataDisk.name}`, `--device-name=${DEVICE}`));
  }
  if (has('auto-delete')) steps.controller(about(wanted, 'set-disk-auto-delete', '--no-auto-delete', `--disk=${dataDisk.name}`));
}

export function applySizes({ zone, project }: WantedInstance, changes: readonly Change[], steps: Steps): void {
  for (const each of changes) {
    const name = each.field.replace(/^size of /, '');
    steps.controller(gcloud(['compute', 'disks', 'resize', name, `--size=${toText(each).replace(' ', '')}`, `--zone=${zone}`], { project }));
  }
}
