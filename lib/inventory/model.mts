import type { z } from 'zod';
import type { GroupName, HostName, RoleName } from '../names.mts';
import type { Secret } from '../secret.mts';

/** A place in an inventory file; line and column count from 1. */
export interface Source {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Level = 'role default' | 'google cloud' | 'group' | 'host' | 'extra' | 'command line' | 'ssh config';

/** Where a value came from and what it is; secrets show their label only. */
export interface Explained {
  readonly variable: string;
  readonly value: unknown;
  readonly level: Level;
  readonly source?: Source;
}

export interface Become {
  readonly user: string;
  readonly password?: Secret;
}

export type HostKeyChecking = 'strict' | 'accept-new';

export interface SshConnection {
  readonly kind: 'ssh';
  /** What is dialled: `ansible_host`, else the host's name. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly keyFile?: string;
  /** Instead of the default identities, as ssh's configuration says; missing ones are left out. */
  readonly identityFiles?: readonly string[];
  /** No other key of the agent than those. */
  readonly identitiesOnly?: boolean;
  /** The last host on the way to this one. */
  readonly jump?: string;
  /** How `jump` is reached when it is no host of the inventory; it may be behind another one. */
  readonly bastion?: SshConnection;
  readonly knownHostsFile?: string;
  /** Of ssh's configuration, in place of `~/.ssh/known_hosts`, when there is no `knownHostsFile`. */
  readonly userKnownHostsFiles?: readonly string[];
  /** The name under which known_hosts has the key, without a port. */
  readonly hostKeyAlias?: string;
  readonly hostKeyChecking: HostKeyChecking;
  /** Gives the host's keys, `TYPE BASE64` each, from somebody who knows them; asked when none is known. Throws when they cannot be had. */
  readonly hostKeys?: () => Promise<readonly string[]>;
  /** A command whose stdin and stdout are the connection, in place of TCP to the address. */
  readonly proxyCommand?: readonly [string, ...string[]];
  /** Made or started just now: how long it may refuse connections and logins until that means anything. */
  readonly settlingMs?: number;
  readonly become?: Become;
}

export type Connection = SshConnection | { readonly kind: 'local'; readonly become?: Become };

/**
 * What a role lets others know: its variables. Lives in roles/<role>/contract.mts, the only file of a role that another may import.
 * `schema` names variables without the role's prefix: `heap` of `elasticsearch` is `elasticsearch_heap` in the inventory.
 */
export interface Contract<V> {
  readonly role: RoleName;
  readonly schema: z.ZodObject;
  /** Never set: ties the contract to the type its schema gives. */
  readonly typeOfVariables?: V;
}

/** One machine, complete and frozen before anything is contacted. */
export interface Host {
  readonly name: HostName;
  readonly connection: Connection;
  /** What services bind and publish; `undefined` when the inventory gives no private address. */
  readonly privateAddress: string | undefined;
  /** Which host-provider role makes this host (`lab`, `gcp`), if any. */
  readonly provider: string | undefined;
  /** Which one knows where it is, though it is made elsewhere: a host that an inventory source found. */
  readonly locatedBy?: string;
  readonly groups: ReadonlySet<GroupName>;
  /** Where the inventory first names the host. */
  readonly source: Source;
  /** A role's variables for this host, validated and with defaults filled in. */
  vars<V>(of: Contract<V>): V;
}

export interface Inventory {
  /** In the order of the files. */
  readonly hosts: ReadonlyMap<HostName, Host>;
  readonly files: readonly string[];
  /** The hosts of a group in inventory order; an unknown group is empty. */
  group(name: string): readonly Host[];
  /** Ansible's host patterns; throws a `usage` failure naming close matches when nothing fits. */
  select(pattern: string): readonly Host[];
  /** The value of a variable for a host and its source; `variable` carries the role's prefix. */
  explain(host: HostName, variable: string): Explained | undefined;
  /** All variables of a host, connection keys included, sorted by name. */
  explainAll(host: HostName): readonly Explained[];
  /** Things worth saying once that are no errors: ignored Ansible keys, empty groups. */
  readonly notices: readonly string[];
}
