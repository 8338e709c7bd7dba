/** Writes Logstash's own configuration language, so that no value can end a string or name a variable of the environment. */

export type Value = string | number | boolean | readonly Value[] | Codec | { readonly [key: string]: Value };

interface Codec {
  readonly kind: typeof CODEC;
  readonly plugin: Plugin;
}
const CODEC = Symbol('codec');

export interface Plugin {
  readonly name: string;
  readonly settings: Readonly<Record<string, Value>>;
}

export const plugin = (name: string, settings: Plugin['settings'] = {}): Plugin => ({ name, settings });
export const codec = (name: string, settings: Plugin['settings'] = {}): Codec => ({ kind: CODEC, plugin: plugin(name, settings) });

/** Plugins for the events of which a condition holds. */
export interface When {
  readonly when: string;
  readonly then: readonly Plugin[];
}

export interface Pipeline {
  readonly input: readonly Plugin[];
  readonly filter?: readonly (Plugin | When)[];
  /** In Logstash's own language, after the other filters: tested with the whole before it runs. */
  readonly moreFilters?: string;
  readonly output: readonly Plugin[];
}

export function pipelineText({ input, filter = [], moreFilters, output }: Pipeline): string {
  const own = moreFilters === undefined ? '' : `${indented(moreFilters.trim())}\n`;
  const middle = filter.length === 0 && own === '' ? '' : `filter {\n${filter.map(filterText).join('')}${own}}\n`;
  return `input {\n${input.map(pluginText).join('')}}\n${middle}output {\n${output.map(pluginText).join('')}}\n`;
}

const filterText = (each: Plugin | When): string =>
  'when' in each ? `  if ${each.when} {\n${indented(each.then.map(pluginText).join(''))}  }\n` : pluginText(each);

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

function pluginText({ name, settings }: Plugin): string {
  const lines = Object.entries(settings).map(([key, value]) => `    ${key} => ${valueText(value)}\n`);
  return lines.length === 0 ? `  ${name} {}\n` : `  ${name} {\n${lines.join('')}  }\n`;
}

function valueText(value: Value): string {
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (isList(value)) return `[${value.map(valueText).join(', ')}]`;
  if (isCodec(value)) {
    const { name, settings } = value.plugin;
    const inside = Object.entries(settings).map(([key, each]) => ` ${key} => ${valueText(each)}`);
    return inside.length === 0 ? name : `${name} {${inside.join('')} }`;
  }
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${stringText(key)} => ${valueText(each)}`)
    .join(' ')} }`;
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
const isCodec = (value: object): value is Codec => 'kind' in value && value.kind === CODEC;

/** Strings know no escapes (config.support_escapes is off), and `${X}` in them is a variable of the environment. */
export function canQuote(text: string): boolean {
  return !/[\n\r\0]/.test(text) && !text.endsWith('\\') && !text.includes('${') && !(text.includes('"') && text.includes("'"));
}

function stringText(text: string): string {
  if (!canQuote(text)) throw new TypeError(`${JSON.stringify(text)} cannot be written as a string of a Logstash pipeline`);
  const quote = text.includes('"') ? "'" : '"';
  return `${quote}${text}${quote}`;
}
