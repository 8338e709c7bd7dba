/** The arithmetic of the visual builder: `params.a / params.b * 100`, `max(params.a, 0)`. */

type Compute = (variables: ReadonlyMap<string, number | null>) => number | null;

const FUNCTIONS: Readonly<Record<string, (...values: number[]) => number>> = {
  abs: Math.abs,
  add: (...values) => values.reduce((a, b) => a + b, 0),
  ceil: Math.ceil,
  cube: (value) => value ** 3,
  divide: (a, b) => a / b,
  floor: Math.floor,
  log: (value, base = Math.E) => Math.log(value) / Math.log(base),
  log10: Math.log10,
  max: Math.max,
  mean: (...values) => values.reduce((a, b) => a + b, 0) / values.length,
  min: Math.min,
  mod: (a, b) => a % b,
  multiply: (...values) => values.reduce((a, b) => a * b, 1),
  pow: Math.pow,
  round: (value, digits = 0) => Number(value.toFixed(digits)),
  sqrt: Math.sqrt,
  square: (value) => value ** 2,
  subtract: (a, b) => a - b,
  sum: (...values) => values.reduce((a, b) => a + b, 0),
};

/** Nothing for a variable that has no value makes nothing of the whole. */
export function compile(script: string): Compute {
  const tokens = script.match(/\d+(?:\.\d+)?(?:e[+-]?\d+)?|[A-Za-z_][\w.]*|[-+*/%^(),]|\S/g) ?? [];
  let position = 0;
  const take = (token: string): boolean => {
    if (tokens[position] !== token) return false;
    position += 1;
    return true;
  };
  const fail = (): never => {
    throw new Error(`cannot compute "${script}": unexpected ${tokens[position] ?? 'end'}`);
  };

  const lift =
    (apply: (...values: number[]) => number, ...parts: readonly Compute[]): Compute =>
    (variables) => {
      const values = parts.map((part) => part(variables));
      const known = values.filter((value) => value !== null);
      if (known.length < values.length) return null;
      const found = apply(...known);
      return Number.isFinite(found) ? found : null;
    };

  function sum(): Compute {
    let left = product();
    for (;;) {
      if (take('+')) left = lift((a, b) => a + b, left, product());
      else if (take('-')) left = lift((a, b) => a - b, left, product());
      else return left;
    }
  }
  function product(): Compute {
    let left = factor();
    for (;;) {
      if (take('*')) left = lift((a, b) => a * b, left, factor());
      else if (take('/')) left = lift((a, b) => a / b, left, factor());
      else if (take('%')) left = lift((a, b) => a % b, left, factor());
      else return left;
    }
  }
  function factor(): Compute {
    if (take('-')) return lift((value) => -value, factor());
    if (take('(')) {
      const inner = sum();
      return take(')') ? inner : fail();
    }
    const token = tokens[position] ?? fail();
    position += 1;
    if (/^\d/.test(token)) return () => Number(token);
    if (!/^[A-Za-z_]/.test(token)) {
      position -= 1;
      return fail();
    }
    const apply = FUNCTIONS[token];
    if (apply === undefined || !take('(')) return (variables) => variables.get(token.replace(/^params\./, '')) ?? null;
    const parts: Compute[] = [];
    while (!take(')')) {
      if (parts.length > 0 && !take(',')) fail();
      parts.push(sum());
    }
    return lift(apply, ...parts);
  }

  const compute = sum();
  if (position < tokens.length) fail();
  return compute;
}
