import { RunFailure, type ErrorKind } from '../errors.mts';

/** How a connection could not be made; `retry` says whether another attempt may end otherwise. */
export class ConnectFailure extends RunFailure {
  /**
   * `settling`: only where the host is being made just now, such as a login whose account is still to come; `vouch`: once its provider was asked
   * for its keys.
   */
  readonly retry: 'never' | 'settling' | 'vouch' | 'quick' | 'patient';
  /** The server dropped us unheard: too many handshakes at once. */
  readonly dropped: boolean;
  constructor(
    kind: ErrorKind,
    short: string,
    more: { message: string; hint?: string; retry?: 'settling' | 'vouch' | 'quick' | 'patient'; dropped?: boolean; cause?: unknown },
  ) {
    super({ kind, short, message: more.message, ...(more.hint === undefined ? {} : { hint: more.hint }) }, { cause: more.cause });
    this.retry = more.retry ?? 'never';
    this.dropped = more.dropped ?? false;
  }
}
