/**
 * A command whose stdin and stdout are the connection, as ssh's ProxyCommand: `gcloud compute start-iap-tunnel … --listen-on-stdin`, for
 * instance. It is run without a shell, and it ends with the connection.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf, whileWaiting } from './entrance.mts';
import { ConnectFailure } from './failure.mts';
import type { Gate } from './limiter.mts';

export interface ProxyCommand {
  readonly argv: readonly [string, ...string[]];
  readonly hostName: string;
  /** Starting is what costs: some of these commands are an interpreter of their own. */
  readonly startUps: Gate;
  readonly signal: AbortSignal;
}

/** From the start of the command to the first word of the server behind it. */
const STARTING_MS = 45_000;
/** Of the end of its stdin it takes notice by itself; what does not is told, and then killed. */
const GRACE_MS = 500;
const KILL_AFTER_MS = 2_000;
const KEPT_BYTES = 8_000;
const SPOKEN = /(?:^|\n)SSH-/;

/** Starts the command and waits until sshd speaks through it. Rejects with `ConnectFailure`, or with the signal's reason. */
export async function startProxyCommand(command: ProxyCommand): Promise<CommandSocket> {
  using _place = await command.startUps.enter(command.signal);
  const socket = new CommandSocket(await spawned(command));
  const within = AbortSignal.any([command.signal, AbortSignal.timeout(STARTING_MS)]);
  const hasSpoken = await whileWaiting(socket.spoken, within, () => undefined).catch(() => false);
  if (hasSpoken) return socket;
  socket.destroy();
  await socket.ended;
  if (command.signal.aborted) throw reasonOf(command.signal);
  const said = errorIn(await socket.lastWords());
  throw within.aborted ? silent(command, said) : endedEarly(command, said);
}

/** The command and its operands; options say more than a message needs. */
export function shownCommand(argv: readonly string[]): string {
  const options = argv.findIndex((word, index) => index > 0 && word.startsWith('-'));
  return argv.slice(0, options === -1 ? undefined : options).join(' ');
}

async function spawned({ argv: [program, ...operands], hostName }: ProxyCommand): Promise<ChildProcessWithoutNullStreams> {
  // A process group of its own: what it starts ends with it, and Ctrl-C on the terminal reaches only this program.
  const child = spawn(program, operands, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  try {
    await once(child, 'spawn');
    return child;
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new ConnectFailure('usage', `${program} is missing`, {
      message: `${hostName} is reached through ${program}, which ${isMissing ? 'is not installed on this machine or not on its PATH' : `cannot be started: ${String(cause)}`}`,
      hint: `install ${program}, or reach the host another way (ansible_host, connection_jump)`,
      cause,
    });
  }
}

export class CommandSocket extends Duplex {
  /** Whether a server has begun to speak; false when the command ended first. */
  readonly spoken: Promise<boolean>;
  /** The process is gone. */
  readonly ended: Promise<undefined>;
  readonly #child: ChildProcessWithoutNullStreams;
  #isGone = false;
  #errors = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    super({ allowHalfOpen: false });
    this.#child = child;
    this.on('error', () => undefined);
    child.on('error', () => undefined);
    child.stdin.on('error', () => undefined);
    child.stderr.on('error', () => undefined).on('data', (bytes: Buffer) => (this.#errors = (this.#errors + bytes.toString('utf8')).slice(-KEPT_BYTES)));
    this.ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.#isGone = true;
        resolve(undefined);
      });
    });
    this.spoken = new Promise((resolve) => {
      let heard = '';
      child.stdout.on('data', (bytes: Buffer) => {
        if (heard.length < KEPT_BYTES && SPOKEN.test((heard += bytes.toString('latin1')))) resolve(true);
        if (!this.push(bytes)) child.stdout.pause();
      });
      child.stdout.on('error', () => undefined);
      child.stdout.once('end', () => this.push(null));
      child.stdout.once('close', () => {
        resolve(false);
      });
    });
  }

  /** What it said on stderr until it ended, hostile text. */
  async lastWords(): Promise<string> {
    const { stderr } = this.#child;
    if (!stderr.closed) await Promise.race([once(stderr, 'close'), this.ended.then(() => sleep(GRACE_MS))]).catch(() => undefined);
    return this.#errors;
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin.write(bytes, done);
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    void this.#end().then(() => {
      done(error);
    });
  }

  async #end(): Promise<void> {
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    for (const [signal, afterMs] of [['SIGTERM', GRACE_MS] as const, ['SIGKILL', KILL_AFTER_MS] as const]) {
      if (!this.#isGone) await Promise.race([this.ended, sleep(afterMs, undefined, { ref: false })]);
      if (!this.#isGone) this.#signal(signal);
    }
    await this.ended;
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      process.kill(-(this.#child.pid ?? 0), signal);
    } catch {
      // It has ended just now.
    }
  }
}

/** The last error, without what surrounds it in gcloud's output: advice about its speed before it, a Python traceback after it. */
const errorIn = (stderr: string): string =>
  [...stderr.matchAll(/^ERROR: (?:\(gcloud[\w.-]*\) )?(?:\[\d+\] )?(?:Error during local connection to \[stdin\]: )?(.+)$/gm)].at(-1)?.[1]?.trim() ??
  stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-3)
    .join('; ')
    .slice(-600);

const quoted = (said: string): string => (said === '' ? '; it said nothing' : `: ${said}`);

const silent = ({ argv, hostName }: ProxyCommand, said: string): ConnectFailure =>
  new ConnectFailure('unreachable', 'no ssh answer', {
    message: `${hostName}: no sshd spoke within ${STARTING_MS / 1000} s through ${shownCommand(argv)}${quoted(said)}`,
    hint: UNKNOWN.hint,
    retry: 'patient',
  });

function endedEarly({ argv, hostName }: ProxyCommand, said: string): ConnectFailure {
  const { kind, short, hint, retry } = REASONS.find(({ pattern }) => pattern.test(said)) ?? UNKNOWN;
  return new ConnectFailure(kind, short, {
    message: `${hostName}: ${shownCommand(argv)} ended before a sshd spoke${quoted(said)}`,
    hint,
    ...(retry === undefined ? {} : { retry }),
  });
}

interface Reason {
  readonly kind: 'unreachable' | 'auth' | 'usage';
  readonly short: string;
  readonly hint: string;
  readonly retry?: 'settling' | 'quick' | 'patient';
}

const UNKNOWN: Reason = { kind: 'unreachable', short: 'proxy command ended', hint: 'does the command work when it is run by hand?', retry: 'quick' };

/** How Identity-Aware Proxy says no, as gcloud (SDK 528) prints it: the close codes of its relay. */
const REASONS: readonly (Reason & { readonly pattern: RegExp })[] = [
  {
    pattern: /\[4003\b/,
    kind: 'unreachable',
    short: 'IAP cannot reach it',
    hint: 'is sshd up there, and does a firewall rule let 35.235.240.0/20 (Identity-Aware Proxy) in on its port?',
    retry: 'patient',
  },
  {
    // Also the answer for an instance that does not exist yet, or is just starting.
    pattern: /\[4033\b|Handshake status 40[13]/,
    kind: 'auth',
    short: 'IAP does not let this account in',
    hint: "does the instance run, and has gcloud's account roles/iap.tunnelResourceAccessor? see: gcloud auth list",
    retry: 'settling',
  },
  {
    pattern: /\[(?:4047|4051)\b/,
    kind: 'unreachable',
    short: 'IAP finds no such instance',
    hint: 'does the instance run? one that was just started needs a moment',
    retry: 'patient',
  },
  {
    pattern: /\[(?:4009|4010)\b/,
    kind: 'unreachable',
    short: 'dropped by sshd',
    hint: 'sshd ended the connection: too many at once (MaxStartups), or it is just starting',
    retry: 'patient',
  },
  {
    pattern: /active account|Reauthentication|refreshing your current auth tokens|invalid_grant/i,
    kind: 'usage',
    short: 'gcloud is not logged in',
    hint: 'run: gcloud auth login',
  },
];
