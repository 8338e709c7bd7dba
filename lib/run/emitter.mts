import type { EventBody, Reporter } from '../report/events.mts';

/** Stamps events and hands them on; the one way anything is said during a run. */
export class Emitter {
  #seq = 0;
  readonly #reporter: Reporter;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  readonly emit = (body: EventBody): void => {
    this.#seq += 1;
    this.#reporter.accept({ ...body, seq: this.#seq, at: new Date().toISOString() });
  };
}
