import { BlockList, isIP, isIPv6 } from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Secret } from '../secret.mts';
import type { Connection, HostKeyChecking, Source, SshConnection } from './model.mts';
import { expandHome } from './paths.mts';
import { secretSchema } from './secrets.mts';
import { parseSshArguments } from './ssh-arguments.mts';

const ADDRESS = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.@\\+-]{0,63}\$?$/;
/** More than anybody needs: whoever gets so far goes in a circle. */
export const MOST_JUMPS = 8;
const HOP = String.raw`(?:[A-Za-z0-9_][A-Za-z0-9_.@\\+-]{0,63}@)?(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?`;
const JUMP = new RegExp(`^${HOP}$`);
const JUMPS = new RegExp(`^${HOP}(?:,${HOP}){0,${String(MOST_JUMPS - 1)}}$`);

const address = z.string().refine((text) => isIP(text) !== 0 || ADDRESS.test(text), { error: 'must be a host name or an IP address' });
const user = z.string().regex(USER, { error: 'must be a user name' });

const file = z.string().regex(/^[^\u0000-\u001f]{1,1024}$/, { error: 'must be a path' });
const jump = z.string().regex(JUMPS, { error: 'must be hosts with commas between them: [user@]host[:port], or the name of a host of this inventory' });
/** What a value from elsewhere must be to stand where the inventory's own would. */
export const isSshAddress = (text: string): boolean => address.safeParse(text).success;
export const isUserName = (text: string): boolean => USER.test(text);

const unspecified = (text: string): boolean => text === '0.0.0.0' || text === '::';

/** The connection variables of Ansible that are honoured, and our own; every name here is what an inventory may say. */
export const connectionSchema = z.object({
  ansible_host: address.meta({ description: "What ssh dials, when it is not the host's name. For ssh only: see private_address." }).exactOptional(),
  ansible_port: z.int().min(1).max(65535).meta({ description: 'Port of sshd; 22 unless said.' }).exactOptional(),
  ansible_user: user.meta({ description: 'Who logs in; the user who runs this program unless said.' }).exactOptional(),
  ansible_ssh_private_key_file: file.meta({ description: 'Private key; relative to the inventory, ~ is the home directory.' }).exactOptional(),
  ansible_ssh_common_args: z
    .string()
    .superRefine((text, context) => {
      const parsed = parseSshArguments(text);
      if (typeof parsed === 'string') context.addIssue({ code: 'custom', message: parsed });
      else if (parsed.jump !== undefined && !JUMPS.test(parsed.jump))
        context.addIssue({ code: 'custom', message: 'names a jump host that is not [user@]host[:port]' });
    })
    .meta({ description: 'Only -J and -o ProxyJump, UserKnownHostsFile, StrictHostKeyChecking=yes|accept-new.' })
    .exactOptional(),
  ansible_connection: z.enum(['ssh', 'local']).meta({ description: 'ssh unless said; local runs on this machine.' }).exactOptional(),
  ansible_become: z.boolean().meta({ description: 'Run as another user with sudo.' }).exactOptional(),
  ansible_become_user: user.meta({ description: 'Whom sudo runs as; root unless said.' }).exactOptional(),
  ansible_become_method: z.literal('sudo').meta({ description: 'sudo is the only one.' }).exactOptional(),
  ansible_become_password: secretSchema.describe('Password for sudo, as a reference.').exactOptional(),
  ansible_host_key_checking: z
    .literal(true, {
      error:
        'cannot be false: write connection_host_key_checking: accept-new to accept a key on first sight, or connection_known_hosts_file with the keys in it',
    })
    .exactOptional(),
  connection_jump: jump
    .meta({ description: 'Jump hosts from first to last (a,b): [user@]host[:port], or the name of a host of this inventory; none to do without.' })
    .exactOptional(),
  connection_known_hosts_file: file.meta({ description: 'Host keys; relative to the inventory. ~/.ssh/known_hosts unless said.' }).exactOptional(),
  connection_host_key_checking: z
    .enum(['strict', 'accept-new'])
    .meta({ description: 'strict unless said; accept-new pins a key on first sight.' })
    .exactOptional(),
  private_address: z
    .string()
    .refine((text) => isIP(text) !== 0 && !unspecified(text), { error: "must be one of the host's own IP addresses" })
    .meta({ description: 'What services bind and publish; ansible_host when that is a private address.' })
    .exactOptional(),
  host_provider: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,40}$/, { error: 'must be the name of a host provider, such as lab or gcp' })
    .meta({ description: 'Which provider makes this host, such as lab or gcp.' })
    .exactOptional(),
});
export type ConnectionVariables = z.output<typeof connectionSchema>;

/** Ansible variables that change nothing here: accepted and named once. */
export const HARMLESS: ReadonlySet<string> = new Set([
  'ansible_python_interpreter', 'ansible_interpreter_python_fallback', 'ansible_group_priority', 'ansible_ssh_pipelining', 'ansible_pipelining', 'ansible_ssh_retries',
  'ansible_ssh_timeout', 'ansible_timeout', 'ansible_command_timeout', 'ansible_connect_timeout', 'ansible_shell_type', 'ansible_shell_executable', 'ansible_remote_tmp',
  'ansible_async_dir', 'ansible_ssh_transfer_method', 'ansible_scp_if_ssh', 'ansible_sftp_batch_mode', 'ansible_ssh_use_tty', 'ansible_control_path', 'ansible_control_path_dir',
  'ansible_facts_parallel', 'ansible_no_target_syslog', 'ansible_ssh_executable',
]); // prettier-ignore

/** Other spellings of what is known, and what cannot be honoured: variable and what to write instead. */
export const INSTEAD: Readonly<Record<string, string>> = {
  ansible_ssh_host: 'write ansible_host',
  ansible_ssh_port: 'write ansible_port',
  ansible_ssh_user: 'write ansible_user',
  ansible_private_key_file: 'write ansible_ssh_private_key_file',
  ansible_become_pass: 'write ansible_become_password: {secret: env:NAME}',
  ansible_sudo_pass: 'write ansible_become_password: {secret: env:NAME}',
  ansible_sudo: 'write ansible_become',
  ansible_password: 'login is by key or agent: write ansible_ssh_private_key_file',
  ansible_ssh_pass: 'login is by key or agent: write ansible_ssh_private_key_file',
  ansible_ssh_password: 'login is by key or agent: write ansible_ssh_private_key_file',
  ansible_ssh_args: 'write ansible_ssh_common_args with -J or -o ProxyJump, UserKnownHostsFile, StrictHostKeyChecking',
  ansible_ssh_extra_args: 'write ansible_ssh_common_args with -J or -o ProxyJump, UserKnownHostsFile, StrictHostKeyChecking',
  ansible_ssh_host_key_checking: 'host keys are always checked: write connection_host_key_checking: accept-new to accept a key on first sight',
  ansible_become_flags: 'only plain sudo is used: leave it out',
  ansible_become_exe: 'only plain sudo is used: leave it out',
};

/** What the command line says about logging in; it wins over the inventory. */
export interface ConnectionOverrides {
  readonly user?: string;
  readonly privateKeyFile?: string;
  readonly becomePassword?: Secret;
}

/** What the inventory and the command line already say, and ssh's configuration therefore does not. */
export interface SshGiven {
  readonly hostName?: string;
  readonly user?: string;
  readonly port?: number;
  readonly jump?: true;
  readonly knownHosts?: true;
}

/** What `~/.ssh/config` says about a host, for what the inventory leaves open. */
export interface SshConfigEntry {
  readonly hostName?: string;
  readonly user?: string;
  readonly port?: number;
  /** Instead of the default identities, in this order; those that cannot be used are left out, as ssh does. */
  readonly identityFiles?: readonly string[];
  readonly identitiesOnly?: boolean;
  readonly proxyJump?: string;
  readonly hostKeyAlias?: string;
  /** Beside those of the system. */
  readonly userKnownHostsFiles?: readonly string[];
  readonly sources?: SshConfigSources;
  /** Worth saying once. */
  readonly notices?: readonly string[];
}

export type SshConfigSources = Readonly<Partial<Record<Exclude<keyof SshConfigEntry, 'sources' | 'notices'>, Source>>>;

export interface ConnectionInput {
  readonly name: string;
  readonly variables: ConnectionVariables;
  /** Directory that a relative path in this variable is about. */
  readonly baseOf: (variable: string) => string;
  readonly overrides: ConnectionOverrides;
  readonly config: SshConfigEntry;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function connectionOf(input: ConnectionInput): Connection {
  const { name, variables: own, overrides, config } = input;
  const password = overrides.becomePassword ?? own.ansible_become_password;
  const become =
    own.ansible_become === true ? { become: Object.freeze({ user: own.ansible_become_user ?? 'root', ...(password === undefined ? {} : { password }) }) } : {};
  if (own.ansible_connection === 'local') return Object.freeze({ kind: 'local', ...become });

  const parsed = parseSshArguments(own.ansible_ssh_common_args ?? '');
  const args = typeof parsed === 'string' ? {} : parsed;
  const absolute = (variable: string, given: string | undefined): string | undefined =>
    given === undefined ? undefined : path.resolve(input.baseOf(variable), expandHome(given, input.environment));
  const keyFile =
    overrides.privateKeyFile === undefined
      ? absolute('ansible_ssh_private_key_file', own.ansible_ssh_private_key_file)
      : path.resolve(expandHome(overrides.privateKeyFile, input.environment));
  const knownHostsFile = absolute('connection_known_hosts_file', own.connection_known_hosts_file) ?? absolute('ansible_ssh_common_args', args.knownHostsFile);
  const jumpHost = jumpOf(own) ?? config.proxyJump;
  const hostKeyChecking: HostKeyChecking = own.connection_host_key_checking ?? args.hostKeyChecking ?? 'strict';
  return Object.freeze({
    kind: 'ssh',
    // A name in ansible_host is what ssh would be given, and translates.
    address: config.hostName ?? own.ansible_host ?? name,
    port: own.ansible_port ?? config.port ?? 22,
    user: overrides.user ?? own.ansible_user ?? config.user ?? defaultUser(input.environment),
    hostKeyChecking,
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(jumpHost === undefined || jumpHost === NO_JUMP ? {} : { jump: jumpHost }),
    ...(knownHostsFile === undefined ? {} : { knownHostsFile }),
    ...loginOf(config),
    ...become,
  });
}

const NO_JUMP = 'none';

/** `none` says that there is to be none, whatever ssh's configuration says. */
function jumpOf(own: ConnectionVariables): string | undefined {
  const args = parseSshArguments(own.ansible_ssh_common_args ?? '');
  return own.connection_jump ?? (typeof args === 'string' ? undefined : args.jump);
}

/** The name that ssh would be given, and what it need not be asked. */
export function askedOfSshConfig(name: string, own: ConnectionVariables, overrides: ConnectionOverrides): { readonly name: string; readonly given: SshGiven } {
  const args = parseSshArguments(own.ansible_ssh_common_args ?? '');
  const dialled = own.ansible_host ?? name;
  const user = overrides.user ?? own.ansible_user;
  const knownHosts = own.connection_known_hosts_file !== undefined || (typeof args !== 'string' && args.knownHostsFile !== undefined);
  return {
    name: dialled,
    given: {
      ...(own.ansible_host === undefined || isIP(own.ansible_host) === 0 ? {} : { hostName: own.ansible_host }),
      ...(user === undefined ? {} : { user }),
      ...(own.ansible_port === undefined ? {} : { port: own.ansible_port }),
      ...(jumpOf(own) === undefined ? {} : { jump: true }),
      ...(knownHosts ? { knownHosts: true } : {}),
    },
  };
}

type Login = Pick<SshConnection, 'identityFiles' | 'identitiesOnly' | 'hostKeyAlias' | 'userKnownHostsFiles'>;

const loginOf = ({ identityFiles, identitiesOnly, hostKeyAlias, userKnownHostsFiles }: SshConfigEntry): Login => ({
  ...(identityFiles === undefined ? {} : { identityFiles }),
  ...(identitiesOnly === true ? { identitiesOnly } : {}),
  ...(hostKeyAlias === undefined ? {} : { hostKeyAlias }),
  ...(userKnownHostsFiles === undefined ? {} : { userKnownHostsFiles }),
});

/** A jump host that is no host of the inventory, as ssh's configuration describes it, but for its own way; keys and trust of the host behind it hold for it, too. */
export function bastionOf(
  { keyFile, knownHostsFile, hostKeyChecking }: SshConnection,
  { host, user, port }: JumpHost,
  config: SshConfigEntry,
  environment: ConnectionInput['environment'],
): SshConnection {
  return Object.freeze({
    kind: 'ssh',
    address: config.hostName ?? host,
    port: port ?? config.port ?? 22,
    user: user ?? config.user ?? defaultUser(environment),
    hostKeyChecking,
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(knownHostsFile === undefined ? {} : { knownHostsFile }),
    ...loginOf(config),
  });
}

export interface JumpHost {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/** The jump host next to the target, and those on the way to it. */
export function lastJump(jumps: string): { readonly last: string; readonly before?: string } {
  const comma = jumps.lastIndexOf(',');
  return comma < 0 ? { last: jumps } : { last: jumps.slice(comma + 1), before: jumps.slice(0, comma) };
}

/** The parts of `[user@]host[:port]`. */
export function parseJump(text: string): JumpHost | undefined {
  if (!JUMP.test(text)) return undefined;
  const [, user, host, port] = /^(?:(.+)@)?(\[[^\]]+\]|[^:@]+)(?::(\d+))?$/.exec(text) ?? [];
  if (host === undefined) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port: Number(port) }) };
}

export function defaultUser(environment: Readonly<Record<string, string | undefined>>): string {
  const named = environment['USER'] ?? environment['LOGNAME'];
  if (named !== undefined && USER.test(named)) return named;
  try {
    return userInfo().username;
  } catch {
    return 'root';
  }
}

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addAddress('::1', 'ipv6');

/** RFC 1918, RFC 6598, RFC 4193 and loopback addresses; names are not addresses. */
export const isPrivateAddress = (text: string): boolean => isIP(text) !== 0 && PRIVATE.check(text, isIPv6(text) ? 'ipv6' : 'ipv4');

/** What services bind: said, or what ssh dials when that is a private address and not a public one. */
export function privateAddressOf(name: string, variables: ConnectionVariables): string | undefined {
  if (variables.private_address !== undefined) return variables.private_address;
  const dialled = variables.ansible_host ?? name;
  return isPrivateAddress(dialled) ? dialled : undefined;
}
