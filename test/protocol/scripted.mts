/** The other side of a session, played by the test: it says what it is told to, and then is gone. */
import { parseFacts } from '../../lib/shell/bootstrap.mts';
import { FramedSession } from '../../lib/transport/framed-session.mts';
import type { Channel, Connection } from '../../lib/transport/session.mts';
import { Wire } from '../../lib/transport/wire.mts';

export interface End {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

const LINK_GONE: End = { code: undefined, signal: undefined };

export const nonceOf = (frame: string): string => /BEGIN ([0-9a-f]+)/.exec(frame)?.[1] ?? '';

/** `hear` is called with everything that is written; `finish` says some last bytes and closes. */
export function scriptedChannel(hear: (sent: string) => void = () => undefined): {
  readonly channel: Channel;
  readonly finish: (said: Uint8Array, end: End) => void;
} {
  let output: (bytes: Uint8Array) => void = () => undefined;
  let close: (end: End) => void = () => undefined;
  const channel: Channel = {
    write: (sent) => {
      hear(String(sent));
    },
    drained: () => Promise.resolve(),
    end: () => undefined,
    destroy: () => undefined,
    onOutput: (listener) => (output = listener),
    onErrorOutput: () => undefined,
    onClose: (listener) => (close = listener),
  };
  return {
    channel,
    finish: (said, end) => {
      output(said);
      close(end);
    },
  };
}

/** A session whose host answers every frame with `answer`, or only its first `bytes` bytes, and then is gone. */
export function scripted(answer: (nonce: string) => string, bytes?: number, end: End = LINK_GONE): FramedSession {
  const { channel, finish } = scriptedChannel((sent) => {
    queueMicrotask(() => {
      finish(Buffer.from(answer(nonceOf(sent))).subarray(0, bytes), end);
    });
  });
  return sessionOn(channel);
}

export function sessionOn(channel: Channel): FramedSession {
  const connection: Connection = { start: () => Promise.resolve(channel), [Symbol.asyncDispose]: () => Promise.resolve() };
  const entry = { hostName: 'host-01', loginUser: 'ops', become: undefined, shell: '/bin/sh' };
  return new FramedSession(connection, entry, { wire: new Wire(channel), facts: parseFacts('').facts, first: new Map() }, 1);
}
