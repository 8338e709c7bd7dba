/** Services without a login listen on private addresses only. */
import { isInside } from '../inventory/address.mts';
import type { Host } from '../inventory/model.mts';
import type { Refusal } from './model.mts';

/** Why `what` must not bind the host's address: there is none, or the internet can reach it. */
export function privateOnly(host: Host, what: string): readonly Refusal[] {
  const hint = `set private_address of ${host.name} `;
  if (host.privateAddress === undefined)
    return [{ kind: 'usage', reason: `${host.name} has no private address for ${what} to bind`, hint: `${hint}in the inventory` }];
  if (isInside(host.privateAddress)) return [];
  return [
    {
      kind: 'refused',
      reason: `${what} without a login would listen on ${host.privateAddress}, which is no private address`,
      hint: `${hint}to its address in the private network`,
    },
  ];
}
