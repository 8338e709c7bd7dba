import { redact } from '../secret.mts';
import type { Channel } from './session.mts';

export interface ChannelEnd {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** How much of a shell's own stderr is kept, and shown, to explain a lost session. */
const KEPT_BYTES = 4000;
const NOISE_LENGTH = 2000;

/** A channel with one listener at a time, counted bytes and a remembered end. */
export class Wire {
  onOutput: ((bytes: Uint8Array) => void) | undefined;
  onErrorOutput: ((bytes: Uint8Array) => void) | undefined;
  bytesSent = 0;
  bytesReceived = 0;
  end: ChannelEnd | undefined;
  readonly closed: Promise<ChannelEnd>;
  readonly #channel: Channel;
  #onClose: ((end: ChannelEnd) => void) | undefined;
  #noise = Buffer.alloc(0);

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onOutput((bytes) => {
      this.bytesReceived += bytes.length;
      this.onOutput?.(bytes);
    });
    channel.onErrorOutput((bytes) => {
      this.bytesReceived += bytes.length;
      this.#noise = Buffer.concat([this.#noise, bytes]).subarray(-KEPT_BYTES);
      this.onErrorOutput?.(bytes);
    });
    this.closed = new Promise((resolve) => {
      channel.onClose((end) => {
        this.end = end;
        this.#onClose?.(end);
        resolve(end);
      });
    });
  }

  /** Called at once when the channel has closed already. */
  set onClose(listener: ((end: ChannelEnd) => void) | undefined) {
    this.#onClose = listener;
    if (listener !== undefined && this.end !== undefined) listener(this.end);
  }

  /** The last that the shell said on its stderr, hostile text. */
  get noise(): string {
    return redact(this.#noise.toString('utf8')).slice(-NOISE_LENGTH).trim();
  }

  hasEnded(): boolean {
    return this.end !== undefined;
  }

  forgetNoise(): void {
    this.#noise = Buffer.alloc(0);
  }

  write(bytes: Uint8Array | string): void {
    if (this.end !== undefined) return;
    this.bytesSent += typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
    this.#channel.write(bytes);
  }

  drained(): Promise<void> {
    return this.#channel.drained();
  }

  finish(): void {
    this.#channel.end();
  }

  destroy(): void {
    this.#channel.destroy();
  }
}
