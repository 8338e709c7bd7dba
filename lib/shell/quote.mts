/** One POSIX single-quoted word: the only quoting used for anything a host's shell reads. NUL cannot be carried by any shell word. */
export function quote(text: string | number): string {
  const word = String(text);
  if (word.includes('\0')) throw new TypeError('a NUL byte cannot be part of a shell word');
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A script from a template: every interpolated value becomes one quoted word. */
export function sh(strings: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return strings.reduce((script, text, index) => script + (index === 0 ? '' : quote(values[index - 1] ?? '')) + text, '');
}
