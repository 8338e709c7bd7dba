import type { Ask, Raw } from '../plan/model.mts';

/** Two asks with the same key are the same question, whoever asked. */
export const keyOf = (ask: Ask): string =>
  ask.at === 'controller'
    ? `controller ${JSON.stringify(ask.argv)}${ask.mayBeOff === true ? ' or off' : ''}`
    : `host ${ask.kind} ${ask.key}${ask.fresh === true ? ' fresh' : ''}`;

/** What is known about one host at this moment. */
export class Answers {
  readonly #known = new Map<string, { readonly ask: Ask; readonly raw: Raw }>();

  record(answers: ReadonlyMap<Ask, Raw>): void {
    for (const [ask, raw] of answers) this.#known.set(keyOf(ask), { ask, raw });
  }

  /** Everything that has an answer. */
  get asks(): readonly Ask[] {
    return [...this.#known.values()].map(({ ask }) => ask);
  }

  /** Those of `asks` that nobody has answered yet, each once. */
  missing(asks: readonly Ask[]): readonly Ask[] {
    return distinct(asks).filter((ask) => !this.#known.has(keyOf(ask)));
  }

  /** After a change nothing that was known before it counts. */
  forget(): void {
    this.#known.clear();
  }

  readonly lookup = (ask: Ask): Raw => {
    const known = this.#known.get(keyOf(ask));
    if (known === undefined) throw new Error(`bug: ${keyOf(ask)} was read before it was asked`);
    return known.raw;
  };
}

export function distinct(asks: readonly Ask[]): readonly Ask[] {
  const first = new Map<string, Ask>();
  for (const ask of asks) if (!first.has(keyOf(ask))) first.set(keyOf(ask), ask);
  return [...first.values()];
}
