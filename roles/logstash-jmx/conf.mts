/** What the plugin is told of one JVM, and what the pipeline is told of all. */
import type { Content } from '../../lib/index.mts';
import { metricName, queriesFor, type JmxQuery } from './queries.mts';
import type { Target } from './targets.mts';

export type MetricSet = 'tutorial' | 'extended';

const namesOf = (query: JmxQuery): readonly string[] =>
  query.attributes.flatMap((attribute) =>
    query.composite === undefined ? [metricName(query, attribute)] : query.composite.map((key) => metricName(query, attribute, key)),
  );

/** Metrics that every poll of this JVM brings. */
export const expectedMetrics = ({ kind }: Pick<Target, 'kind'>, set: MetricSet): readonly string[] =>
  queriesFor(kind, set)
    .filter(({ sparse }) => sparse !== true)
    .flatMap(namesOf);

/**
 * Throws where a query would harm: a `${key}` that its object lacks ends the plugin's whole poll of that JVM and leaks its connection, and two
 * queries of one name would be one series.
 */
export function checkedQueries(queries: readonly JmxQuery[]): readonly JmxQuery[] {
  const names = queries.flatMap(namesOf);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`two queries give the metric ${twice}`);
  return queries;
}

/** Line by line readable, so that a difference can be read; with a login it is a secret as a whole. */
export function confFile({ alias, jmx, kind }: Target, set: MetricSet): Content {
  const queries = checkedQueries(queriesFor(kind, set)).map(({ object, attributes, alias: name }) =>
    JSON.stringify({ object_name: object, attributes, object_alias: name }),
  );
  const { login } = jmx;
  const head = JSON.stringify({ host: jmx.address, port: jmx.port, alias, ...(login === undefined ? {} : { username: login.user }) }, undefined, 2).slice(
    0,
    -'\n}'.length,
  );
  const tail = `,\n  "queries": [\n${queries.map((query) => `    ${query}`).join(',\n')}\n  ]\n}\n`;
  return login === undefined ? head + tail : { confidential: [`${head},\n  "password": `, login.password.inJson(), tail] };
}

/** For the translate filter, which reads it again while it runs. */
export const dictionary = (all: readonly Target[], of: 'cluster' | 'kind'): string =>
  `${JSON.stringify(Object.fromEntries(all.map((target) => [target.alias, target[of]])), undefined, 2)}\n`;
