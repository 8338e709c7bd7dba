import {
  constant,
  controllerCommand,
  defineControllerRole,
  playing,
  roleName,
  type Change,
  type Host,
  type HostName,
  type Inventory,
  type Question,
  type Resource,
  type Steps,
} from '../../lib/index.mts';
import { applyDataDisk, applyInstance, applySizes } from './apply.mts';
import { gcp, instances, PROVIDER } from './contract.mts';
import { dataDiskChanges, instanceChanges, instanceOf, needsStop, sizeChanges, type Commands } from './drift.mts';
import { instanceList, type Instance } from './instance.mts';
import { locates } from './location.mts';
import { refusals } from './refusals.mts';
import { verification } from './verify.mts';
import { wantedInstance, type WantedInstance } from './wanted.mts';

export default defineControllerRole({
  name: 'gcp-instances',
  contract: gcp,
  summary: 'hosts in Google Cloud: each instance exists as the inventory says, with its disks, and runs',
  runs: 'controller',
  per: 'host',
  concerns: PROVIDER,
  provides: PROVIDER,
  dependencies: [roleName('gcp-network')],
  refuses: ({ host, inventory }) => constant(refusals(host, inventory)),
  resources: ({ host, inventory, within }) => instanceResources(host, inventory, within),
  verify: ({ host, inventory }) => verification(host, inventory),
  locates: ({ host }) => locates(host),
});

/** The instance itself, then its data disk, then sizes: a disk from an earlier life is known only once it is attached. */
export function instanceResources(host: Host, inventory: Inventory, within: ReadonlySet<HostName>): readonly Resource[] {
  const wanted = wantedInstance(host);
  const commands: Commands = {
    anew: (name) =>
      `npx zx playbooks/gcp.mts down ${files(inventory)} --limit ${name} --yes --project ${wanted.project}, then run the playbook: data disks are kept`,
    alone: (name) => `${playing({ inventory }, 'gcp-instances')} --limit ${name} --yes`,
  };
  const list = instanceList(wanted);
  const part = (id: string, differs: (now: Instance | undefined, all: readonly Instance[]) => readonly Change[], run: Apply): Resource =>
    controllerCommand(id, {
      differs: list.map((all) => differs(instanceOf(wanted, all), all)) satisfies Question<readonly Change[]>,
      run: (steps, changes) => {
        run(wanted, changes, steps);
      },
    });
  return [
    part(`instance ${host.name}`, (now, all) => instanceChanges(wanted, now, stoppedToo(host, inventory, within, all), commands), applyInstance),
    ...(wanted.dataDisk === undefined ? [] : [part(`disk ${wanted.dataDisk.name}`, (now) => dataDiskChanges(wanted, now), applyDataDisk)]),
    part(`disk sizes of ${host.name}`, (now) => sizeChanges(wanted, now), applySizes),
  ];
}

type Apply = (wanted: WantedInstance, changes: readonly Change[], steps: Steps) => void;

const files = ({ files: paths }: Inventory): string => paths.map((path) => `-i ${path}`).join(' ');

/** Other instances of this run that it would stop as well. */
function stoppedToo(host: Host, inventory: Inventory, within: ReadonlySet<HostName>, all: readonly Instance[]): readonly string[] {
  const { project } = host.vars(gcp);
  return instances(inventory)
    .filter((each) => each !== host && within.has(each.name) && each.vars(gcp).project === project)
    .map((each) => ({ ...each.vars(gcp), name: each.name }))
    .filter((wanted) => needsStop(wanted, instanceOf(wanted, all)))
    .map(({ name }) => name);
}
