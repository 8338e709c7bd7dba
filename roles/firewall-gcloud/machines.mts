/** Instances as firewall rules see them: with the tags and the account that they have, which somebody may have edited. */
import type { Host, HostName, Inventory, Question } from '../../lib/index.mts';
import { addressesOf, gcp, hostTags, instanceList, instances, type Instance } from '../gcp-instances/contract.mts';
import type { Realm } from './realms.mts';

export interface Machine {
  readonly tags: readonly string[];
  /** Its service account. */
  readonly account?: string;
  /** Its external address. */
  readonly outside?: string;
}

/** Those that exist. */
export type Machines = ReadonlyMap<HostName, Machine>;

/** All instances of the realm's project that are hosts of the inventory. */
export const machines = (inventory: Inventory, { project, mayBeOff }: Realm): Question<Machines> =>
  instanceList({ project, network_managed: mayBeOff }).map(
    (all) =>
      new Map(
        instances(inventory).flatMap((host) => {
          const { project: own, zone } = host.vars(gcp);
          const instance = all.find((each) => own === project && each.name === host.name && each.zone === zone);
          return instance === undefined ? [] : [[host.name, machine(instance)]];
        }),
      ),
  );

function machine(instance: Instance): Machine {
  const [account] = instance.serviceAccounts;
  const { outside } = addressesOf(instance);
  return { tags: instance.tags.items, ...(account === undefined ? {} : { account: account.email }), ...(outside === undefined ? {} : { outside }) };
}

/** The host's machine; as the inventory wants it where there is none yet. */
export function machineOf(host: Host, existing: Machines = new Map()): Machine {
  const { service_account: account } = host.vars(gcp);
  return existing.get(host.name) ?? { tags: hostTags(host), ...(account === 'none' ? {} : { account }) };
}
