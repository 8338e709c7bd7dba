/** Names that reach a shell, a path or a report: branded, and made only by the validating constructors below. */
declare const brand: unique symbol;
type Brand<B extends string> = string & { readonly [brand]: B };

export type HostName = Brand<'HostName'>;
export type GroupName = Brand<'GroupName'>;
export type RoleName = Brand<'RoleName'>;
export type ResourceId = Brand<'ResourceId'>;

const HOST = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const GROUP = /^[a-z_][a-z0-9_]{0,62}$/i;
const ROLE = /^[a-z][a-z0-9-]{0,40}$/;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** RFC 1123 host name of at most 253 characters, in lower case. */
export const isHostName = (text: string): text is HostName => text.length <= 253 && HOST.test(text);
export const isGroupName = (text: string): text is GroupName => GROUP.test(text);

function made<B extends string>(valid: boolean, what: string, text: string): Brand<B> {
  if (!valid) throw new TypeError(`${what} ${JSON.stringify(text)} is not valid`);
  return text as Brand<B>;
}

export const hostName = (text: string): HostName => made(isHostName(text), 'host name', text);
export const groupName = (text: string): GroupName => made(isGroupName(text), 'group name', text);
export const roleName = (text: string): RoleName => made(ROLE.test(text), 'role name', text);
/** A kind and what it names, such as `file /etc/hosts`; one line, since reports and frames carry it as a line. */
export const resourceId = (text: string): ResourceId => made(text.length > 0 && !CONTROL.test(text), 'resource id', text);
