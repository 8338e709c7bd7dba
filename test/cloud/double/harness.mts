/** The line to the harness: announcements as lines of JSON on stdout, its answers as lines on stdin. The end of stdin ends the process. */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Announcement, Answer } from './cloud.mts';
import { OperationError } from './errors.mts';

const answerShape = z.strictObject({
  answer: z.int(),
  natIP: z.ipv4().optional(),
  address: z.ipv4().optional(),
  hostKeys: z.array(z.string()).optional(),
  /** Makes the operation fail. */
  error: z.string().optional(),
});

export class Harness {
  readonly #waiting = new Map<number, (answer: z.output<typeof answerShape>) => void>();
  readonly #answerMs: number;
  #count = 0;

  constructor(answerMs: number) {
    this.#answerMs = answerMs;
    createInterface(process.stdin)
      .on('line', (line) => {
        const answer = answerShape.parse(JSON.parse(line));
        this.#waiting.get(answer.answer)?.(answer);
      })
      .on('close', () => process.exit(0));
  }

  say(line: object): void {
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }

  /** Rejects when the harness says so, and when it says nothing for too long. */
  async announce(announcement: Announcement): Promise<Answer> {
    this.#count += 1;
    const number = this.#count;
    const { promise, resolve } = Promise.withResolvers<z.output<typeof answerShape>>();
    this.#waiting.set(number, resolve);
    this.say({ announce: number, ...announcement });
    const timer = new AbortController();
    const late = sleep(this.#answerMs, undefined, { signal: timer.signal }).catch(() => undefined);
    const answer = await Promise.race([promise, late]);
    timer.abort();
    this.#waiting.delete(number);
    if (answer === undefined) throw new OperationError('INTERNAL_ERROR', 500, `The harness did not answer within ${String(this.#answerMs)} ms.`);
    if (answer.error !== undefined) throw new OperationError('INTERNAL_ERROR', 500, answer.error);
    const { natIP, address, hostKeys } = answer;
    return { ...(natIP !== undefined && { natIP }), ...(address !== undefined && { address }), ...(hostKeys !== undefined && { hostKeys }) };
  }
}
