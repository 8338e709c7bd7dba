import type { z } from 'zod';
import { roleName } from '../names.mts';
import type { Contract, Inventory } from '../inventory/model.mts';
import type { ControllerRole, HostRole, Playbook } from './model.mts';

/** The variables of a role, named without the role's prefix: `heap` here is `elasticsearch_heap` in an inventory. */
export function contract<S extends z.ZodObject>(role: string, schema: S): Contract<z.output<S>> {
  return { role: roleName(role), schema };
}

/** `name` is said where several roles share a contract. */
export function defineRole<V, P = never>({ name, ...role }: Omit<HostRole<V, P>, 'name'> & { readonly name?: string }): HostRole<V, P> {
  return { ...role, name: name === undefined ? role.contract.role : roleName(name) };
}

/** `name` is said where several roles share a contract. */
export function defineControllerRole<V>({ name, ...role }: Omit<ControllerRole<V>, 'name'> & { readonly name?: string }): ControllerRole<V> {
  return { ...role, name: name === undefined ? role.contract.role : roleName(name) };
}

export const playbook = (definition: Playbook): Playbook => definition;

/** The command that runs some roles by themselves, with the inventories of this run. */
export const playing = ({ inventory }: { readonly inventory: Pick<Inventory, 'files'> }, roles: string): string =>
  `npx zx playbooks/site.mts ${inventory.files.map((path) => `-i ${path}`).join(' ')} --role ${roles}`;
