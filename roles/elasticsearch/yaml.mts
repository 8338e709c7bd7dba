/** A flat YAML document, one setting a line, in the order given. */
export type Setting = string | number | boolean | readonly string[];

/** JSON strings are YAML's double-quoted ones, so no value can end its line or begin another; YAML wants these escaped as well. */
const text = (value: string): string =>
  JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

const scalar = (value: Setting): string =>
  typeof value === 'string' ? text(value) : typeof value === 'object' ? `[${value.map(text).join(', ')}]` : String(value);

export function flatYaml(settings: Readonly<Record<string, Setting | undefined>>): string {
  return Object.entries(settings)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${scalar(value)}\n`]))
    .join('');
}
