import type { EventBody, Reporter } from '../report/events.mts';
import { record, type RunState } from '../report/index.mts';

/** Stamps events, folds them into the run's state, and hands them on; the one way anything is said during a run. */
export class Emitter {
  #seq = 0;
  readonly #reporter: Reporter;
  readonly #state: RunState;

  constructor(reporter: Reporter, state: RunState) {
    this.#reporter = reporter;
    this.#state = state;
  }

  readonly emit = (body: EventBody): void => {
    this.#seq += 1;
    const event = { ...body, seq: this.#seq, at: new Date().toISOString() };
    record(this.#state, event);
    this.#reporter.accept(event);
  };

  close(): Promise<void> {
    return this.#reporter.close();
  }
}
