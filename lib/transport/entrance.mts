/** From a connection to a shell that reads frames: become, first command, facts, lock. */
import { randomBytes } from 'node:crypto';
import { RunFailure } from '../errors.mts';
import type { Ask, Facts, Raw } from '../plan/model.mts';
import { reveal } from '../secret.mts';
import { compileBootstrap, parseFacts, REQUIRED_TOOLS } from '../shell/bootstrap.mts';
import { FrameReader } from '../shell/frame-reader.mts';
import { MEET_GUARD } from '../shell/lifeline.mts';
import { compileProbe, parseProbe } from '../shell/probe.mts';
import { becomeTimeout, enterCommand, entryFailure, wrongPassword, type Entry } from './become.mts';
import type { Channel, Connection, LockHolder } from './session.mts';
import { Wire } from './wire.mts';

export type HostAsk = Extract<Ask, { at: 'host' }>;

export const newNonce = (): string => randomBytes(12).toString('hex');

export const hostAsks = (asks: readonly Ask[]): readonly HostAsk[] => asks.filter((ask) => ask.at === 'host');

export interface Entering extends Entry {
  readonly shell: string;
  readonly asks: readonly HostAsk[];
  readonly holder: LockHolder | undefined;
  readonly lockFile: string | undefined;
  readonly silenceSeconds?: number;
  /** Aborts with a `TimeoutError` when the time to connect is over. */
  readonly signal: AbortSignal;
  /** The whole time there was, for messages. */
  readonly deadlineMs: number;
}

export interface Entered {
  readonly wire: Wire;
  readonly facts: Facts;
  /** Undefined when the questions were too long for a command and must be asked in a frame. */
  readonly first: ReadonlyMap<Ask, Raw> | undefined;
}

/** What one argument of a command may hold is 128 KiB on Linux; login shells and sudo pass the whole command as one. */
const LONGEST_COMMAND = 100_000;
const LONGEST_ANSWER = 64 * 1024 * 1024;

export async function enter(connection: Connection, entering: Entering): Promise<Entered> {
  const nonce = newNonce();
  const { asks, holder, lockFile, shell, silenceSeconds } = entering;
  const more = {
    nonce,
    shell,
    ...(holder === undefined ? {} : { holder }),
    ...(lockFile === undefined ? {} : { lockFile }),
    ...(silenceSeconds === undefined ? {} : { silenceSeconds }),
  };
  const command = (probe: string): Promise<{ wire: Wire; reader: FrameReader }> =>
    startShell(connection, entering, nonce, compileBootstrap({ ...more, probe }));
  const probe = asks.length === 0 ? '' : compileProbe(asks, `${nonce}p`);
  const riding = Buffer.byteLength(enterCommand(compileBootstrap({ ...more, probe }), shell, entering.become, nonce)) <= LONGEST_COMMAND;
  const sent = Date.now();
  const { wire, reader } = await command(riding ? probe : '');
  try {
    const { facts, lock } = parseFacts(reader.head, { sent, heard: Date.now() });
    requireTools(entering, facts);
    if (holder !== undefined && lock.kind !== 'taken') throw lockFailure(entering.hostName, lock);
    if (holder !== undefined) wire.write(MEET_GUARD);
    return { wire, facts, first: riding ? answersOf(reader, asks, nonce) : undefined };
  } catch (error) {
    wire.destroy();
    throw error;
  }
}

export const answersOf = (reader: FrameReader, asks: readonly HostAsk[], nonce: string): ReadonlyMap<Ask, Raw> =>
  asks.length === 0 ? new Map() : parseProbe(reader.finished?.probe ?? Buffer.alloc(0), asks, `${nonce}p`);

/** Runs `script` under the become of `entering`, up to the END of the frame that it prints. */
async function startShell(connection: Connection, entering: Entering, nonce: string, script: string): Promise<{ wire: Wire; reader: FrameReader }> {
  const reader = new FrameReader(nonce);
  const wire = await startUnderBecome(connection, entering, nonce, script, (bytes) => {
    reader.push(bytes);
    return { proven: reader.begun, done: reader.finished !== undefined };
  });
  return { wire, reader };
}

/**
 * Starts `script` as the wanted user and resolves when `listen` says that it is done. `proven` tells that the script itself runs: until
 * then the one thing that may be written is the password, once, when sudo asks with `prompt`.
 */
export async function startUnderBecome(
  connection: Connection,
  entering: Pick<Entering, 'become' | 'shell' | 'hostName' | 'loginUser' | 'signal' | 'deadlineMs'>,
  prompt: string,
  script: string,
  listen: (bytes: Uint8Array) => { readonly proven: boolean; readonly done: boolean },
): Promise<Wire> {
  const { become, signal } = entering;
  const channel = await whileWaiting(connection.start(enterCommand(script, entering.shell, become, prompt)), signal, (late: Channel) => {
    late.destroy();
  });
  const wire = new Wire(channel);
  let said = '';
  let errors = '';
  let received = 0;
  let asked = false;
  const heard = { proven: false };
  try {
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        reject(reasonOf(signal));
      };
      const settled = (error?: Error): void => {
        signal.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      wire.onOutput = (bytes): void => {
        received += bytes.length;
        if (received > LONGEST_ANSWER) {
          settled(
            new RunFailure({
              kind: 'unreachable',
              short: 'endless output',
              message: `${entering.hostName} printed more than ${LONGEST_ANSWER} bytes while the session was opened`,
            }),
          );
          return;
        }
        if (!heard.proven && said.length < 4096) said += Buffer.from(bytes).toString('utf8');
        const { proven, done } = listen(bytes);
        heard.proven = proven;
        if (done) settled();
      };
      wire.onErrorOutput = (bytes): void => {
        if (heard.proven || errors.length > 64 * 1024) return;
        errors += Buffer.from(bytes).toString('utf8');
        if (become?.password === undefined) return;
        const prompts = errors.split(prompt).length - 1;
        if (prompts > 1) settled(wrongPassword(entering));
        else if (prompts === 1 && !asked) {
          asked = true;
          wire.write(`${reveal(become.password)}\n`);
        }
      };
      wire.onClose = (end): void => {
        settled(entryFailure(entering, { ...end, hasBegun: heard.proven }, heard.proven ? '' : `${said}\n${errors.replaceAll(prompt, '')}`));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  } catch (error) {
    wire.destroy();
    if (become !== undefined && !heard.proven && isTimeout(error)) throw becomeTimeout(entering, Math.round(entering.deadlineMs / 1000), asked);
    throw error;
  }
  wire.onOutput = undefined;
  wire.onErrorOutput = undefined;
  wire.onClose = undefined;
  return wire;
}

export const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

export const reasonOf = (signal: AbortSignal): Error => (signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));

/** Waits for `promise`, but not longer than the signal; what comes too late is handed to `discard`. */
export async function whileWaiting<T>(promise: Promise<T>, signal: AbortSignal, discard: (late: T) => void): Promise<T> {
  let gaveUp = false;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = (): void => {
      gaveUp = true;
      reject(reasonOf(signal));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  promise.then(
    (value) => {
      if (gaveUp) discard(value);
    },
    () => undefined,
  );
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

function requireTools({ hostName, holder }: Entering, facts: Facts): void {
  const missing = REQUIRED_TOOLS[holder === undefined ? 'read' : 'write'].filter((tool) => !facts.tools.has(tool));
  if (missing.length === 0) return;
  throw new RunFailure({
    kind: 'unreachable',
    short: `${missing.join(', ')} missing`,
    message: `${hostName} lacks ${missing.join(', ')}, without which nothing can be ${holder === undefined ? 'asked' : 'changed'} there`,
    hint: 'they are in the packages coreutils, util-linux and grep of every supported system; is this one of them?',
  });
}

function lockFailure(hostName: string, lock: ReturnType<typeof parseFacts>['lock']): RunFailure {
  if (lock.kind !== 'held') {
    const reason = lock.kind === 'error' ? lock.reason : 'the host did not say why';
    return new RunFailure({ kind: 'unreachable', short: 'lock not available', message: `the lock of ${hostName} cannot be taken: ${reason}` });
  }
  const { holder } = lock;
  const who = holder === undefined ? 'another run' : `run ${holder.run} of ${holder.user} on ${holder.host} (pid ${holder.pid}, since ${holder.since})`;
  return new LockedFailure(
    {
      kind: 'locked',
      short: `locked by ${holder?.user ?? 'another run'}`,
      message: `${hostName} is locked by ${who}`,
      hint: 'wait for it to end; the lock goes with its holder, so there is nothing to remove',
    },
    holder,
  );
}

/** A held lock, with its holder for whoever wants to wait. */
export class LockedFailure extends RunFailure {
  readonly holder: LockHolder | undefined;
  constructor(error: RunFailure['error'], holder: LockHolder | undefined) {
    super(error);
    this.holder = holder;
  }
}
