/** The networks that the inventory has instances in: rules belong to one of them, and tags mean something in one of them only. */
import type { Host, Inventory } from '../../lib/index.mts';
import { gcp, instances } from '../gcp-instances/contract.mts';
import { firewallGcloud, type FirewallGcloudVars } from './contract.mts';

/** Instances of one network whose rules and tags begin alike. */
export interface Realm {
  readonly project: string;
  readonly network: string;
  readonly prefix: string;
  /** The Compute API may be off, since the run switches it on. */
  readonly mayBeOff: boolean;
  readonly hosts: readonly Host[];
  /** What those of its hosts say that say anything. */
  readonly settings: FirewallGcloudVars;
}

const networkOf = (host: Host): string => {
  const { project, network } = host.vars(gcp);
  return `${project}/${network}`;
};

/** In inventory order. */
export function realms(inventory: Inventory): readonly Realm[] {
  const byKey = Map.groupBy(instances(inventory), (host) => `${networkOf(host)} ${host.vars(gcp).prefix}`);
  return [...byKey.values()].flatMap((hosts) => {
    const [first] = hosts;
    if (first === undefined) return [];
    const { project, network, prefix } = first.vars(gcp);
    const mayBeOff = hosts.every((host) => host.vars(gcp).network_managed);
    return [{ project, network, prefix, mayBeOff, hosts, settings: settingsOf(hosts, first) }];
  });
}

/** Whoever says something first. */
const settingsOf = (hosts: readonly Host[], first: Host): FirewallGcloudVars =>
  hosts.toReversed().reduce((sum, host) => ({ ...sum, ...host.vars(firewallGcloud) }), first.vars(firewallGcloud));

/** Two hosts of a realm that say different things about it. */
export function disagreements({ hosts }: Realm): readonly { readonly variable: keyof FirewallGcloudVars; readonly one: Host; readonly other: Host }[] {
  const variables = [...new Set(hosts.flatMap((host) => Object.keys(host.vars(firewallGcloud))))] as (keyof FirewallGcloudVars)[];
  return variables.flatMap((variable) => {
    const saying = hosts.filter((host) => host.vars(firewallGcloud)[variable] !== undefined);
    const [one] = saying;
    const value = (host: Host): string => JSON.stringify(host.vars(firewallGcloud)[variable]);
    const other = one === undefined ? undefined : saying.find((host) => value(host) !== value(one));
    return one === undefined || other === undefined ? [] : [{ variable, one, other }];
  });
}

/** Whether tags of the host mean something to rules of the realm. */
export const isNear = (host: Host, { project, network }: Realm): boolean => host.provider === 'gcp' && networkOf(host) === `${project}/${network}`;
