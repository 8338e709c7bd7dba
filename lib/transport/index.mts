/** Sessions on hosts, whichever way they are reached. */
import { setTimeout as sleep } from 'node:timers/promises';
import { userInfo } from 'node:os';
import { RunFailure, toRunError } from '../errors.mts';
import type { Host } from '../inventory/model.mts';
import { SILENCE_SECONDS } from '../shell/lifeline.mts';
import { needsBecome } from './become.mts';
import { SshConnector, type Connectors } from './connect.mts';
import { enter, hostAsks, isTimeout, LockedFailure, reasonOf, type Entering } from './entrance.mts';
import { askFirst, FramedSession } from './framed-session.mts';
import { localConnection } from './local.mts';
import type { Connection, LockHolder, OpenOptions, Transport } from './session.mts';

export interface TransportOptions extends Connectors {
  /** What runs on hosts; `/bin/sh` except in tests of other shells. */
  readonly shell?: string;
  /** Where hosts keep their lock; tests use files of their own. */
  readonly lockFile?: string;
  /** Seconds without a sign of life after which a host ends a session that holds its lock, and how often this program gives one. */
  readonly life?: { readonly silenceSeconds: number; readonly everyMs: number };
}

export interface OpenedTransport extends Transport {
  /** Finds unusable private keys and known_hosts before anything is contacted; rejects with `RunFailure` of kind `usage` or `refused`. */
  prepare(hosts: Iterable<Host>): Promise<void>;
}

/** A session that this run itself has just left may need a moment to end. */
const OWN_LOCK_WAIT_MS = 8_000;
const OWN_LOCK_POLL_MS = 250;
/** After a loss it may be a package manager that is waited for. */
const LOST_LOCK_POLL_MS = 1_000;

export function openTransport(options: TransportOptions = {}): OpenedTransport {
  const connector = new SshConnector(options);
  const open = (host: Host, how: OpenOptions, holder?: LockHolder): Promise<FramedSession> => openSession(connector, options, host, how, holder);
  return {
    prepare: async (hosts) => {
      for (const { connection } of hosts) if (connection.kind === 'ssh') await connector.prepare(connection);
    },
    read: (host, how) => open(host, how),
    write: (host, { holder, ...how }) => open(host, how, holder),
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  };
}

async function openSession(
  connector: SshConnector,
  options: TransportOptions,
  host: Host,
  how: OpenOptions,
  holder: LockHolder | undefined,
): Promise<FramedSession> {
  const started = performance.now();
  const { connection: to } = host;
  const deadlineMs = how.deadlineMs + allowanceFor(to) + (how.lastingMs === undefined ? 0 : ownLockMs(how));
  const signal = AbortSignal.any([how.signal, AbortSignal.timeout(deadlineMs)]);
  const loginUser = to.kind === 'ssh' ? to.user : userInfo().username;
  const entering: Entering = {
    hostName: host.name,
    loginUser,
    become: needsBecome(loginUser, to.become),
    shell: options.shell ?? '/bin/sh',
    lockFile: options.lockFile,
    asks: hostAsks(how.asks),
    holder,
    ...(options.life === undefined ? {} : { silenceSeconds: options.life.silenceSeconds }),
    signal,
    deadlineMs,
  };
  let connection: Connection | undefined;
  try {
    connection = to.kind === 'ssh' ? await connector.connect(host.name, to, signal, how.onWaiting) : localConnection();
    const entered = await enterWaitingForOwnLock(connection, entering, how);
    const session = new FramedSession(connection, entering, entered, Math.round(performance.now() - started));
    if (holder !== undefined) session.live(options.life?.everyMs);
    if (entered.first === undefined) await askFirst(session, entering.asks, how.deadlineMs, signal);
    return session;
  } catch (error) {
    await connection?.[Symbol.asyncDispose]();
    throw asFailure(error, host, { ...how, deadlineMs }, connection === undefined);
  }
}

/** A host that has not noticed the loss of a session ends it when it has heard nothing for a while, and a little later what ran in it. */
const ownLockMs = ({ lastingMs }: OpenOptions): number => (lastingMs === undefined ? OWN_LOCK_WAIT_MS : (SILENCE_SECONDS + 15) * 1000 + lastingMs);

/** Proxy commands start a few at a time. */
const PROXY_QUEUE_MS = 60_000;

/** What the way to a host may take beyond the usual: it has yet to settle, or waits for its turn; the same holds for a jump host before it. */
const allowanceFor = (to: Host['connection'] | undefined): number =>
  to?.kind !== 'ssh' ? 0 : (to.settlingMs ?? 0) + (to.proxyCommand === undefined ? 0 : PROXY_QUEUE_MS) + allowanceFor(to.bastion);

async function enterWaitingForOwnLock(connection: Connection, entering: Entering, how: OpenOptions): ReturnType<typeof enter> {
  const until = performance.now() + ownLockMs(how);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await enter(connection, entering);
    } catch (error) {
      if (!(error instanceof LockedFailure) || error.holder?.run !== entering.holder?.run || performance.now() > until) throw error;
      if (how.lastingMs !== undefined && how.onWaiting?.(attempt, { ...error.error, short: 'what was under way has not ended' }) === false) throw error;
      await sleep(how.lastingMs === undefined ? OWN_LOCK_POLL_MS : LOST_LOCK_POLL_MS);
    }
  }
}

function asFailure(error: unknown, host: Host, how: OpenOptions, connecting: boolean): RunFailure {
  if (error instanceof RunFailure) return error;
  if (how.signal.aborted && error === reasonOf(how.signal))
    return new RunFailure({ kind: 'interrupted', short: 'interrupted', message: `${host.name}: interrupted while the session was opened` }, { cause: error });
  if (isTimeout(error)) {
    const seconds = Math.round(how.deadlineMs / 1000);
    return new RunFailure(
      {
        kind: 'unreachable',
        short: connecting ? 'no session in time' : 'no shell in time',
        message: connecting ? `${host.name}: no login within ${seconds} s` : `${host.name}: the login shell did not start within ${seconds} s`,
        hint: connecting ? 'is the host up, and does a firewall let this machine in?' : 'does a start-up file of the account wait for something?',
      },
      { cause: error },
    );
  }
  return new RunFailure(toRunError(error), { cause: error });
}
