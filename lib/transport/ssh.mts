/**
 * One ssh connection. The only file that imports ssh2-promise, and of it only connect, spawn, forwardOut and close: its `exec` loses exit
 * codes and takes a cut connection for success, and its shared cache would hand one host's connection to another.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnyAuthMethod, ClientChannel } from 'ssh2';
import type { SshConnection } from '../inventory/model.mts';
import { reasonOf, whileWaiting } from './entrance.mts';
import { ConnectFailure } from './failure.mts';
import { describe, type Identity } from './identities.mts';
import type { Gate } from './limiter.mts';
import { CommandSocket, shownCommand, startProxyCommand } from './proxy-command.mts';
import { fingerprint, keyPlace, keyType, knownHostsName, type HostKeyVerdict, type KnownHosts } from './known-hosts.mts';
import type { Channel, Connection } from './session.mts';

export interface SshLink extends Connection {
  /** A TCP connection from the far end to `address`: the way to hosts behind a bastion. */
  forward(address: string, port: number): Promise<Duplex>;
  readonly alive: boolean;
  /** Resolves when a first channel was opened or refused, or the connection is gone. */
  readonly used: Promise<undefined>;
}

export interface Dialling {
  readonly hostName: string;
  readonly to: SshConnection;
  /** A promise while they are still being read: at least one of them is there. */
  readonly identities: readonly Identity[] | Promise<readonly Identity[]>;
  readonly knownHosts: KnownHosts;
  /** Given: the way through a bastion; otherwise a TCP connection is made, or the proxy command started. */
  readonly through?: SshLink;
  readonly keepaliveMs?: number;
  /** Limits how many proxy commands start at once. */
  readonly startUps: Gate;
  /** Why nobody could vouch for a key, though somebody was asked. */
  readonly unvouched?: string;
  readonly signal: AbortSignal;
}

const TCP_TIMEOUT_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** Unanswered three times in a row, the link is dead. */
const KEEPALIVE_MS = 15_000;

/** ssh2's own defaults would also offer SHA-1 signatures and MACs; aes128-gcm is the fastest where its native part is not built. */
const ALGORITHMS = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} as const;
const HOST_KEY_ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Rejects with `ConnectFailure`, or with the signal's reason. */
export async function dial(dialling: Dialling): Promise<SshLink> {
  const { hostName, to, knownHosts, signal } = dialling;
  if ('length' in dialling.identities && dialling.identities.length === 0) {
    throw new ConnectFailure('auth', 'no key', {
      message: `there is nothing to log in to ${hostName} with: no ansible_ssh_private_key_file, no ssh-agent, no key in ~/.ssh`,
      hint: 'name a key with --private-key, or start ssh-agent',
    });
  }
  // Known types first, or another one would be negotiated and look like a change. The others stay on offer: a server that has none of the
  // known types is then seen with its key and refused, instead of hanging up without a reason.
  const types = [...new Set([...knownHosts.types(...keyPlace(to)), ...Object.keys(HOST_KEY_ALGORITHMS)])].flatMap((type) => HOST_KEY_ALGORITHMS[type] ?? []);
  // Loading the module takes as long as a round trip, which it then hides.
  const connecting = socketOf(dialling);
  const loading = Promise.all([import('ssh2-promise'), dialling.identities]);
  // Looked at once the network has answered: until then nobody else takes note of a failure.
  loading.catch(() => undefined);
  const sock = await connecting;
  const [{ default: SSH2Promise }, identities] = await loading.catch(async (error: unknown) => {
    await discard(sock);
    throw error;
  });
  let presented: Presented | undefined;
  const ssh = new SSH2Promise.SSH({
    host: to.address,
    port: to.port,
    username: to.user,
    sock: sock,
    reconnect: false,
    uniqueId: randomBytes(12).toString('hex'),
    readyTimeout: HANDSHAKE_TIMEOUT_MS,
    keepaliveInterval: dialling.keepaliveMs ?? KEEPALIVE_MS,
    keepaliveCountMax: 3,
    algorithms: { ...mutable(ALGORITHMS), serverHostKey: types } as never,
    authHandler: identities.map((identity) => authMethod(to.user, identity)),
    hostVerifier: (key: Buffer): boolean => {
      const verdict = knownHosts.judge(...keyPlace(to), key);
      presented = { key, verdict };
      return verdict.kind === 'known' || (verdict.kind === 'unknown' && to.hostKeyChecking === 'accept-new' && !isToBeVouched(dialling));
    },
  });
  const since = performance.now();
  const abandon = (): void => {
    sock.destroy();
  };
  signal.addEventListener('abort', abandon, { once: true });
  const isNoSshd = (): boolean => presented === undefined && isBeyondGreeting(sock);
  // ssh2 stops reading an endless greeting and waits for the end of its time.
  const watching = setInterval(() => {
    if (isNoSshd()) abandon();
  }, 500);
  try {
    await (ssh.connect() as Promise<unknown>);
  } catch (error) {
    await discard(sock);
    if (signal.aborted) throw reasonOf(signal);
    // What ssh2 says when its time is over is lost on the way: the end of the socket that follows comes first.
    const isStalled = performance.now() - since >= HANDSHAKE_TIMEOUT_MS;
    throw explain({ ...dialling, identities, isStalled, isNoSshd: isNoSshd() }, error, presented);
  } finally {
    clearInterval(watching);
    signal.removeEventListener('abort', abandon);
  }
  const link = new Link(ssh, sock, hostName);
  // Only now is it proven that the server owns the key.
  if (presented?.verdict.kind === 'unknown') {
    try {
      knownHosts.add(...keyPlace(to), presented.key);
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    }
  }
  return link;
}

/** Its provider knows its keys, and was not asked for them yet. */
const isToBeVouched = ({ to, unvouched }: Dialling): boolean => to.hostKeys !== undefined && unvouched === undefined;

/** More than any sshd says before its host key: greeting, version and algorithms. */
const isBeyondGreeting = (sock: Duplex): boolean => sock instanceof net.Socket && sock.bytesRead > 65_536;

interface Presented {
  readonly key: Buffer;
  readonly verdict: HostKeyVerdict;
}

const mutable = (lists: typeof ALGORITHMS): Record<string, string[]> => Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, [...list]]));

const authMethod = (username: string, identity: Identity): AnyAuthMethod =>
  identity.kind === 'agent' ? { type: 'agent', username, agent: identity.chosen ?? identity.socket } : { type: 'publickey', username, key: identity.key };

function socketOf({ to, through, hostName, startUps, signal }: Dialling): Promise<Duplex> {
  if (through !== undefined) return tunnel(to, through, signal);
  return to.proxyCommand === undefined ? tcp(to, signal) : startProxyCommand({ argv: to.proxyCommand, hostName, startUps, signal });
}

/** A process is waited for: nothing of it is left when the connection is. */
async function discard(sock: Duplex): Promise<void> {
  sock.destroy();
  if (sock instanceof CommandSocket) await sock.ended;
}

/** What is dialled, for messages. */
const placeOf = ({ address, port, proxyCommand }: SshConnection): string =>
  proxyCommand === undefined ? `${address} port ${port}` : `through ${shownCommand(proxyCommand)}`;

async function tcp(to: SshConnection, signal: AbortSignal): Promise<net.Socket> {
  signal.throwIfAborted();
  // Without noDelay every small write waits for the peer's delayed acknowledgement: 47 ms instead of 2 for one command.
  const sock = net.connect({ host: to.address, port: to.port, noDelay: true });
  const within = AbortSignal.any([signal, AbortSignal.timeout(TCP_TIMEOUT_MS)]);
  try {
    await once(sock, 'connect', { signal: within });
    sock.on('error', () => undefined);
    return sock;
  } catch (cause) {
    sock.on('error', () => undefined);
    sock.destroy();
    if (signal.aborted) throw reasonOf(signal);
    throw tcpFailure(to, within.aborted ? 'ETIMEDOUT' : codeOf(cause), cause);
  }
}

function tcpFailure(to: SshConnection, code: string, cause: unknown): ConnectFailure {
  const where = `${to.address} port ${to.port}`;
  switch (code) {
    case 'ECONNREFUSED':
      return new ConnectFailure('unreachable', 'connection refused', {
        message: `${where} refuses connections`,
        hint: 'is the host up and sshd listening there (ansible_host, ansible_port)?',
        retry: 'quick',
        cause,
      });
    case 'ENOTFOUND':
      return new ConnectFailure('unreachable', 'unknown address', {
        message: `the name ${to.address} has no address`,
        hint: 'set ansible_host to an address, or correct the name',
        cause,
      });
    case 'EAI_AGAIN':
      return new ConnectFailure('unreachable', 'name not resolved', { message: `the name ${to.address} could not be resolved now`, retry: 'quick', cause });
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return new ConnectFailure('unreachable', 'no route', {
        message: `there is no route to ${where}`,
        hint: 'is the host up, and is a VPN or a bastion (connection_jump) needed?',
        retry: 'quick',
        cause,
      });
    case 'ETIMEDOUT':
      return new ConnectFailure('unreachable', 'no answer', {
        message: `${where} does not answer`,
        hint: 'is the host up, and does a firewall let this machine in?',
        retry: 'patient',
        cause,
      });
    default:
      return new ConnectFailure('unreachable', 'connection failed', {
        message: `${where}: ${textOf(cause)}`,
        retry: 'patient',
        cause,
      });
  }
}

async function tunnel(to: SshConnection, through: SshLink, signal: AbortSignal): Promise<Duplex> {
  // The jump host's own attempt may take minutes where nobody answers it.
  const within = AbortSignal.any([signal, AbortSignal.timeout(TCP_TIMEOUT_MS)]);
  try {
    const stream = await whileWaiting(through.forward(to.address, to.port), within, (late) => {
      late.on('error', () => undefined).destroy();
    });
    stream.on('error', () => undefined);
    return stream;
  } catch (cause) {
    if (signal.aborted) throw reasonOf(signal);
    const text = within.aborted ? 'no answer' : textOf(cause);
    throw new ConnectFailure('unreachable', 'jump host cannot reach it', {
      message: `the jump host cannot open a connection to ${to.address} port ${to.port}: ${text}`,
      hint: /prohibited/i.test(text) ? 'its sshd forbids it (AllowTcpForwarding)' : 'is the host up, as seen from the jump host?',
      retry: 'quick',
      cause,
    });
  }
}

function explain(
  dialling: Dialling & { readonly identities: readonly Identity[]; readonly isStalled: boolean; readonly isNoSshd: boolean },
  cause: unknown,
  presented: Presented | undefined,
): ConnectFailure {
  const { hostName, to, identities } = dialling;
  const where = placeOf(to);
  if (presented !== undefined && presented.verdict.kind !== 'known') {
    const refusal = hostKeyFailure(dialling, presented);
    if (refusal !== undefined) return refusal;
  }
  const text = cause === null || cause === undefined ? 'the connection was closed' : textOf(cause);
  const level = typeof cause === 'object' && cause !== null && 'level' in cause ? String(cause.level) : '';
  if (level === 'client-authentication' || level === 'agent' || /Too many authentication failures/i.test(text)) {
    return new ConnectFailure('auth', 'login refused', {
      message: `${hostName} does not let ${to.user} log in (${where}); tried ${identities.map(describe).join(', ')}`,
      hint: `put one of these keys into ~${to.user}/.ssh/authorized_keys, or set ansible_user; it was tried ${to.settlingMs === undefined ? 'once and not again' : `for ${Math.round(to.settlingMs / 1000)} s, since the host may have just started`}`,
      retry: 'settling',
      cause,
    });
  }
  if (/no matching/i.test(text))
    return new ConnectFailure('unreachable', 'no common algorithm', {
      message: `${hostName} (${where}): ${text}`,
      hint: 'its sshd offers only algorithms that are broken or too new for this program',
      cause,
    });
  if (dialling.isNoSshd)
    return new ConnectFailure('unreachable', 'no ssh answer', {
      message: `${hostName} (${where}): what answers there does not stop talking and is no sshd`,
      hint: 'which program listens there (ansible_host, ansible_port)?',
      cause,
    });
  const stalled = dialling.isStalled || level === 'client-timeout';
  const dropped = !stalled && (/before handshake/i.test(text) || codeOf(cause) === 'ECONNRESET' || text === 'the connection was closed');
  return new ConnectFailure('unreachable', stalled ? 'no ssh answer' : dropped ? 'dropped by sshd' : 'connection failed', {
    message: `${hostName} (${where}): ${stalled ? 'accepted the connection and then said nothing' : text}`,
    hint: dropped
      ? 'sshd drops connections when too many log in at once (MaxStartups), or bans addresses (PerSourcePenalties, fail2ban)'
      : 'is it really sshd that listens there?',
    ...(dropped || stalled || level === 'protocol' || level === 'client-socket' ? { retry: 'patient' as const } : {}),
    dropped,
    cause,
  });
}

function hostKeyFailure(dialling: Dialling, { key, verdict }: Presented): ConnectFailure | undefined {
  const { hostName, to, unvouched } = dialling;
  const name = knownHostsName(...keyPlace(to));
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  const file = to.knownHostsFile ?? to.userKnownHostsFiles?.[0] ?? '~/.ssh/known_hosts';
  switch (verdict.kind) {
    case 'known':
      return undefined;
    case 'unknown':
      if (to.hostKeyChecking === 'accept-new' && !isToBeVouched(dialling)) return undefined;
      return new ConnectFailure('refused', 'unknown host key', {
        message: `the host key of ${hostName} (${name}) is not known: ${shown}${verdict.authority ? '; known_hosts names a certificate authority for it, which is not supported' : ''}${unvouched === undefined ? '' : `; its provider was asked for its keys, in vain: ${unvouched}`}`,
        hint: `compare the fingerprint on the host's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: echo '${name} ${keyType(key)} ${key.toString('base64')}' >> ${file}`,
        ...(to.hostKeys === undefined ? {} : { retry: unvouched === undefined ? ('vouch' as const) : ('settling' as const) }),
      });
    case 'changed':
      return new ConnectFailure('refused', 'HOST KEY CHANGED', {
        message: `the host key of ${hostName} (${name}) has changed; someone may be listening in.\n  now:   ${shown}\n${verdict.known.map((line) => `  known: ${line.type} ${fingerprint(line.key)} (${line.line === 0 ? line.file : `${line.file}:${line.line}`})`).join('\n')}`,
        hint: `only if you know that the host was made anew: ssh-keygen -R '${name}' -f ${file}`,
      });
    case 'revoked':
      return new ConnectFailure('refused', 'host key revoked', {
        message: `the host key of ${hostName} (${name}) is revoked by ${verdict.by.file}:${verdict.by.line}: ${shown}`,
        hint: 'give the host a new key; a revoked one is known to be in other hands',
      });
  }
}

/** ssh2-promise rejects with strings, too. */
const textOf = (error: unknown): string => (error instanceof Error ? error.message : typeof error === 'string' ? error : 'unknown error');

const codeOf = (error: unknown): string => (typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '');

interface Ssh {
  spawn(command: string): Promise<ClientChannel>;
  forwardOut(sourceAddress: string, sourcePort: number, address: string, port: number): Promise<ClientChannel>;
  close(): Promise<void>;
  on(event: string, listener: (status: string) => void): unknown;
}

class Link implements SshLink {
  alive = true;
  readonly #ssh: Ssh;
  readonly #sock: Duplex;
  readonly #hostName: string;
  readonly #closed: Promise<undefined>;
  readonly #use = Promise.withResolvers<undefined>();

  constructor(ssh: Ssh, sock: Duplex, hostName: string) {
    this.#ssh = ssh;
    this.#sock = sock;
    this.#hostName = hostName;
    this.#closed = new Promise((resolve) => {
      sock.once('close', () => {
        this.alive = false;
        this.#use.resolve(undefined);
        resolve(undefined);
      });
    });
  }

  get used(): Promise<undefined> {
    return this.#use.promise;
  }

  async start(command: string): Promise<Channel> {
    // ssh2 never answers an open request whose connection dies meanwhile.
    const opening = this.#ssh.spawn(command).finally(() => {
      this.#use.resolve(undefined);
    });
    const opened = await Promise.race([opening.then(sshChannel, (error: unknown) => this.#openFailure(error)), this.#closed]);
    return opened ?? this.#openFailure(undefined);
  }

  #openFailure(cause: unknown): never {
    if (cause === undefined || !this.alive)
      throw new ConnectFailure('unreachable', 'connection lost', {
        message: `the connection to ${this.#hostName} went away while a command was started`,
        retry: 'patient',
        cause,
      });
    throw new ConnectFailure('unreachable', 'no channel', {
      message: `${this.#hostName} lets log in but starts no command: ${textOf(cause)}`,
      hint: 'does its sshd limit the account (ForceCommand, MaxSessions, restrict in authorized_keys)?',
      cause,
    });
  }

  forward(address: string, port: number): Promise<Duplex> {
    return this.#ssh.forwardOut('127.0.0.1', 0, address, port).finally(() => {
      this.#use.resolve(undefined);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.alive) return;
    await this.#ssh.close();
    // What was said is with the system by then; the peer's own goodbye, a round trip later, is nothing to stay for.
    if (this.#sock instanceof net.Socket) this.#sock.unref();
    // A peer that is gone never answers the goodbye.
    setTimeout(() => this.#sock.destroy(), 1000).unref();
    if (this.#sock instanceof CommandSocket) await this.#sock.ended;
  }
}

function sshChannel(channel: ClientChannel): Channel {
  let open = true;
  let full = false;
  const waiting: (() => void)[] = [];
  const free = (): void => {
    full = false;
    for (const resolve of waiting.splice(0)) resolve();
  };
  channel.on('error', () => undefined);
  channel.once('close', () => {
    open = false;
    free();
  });
  // A shell that was killed leaves its step behind, whose output keeps the channel open: end of file tells its watchdog.
  channel.once('exit', () => {
    if (open) channel.end();
  });
  channel.on('drain', free);
  return {
    write: (bytes) => {
      if (open && channel.writable) full = !channel.write(bytes);
    },
    drained: () => (open && full ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    end: () => {
      if (open) channel.end();
    },
    destroy: () => {
      if (open) channel.close();
    },
    onOutput: (listener) => channel.on('data', listener),
    onErrorOutput: (listener) => channel.stderr.on('data', listener),
    onClose: (listener) =>
      channel.once('close', (code: number | null | undefined, signal: string | undefined) => {
        listener({ code: code ?? undefined, signal: signal === undefined || signal === '' ? undefined : signal.startsWith('SIG') ? signal : `SIG${signal}` });
      }),
  };
}
