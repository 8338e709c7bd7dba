import { constant, defineControllerRole, roleName, type HostName, type Inventory } from '../../lib/index.mts';
import { PROVIDER } from '../gcp-instances/contract.mts';
import { firewallGcloud } from './contract.mts';
import { realms, type Realm } from './realms.mts';
import { refusals } from './refusals.mts';
import { realmResources } from './resources.mts';
import { realmChecks } from './verify.mts';

export default defineControllerRole({
  contract: firewallGcloud,
  summary: 'firewall rules of Google Cloud: who may reach which port is what the inventory says, and nothing else of ours is open',
  runs: 'controller',
  per: 'group',
  concerns: PROVIDER,
  dependencies: [roleName('gcp-network')],
  refuses: ({ inventory }) => constant(refusals(inventory)),
  resources: ({ inventory, within }) => affected(inventory, within).flatMap((realm) => realmResources(inventory, realm)),
  verify: ({ inventory, within }) => affected(inventory, within).flatMap((realm) => realmChecks(inventory, realm)),
});

/** Networks that have a host of the limit; their rules are about all hosts of the inventory all the same. */
const affected = (inventory: Inventory, within: ReadonlySet<HostName>): readonly Realm[] =>
  realms(inventory).filter(({ hosts }) => hosts.some(({ name }) => within.has(name)));
