/**
 * Starting the session's shell as another user. Nothing is sent before the shell said that it runs: a frame that is sent blindly would be
 * eaten as a password, and a password that is sent blindly would be run as a command.
 */
import { RunFailure, type RunError } from '../errors.mts';
import type { Become } from '../inventory/model.mts';
import { redact } from '../secret.mts';

/**
 * One word for the account's login shell, whatever it is: sh, bash, dash, zsh and fish agree on single quotes only when neither a quote
 * nor a backslash is inside them.
 */
export const loginQuote = (text: string): string => `'${text.replaceAll(/['\\]/g, (character) => `'\\${character}'`)}'`;

/** The exec command that runs `script`; `prompt` is what sudo asks with, so that it can be told from all other output. */
export function enterCommand(script: string, shell: string, become: Become | undefined, prompt: string): string {
  const command = `${shell} -c ${loginQuote(script)}`;
  if (become === undefined) return `exec ${command}`;
  const how = become.password === undefined ? '-n' : `-S -p ${prompt}`;
  return `exec env LC_ALL=C LANGUAGE=C sudo -H ${how} -u ${loginQuote(become.user)} -- ${command}`;
}

/** Whoever logs in as the wanted user needs no sudo, which may not even be installed. */
export const needsBecome = (loginUser: string, become: Become | undefined): Become | undefined =>
  become === undefined || become.user === loginUser ? undefined : become;

export interface Entry {
  readonly hostName: string;
  readonly loginUser: string;
  readonly become: Become | undefined;
}

/** How the command ended that was to become the session's shell; `hasBegun`: it was a shell already. */
export interface EntryEnd {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly hasBegun: boolean;
}

/** Why the shell never came up: the command ended after printing `output`. */
export function entryFailure(entry: Entry, { code, signal, hasBegun }: EntryEnd, output: string): RunFailure {
  const { hostName, loginUser, become } = entry;
  const how = code === undefined ? (signal ?? '') : `exit ${code}`;
  const said = redact(output).trim().split('\n').slice(-3).join('\n').slice(-600);
  const failure = (error: RunError): RunFailure => new RunFailure(error);
  if (code === undefined && signal === undefined) {
    return failure({
      kind: 'unreachable',
      short: 'connection lost',
      message: `the connection to ${hostName} went away while the session was opened${said === '' ? '' : `: ${said}`}`,
    });
  }
  if (hasBegun) {
    return failure({
      kind: 'unreachable',
      short: 'shell ended',
      message: `the shell on ${hostName} ended (${how}) while the session was opened`,
      hint: 'was it killed there, or is the host going down?',
    });
  }
  if (become === undefined || /This account is currently not available/.test(output)) {
    return failure({
      kind: 'auth',
      short: 'no shell',
      message: `${hostName} let ${loginUser} log in but ran no command (${how})${said === '' ? '' : `: ${said}`}`,
      hint: `give ${loginUser} a login shell that runs commands, or another ansible_user`,
    });
  }
  const because = SUDO_FAILURES.find(({ pattern }) => pattern.test(output)) ?? (code === 127 ? SUDO_MISSING : undefined);
  return failure({
    kind: 'become',
    short: because?.short ?? 'sudo failed',
    message: `${hostName}: ${because?.message(loginUser, become.user) ?? `sudo of ${loginUser} to ${become.user} failed (${how})`}${said === '' ? '' : `: ${said}`}`,
    ...(because === undefined ? {} : { hint: because.hint(loginUser) }),
  });
}

export function wrongPassword({ hostName, loginUser }: Entry): RunFailure {
  return new RunFailure({
    kind: 'become',
    short: 'wrong sudo password',
    message: `${hostName}: sudo refused the password of ${loginUser}`,
    hint: 'it was tried once and not again, so the account is not locked: give the right one with -K or ansible_become_password',
  });
}

export function becomeTimeout({ hostName, loginUser, become }: Entry, seconds: number, asked: boolean): RunFailure {
  return new RunFailure({
    kind: 'become',
    short: 'sudo hangs',
    message: `${hostName}: sudo of ${loginUser} to ${become?.user ?? 'root'} did not answer within ${seconds} s${asked ? ', although the password was sent' : ''}`,
    hint: 'is its user directory (LDAP, SSSD) or its second factor reachable? try `sudo -n true` on the host',
  });
}

interface SudoFailure {
  readonly pattern: RegExp;
  readonly short: string;
  message(loginUser: string, user: string): string;
  hint(loginUser: string): string;
}

const rule = (user: string): string => `allow it on the host: ${user} ALL=(ALL) NOPASSWD: ALL`;
const SUDO_MISSING: SudoFailure = {
  pattern: /env: .*sudo.*No such file|sudo: (command )?not found/,
  short: 'sudo missing',
  message: () => 'sudo is not installed',
  hint: () => 'install sudo, log in as root, or set ansible_become: false',
};

/** Messages of sudo 1.8 and 1.9 and of sudo-rs, in the C locale. */
const SUDO_FAILURES: readonly SudoFailure[] = [
  SUDO_MISSING,
  {
    pattern: /must have a tty/,
    short: 'sudo needs a tty',
    message: () => 'sudo runs only on a terminal (requiretty)',
    hint: (user) => `add to sudoers: Defaults:${user} !requiretty`,
  },
  {
    pattern: /is not in the sudoers|not allowed to (execute|run)|may not run sudo|I'm sorry|is not allowed/,
    short: 'not in sudoers',
    message: (loginUser, user) => `${loginUser} may not use sudo to become ${user}`,
    hint: rule,
  },
  {
    pattern: /password is required|interactive authentication is required/,
    short: 'sudo needs a password',
    message: (loginUser) => `sudo asks ${loginUser} for a password and none was given`,
    hint: (user) => `run with -K, set ansible_become_password, or ${rule(user)}`,
  },
  {
    pattern: /incorrect password|Authentication failed|try again/i,
    short: 'wrong sudo password',
    message: (loginUser) => `sudo refused the password of ${loginUser}`,
    hint: () => 'give the right one with -K or ansible_become_password',
  },
  {
    pattern: /unknown user|user '?\S+'? not found/,
    short: 'no such user',
    message: (_loginUser, user) => `there is no user ${user} to become`,
    hint: () => 'set ansible_become_user to a user of the host',
  },
];
