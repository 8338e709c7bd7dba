type Limit = number | 'unlimited';
export interface Limits {
  readonly nofile: number;
  readonly nproc?: Limit;
  readonly memlock?: Limit;
}

/** For everybody and, since `*` does not cover it, for root. */
export function limitsFile(limits: Limits): string {
  const items = [['nofile', limits.nofile] as const, ['nproc', limits.nproc] as const, ['memlock', limits.memlock] as const];
  const lines = items.flatMap(([item, value]) =>
    value === undefined ? [] : ['*', 'root'].flatMap((who) => ['soft', 'hard'].map((type) => `${who} ${type} ${item} ${String(value)}`)),
  );
  return `# Limits of login sessions; services have theirs in their units.\n${lines.join('\n')}\n`;
}
