/** Getting a connection: limits, retries, jump hosts, one place for everything that hosts share during a run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { userInfo } from 'node:os';
import { fail, RunFailure } from '../errors.mts';
import type { SshConnection } from '../inventory/model.mts';
import { isTimeout, reasonOf, whileWaiting } from './entrance.mts';
import { Identities, type Identity } from './identities.mts';
import { ConnectFailure } from './failure.mts';
import { keyPlace, KnownHosts, knownHostsName, parseHostKeys } from './known-hosts.mts';
import { Gate, HandshakeLimiter } from './limiter.mts';
import type { OpenOptions } from './session.mts';
import { dial, type SshLink } from './ssh.mts';

const BASE_DELAY_MS = 100;
const LONGEST_DELAY_MS = 2_000;
const TRYING_MS = 30_000;
const QUICK_TRIES = 3;
const QUICK_DELAY_MS = 600;
/** sshd (from 9.8) adds five seconds of ban for every refused login and bans from fifteen on: slower than that, they never add up. */
const SETTLING_DELAY_MS = 6_000;
/** Each proxy command is an interpreter of its own, such as gcloud's Python. */
const STARTING_AT_ONCE = 4;
const PROXY_DELAY_MS = 3_000;

export interface Connectors {
  /** The connection of an inventory host, for jump hosts that are named so. */
  readonly hostConnection?: (name: string) => SshConnection | undefined;
  /** How often a silent link is asked whether it is alive. */
  readonly keepaliveMs?: number;
}

export class SshConnector implements AsyncDisposable {
  readonly #options: Connectors;
  readonly #limiter = new HandshakeLimiter();
  readonly #identities = new Identities();
  readonly #knownHosts = new Map<string, KnownHosts>();
  /** Bastions live as long as the connector: all hosts behind one share its connection. */
  readonly #bastions = new Map<string, Promise<SshLink>>();
  readonly #ended = new AbortController();
  readonly #startUps = new Gate(STARTING_AT_ONCE);
  /** By the name under which known_hosts has them. */
  readonly #vouched = new Map<string, Promise<void>>();

  constructor(options: Connectors) {
    this.#options = options;
  }

  /** Finds unusable keys and unreadable known_hosts before anything is contacted; rejects with `usage` or `refused`. */
  async prepare(to: SshConnection): Promise<void> {
    if (!(await this.#identities.looksUsable(to.keyFile))) await this.#identities.of(to.keyFile, to);
    this.#known(to);
    if (to.jump !== undefined) await this.prepare(this.#jump(to, to.jump));
  }

  /** Retries what the network does, never what the host decides, unless it was made just now and has yet to settle. */
  async connect(hostName: string, to: SshConnection, signal: AbortSignal, onWaiting?: OpenOptions['onWaiting']): Promise<SshLink> {
    const load = (): Promise<readonly Identity[]> => this.#identities.of(to.keyFile, to);
    // A key that looks like one is parsed while the network is waited for.
    const loaded = (await this.#identities.looksUsable(to.keyFile)) ? undefined : await load();
    const knownHosts = this.#known(to);
    const server = knownHosts.serverAt(...keyPlace(to)) ?? `${to.address}:${to.port}`;
    const started = performance.now();
    let last: ConnectFailure | undefined;
    let unvouched: string | undefined;
    for (let attempt = 1; ; attempt++) {
      let hasWay = false;
      try {
        const through = to.jump === undefined ? undefined : await this.#bastion(to, to.jump, signal, onWaiting);
        hasWay = true;
        // Not before sshd answers, since a host that starts has no keys to tell yet; nor while it waits for a login, which many questions outlast.
        if (last?.retry === 'vouch') unvouched = await whileWaiting(this.#vouch(to, knownHosts), signal, () => undefined);
        await using place = new AsyncDisposableStack();
        place.use(await this.#limiter.enter(server, signal));
        const { keepaliveMs } = this.#options;
        const link = await dial({
          hostName,
          to,
          identities: loaded ?? load(),
          knownHosts,
          startUps: this.#startUps,
          signal,
          ...(unvouched === undefined ? {} : { unvouched }),
          ...(through === undefined ? {} : { through }),
          ...(keepaliveMs === undefined ? {} : { keepaliveMs }),
        });
        // sshd counts a login until its parent process has seen the end of it, which the first channel proves.
        const held = place.move();
        void link.used.then(() => held[Symbol.asyncDispose]());
        return link;
      } catch (error) {
        // When the time is over, what went wrong before says more than that.
        if (last !== undefined && signal.aborted && isTimeout(reasonOf(signal))) throw last;
        // What went wrong on the way to the jump host was tried again there.
        if (!(error instanceof ConnectFailure) || error.retry === 'never' || !hasWay) throw error;
        last = error;
        if (error.retry === 'vouch') {
          attempt--;
          continue;
        }
        unvouched = undefined;
        if (error.dropped) this.#limiter.dropped(server);
        const spentMs = performance.now() - started;
        const isSettling = spentMs < (to.settlingMs ?? 0);
        const pause = pauseAfter(error.retry, { attempt, isSettling, spentMs });
        if (pause === undefined) throw error;
        if (isSettling && onWaiting?.(attempt, error.error) === false) throw error;
        await sleep(to.proxyCommand === undefined ? pause : Math.max(pause, PROXY_DELAY_MS), undefined, { signal }).catch(() => undefined);
        if (signal.aborted) throw isTimeout(reasonOf(signal)) ? last : reasonOf(signal);
      }
    }
  }

  /** Records the keys that a host's provider vouches for; gives why there are none. In vain, and whoever needs them next asks again. */
  async #vouch(to: SshConnection, knownHosts: KnownHosts): Promise<string | undefined> {
    const name = knownHostsName(...keyPlace(to));
    const ask = async (): Promise<void> => {
      for (const key of parseHostKeys((await to.hostKeys?.()) ?? [])) knownHosts.add(...keyPlace(to), key);
    };
    const asked = this.#vouched.get(name) ?? ask();
    this.#vouched.set(name, asked);
    return asked.then(
      () => undefined,
      (error: unknown) => {
        this.#vouched.delete(name);
        return error instanceof Error ? error.message : String(error);
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    for (const bastion of this.#bastions.values()) {
      const link = await bastion.catch(() => undefined);
      await link?.[Symbol.asyncDispose]();
    }
  }

  #known({ knownHostsFile, userKnownHostsFiles }: SshConnection): KnownHosts {
    const name = knownHostsFile ?? (userKnownHostsFiles ?? []).join('\0');
    const known = this.#knownHosts.get(name);
    if (known !== undefined) return known;
    const loaded = KnownHosts.load(knownHostsFile, userKnownHostsFiles);
    this.#knownHosts.set(name, loaded);
    return loaded;
  }

  async #bastion(to: SshConnection, jump: string, signal: AbortSignal, onWaiting: OpenOptions['onWaiting']): Promise<SshLink> {
    const connection = this.#jump(to, jump);
    const key = this.#way(connection);
    const running = this.#bastions.get(key);
    const alive = running === undefined ? undefined : await whileWaiting(running, signal, () => undefined).catch(unlessFinal);
    signal.throwIfAborted();
    if (alive?.alive === true) return alive;
    const current = this.#bastions.get(key);
    // Another host may have begun a new one while this one looked.
    if (current !== undefined && current !== running) return whileWaiting(current, signal, () => undefined);
    const within = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(this.#patience(connection))]);
    const made = this.connect(`jump host ${jump}`, connection, within, onWaiting);
    made.catch(() => undefined);
    this.#bastions.set(key, made);
    return whileWaiting(made, signal, () => undefined);
  }

  /** Whom it is and how it is reached: two networks may have hosts with the same address. */
  #way(to: SshConnection): string {
    return `${to.user}@${to.address}:${to.port}${to.jump === undefined ? '' : ` ${this.#way(this.#jump(to, to.jump))}`}`;
  }

  /** Those on the way have their own time. */
  #patience(to: SshConnection): number {
    return TRYING_MS + (to.settlingMs ?? 0) + (to.jump === undefined ? 0 : this.#patience(this.#jump(to, to.jump)));
  }

  /** `[user@]host[:port]`, or a host of the inventory; its key is verified under its own name, like any other's. */
  #jump(to: SshConnection, jump: string): SshConnection {
    if (to.bastion !== undefined) return to.bastion;
    const named = this.#options.hostConnection?.(jump);
    if (named !== undefined) return named;
    const match = /^(?:([^@]+)@)?(\[[^\]]+\]|[^:]+|[0-9a-fA-F:]+)(?::(\d+))?$/.exec(jump);
    const address = match?.[2]?.replace(/^\[(.*)\]$/, '$1');
    if (match === null || address === undefined)
      fail('usage', 'jump host', { message: `${jump} is no jump host`, hint: 'write [user@]host[:port], or the name of a host of the inventory' });
    return {
      kind: 'ssh',
      address,
      port: Number(match[3] ?? 22),
      user: match[1] ?? userInfo().username,
      hostKeyChecking: to.hostKeyChecking,
      ...(to.keyFile === undefined ? {} : { keyFile: to.keyFile }),
      ...(to.knownHostsFile === undefined ? {} : { knownHostsFile: to.knownHostsFile }),
    };
  }
}

/** Milliseconds to wait before the next attempt; `undefined`: there is none. */
function pauseAfter(
  retry: Exclude<ConnectFailure['retry'], 'never' | 'vouch'>,
  { attempt, isSettling, spentMs }: { readonly attempt: number; readonly isSettling: boolean; readonly spentMs: number },
): number | undefined {
  if (retry === 'settling') return isSettling ? SETTLING_DELAY_MS : undefined;
  const again = isSettling || (retry === 'quick' ? attempt < QUICK_TRIES : spentMs < TRYING_MS);
  if (!again) return undefined;
  return Math.random() * (retry === 'quick' && !isSettling ? QUICK_DELAY_MS : Math.min(LONGEST_DELAY_MS, BASE_DELAY_MS * 2 ** attempt));
}

/** A login or a host key that was refused is not tried again for the next host behind the same jump host. */
function unlessFinal(error: unknown): undefined {
  if (error instanceof RunFailure && !(error instanceof ConnectFailure && (error.retry === 'quick' || error.retry === 'patient'))) throw error;
  return undefined;
}
