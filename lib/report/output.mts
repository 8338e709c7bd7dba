/** Where renderers write and what tells them the time: handed in, so that tests hold both. */

/** The part of a stream (`process.stdout`, a fake terminal) that renderers use. */
export interface Output {
  write(text: string, done?: (error?: Error | null) => void): boolean;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `action` once; what it returns cancels it. Never keeps the process alive. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

export interface Writer {
  write(text: string): void;
  /** Resolves when everything written has left the process, or cannot any more. */
  flush(): Promise<void>;
}

/** A stream whose reader may go away (`| head`): the rest is dropped quietly and the run goes on. */
export function writerOf(output: Output): Writer {
  let broken = false;
  output.on('error', () => {
    broken = true;
  });
  return {
    write(text) {
      if (!broken && text !== '') output.write(text);
    },
    flush: () =>
      new Promise((resolve) => {
        if (broken) resolve();
        else
          output.write('', () => {
            resolve();
          });
      }),
  };
}
