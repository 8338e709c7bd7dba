/** Filters of the Compute API, as far as an inventory needs them: judged here, so that one list of a project serves everything. */
import { FIELDS, parseField, valuesOf, type Field, type Instance } from './instance.mts';

interface Condition {
  readonly field: Exclude<Field, { kind: 'labels' }>;
  readonly operator: '=' | '!=' | ':';
  readonly value: string;
}

export interface FilterProblem {
  readonly problem: string;
}

/** `labels.role = broker`, `status != TERMINATED`, `name:es-`, `labels.role:*`, several of them joined by AND. */
export function parseFilter(text: string): readonly Condition[] | FilterProblem {
  const conditions: Condition[] = [];
  if (/[()]|(?:^|\s)(?:OR|NOT)\s/.test(text)) return { problem: 'must be conditions joined by AND: OR, NOT and parentheses are not understood' };
  for (const part of text.split(/\s+AND\s+/)) {
    const [, left = '', operator, right = ''] = /^\s*([^\s=!:<>]+)\s*(!=|=|:)\s*(.*?)\s*$/.exec(part) ?? [];
    if (operator !== '=' && operator !== '!=' && operator !== ':')
      return { problem: `must be conditions such as labels.role = broker, and "${part.trim()}" is none` };
    const field = parseField(left);
    if (field === undefined || field.kind === 'labels') return { problem: `must ask for ${FIELDS}, and not for "${left}"` };
    const value = /^(['"])(.*)\1$/.exec(right)?.[2] ?? right;
    if (value === '' || /\s/.test(value) || (value.includes('*') && !(operator === ':' && value === '*')))
      return {
        problem: `must compare ${left} with one value, and not with "${right}"; a part of it is found by ${left}:PART, and ${left}:* says that there is one`,
      };
    conditions.push({ field, operator, value });
  }
  return conditions;
}

export const satisfies = (instance: Instance, conditions: readonly Condition[]): boolean => conditions.every((condition) => holds(instance, condition));

function holds(instance: Instance, { field, operator, value }: Condition): boolean {
  const found = valuesOf(instance, field);
  switch (operator) {
    case '=':
      return found.includes(value);
    case '!=':
      return !found.includes(value);
    case ':':
      return value === '*' ? found.length > 0 : found.some((each) => each.includes(value));
  }
}
