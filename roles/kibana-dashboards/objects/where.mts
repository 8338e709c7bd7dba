/** Which documents are meant, in Kibana's query language and in Elasticsearch's: one source for what a panel shows and for what proves it. */

/** Keyword fields that the pipeline adds to every document. */
export type KeywordField = 'metric' | 'broker' | 'cluster' | 'kind';
export const VALUE_FIELD = 'metric_value_number';

/** Every field must have one of its values. */
export type Where = Readonly<Partial<Record<KeywordField, readonly [string, ...string[]]>>>;

const quoted = (text: string): string => `"${text.replaceAll(/[\\"]/g, '\\$&')}"`;

const entries = (where: Where): readonly (readonly [string, readonly string[]])[] => Object.entries(where);

export const kql = (where: Where): string =>
  entries(where)
    .map(([field, values]) => `${field} : ${values.length === 1 ? quoted(values[0] ?? '') : `(${values.map(quoted).join(' or ')})`}`)
    .join(' and ');

export const kuery = (where: Where): { readonly query: string; readonly language: 'kuery' } => ({ query: kql(where), language: 'kuery' });

export const filters = (where: Where): readonly object[] => entries(where).map(([field, values]) => ({ terms: { [field]: values } }));
