/**
 * How many handshakes may be under way. sshd drops unauthenticated connections at random from the tenth on (MaxStartups 10:30:100), and
 * since 9.8 bans addresses that are dropped often, so the limit is per server and falls when a server drops one.
 */
export class Gate {
  #capacity: number;
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Resolves when there is room, and rejects with the signal's reason when that comes first. */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#busy >= this.#capacity) {
      await new Promise<void>((resolve, reject) => {
        const wake = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(wake), 1);
          reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
        };
        this.#waiting.push(wake);
        signal.addEventListener('abort', leave, { once: true });
      });
    } else this.#busy++;
    let open = true;
    return {
      [Symbol.dispose]: (): void => {
        if (!open) return;
        open = false;
        this.#leave();
      },
    };
  }

  halve(): void {
    this.#capacity = Math.max(2, Math.floor(this.#capacity / 2));
  }

  /** The place is handed to the next in line without being given back, unless the capacity fell meanwhile. */
  #leave(): void {
    const next = this.#busy <= this.#capacity ? this.#waiting.shift() : undefined;
    if (next === undefined) this.#busy--;
    else next();
  }
}

const PER_SERVER = 8;
const OVERALL = 32;

export class HandshakeLimiter {
  readonly #overall = new Gate(OVERALL);
  readonly #servers = new Map<string, Gate>();

  async enter(server: string, signal: AbortSignal): Promise<Disposable> {
    const place = await this.#of(server).enter(signal);
    try {
      const overall = await this.#overall.enter(signal);
      return {
        [Symbol.dispose]: (): void => {
          overall[Symbol.dispose]();
          place[Symbol.dispose]();
        },
      };
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    }
  }

  /** The server dropped a connection before the handshake. */
  dropped(server: string): void {
    this.#of(server).halve();
  }

  #of(server: string): Gate {
    const known = this.#servers.get(server);
    if (known !== undefined) return known;
    const made = new Gate(PER_SERVER);
    this.#servers.set(server, made);
    return made;
  }
}
