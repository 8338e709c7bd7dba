/** Everything a role or a playbook may use. */
export type * from './plan/model.mts';
export type { Contract, Host, Inventory } from './inventory/model.mts';
export { secretSchema } from './inventory/secrets.mts';
export { contract, defineControllerRole, defineRole, playbook } from './plan/role.mts';
export { groupName, hostName, resourceId, roleName } from './names.mts';
export type { GroupName, HostName, ResourceId, RoleName } from './names.mts';
export { Secret } from './secret.mts';
export type { Content } from './secret.mts';
export * from './plan/questions.mts';
export * from './resources/index.mts';
export { quote } from './shell/quote.mts';
export { artifacts, assembledPath, chooseArchive, labDirectory } from './inventory/artifacts.mts';
export { closest } from './inventory/suggest.mts';
export { inventoryCommand } from './cli/inventory-command.mts';
export { argumentsAfter, complain, run } from './cli/main.mts';
